//! How much of a reader's time a notebook takes: a sitting, or a deeper one, and no more.

use crate::workbench::*;
use serde_json::Value;

/// Most cells, words in them and figures; code cells from the parameters to the first figure; code
/// cells in a row.
const SITTING: [usize; 5] = [45, 1_600, 8, 6, 2];
const DEEPER: [usize; 5] = [50, 1_800, 8, 6, 2];

#[test]
fn every_notebook_is_one_sitting() {
    for path in notebooks() {
        let (name, notebook) = (name(&path), read(&path));
        let cells = notebook["cells"].as_array().unwrap();
        let is_code = |cell: &&Value| cell["cell_type"] == "code";
        let words = |cell: &Value| text(&cell["source"]).split_whitespace().count();
        let has_figure = |cell: &&Value| {
            let mut outputs = cell["outputs"].as_array().into_iter().flatten();
            outputs.any(|output| output["data"].get("image/png").is_some())
        };
        let prose = cells.iter().filter(|cell| !is_code(cell)).map(words).sum();
        let after = cells
            .iter()
            .skip_while(|cell| !has_tag(cell, "parameters"))
            .skip(1)
            .filter(is_code);
        let until_figure = 1 + after.take_while(|cell| !has_figure(cell)).count();
        let in_a_row = cells.chunk_by(|one, other| is_code(&one) == is_code(&other));
        let in_a_row = in_a_row
            .filter(|run| is_code(&&run[0]))
            .map(<[Value]>::len)
            .max()
            .unwrap_or(0);
        let figures = cells.iter().filter(has_figure).count();
        let measured = [cells.len(), prose, figures, until_figure, in_a_row];
        let most = if name.as_str() < "04" {
            SITTING
        } else {
            DEEPER
        };
        let over = measured
            .iter()
            .zip(most)
            .any(|(measured, most)| *measured > most);
        assert!(
            !over,
            "{name}: cells, words, figures, cells to the first, in a row: {measured:?} over {most:?}"
        );
    }
}

//! The shape of a lesson: short cells, a figure soon, the reader's own guess before each experiment
//! and the reader's own code at the end.

use crate::workbench::*;
use serde_json::Value;

/// Columns of a line of code.
const WIDTH: usize = 100;
/// Lines of a cell; so many cells may have more.
const LINES: usize = 15;
const LONGER_CELLS: usize = 2;
const LINES_TO_THE_FIRST_FIGURE: usize = 40;
const CODE_CELLS_IN_A_ROW: usize = 3;

fn is_code(cell: &Value) -> bool {
    cell["cell_type"] == "code"
}

fn shows_a_figure(cell: &Value) -> bool {
    let mut outputs = cell["outputs"].as_array().into_iter().flatten();
    outputs.any(|output| output["data"].get("image/png").is_some())
}

fn lines(cell: &Value) -> usize {
    let source = text(&cell["source"]);
    let is_said = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    source.lines().filter(is_said).count()
}

/// What of a notebook a reader has to wade through.
fn faults(notebook: &Value) -> Vec<String> {
    let cells = notebook["cells"].as_array().unwrap();
    let is_lesson =
        |cell: &&Value| is_code(cell) && !has_tag(cell, "setup") && !has_tag(cell, "parameters");
    let lesson: Vec<&Value> = cells.iter().filter(is_lesson).collect();
    let mut faults = Vec::new();
    for cell in &lesson {
        let source = text(&cell["source"]);
        let wide = source.lines().filter(|line| line.chars().count() > WIDTH);
        faults.extend(wide.map(|line| format!("a line over {WIDTH} columns: {line}")));
    }
    let long: Vec<&Value> = lesson
        .iter()
        .copied()
        .filter(|cell| lines(cell) > LINES)
        .collect();
    if long.len() > LONGER_CELLS {
        let ids: Vec<String> = long.iter().map(|cell| text(&cell["id"])).collect();
        faults.push(format!("cells over {LINES} lines: {ids:?}"));
    }
    let before = lesson.iter().take_while(|cell| !shows_a_figure(cell));
    let before: usize = before.map(|cell| lines(cell)).sum();
    if before > LINES_TO_THE_FIRST_FIGURE {
        faults.push(format!("{before} lines of code before the first figure"));
    }
    let runs = cells.chunk_by(|one, other| is_code(one) == is_code(other));
    let longest = runs
        .filter(|run| is_code(&run[0]))
        .map(<[Value]>::len)
        .max();
    if longest > Some(CODE_CELLS_IN_A_ROW) {
        faults.push(format!("{longest:?} code cells in a row"));
    }
    for tag in ["guess", "own", "exercise", "cover"] {
        if !lesson.iter().any(|cell| has_tag(cell, tag)) {
            faults.push(format!("no cell is tagged {tag}"));
        }
    }
    if cells.last().map(|cell| text(&cell["id"])) != Some("stamp".into()) {
        faults.push("the last cell is not the stamp".into());
    }
    faults
}

#[test]
fn every_notebook_has_the_shape_of_a_lesson() {
    let of_one = |path: &std::path::PathBuf| {
        let faults = faults(&read(path));
        let named = faults
            .into_iter()
            .map(|fault| format!("{}: {fault}", name(path)));
        named.collect::<Vec<_>>()
    };
    let faults: Vec<String> = notebooks().iter().flat_map(of_one).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

//! What loom and Miri test is what the reader of notebook 01 sees.

use crate::workbench::{code_cells, name, read, root, text};
use serde_json::Value;
use std::fs;

/// Each file of tested code is the source of a cell of its name, letter for letter.
#[test]
fn the_tested_counters_are_the_cells_of_the_notebook() {
    let notebook = read(&root().join("notebooks/01-guard-internal-state.ipynb"));
    let cells = code_cells(&notebook);
    let mut compared = 0;
    for entry in fs::read_dir(root().join("helpers/tests/counter_cells")).unwrap() {
        let path = entry.unwrap().path();
        let id = name(&path).replace('_', "-");
        let cell: Option<&&Value> = cells.iter().find(|cell| cell["id"] == id.as_str());
        let cell = cell.unwrap_or_else(|| panic!("the notebook has no cell {id}"));
        // A file ends with a newline, a cell does not.
        assert_eq!(fs::read_to_string(&path).unwrap(), text(&cell["source"]) + "\n", "{}", path.display());
        compared += 1;
    }
    assert!(compared > 0, "there is no tested cell");
}

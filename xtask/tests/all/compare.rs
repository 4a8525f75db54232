//! `cargo xtask compare` on small notebooks: what it pairs, what it says, what it refuses.

use crate::workbench::*;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A notebook with a parameter, a figure per title, a verdict and a stamp.
fn executed(path: &Path, titles: &[&str], mutex: [&str; 3], verdict: &str) {
    let shows = |id: &str, data: Value| {
        let mut cell = cell("", &[]);
        cell["id"] = id.into();
        let data = json!({ "image/png": "iVBORw0KGgo=\n", DATA_TYPE: data });
        let output = "execute_result";
        cell["outputs"] =
            json!([{ "output_type": output, "data": data, "metadata": {}, "execution_count": 1 }]);
        cell
    };
    let mut cells = vec![cell("const COUNT: usize = 3; // how many", &["parameters"])];
    for title in titles {
        let first = path.to_str().unwrap().contains("/a/");
        let more = match first {
            true => [
                ["channel", "2", "8,000", "7,000", "9,000", "25"],
                ["single", "1", "5.00", "5.00", "5.00", "1"],
                ["only A", "1", "1.00", "1.00", "1.00", "1"],
            ],
            false => [
                ["channel", "2", "16,000", "16,000", "16,000", "25"],
                ["single", "1", "10.0", "10.0", "10.0", "1"],
                ["only B", "1", "1.00", "1.00", "1.00", "1"],
            ],
        };
        let [value, low, high] = mutex;
        let mut rows = vec![["mutex", "1", value, low, high, "25"]];
        rows.extend(more);
        rows.push(["zero", "1", "0.00", "0.00", "0.00", "9"]);
        let header = ["series", "threads", "ns", "low", "high", "samples"];
        let data = json!({ "title": title, "header": header, "rows": rows });
        cells.push(shows(title.trim_end_matches('?'), data));
    }
    let table = |id: &str, rows: Value| {
        let mut cell = shows(
            id,
            json!({ "title": id, "header": ["a", "b"], "rows": rows }),
        );
        let data = cell["outputs"][0]["data"].as_object_mut().unwrap();
        data.remove("image/png");
        cell
    };
    cells.push(table("verdict", json!([["Slower", verdict]])));
    cells.push(table("stamp", json!([["cores", "2"]])));
    write(path, cells);
}

#[test]
fn two_folders_become_tables_in_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    ["a", "b"]
        .iter()
        .for_each(|side| fs::create_dir(path(side)).unwrap());
    // 20 / 10 = 2; down by the root of ln(12/10)² + ln(18/20)², up by that of ln(9/10)² +
    // ln(24/20)².
    executed(
        &path("a/one.ipynb"),
        &["Cost?", "Same?", "Gone?"],
        ["10.0", "9.00", "12.0"],
        "supported",
    );
    executed(
        &path("b/one.ipynb"),
        &["Cost?", "Same?"],
        ["20.0", "18.0", "24.0"],
        "a|b",
    );
    let [a, b] = ["a", "b"].map(|name| path(name).display().to_string());
    let outcome = xtask(&["compare", &a, &b]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for line in [
        "## one",
        "### Cost?, ns",
        "| series  | threads | A                    | B                 | B / A             |",
        "| mutex   | 1       | 10.0 [9.00, 12.0]    | 20.0 [18.0, 24.0] | 2.00 [1.62, 2.47] |",
        "| channel | 2       | 8,000 [7,000, 9,000] | 16,000            | 2.00 [1.78, 2.29] |",
        "| single  | 1       | 5.00                 | 10.0              | 2.00              |",
        "| zero    | 1       | 0.00                 | 0.00              |                   |",
        "| only A  | 1       | 1.00                 | not there         |                   |",
        "| only B  | 1       | not there            | 1.00              |                   |",
        "| cores | 2   | 2   |",
        "| COUNT | 3   | 3   |",
        "| Slower            | supported | a\\|b |",
        "Only A has the figure: Gone?",
        "4 of 4 ratios with an interval lie clearly above or below 1.",
    ] {
        assert!(
            outcome.stdout.lines().any(|said| said == line),
            "{line}\n{}",
            outcome.stdout
        );
    }
    // What is read by another program, which ends early, is no error.
    let head = format!("'{PROGRAM}' compare '{a}' '{b}' | head -1");
    let outcome = Outcome::of(
        Command::new("bash")
            .args(["-o", "pipefail", "-c", &head])
            .output()
            .unwrap(),
    );
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

/// `{}` is the folder.
const REFUSED: &str = "
compare {}/one.ipynb {}/bare.ipynb => {}/bare.ipynb shows no figure: execute it with `cargo xtask run`
compare {}/one.ipynb {}/text.ipynb => {}/text.ipynb is not a notebook: Notebook does not appear to be JSON: 'text'
compare {}/one.ipynb {}/empty => {}/one.ipynb and {}/empty hold no notebook of the same name
compare {}/none {}/one.ipynb => cannot read {}/none: No such file or directory
";

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    executed(&path("one.ipynb"), &["Cost?"], ["10.0", "9.00", "12.0"], "");
    write(&path("bare.ipynb"), vec![cell("1", &[])]);
    fs::write(path("text.ipynb"), "text").unwrap();
    fs::create_dir(path("empty")).unwrap();
    check_refusals(folder.path(), REFUSED);
}

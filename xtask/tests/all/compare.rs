//! `cargo xtask compare` on small notebooks: what it pairs, what it writes, what it refuses.

use crate::workbench::*;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A notebook with a parameter, a figure per title, a verdict and a stamp.
fn executed(path: &Path, titles: &[&str], row: &str, verdict: &str) {
    let shows = |id: &str, data: Value| {
        let mut cell = cell("", &[]);
        cell["id"] = id.into();
        cell["outputs"] = json!([{ "output_type": "execute_result", "data": data }]);
        cell
    };
    let mut cells = vec![cell("const COUNT: usize = 3; // how many", &["parameters"])];
    for title in titles {
        let twin = format!(
            "{title}\nseries  threads  ns  low  high  samples\nmutex  1  {row}  25\n\nHold <0> ns.\n"
        );
        cells.push(shows(title, json!({ "image/png": "iVBORw0KGgo=\n", "text/plain": twin })));
    }
    cells.push(shows("verdict", json!({ "text/plain": verdict })));
    cells.push(shows("stamp", json!({ "text/plain": "Measured on\nwhat   value\ncores  2\n" })));
    write(path, cells);
}

#[test]
fn two_folders_become_one_report_and_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    ["a", "b"].iter().for_each(|side| fs::create_dir(path(side)).unwrap());
    executed(&path("a/one.ipynb"), &["Cost?", "Gone?"], "10.0  9.00  12.0", "Slower: supported\n");
    executed(&path("b/one.ipynb"), &["Cost?"], "20.0  18.0  24.0", "Slower: <b>refuted</b>\n");
    let [a, b, page] = ["a", "b", "page.html"].map(|name| path(name).display().to_string());
    let outcome = xtask(&["compare", &a, &b, "--output", &page]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for line in [
        "cores  2  2",
        "COUNT  3  3",
        "1     Slower: supported  Slower: <b>refuted</b>",
        "mutex   1        10.0 [9.00, 12.0]  20.0 [18.0, 24.0]  2.00 [1.62, 2.47]",
        "Only A has the figure: Gone?",
        "1 of 1 ratios with an interval lie clearly above or below 1.",
    ] {
        assert!(outcome.stdout.lines().any(|said| said.trim_end() == line), "{line}\n{}", outcome.stdout);
    }
    let html = fs::read_to_string(&page).unwrap();
    assert_eq!(html.matches("<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"Cost?").count(), 2);
    for said in [
        "<td><b>2.00 [1.62, 2.47]</b></td>",
        "&lt;b&gt;refuted&lt;/b&gt;",
        "<figcaption>B. Hold &lt;0&gt; ns.",
    ] {
        assert!(html.contains(said), "{html}");
    }
    assert!(!html.contains(folder.path().to_str().unwrap()), "the page names a folder of the machine");
}

/// `{}` is the folder.
const REFUSED: &str = "
compare {}/one.ipynb {}/bare.ipynb --output {}/page.html => {}/bare.ipynb shows no figure: execute it with `cargo xtask run`
compare {}/one.ipynb {}/text.ipynb --output {}/page.html => {}/text.ipynb is not a notebook: expected ident at line 1 column 2
compare {}/one.ipynb {}/empty --output {}/page.html => {}/one.ipynb and {}/empty hold no notebook of the same name
compare {}/none {}/one.ipynb --output {}/page.html => cannot read {}/none: No such file or directory (os error 2)
compare {}/one.ipynb {}/one.ipynb --output {}/empty => cannot write {}/empty: Is a directory (os error 21)
";

#[test]
fn what_cannot_be_compared_is_refused_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    executed(&path("one.ipynb"), &["Cost?"], "10.0  9.00  12.0", "");
    write(&path("bare.ipynb"), vec![cell("1", &[])]);
    fs::write(path("text.ipynb"), "text").unwrap();
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("page.html"), "the previous page").unwrap();
    check_refusals(folder.path(), REFUSED);
}

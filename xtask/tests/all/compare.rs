//! `cargo xtask compare` on small notebooks: what it pairs, what it writes, what it refuses.

use crate::workbench::{cell, write, xtask};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A notebook with a parameter, a figure per title, a verdict and a stamp.
fn executed(path: &Path, titles: &[&str], ns: [&str; 3], verdict: &str) {
    let [value, low, high] = ns;
    let mut cells = vec![cell("const COUNT: usize = 3; // how many", &["parameters"])];
    for title in titles {
        let twin = format!(
            "{title}\nseries  threads  ns  low  high  samples\nmutex  1  {value}  {low}  {high}  25\n"
        );
        cells.push(shows("figure", json!({ "image/png": "iVBORw0KGgo=\n", "text/plain": twin })));
    }
    let mut said = cell("verdict", &[]);
    said["outputs"] = json!([{ "output_type": "stream", "name": "stdout", "text": verdict }]);
    cells.push(said);
    cells.push(shows("stamp", json!({ "text/plain": "Measured on\nwhat   value\ncores  2\n" })));
    write(path, cells);
    let mut notebook = crate::workbench::read(path);
    for cell in notebook["cells"].as_array_mut().unwrap() {
        if ["verdict", "stamp"].contains(&crate::workbench::text(&cell["source"]).as_str()) {
            cell["id"] = cell["source"].clone();
        }
    }
    fs::write(path, notebook.to_string()).unwrap();
}

fn shows(source: &str, data: Value) -> Value {
    let mut cell = cell(source, &[]);
    cell["outputs"] =
        json!([{ "output_type": "execute_result", "execution_count": 2, "metadata": {}, "data": data }]);
    cell
}

#[test]
fn two_folders_become_one_report_and_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    for side in [&a, &b] {
        fs::create_dir(side).unwrap();
    }
    executed(&a.join("one.ipynb"), &["Cost?", "Gone?"], ["10.0", "9.00", "12.0"], "Slower: supported\n");
    executed(&b.join("one.ipynb"), &["Cost?"], ["20.0", "18.0", "24.0"], "Slower: <b>refuted</b>\n");
    executed(&a.join("two.ipynb"), &["Alone?"], ["1.00", "1.00", "1.00"], "");
    let page = folder.path().join("page.html");
    let [a, b, output] = [&a, &b, &page].map(|path| path.to_str().unwrap());
    let outcome = xtask(&["compare", a, b, "--output", output]);
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
    assert!(!outcome.stdout.contains("Alone?"), "{}", outcome.stdout);
    let html = fs::read_to_string(&page).unwrap();
    assert_eq!(html.matches("<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"Cost?").count(), 2);
    assert!(html.contains("<td><b>2.00 [1.62, 2.47]</b></td>"), "{html}");
    assert!(html.contains("&lt;b&gt;refuted&lt;/b&gt;"), "{html}");
    let shared = folder.path().to_str().unwrap();
    assert!(!html.contains(shared), "the page names a folder of the machine");
}

#[test]
fn what_cannot_be_compared_is_refused_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    executed(Path::new(&path("one.ipynb")), &["Cost?"], ["10.0", "9.00", "12.0"], "");
    write(Path::new(&path("bare.ipynb")), vec![cell("1", &[])]);
    fs::write(path("text.ipynb"), "text").unwrap();
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("page.html"), "the previous page").unwrap();
    let [one, bare, text, empty, none] = ["one.ipynb", "bare.ipynb", "text.ipynb", "empty", "none"].map(path);
    let cases = [
        (&one, &bare, format!("{bare} shows no figure: execute it with `cargo xtask run`")),
        (&one, &text, format!("{text} is not a notebook: expected ident at line 1 column 2")),
        (&one, &empty, format!("{one} and {empty} hold no notebook of the same name")),
        (&none, &one, format!("cannot read {none}: No such file or directory (os error 2)")),
    ];
    for (a, b, said) in cases {
        let outcome = xtask(&["compare", a, b, "--output", &path("page.html")]);
        assert_eq!(outcome.stderr, format!("error: {said}\n"));
        assert_eq!(outcome.code, Some(1));
        assert_eq!(fs::read_to_string(path("page.html")).unwrap(), "the previous page");
    }
    let outcome = xtask(&["compare", &one, &one, "--output", &path("text.ipynb/page.html")]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.starts_with(&format!("error: cannot write {}", path("text.ipynb"))),
        "{}",
        outcome.stderr
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "something is left over");
}

//! `cargo xtask compare` on small notebooks: what it pairs, what it writes, what it refuses.

use crate::workbench::{cell, write, xtask};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A notebook with a parameter, a figure per title, a verdict and a stamp.
fn executed(path: &str, titles: &[&str], row: &str, verdict: &str) {
    let shows = |id: &str, output: Value| {
        let mut cell = cell("", &[]);
        (cell["id"], cell["outputs"]) = (id.into(), json!([output]));
        cell
    };
    let data =
        |data| json!({ "output_type": "execute_result", "execution_count": 2, "metadata": {}, "data": data });
    let mut cells = vec![cell("const COUNT: usize = 3; // how many", &["parameters"])];
    for title in titles {
        let twin = format!("{title}\nseries  threads  ns  low  high  samples\nmutex  1  {row}  25\n");
        cells.push(shows(title, data(json!({ "image/png": "iVBORw0KGgo=\n", "text/plain": twin }))));
    }
    cells.push(shows("verdict", json!({ "output_type": "stream", "name": "stdout", "text": verdict })));
    cells.push(shows("stamp", data(json!({ "text/plain": "Measured on\nwhat   value\ncores  2\n" }))));
    write(Path::new(path), cells);
}

#[test]
fn two_folders_become_one_report_and_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [a, b, page] = ["a", "b", "page.html"].map(path);
    for side in [&a, &b] {
        fs::create_dir(side).unwrap();
    }
    executed(&path("a/one.ipynb"), &["Cost?", "Gone?"], "10.0  9.00  12.0", "Slower: supported\n");
    executed(&path("b/one.ipynb"), &["Cost?"], "20.0  18.0  24.0", "Slower: <b>refuted</b>\n");
    executed(&path("a/two.ipynb"), &["Alone?"], "1.00  1.00  1.00", "");
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
    assert!(!outcome.stdout.contains("Alone?"), "{}", outcome.stdout);
    let html = fs::read_to_string(&page).unwrap();
    assert_eq!(html.matches("<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"Cost?").count(), 2);
    assert!(html.contains("<td><b>2.00 [1.62, 2.47]</b></td>"), "{html}");
    assert!(html.contains("&lt;b&gt;refuted&lt;/b&gt;"), "{html}");
    assert!(!html.contains(&path("")), "the page names a folder of the machine");
}

#[test]
fn what_cannot_be_compared_is_refused_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [one, bare, text, empty, none] = ["one.ipynb", "bare.ipynb", "text.ipynb", "empty", "none"].map(path);
    let [page, impossible] = ["page.html", "text.ipynb/page.html"].map(path);
    executed(&one, &["Cost?"], "10.0  9.00  12.0", "");
    write(Path::new(&bare), vec![cell("1", &[])]);
    fs::write(&text, "text").unwrap();
    fs::create_dir(&empty).unwrap();
    fs::write(&page, "the previous page").unwrap();
    for (a, b, output, said) in [
        (&one, &bare, &page, format!("{bare} shows no figure: execute it with `cargo xtask run`\n")),
        (&one, &text, &page, format!("{text} is not a notebook: expected ident at line 1 column 2\n")),
        (&one, &empty, &page, format!("{one} and {empty} hold no notebook of the same name\n")),
        (&none, &one, &page, format!("cannot read {none}: No such file or directory (os error 2)\n")),
        (&one, &one, &impossible, format!("cannot write {text}")),
    ] {
        let outcome = xtask(&["compare", a, b, "--output", output]);
        assert_eq!(outcome.code, Some(1), "{said}");
        assert!(outcome.stderr.starts_with(&format!("error: {said}")), "{}", outcome.stderr);
        assert_eq!(fs::read_to_string(&page).unwrap(), "the previous page");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "{said}: something is left over");
    }
}

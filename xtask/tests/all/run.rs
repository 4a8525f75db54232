//! `cargo xtask run` on small notebooks: what it refuses, how it fails, what it writes.

use crate::workbench::{cell, read, write, xtask};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PARAMETERS: &str = "const COUNT: usize = 3; // how many\nconst LIST: &[i64] = &[1, 2]; // which\n";

/// A notebook named `small` in a folder of its own, and an output folder that does not exist yet.
fn small(cells: &[(&str, &[&str])]) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let notebook = folder.path().join("small.ipynb");
    write(&notebook, cells.iter().map(|(source, tags)| cell(source, tags)).collect());
    let output = folder.path().join("rendered");
    (folder, notebook, output)
}

fn run(notebook: &Path, output: &Path, more: &[&str]) -> crate::workbench::Outcome {
    let mut arguments = vec!["run", notebook.to_str().unwrap(), "--output", output.to_str().unwrap()];
    arguments.extend(more);
    xtask(&arguments)
}

#[test]
fn parameters_are_refused_before_anything_runs() {
    let (_folder, notebook, output) = small(&[(PARAMETERS, &["parameters"]), ("COUNT", &[])]);
    let before = fs::read(&notebook).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["-p", "SIZE=3"],
            "there is no parameter SIZE; there are:\n  small: COUNT: usize = 3\n  small: LIST: &[i64] = &[1, 2]",
        ),
        (&["-p", "COUNT"], "`-p COUNT` is not NAME=VALUE"),
        (&["-p", "COUNT=(1"], "`(1`, the value for COUNT, is not one Rust expression"),
        (&["-p", "COUNT=1; 2"], "`1; 2`, the value for COUNT, is not one Rust expression"),
        (&["-p", "COUNT=1 // one"], "`1 // one`, the value for COUNT, is not one Rust expression"),
        (
            &["-p", "COUNT=-1"],
            "small: `-1` does not fit COUNT: usize: cannot apply unary operator `-` to type `usize`",
        ),
        (
            &["-p", "COUNT=\"many\""],
            "small: `\"many\"` does not fit COUNT: usize: mismatched types: expected `usize`, found `&str`",
        ),
        (
            &["-p", "COUNT=100000000000000000000"],
            "small: `100000000000000000000` does not fit COUNT: usize: literal out of range for `usize`",
        ),
        (&["-p", "COUNT=1", "-p", "COUNT=2"], "-p gives COUNT twice; give it once"),
        (
            &["-p", "COUNT=1", "--in-place"],
            "--in-place refreshes the outputs of the values that stand in the notebook, so it takes no -p",
        ),
    ];
    for (arguments, said) in cases {
        let outcome = run(&notebook, &output, arguments);
        assert_eq!(outcome.stderr, format!("error: {said}\n"));
        assert_eq!(outcome.code, Some(1), "{arguments:?}");
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(!output.exists(), "{arguments:?}");
        assert_eq!(fs::read(&notebook).unwrap(), before, "{arguments:?}");
    }
}

#[test]
fn what_is_no_notebook_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("rendered");
    let file = folder.path().join("list.ipynb");
    fs::write(&file, "[]").unwrap();
    let outcome = run(&file, &output, &[]);
    assert_eq!(outcome.stderr, format!("error: {} is not a notebook: it has no cells\n", file.display()));
    assert_eq!(outcome.code, Some(1));
    fs::write(&file, "{\"cells\": []}").unwrap();
    let outcome = run(&file, folder.path(), &[]);
    let said = "--output is the folder of a notebook, which it would overwrite; name another one";
    assert_eq!(outcome.stderr, format!("error: {said}\n"));
    assert_eq!(outcome.code, Some(1));
    let outcome = xtask(&["run", "no-such"]);
    assert!(outcome.stderr.starts_with("error: no notebook no-such"), "{}", outcome.stderr);
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn a_cell_that_fails_stops_the_run_and_nothing_is_published() {
    let cases = [
        ("panic!(\"on purpose\")", "panicked at"),
        ("Err::<(), _>(\"it went wrong\")?", "  it went wrong"),
        ("eprintln!(\"careful\");", "  careful"),
        ("let count: usize = \"many\";", "mismatched types"),
        ("std::process::abort()", "SIGABRT"),
        ("std::process::exit(0)", "Subprocess terminated"),
    ];
    for (index, (source, said)) in cases.into_iter().enumerate() {
        let (folder, notebook, output) = small(&[("1 + 1", &[]), (source, &[]), ("2 + 2", &[])]);
        let good = folder.path().join("good.ipynb");
        write(&good, vec![cell("1 + 1", &[])]);
        fs::create_dir(&output).unwrap();
        let files = ["good.ipynb", "good.html", "small.ipynb", "small.html"].map(|name| output.join(name));
        files.iter().for_each(|file| fs::write(file, "the previous rendering").unwrap());
        let before = [&good, &notebook].map(|path| fs::read(path).unwrap());

        // Once after a notebook that succeeds, which takes longer.
        let (first, second) = if index == 0 { (&good, &notebook) } else { (&notebook, &good) };
        let outcome = run(first, &output, &[second.to_str().unwrap(), "--in-place"]);
        assert_eq!(outcome.code, Some(1), "{source}: {}", outcome.stdout);
        let named = format!("error: small  cell 2 of 3 failed: {source}\n");
        assert!(outcome.stderr.starts_with(&named), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert!(outcome.stderr.lines().count() <= 14, "{}", outcome.stderr);
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("2 + 2"), "{}", outcome.stdout);
        for file in &files {
            assert_eq!(fs::read_to_string(file).unwrap(), "the previous rendering", "{source}");
        }
        assert_eq!([&good, &notebook].map(|path| fs::read(path).unwrap()), before, "{source}");
        assert_eq!(fs::read_dir(&output).unwrap().count(), files.len(), "{source}: something is left over");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "{source}: something is left over");
    }
}

#[test]
fn a_kernel_that_dies_is_a_sentence() {
    let kill = "let kernel = std::os::unix::process::parent_id().to_string();\nstd::process::Command::new(\"kill\").args([\"-KILL\", &kernel]).status()?;";
    let (_folder, notebook, output) = small(&[(kill, &[])]);
    let outcome = run(&notebook, &output, &[]);
    let first = kill.lines().next().unwrap();
    let first: String = first.chars().take(59).chain(['…']).collect();
    assert_eq!(outcome.stderr, format!("error: small  cell 1 of 1 ended the kernel: {first}\n"));
    assert_eq!(outcome.code, Some(1));
    assert!(!output.exists(), "a run that publishes nothing has left its folder");
}

#[test]
fn what_is_published_is_whole_and_the_same_each_time() {
    let (folder, notebook, output) = small(&[
        (PARAMETERS, &["parameters"]),
        ("println!(\"{COUNT} of {LIST:?}\");\nprintln!(\"é\");", &[]),
        ("panic!(\"on purpose\")", &["raises-exception"]),
        ("COUNT + 1", &[]),
    ]);
    let outcome = run(&notebook, &output, &["-p", "COUNT=40 + 1", "-p", "LIST=&[-7]"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("small  cell 2 of 4, 2 left: println!"), "{}", outcome.stdout);
    let executed = read(&output.join("small.ipynb"));
    let changed = PARAMETERS.replace("= 3;", "= 40 + 1;").replace("&[1, 2]", "&[-7]");
    assert_eq!(crate::workbench::text(&executed["cells"][0]["source"]), changed);
    assert_eq!(crate::workbench::text(&executed["cells"][1]["outputs"][0]["text"]), "41 of [-7]\né\n");
    assert_eq!(crate::workbench::text(&executed["cells"][3]["outputs"][0]["data"]["text/plain"]), "42");
    let html = fs::read_to_string(output.join("small.html")).unwrap();
    assert!(html.contains("41 of [-7]"));

    let in_place = |name: &str| {
        let outcome = run(&notebook, &output, &["--in-place"]);
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
        fs::read_to_string(&notebook).unwrap()
    };
    let first = in_place("first");
    assert!(
        first.starts_with("{\n \"cells\": [\n  {\n   \"cell_type\""),
        "not in JupyterLab's format: {first}"
    );
    assert!(first.ends_with("}\n") && !first.contains("\"execution\""), "{first}");
    assert!(first.contains("3 of [1, 2]"), "{first}");
    assert_eq!(fs::read_to_string(output.join("small.ipynb")).unwrap(), first);
    // The panic's text names the thread, and that is another one each time.
    let lasting = |text: &str| text.lines().filter(|line| !line.contains("thread '")).collect::<String>();
    assert_eq!(lasting(&in_place("second")), lasting(&first));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something is left over");
}

#[test]
fn the_index_covers_what_each_run_left() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("rendered");
    let show = |mime: &str, content: &str| {
        format!("println!(\"EVCXR_BEGIN_CONTENT {mime}\\n{content}\\nEVCXR_END_CONTENT\");\n")
    };
    let figure = show("image/png", "AAAA") + &show("text/plain", "How <big>?\\nsize  m\\na     1");
    let mut cells = vec![
        crate::workbench::prose(
            "# Is `x<y>` <b>big</b>?\n\nA *claim* & <script>alert(1)</script> more.\n\n## Next",
        ),
        cell(&figure, &[]),
        cell("println!(\"x: 1 < 2\\nIt is big: refuted\");", &[]),
        cell(
            &show(
                "text/plain",
                "Measured on\\nwhat       value\\ndate       2026-01-02 UTC\\nprocessor  A & B\\ncores      3",
            ),
            &[],
        ),
    ];
    cells[2]["id"] = "verdict".into();
    cells[3]["id"] = "stamp".into();
    let notebook = |name: &str, cells: &[serde_json::Value]| {
        let path = folder.path().join(name);
        write(&path, cells.to_vec());
        let outcome = run(&path, &output, &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        (fs::read_to_string(output.join("index.html")).unwrap(), outcome.stdout)
    };
    let (first, _) = notebook("full.ipynb", &cells);
    for said in [
        "<h2><a href=\"full.html\">Is x&lt;y&gt; big?</a></h2>",
        "A <em>claim</em> &amp; &lt;script&gt;alert(1)&lt;/script&gt; more.",
        "<a href=\"full.html#cell-id=cell-1\"><img src=\"data:image/png;base64,AAAA\" alt=\"How &lt;big&gt;?\"></a>",
        "<li>x: 1 &lt; 2</li><li>It is big: <strong>refuted</strong></li>",
        "Measured: 2026-01-02 UTC, A &amp; B, 3 cores",
    ] {
        assert!(first.contains(said), "{said} is not in {first}");
    }
    let page = fs::read_to_string(output.join("full.html")).unwrap();
    assert_eq!(crate::checks::requests(&page), Vec::<String>::new());
    assert_eq!(crate::checks::scripts(&page), Vec::<String>::new());
    assert!(page.contains("alt=\"How &lt;big&gt;? Data: size, m; a, 1\""), "{page}");
    assert!(page.contains(" id=\"cell-id=cell-1\""), "{page}");

    // What stands in the folder and is no notebook is left out, and said.
    fs::write(output.join("broken.ipynb"), "[]").unwrap();
    fs::write(output.join("broken.html"), "").unwrap();
    let (second, printed) = notebook("5 % #1?.ipynb", &[cell("1 + 1", &[])]);
    let entry = |index: &str, address: &str| {
        let start = index.find(&format!("<article><h2><a href=\"{address}\">")).unwrap();
        index[start..].split_inclusive("</article>").next().unwrap().to_owned()
    };
    assert_eq!(entry(&second, "full.html"), entry(&first, "full.html"));
    let bare = entry(&second, "5 %25 %231%3F.html");
    assert_eq!(bare, "<article><h2><a href=\"5 %25 %231%3F.html\">5 % #1?</a></h2></article>");
    assert!(!second.contains("broken"), "{second}");
    assert!(printed.contains("index.html leaves one out: "), "{printed}");
    assert!(printed.contains("broken.ipynb is not a notebook"), "{printed}");

    let index = folder.path().join("index.ipynb");
    write(&index, vec![cell("1 + 1", &[])]);
    let said =
        "error: the page of a notebook named index would be overwritten by index.html; rename the notebook\n";
    assert_eq!(run(&index, &output, &[]).stderr, said);
    assert_eq!(fs::read_to_string(output.join("index.html")).unwrap(), second);
}

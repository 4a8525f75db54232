//! `cargo xtask run` on small notebooks: what it refuses, how it fails, what it writes.

use crate::workbench::{Outcome, alone, cell, progress, prose, read, text, write, xtask};
use serde_json::json;
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

fn run(notebook: &Path, output: &Path, more: &[&str]) -> Outcome {
    let arguments = ["run", notebook.to_str().unwrap(), "--output", output.to_str().unwrap()];
    xtask(&[&arguments, more].concat())
}

/// What is asked for and what is said, a line each.
const REFUSED: &str = r#"
-p SIZE=3 => there is no parameter SIZE; there are:\n  small: COUNT: usize = 3\n  small: LIST: &[i64] = &[1, 2]
-p COUNT => `-p COUNT` is not NAME=VALUE
-p COUNT=(1 => `(1`, the value for COUNT, is not one Rust expression
-p COUNT=1;2 => `1;2`, the value for COUNT, is not one Rust expression
-p COUNT=1//one => `1//one`, the value for COUNT, is not one Rust expression
-p COUNT=-1 => small: `-1` does not fit COUNT: usize: cannot apply unary operator `-` to type `usize`
-p COUNT="many" => small: `"many"` does not fit COUNT: usize: mismatched types: expected `usize`, found `&str`
-p COUNT=100000000000000000000 => small: `100000000000000000000` does not fit COUNT: usize: literal out of range for `usize`
-p COUNT=1 -p COUNT=2 => -p gives COUNT twice; give it once
-p COUNT=1 --in-place => --in-place refreshes the outputs of the values that stand in the notebook, so it takes no -p
"#;

#[test]
fn parameters_are_refused_before_anything_runs() {
    let (_folder, notebook, output) = small(&[(PARAMETERS, &["parameters"]), ("COUNT", &[])]);
    let before = fs::read(&notebook).unwrap();
    for line in REFUSED.trim().lines() {
        let (asked, said) = line.split_once(" => ").unwrap();
        let outcome = run(&notebook, &output, &asked.split(' ').collect::<Vec<_>>());
        let refused = (Some(1), String::new(), format!("error: {}\n", said.replace("\\n", "\n")));
        assert_eq!((outcome.code, outcome.stdout, outcome.stderr), refused);
        assert!(!output.exists(), "{asked}");
        assert_eq!(fs::read(&notebook).unwrap(), before, "{asked}");
    }
}

#[test]
fn what_is_no_notebook_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("list.ipynb"), "[]").unwrap();
    write(&path("index.ipynb"), vec![cell("1 + 1", &[])]);
    for (notebook, output, said) in [
        ("list.ipynb", "rendered", "list.ipynb is not a notebook: it has no cells"),
        (
            "index.ipynb",
            "",
            "--output is the folder of a notebook, which it would overwrite; name another one",
        ),
        (
            "index.ipynb",
            "rendered",
            "a notebook named index would be overwritten by index.html; rename the notebook",
        ),
        ("no-such", "rendered", "error: no notebook "),
    ] {
        let outcome = run(&path(notebook), &path(output), &[]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{said}");
        assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.contains(said), "{}", outcome.stderr);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{said}: something was written");
    }
}

#[test]
fn a_cell_that_fails_stops_the_run_and_nothing_is_published() {
    let _alone = alone();
    // What a cell writes may arrive when the next one runs already, and stops the run all the same.
    let next = "std::thread::sleep(std::time::Duration::from_secs(1));";
    for (source, said) in [
        ("panic!(\"on purpose\")", "panicked at"),
        ("Err::<(), _>(\"it went wrong\")?", "  it went wrong"),
        ("eprintln!(\"careful\");", "  careful"),
        ("let count: usize = \"many\";", "mismatched types"),
        ("std::process::abort()", "SIGABRT"),
        ("std::process::exit(0)", "Subprocess terminated"),
    ] {
        progress(&format!("a cell that fails: {source}"));
        let (folder, notebook, output) = small(&[("1 + 1", &[]), (source, &[]), (next, &[]), ("2 + 2", &[])]);
        let good = folder.path().join("good.ipynb");
        write(&good, vec![cell("1 + 1", &[])]);
        fs::create_dir(&output).unwrap();
        let files = ["good.ipynb", "good.html", "small.ipynb", "small.html"].map(|name| output.join(name));
        files.iter().for_each(|file| fs::write(file, "the previous rendering").unwrap());
        let before = [&good, &notebook].map(|path| fs::read(path).unwrap());

        // Once after a notebook that succeeds, which takes longer.
        let (first, second) =
            if source.starts_with("panic") { (&good, &notebook) } else { (&notebook, &good) };
        let outcome = run(first, &output, &[second.to_str().unwrap(), "--in-place"]);
        assert_eq!(outcome.code, Some(1), "{source}: {}", outcome.stdout);
        let named = format!("error: small  cell 2 of 4 failed: {source}\n");
        let stderr = outcome.stderr;
        assert!(stderr.starts_with(&named) && stderr.contains(said), "{stderr}");
        assert!(stderr.lines().count() <= 14 && !stderr.contains('\u{1b}'), "{stderr}");
        assert!(!outcome.stdout.contains("2 + 2"), "{}", outcome.stdout);
        let same = [&good, &notebook].map(|path| fs::read(path).unwrap()) == before;
        let old = |file| fs::read_to_string(file).unwrap() == "the previous rendering";
        assert!(same && files.iter().all(old), "{source}");
        let left = [&output, folder.path()].map(|folder| fs::read_dir(folder).unwrap().count());
        assert_eq!(left, [files.len(), 3], "{source}: something is left over");
    }
}

#[test]
fn a_kernel_that_dies_is_a_sentence() {
    let _alone = alone();
    let kill = "let kernel = std::os::unix::process::parent_id().to_string();\nstd::process::Command::new(\"kill\").args([\"-KILL\", &kernel]).status()?;";
    let (_folder, notebook, output) = small(&[(kill, &[])]);
    let outcome = run(&notebook, &output, &[]);
    let first: String = kill.chars().take(59).chain(['…']).collect();
    assert_eq!(outcome.stderr, format!("error: small  cell 1 of 1 ended the kernel: {first}\n"));
    assert_eq!(outcome.code, Some(1));
    assert!(!output.exists(), "a run that publishes nothing has left its folder");
}

#[test]
fn what_is_published_is_whole_and_the_same_each_time() {
    let _alone = alone();
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
    assert_eq!(text(&executed["cells"][0]["source"]), changed);
    assert_eq!(text(&executed["cells"][1]["outputs"][0]["text"]), "41 of [-7]\né\n");
    assert_eq!(text(&executed["cells"][3]["outputs"][0]["data"]["text/plain"]), "42");
    assert!(fs::read_to_string(output.join("small.html")).unwrap().contains("41 of [-7]"));

    let in_place = || {
        assert_eq!(run(&notebook, &output, &["--in-place"]).code, Some(0));
        fs::read_to_string(&notebook).unwrap()
    };
    let first = in_place();
    let format = "{\n \"cells\": [\n  {\n   \"cell_type\"";
    assert!(first.starts_with(format) && first.ends_with("}\n"), "not in JupyterLab's format: {first}");
    assert!(first.contains("3 of [1, 2]") && !first.contains("\"execution\""), "{first}");
    assert_eq!(fs::read_to_string(output.join("small.ipynb")).unwrap(), first);
    // The panic's text names the thread, and that is another one each time.
    let lasting = |text: &str| text.lines().filter(|line| !line.contains("thread '")).collect::<String>();
    assert_eq!(lasting(&in_place()), lasting(&first));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something is left over");
}

#[test]
fn the_index_covers_what_each_run_left() {
    let _alone = alone();
    let show = |mime: &str, content: &str| {
        format!("println!(\"EVCXR_BEGIN_CONTENT {mime}\\n{content}\\nEVCXR_END_CONTENT\");\n")
    };
    let figure = show("image/png", "AAAA") + &show("text/plain", "How <big>?\\nsize  m\\na     1");
    let stamp =
        "Measured on\\nwhat       value\\ndate       2026-01-02 UTC\\nprocessor  A & B\\ncores      3";
    let (folder, bare, output) = small(&[("1 + 1", &[])]);
    let [bare_name, full] = ["5 % #1?.ipynb", "full.ipynb"].map(|name| folder.path().join(name));
    fs::rename(bare, &bare_name).unwrap();
    let mut cells = vec![
        prose("# Is `x<y>` <b>big</b>?\n\nA *claim* & <script>alert(1)</script> more.\n\n## Next"),
        cell(&figure, &[]),
        cell("println!(\"x: 1 < 2\\nIt is big: refuted\");", &[]),
        cell(&show("text/plain", stamp), &[]),
    ];
    (cells[2]["id"], cells[3]["id"]) = (json!("verdict"), json!("stamp"));
    write(&full, cells);
    // What an earlier run has left stays in the index; what is no notebook is left out, and said.
    fs::create_dir(&output).unwrap();
    write(&output.join("earlier.ipynb"), vec![prose("# Earlier?")]);
    fs::write(output.join("broken.ipynb"), "[]").unwrap();
    for page in ["earlier.html", "broken.html"] {
        fs::write(output.join(page), "").unwrap();
    }
    let outcome = run(&full, &output, &[bare_name.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("index.html leaves one out: "), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("broken.ipynb is not a notebook"), "{}", outcome.stdout);
    let index = fs::read_to_string(output.join("index.html")).unwrap();
    for said in [
        "<h2><a href=\"full.html\">Is x&lt;y&gt; big?</a></h2>",
        "A <em>claim</em> &amp; &lt;script&gt;alert(1)&lt;/script&gt; more.",
        "<a href=\"full.html#cell-id=cell-1\"><img src=\"data:image/png;base64,AAAA\" alt=\"How &lt;big&gt;?\"></a>",
        "<li>x: 1 &lt; 2</li><li>It is big: <strong>refuted</strong></li>",
        "Measured: 2026-01-02 UTC, A &amp; B, 3 cores",
        "<article><h2><a href=\"5 %25 %231%3F.html\">5 % #1?</a></h2></article>",
        "<a href=\"earlier.html\">Earlier?</a>",
    ] {
        assert!(index.contains(said), "{said} is not in {index}");
    }
    assert!(!index.contains("broken"), "{index}");
    let page = fs::read_to_string(output.join("full.html")).unwrap();
    assert_eq!(crate::checks::scripts(&page), Vec::<String>::new());
    assert!(page.contains("alt=\"How &lt;big&gt;? Data: size, m; a, 1\""), "{page}");
    assert!(page.contains(" id=\"cell-id=cell-1\""), "{page}");
}

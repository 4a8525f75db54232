//! `cargo xtask run` on small notebooks: what it refuses, how it fails, what it writes.

use crate::workbench::*;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PARAMETERS: &str =
    "const COUNT: usize = 3; // how many\nconst LIST: &[i64] = &[1, 2]; // which\n";

/// A notebook named `small` in a folder of its own, and an output folder that does not exist yet.
fn small(cells: &[(&str, &[&str])]) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let notebook = folder.path().join("small.ipynb");
    write(
        &notebook,
        cells
            .iter()
            .map(|(source, tags)| cell(source, tags))
            .collect(),
    );
    let output = folder.path().join("rendered");
    (folder, notebook, output)
}

fn run(notebook: &Path, output: &Path, more: &[&str]) -> Outcome {
    let arguments = [
        "run",
        notebook.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
    ];
    xtask(&[&arguments, more].concat())
}

/// `{}` is the folder.
const REFUSED: &str = r#"
run {}/small.ipynb --output {}/out -p SIZE=3 => there is no parameter SIZE; there are:\n  small: COUNT: usize = 3\n  small: LIST: &[i64] = &[1, 2]
run {}/small.ipynb --output {}/out -p COUNT => `-p COUNT` is not NAME=VALUE with one Rust expression as the value
run {}/small.ipynb --output {}/out -p COUNT=1;2 => `-p COUNT=1;2` is not NAME=VALUE with one Rust expression as the value
run {}/small.ipynb --output {}/out -p COUNT=1 -p COUNT=2 => -p gives COUNT twice; give it once
run {}/list.ipynb --output {}/out => {}/list.ipynb is not a notebook: 'list' object has no attribute 'get'
run {}/index.ipynb --output {} => --output is the folder of a notebook, which it would overwrite; name another one
run {}/index.ipynb --output {}/out => the page of a notebook named index would be overwritten by index.html; rename the notebook
run 00 => no notebook 00; there are: NAMES
"#;

#[test]
fn what_cannot_run_is_refused_before_anything_runs() {
    let (folder, _, _) = small(&[(PARAMETERS, &["parameters"]), ("COUNT", &[])]);
    fs::write(folder.path().join("list.ipynb"), "[]").unwrap();
    write(&folder.path().join("index.ipynb"), vec![cell("1 + 1", &[])]);
    let names: Vec<_> = notebooks().iter().map(|path| name(path)).collect();
    check_refusals(folder.path(), &REFUSED.replace("NAMES", &names.join(", ")));
}

/// A figure as the kernel shows it where it has lost the picture.
const TEXT_ALONE: &str = "let lost = ();
println!(\"EVCXR_BEGIN_CONTENT text/plain\\nWhat?\\nMeasured 2026-11-30 05:00 UTC on 2 cores.\\nEVCXR_END_CONTENT\");";

const KILLS: &str = "let kernel = std::os::unix::process::parent_id().to_string();
std::process::Command::new(\"sh\").args([\"-c\", \"kill -KILL $0\", &kernel]).status()?;";

#[test]
fn a_run_that_fails_says_where_and_changes_nothing() {
    let _alone = alone();
    // What a cell writes may arrive when the next one runs already, and stops the run all the same.
    let next = "std::thread::sleep(std::time::Duration::from_secs(1));";
    for (source, said) in [
        ("panic!(\"on purpose\")", "panicked at"),
        ("Err::<(), _>(\"it went wrong\")?", "  it went wrong"),
        ("let count: usize = \"many\";", "mismatched types"),
        ("std::process::exit(0)", "Subprocess terminated"),
        (TEXT_ALONE, "a figure came without its picture"),
        (KILLS, ""),
    ] {
        progress(&format!("a cell that fails: {source}"));
        let (folder, notebook, output) =
            small(&[("1 + 1", &[]), (source, &[]), (next, &[]), ("2 + 2", &[])]);
        let good = folder.path().join("good.ipynb");
        write(&good, vec![cell("1 + 1", &[])]);
        let mut chosen = [&notebook, &good];
        // Once over an earlier rendering, after a notebook that succeeds, which takes longer.
        if source.starts_with("panic") {
            chosen.reverse();
            fs::create_dir(&output).unwrap();
            for name in ["good.ipynb", "good.html", "small.ipynb", "small.html"] {
                fs::write(output.join(name), "the previous rendering").unwrap();
            }
        }
        let before = tree(folder.path());
        let outcome = run(
            chosen[0],
            &output,
            &[chosen[1].to_str().unwrap(), "--in-place"],
        );
        let (named, most) = match source {
            KILLS => (format!("ended the kernel: {}…\n", &source[..59]), 1),
            _ => (format!("failed: {}\n", source.lines().next().unwrap()), 14),
        };
        let stderr = outcome.stderr;
        assert!(
            stderr.starts_with(&format!("error: small  cell 2 of 4 {named}")),
            "{stderr}"
        );
        assert!(
            stderr.contains(said) && stderr.lines().count() <= most,
            "{stderr}"
        );
        assert!(
            !stderr.contains('\u{1b}') && !outcome.stdout.contains("2 + 2"),
            "{source}: {stderr}"
        );
        assert_eq!(outcome.code, Some(1));
        assert!(
            tree(folder.path()) == before,
            "{source}: something is changed or left over"
        );
    }
}

#[test]
fn what_is_published_is_whole_and_the_same_each_time() {
    let _alone = alone();
    let show = |mime: &str, content: &str| {
        let shown = format!("EVCXR_BEGIN_CONTENT {mime}\n{content}\nEVCXR_END_CONTENT");
        format!("println!(\"{{}}\", r#\"{shown}\"#);\n")
    };
    let data = |title: &str, header: [&str; 2], rows: &[[&str; 2]]| {
        let data = json!({ "title": title, "header": header, "rows": rows });
        show(DATA_TYPE, &data.to_string())
    };
    let figure = show("image/png", "AAAA") + &data("How <big>?", ["size", "m"], &[["a", "1"]]);
    let stamp = [
        ["date", "2026-01-02 UTC"],
        ["processor", "A & B"],
        ["cores", "3"],
    ];
    let verdicts = [
        ["It is `x` < 50", "inconclusive (a < b)"],
        ["control: it is", "open"],
    ];
    let (folder, notebook, output) = small(&[]);
    let bare = folder.path().join("5 % #1?.ipynb");
    write(&bare, vec![cell("1 + 1", &[])]);
    let mut cells = vec![
        prose("# Is `x<y>` <b>big</b>?\n\nA *claim* & <script>alert(1)</script> more.\n\n## Next"),
        cell(PARAMETERS, &["parameters"]),
        cell(&figure, &["cover"]),
        cell(
            &("println!(\"é: {COUNT} of {LIST:?} < 50\");\n".to_string()
                + &data("Verdicts", ["claim", "outcome"], &verdicts)),
            &[],
        ),
        cell(&data("Measured on", ["what", "value"], &stamp), &[]),
        cell("panic!(\"on purpose\")", &["raises-exception"]),
        cell("COUNT + 1", &[]),
    ];
    (cells[3]["id"], cells[4]["id"]) = (json!("verdict"), json!("stamp"));
    write(&notebook, cells);
    // What an earlier run has left stays in the index; what is no notebook is left out, and said.
    fs::create_dir(&output).unwrap();
    write(&output.join("earlier.ipynb"), vec![prose("# Earlier?")]);
    for (name, text) in [
        ("earlier.html", ""),
        ("broken.html", ""),
        ("broken.ipynb", "[]"),
    ] {
        fs::write(output.join(name), text).unwrap();
    }
    let values = [
        "-p",
        "COUNT=40 + 1",
        "-p",
        "LIST=&[-7]",
        bare.to_str().unwrap(),
    ];
    let outcome = run(&notebook, &output, &values);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let left_out = format!(
        "index.html leaves one out: {} is not a notebook",
        output.join("broken.ipynb").display()
    );
    for said in ["small  cell 3 of 6, 3 left: println!", &left_out] {
        assert!(
            outcome.stdout.contains(said),
            "{said} is not in {}",
            outcome.stdout
        );
    }
    let executed = read(&output.join("small.ipynb"));
    let shown = text(&executed["cells"][3]["outputs"][0]["text"]);
    assert_eq!(shown, "é: 41 of [-7] < 50\n");
    assert_eq!(
        text(&executed["cells"][6]["outputs"][0]["data"]["text/plain"]),
        "42"
    );
    let [index, page] = ["index", "small"].map(|name| output.join(name).with_extension("html"));
    let [index, page] = [index, page].map(|path| fs::read_to_string(path).unwrap());
    for said in [
        "<h2><a href=\"small.html\">Is x&lt;y&gt; big?</a></h2>",
        "<p>A claim &amp;  more.</p>",
        "<a href=\"small.html#cell-id=cell-2\"><img src=\"data:image/png;base64,AAAA\" alt=\"How &lt;big&gt;?\"></a>",
        "<li>It is <code>x</code> &lt; 50: <strong>inconclusive</strong> (a &lt; b)</li>\n</ul>",
        "Measured: 2026-01-02 UTC, A &amp; B, 3 cores",
        "<h2><a href=\"5%20%25%20%231%3F.html\">5 % #1?</a></h2>",
        "<a href=\"earlier.html\">Earlier?</a>",
    ] {
        assert!(index.contains(said), "{said} is not in {index}");
    }
    assert!(!index.contains("broken"), "{index}");
    assert_eq!(crate::checks::scripts(&page), Vec::<String>::new());
    for said in [
        "41 of [-7]",
        "alt=\"How &lt;big&gt;? Data: size, m; a, 1\"",
        " id=\"cell-id=cell-2\"",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }

    let in_place = || {
        assert_eq!(run(&notebook, &output, &["--in-place"]).code, Some(0));
        fs::read_to_string(&notebook).unwrap()
    };
    let first = in_place();
    let format = "{\n \"cells\": [\n  {\n   \"cell_type\"";
    assert!(
        first.starts_with(format) && first.ends_with("}\n"),
        "not in JupyterLab's format: {first}"
    );
    assert!(
        first.contains("3 of [1, 2]") && !first.contains("\"execution\""),
        "{first}"
    );
    assert_eq!(
        fs::read_to_string(output.join("small.ipynb")).unwrap(),
        first
    );
    // The panic's text names the thread, and that is another one each time.
    let lasting = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("thread '"))
            .collect::<String>()
    };
    assert_eq!(lasting(&in_place()), lasting(&first));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        3,
        "something is left over"
    );
}

/// What a reader has on the screen and has saved; the kernel would refuse the source.
#[test]
fn what_is_stored_is_rendered_and_no_cell_runs() {
    let data = json!({
        "title": "How many?", "header": ["series", "threads", "lost"], "rows": [["mutex", "2", "1"]],
        "value": { "label": "lost" }, "caption": { "settings": { "TRIALS": "6" } },
        "series": [{ "label": "mutex", "style": "joined", "points": [
            { "at": 2, "value": 1.5, "samples": [1, 2] }, { "at": 4, "value": 3 }
        ] }]
    });
    let mut figure = cell("this is no Rust", &[]);
    figure["outputs"] = json!([{
        "output_type": "execute_result", "execution_count": 2, "metadata": {},
        "data": { "image/png": "AAAA", "text/plain": "How many?", DATA_TYPE: data }
    }]);
    let (folder, notebook, output) = small(&[]);
    write(&notebook, vec![prose("# Stored?"), figure]);
    let before = fs::read(&notebook).unwrap();
    let paths = [&notebook, &output].map(|path| path.to_str().unwrap());
    let outcome = xtask(&["render", paths[0], "--output", paths[1], "--figures"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(fs::read(&notebook).unwrap(), before);
    let page = fs::read_to_string(output.join("small.html")).unwrap();
    assert!(page.contains("alt=\"How many? Data: series, threads, lost; mutex, 2, 1\""));
    let samples = fs::read_to_string(output.join("small.csv")).unwrap();
    let rows: Vec<&str> = samples.lines().skip(1).collect();
    let expected = [
        "small,How many?,,mutex,joined,2,1,1,lost,TRIALS 6",
        "small,How many?,,mutex,joined,2,2,2,lost,TRIALS 6",
        "small,How many?,,mutex,joined,4,,3,lost,TRIALS 6",
    ];
    assert_eq!(rows, expected);
    let single = output.join("figures/small-how-many");
    let of_figure = |ending| fs::read(single.with_extension(ending)).unwrap();
    assert_eq!(of_figure("csv"), samples.as_bytes());
    assert_eq!(of_figure("txt"), b"How many?");
    assert_eq!(of_figure("png"), [0; 3]);
    drop(folder);
}

/// Notebooks of other programs: without names of cells, or with a picture that is missing, which is
/// found before anything runs.
#[test]
fn notebooks_of_other_programs_are_rendered_or_refused_before_they_run() {
    let (_folder, notebook, output) = small(&[]);
    write(&notebook, vec![prose("# Old?"), cell("1 + 1", &[])]);
    let mut old = read(&notebook);
    old["nbformat_minor"] = 4.into();
    for cell in old["cells"].as_array_mut().unwrap() {
        cell.as_object_mut().unwrap().remove("id");
    }
    let svg = json!({ "image/svg+xml": "<svg><title>drawn elsewhere</title></svg>" });
    old["cells"][1]["outputs"] = json!([{
        "output_type": "display_data", "metadata": {}, "data": svg
    }]);
    old["cells"][0]["source"] =
        "# Old?\n\n![one](beside.png)\n\n## Q&A\n\n```sh\n## none\n```".into();
    fs::write(notebook.with_file_name("beside.png"), [0; 3]).unwrap();
    fs::write(&notebook, old.to_string()).unwrap();
    let paths = [&notebook, &output].map(|path| path.to_str().unwrap());
    let outcome = xtask(&["render", paths[0], "--output", paths[1]]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let page = fs::read_to_string(output.join("small.html")).unwrap();
    assert!(page.contains("src=\"data:image/svg+xml;base64,"));
    assert!(page.contains("src=\"data:image/png;base64,AAAA\""));
    let listed = page.matches("<li class=\"h2\">").count();
    assert!(listed == 1 && page.contains(">Q&amp;A</a>"), "{page}");

    write(
        &notebook,
        vec![prose("![one](attachment:one.png)"), cell("panic!()", &[])],
    );
    let outcome = run(&notebook, &output, &[]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains("cannot be shown as a page"),
        "{}",
        outcome.stderr
    );
}

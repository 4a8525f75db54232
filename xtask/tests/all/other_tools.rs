//! The notebooks in the hands of other tools: executed, compared, turned into text, pages and slides.

use crate::workbench::{Outcome, cell, code_cells, name, notebooks, read, root, text, workspace, write};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Values with which the first notebook takes seconds instead of a minute.
const SMALL: [(&str, &str); 8] = [
    ("THREADS", "&[1, 2]"),
    ("TRIALS", "5"),
    ("TRIAL_MS", "5"),
    ("LIMIT", "1_000"),
    ("RUNS", "10"),
    ("NAP_US", "10"),
    ("SAMPLES", "5"),
    ("SAMPLE_MS", "1"),
];

/// Runs a program of the environment in a folder.
fn tool(folder: &Path, program: &str, arguments: &[&str]) -> Outcome {
    Outcome::of(crate::workbench::tool(program).args(arguments).current_dir(folder).output().unwrap())
}

fn succeed(folder: &Path, program: &str, arguments: &[&str]) -> Outcome {
    let outcome = tool(folder, program, arguments);
    assert_eq!(outcome.code, Some(0), "{program} {arguments:?}: {}", outcome.stderr);
    outcome
}

fn papermill(folder: &Path, arguments: &[&str]) -> Outcome {
    let script = root().join("xtask/papermill_rust.py");
    let mut all = vec![script.to_str().unwrap(), "--no-progress-bar"];
    all.extend(arguments);
    tool(folder, "python", &all)
}

/// Two executions of the first notebook with small values; one after the other, so that they do not disturb each other.
struct Runs {
    folder: TempDir,
    nbconvert: PathBuf,
    nbclient: PathBuf,
}

static RUNS: LazyLock<Runs> = LazyLock::new(|| {
    let folder = workspace();
    let small = folder.path().join("notebooks/small.ipynb");
    let mut written = fs::read_to_string(&notebooks()[0]).unwrap();
    for (name, value) in SMALL {
        let start = written.find(&format!("const {name}: ")).unwrap_or_else(|| panic!("no {name}"));
        let value_at = start + written[start..].find(" = ").unwrap() + 3;
        let end = value_at + written[value_at..].find(';').unwrap();
        written.replace_range(value_at..end, value);
    }
    fs::write(&small, written).unwrap();
    let convert = ["nbconvert", "--to", "notebook", "--execute", "notebooks/small.ipynb"];
    succeed(folder.path(), "jupyter", &[&convert[..], &["--output", "converted"]].concat());
    succeed(folder.path(), "jupyter", &["execute", "notebooks/small.ipynb", "--output=executed"]);
    let [nbconvert, nbclient] =
        ["converted", "executed"].map(|name| folder.path().join(format!("notebooks/{name}.ipynb")));
    Runs { folder, nbconvert, nbclient }
});

/// The identifiers of the cells, in order.
fn ids(notebook: &Value) -> Vec<&str> {
    notebook["cells"].as_array().unwrap().iter().map(|cell| cell["id"].as_str().unwrap()).collect()
}

/// The text beside each figure.
fn twins(notebook: &Value) -> Vec<String> {
    let outputs = code_cells(notebook).into_iter().flat_map(|cell| cell["outputs"].as_array().unwrap());
    let figures = outputs.filter(|output| output["data"].get("image/png").is_some());
    figures.map(|output| text(&output["data"]["text/plain"])).collect()
}

/// Whatever `nbformat` finds wrong ends it, and what it would repair with a warning, too.
fn validate(paths: &[&Path]) {
    let script = "import json, nbformat, pathlib, sys, warnings
warnings.simplefilter('error')
for path in sys.argv[1:]:
    nbformat.validate(json.loads(pathlib.Path(path).read_text(encoding='utf-8')))";
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    succeed(&root(), "python", &[&["-c", script], &paths[..]].concat());
}

#[test]
fn the_committed_notebooks_are_valid() {
    let paths = notebooks();
    validate(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    assert!(paths.iter().all(|path| read(path)["nbformat_minor"] == 5));
}

#[test]
fn nbconvert_and_jupyter_execute_run_a_notebook() {
    let committed = read(&notebooks()[0]);
    validate(&[&RUNS.nbconvert, &RUNS.nbclient]);
    for path in [&RUNS.nbconvert, &RUNS.nbclient] {
        let executed = read(path);
        let wrong = crate::checks::outputs(&executed);
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
        assert_eq!(twins(&executed).len(), twins(&committed).len(), "{}", path.display());
        assert_eq!(ids(&executed), ids(&committed), "{}", path.display());
    }
}

#[test]
fn nbdiff_of_two_runs_shows_what_was_measured() {
    let [first, second] = [&RUNS.nbconvert, &RUNS.nbclient].map(|path| path.to_str().unwrap());
    let diff = succeed(RUNS.folder.path(), "nbdiff", &["--no-color", "--outputs", first, second]).stdout;
    // A figure would be a hundred times as long.
    let longest = diff.lines().map(|line| line.chars().count()).max();
    assert!(longest.is_some_and(|length| length <= 1_000), "{longest:?}");
    let mut rows = 0;
    for (before, after) in twins(&read(&RUNS.nbconvert)).iter().zip(twins(&read(&RUNS.nbclient))) {
        for row in after.lines().filter(|row| !before.contains(row)) {
            assert!(diff.contains(row.trim()), "the difference does not show: {row}");
            rows += 1;
        }
    }
    assert!(rows > 0, "the two runs have measured the same to the last digit");
}

#[test]
fn papermill_runs_a_notebook_with_other_values() {
    let folder = workspace();
    let committed = read(&notebooks()[2]);
    let input = folder.path().join("notebooks/weigh.ipynb");
    fs::copy(&notebooks()[2], &input).unwrap();
    let values = "{TASKS: 10000, STEPS: 5, RUNS: 5, THINGS: 2000, MOST: 10000}";
    let outcome =
        papermill(folder.path(), &["notebooks/weigh.ipynb", "out.ipynb", "--cwd", "notebooks", "-y", values]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let output = folder.path().join("out.ipynb");
    validate(&[&output]);
    let executed = read(&output);
    let wrong = crate::checks::outputs(&executed);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(twins(&executed).len(), twins(&committed).len());
    let mut cells = ids(&executed);
    let injected = 1 + cells.iter().position(|id| *id == "parameters").unwrap();
    assert!(text(&executed["cells"][injected]["source"]).contains("const TASKS: u64 = 10000; // idle tasks"));
    cells.remove(injected);
    assert_eq!(cells, ids(&committed));
}

const PARAMETERS: &str = "const COUNT: usize = 3; // how many, 1 to 9
const LIST: &[i8] = &[1, 2];
const SHARE: f64 = 0.5; // of all
const TITLE: &str = \"a; b\"; // on top
const LOUD: bool = false; // or not";

/// A notebook named `small` in a folder of its own.
fn small(cells: &[(&str, &[&str])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let cells = cells.iter().map(|(source, tags)| cell(source, tags)).collect();
    write(&folder.path().join("small.ipynb"), cells);
    folder
}

#[test]
fn papermill_gives_values_of_every_type() {
    let meant: &[&str] = &["raises-exception"];
    let show = "println!(\"{COUNT} {LIST:?} {SHARE:?} {TITLE} {LOUD}\");";
    let folder = small(&[(PARAMETERS, &["parameters"]), (show, &[]), ("no_such()", meant)]);
    let values = r#"{LIST: [-128, 127], SHARE: 1, TITLE: "é \"\\ {x}\ty"}"#;
    let given = ["small.ipynb", "out.ipynb", "-p", "COUNT", "7", "-p", "LOUD", "True", "-y", values];
    let outcome = papermill(folder.path(), &given);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let executed = read(&folder.path().join("out.ipynb"));
    let shown = text(&code_cells(&executed)[2]["outputs"][0]["text"]);
    assert_eq!(shown, "7 [-128, 127] 1.0 é \"\\ {x}\ty true\n");
}

#[test]
fn papermill_lists_the_parameters() {
    let folder = small(&[(PARAMETERS, &["parameters"])]);
    let outcome = papermill(folder.path(), &["--help-notebook", "small.ipynb"]);
    for (definition, comment) in [
        ("COUNT: usize (default 3)", "how many, 1 to 9"),
        ("LIST: &[i8] (default &[1, 2])", ""),
        ("TITLE: &str (default \"a; b\")", "on top"),
    ] {
        assert!(outcome.stdout.contains(definition), "{}", outcome.stdout);
        assert!(outcome.stdout.contains(comment), "{}", outcome.stdout);
    }
}

#[test]
fn papermill_refuses_parameters_before_anything_runs() {
    let folder = small(&[(PARAMETERS, &["parameters"]), ("COUNT", &[])]);
    for (given, said) in [
        ("{SIZE: 3}", "there is no parameter SIZE; there are: COUNT, LIST, SHARE, TITLE, LOUD"),
        ("{LIST: [1, 128]}", "`[1, 128]` does not fit LIST: &[i8]"),
    ] {
        let outcome = papermill(folder.path(), &["small.ipynb", "out.ipynb", "-y", given]);
        assert_eq!(outcome.code, Some(1), "{given}");
        let last = outcome.stderr.lines().last();
        assert_eq!(last, Some(format!("Error: {said}").as_str()), "{}", outcome.stderr);
        assert!(!folder.path().join("out.ipynb").exists(), "{given}");
    }
}

#[test]
fn a_value_that_does_not_fit_its_type_has_no_rust() {
    let script = "import papermill_rust, math
for value, kind in [
    (0, 'u8'), (255, 'u8'), (-128, 'i8'), (2**64 - 1, 'usize'), (-2**63, 'isize'), (2**128 - 1, 'u128'),
    (1, 'f64'), (1e300, 'f64'), (True, 'bool'), ('a', '&str'), ([], '&[u8]'), ([[1], []], '&[&[u8]]'),
]:
    assert papermill_rust.rust(value, kind) is not None, (value, kind)
for value, kind in [
    (-1, 'u8'), (256, 'u8'), (128, 'i8'), (2**64, 'usize'), (2**63, 'isize'), (2**128, 'u128'), (1.5, 'u8'), (1.0, 'u8'),
    (True, 'u8'), ('1', 'u8'), ([1], 'u8'), (None, 'u8'), (1, '&[u8]'), ([1, 256], '&[u8]'), ([True], '&[u8]'),
    (math.nan, 'f64'), (math.inf, 'f64'), (True, 'f64'), (10**400, 'f64'), (1, '&str'), (1, 'bool'), (1, 'Duration'),
]:
    assert papermill_rust.rust(value, kind) is None, (value, kind)";
    succeed(&root().join("xtask"), "python", &["-B", "-c", script]);
}

#[test]
fn papermill_stops_at_a_cell_that_failed() {
    for (source, said) in [
        ("panic!(\"on purpose\")", "on purpose"),
        ("Err::<(), _>(\"it went wrong\")?", "  it went wrong"),
        ("let count: usize = \"many\";", "mismatched types"),
    ] {
        let folder = small(&[(source, &[]), ("println!(\"went on\")", &[])]);
        let outcome = papermill(folder.path(), &["small.ipynb", "out.ipynb"]);
        assert_eq!(outcome.code, Some(1), "{source}: {}", outcome.stderr);
        let (_, failed) = outcome.stderr.split_once("\nError: ").unwrap();
        assert!(failed.starts_with(&format!("a cell failed: {source}\n")), "{}", outcome.stderr);
        assert!(failed.contains(said) && failed.lines().count() <= 14, "{}", outcome.stderr);
        let executed = read(&folder.path().join("out.ipynb"));
        assert_eq!(code_cells(&executed)[1]["outputs"], serde_json::json!([]), "{source}");
    }
}

#[test]
fn jupytext_writes_rust_and_reads_it_back_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = notebooks().iter().map(|path| name(path)).collect();
    let file = |name: &str, extension: &str| folder.path().join(format!("{name}.{extension}"));
    let texts = |extension: &str| -> Vec<String> {
        names.iter().map(|name| fs::read_to_string(file(name, extension)).unwrap()).collect()
    };
    let jupytext = |arguments: &[&str], extension: &str| {
        let files: Vec<String> = names.iter().map(|name| format!("{name}.{extension}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        succeed(folder.path(), "jupytext", &[arguments, &files].concat());
    };
    for (path, name) in notebooks().iter().zip(&names) {
        fs::copy(path, file(name, "ipynb")).unwrap();
    }
    let committed = texts("ipynb");
    jupytext(&["--to", "rs:percent"], "ipynb");
    assert!(texts("rs").iter().all(|rust| rust.contains("\n// :dep helpers = ")));

    // Into the notebook that it came from: everything, to the byte.
    let update = ["--update", "--to", "ipynb", "--update-metadata", "{\"jupytext\": null}"];
    jupytext(&update, "rs");
    assert!(texts("ipynb") == committed, "a notebook has changed");

    // An edit arrives, and nothing else changes.
    for (name, rust) in names.iter().zip(texts("rs")) {
        fs::write(file(name, "rs"), rust.replacen("\n// # ", "\n// # Edited: ", 1)).unwrap();
    }
    jupytext(&update, "rs");
    let edited: Vec<String> = committed.iter().map(|text| text.replacen("\"# ", "\"# Edited: ", 1)).collect();
    assert!(edited != committed && texts("ipynb") == edited, "a notebook has lost something, or not changed");

    // From the Rust file alone: all but the outputs and the identifiers.
    jupytext(&["--to", "ipynb"], "rs");
    for (name, edited) in names.iter().zip(edited) {
        let cells = |notebook: &Value| -> Vec<(Value, Value, String)> {
            let cells = notebook["cells"].as_array().unwrap().iter();
            cells
                .map(|cell| (cell["cell_type"].clone(), cell["metadata"].clone(), text(&cell["source"])))
                .collect()
        };
        let alone = read(&file(name, "ipynb"));
        assert_eq!(cells(&alone), cells(&serde_json::from_str(&edited).unwrap()), "{name}");
    }
}

/// Converts all notebooks at once.
fn export(folder: &Path, to: &[&str]) {
    let paths = notebooks();
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let output = ["--output-dir", folder.to_str().unwrap()];
    succeed(folder, "jupyter", &[&["nbconvert", "--to"], to, &paths, &output].concat());
}

#[test]
fn nbconvert_writes_markdown_with_every_figure_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &["markdown"]);
    for path in notebooks() {
        let markdown = fs::read_to_string(folder.path().join(format!("{}.md", name(&path)))).unwrap();
        let files = folder.path().join(format!("{}_files", name(&path)));
        let mut figures = 0;
        for entry in fs::read_dir(&files).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            assert!(markdown.contains(&format!("({}_files/{file})", name(&path))), "{file} is not shown");
            figures += 1;
        }
        assert_eq!(figures, twins(&read(&path)).len(), "{}", path.display());
    }
}

#[test]
fn nbconvert_writes_slides_with_every_figure_on_one() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &["slides", "--no-input"]);
    for path in notebooks() {
        let slides = fs::read_to_string(folder.path().join(format!("{}.slides.html", name(&path)))).unwrap();
        assert_eq!(slides.matches("src=\"data:image/png").count(), twins(&read(&path)).len());
        // One for the slide and one for what is below it.
        assert!(slides.matches("<section").count() > 20, "{} is a few long slides", path.display());
    }
}

/// A heading begins a slide; other prose, a figure and a table begin one below it.
#[test]
fn cells_say_where_slides_begin() {
    let mut wrong = Vec::new();
    for path in notebooks() {
        for cell in read(&path)["cells"].as_array().unwrap() {
            let source = text(&cell["source"]);
            let heading = source.starts_with("# ") || source.starts_with("## ");
            let outputs = cell["outputs"].as_array();
            let shows = |kind| outputs.into_iter().flatten().any(|output| output["data"].get(kind).is_some());
            let wanted = match cell["cell_type"] == "markdown" {
                true if heading => Some("slide"),
                true => Some("subslide"),
                false if shows("image/png") || shows("text/markdown") => Some("subslide"),
                false => None,
            };
            let found = cell["metadata"]["slideshow"]["slide_type"].as_str();
            if found != wanted {
                let id = &cell["id"];
                wrong.push(format!("{}: {id} is {found:?} and should be {wanted:?}", name(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

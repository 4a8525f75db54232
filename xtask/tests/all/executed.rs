//! The notebooks, executed once with small parameters for all tests that look at the result, and as
//! committed.

use crate::checks::{self, found};
use crate::parameter_cells::parts;
use crate::workbench::*;
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// The first cell of every notebook.
const SET_UP: &str = include_str!("set-up-cell.txt");

/// A folder in which `cargo xtask run` has left all notebooks and their pages, executed with small
/// values.
pub fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("executed");
        let _ = fs::remove_dir_all(&folder);
        environment();
        let _alone = alone();
        for parts in parts() {
            let mut run = Command::new(PROGRAM);
            run.args(["run", &parts.name, "--output"]).arg(&folder);
            for parameter in &parts.parameters {
                run.arg("-p")
                    .arg(format!("{}={}", parameter.name, parameter.small(0.2)));
            }
            let mut run = run
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            for line in BufReader::new(run.stdout.take().unwrap())
                .lines()
                .map(Result::unwrap)
            {
                doing(line);
            }
            let outcome = Outcome::of(run.wait_with_output().unwrap());
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        }
        folder
    });
    &FOLDER
}

pub fn pages() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".html")).collect()
}

/// What must not be in a file that is shared, and what a notebook among them lacks.
fn faults(path: &Path) -> Vec<String> {
    let shared = fs::read_to_string(path).unwrap();
    let mut faults = [privacy(&shared), checks::scripts(&shared)].concat();
    if path
        .extension()
        .is_some_and(|extension| extension == "ipynb")
    {
        let notebook = read(path);
        faults.extend([checks::outputs(&notebook), checks::whole(&notebook)].concat());
    }
    faults
}

#[test]
fn every_notebook_runs_with_small_parameters_and_its_page_is_whole() {
    let index = fs::read_to_string(folder().join("index.html")).unwrap();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        wrong.extend(
            faults(&path)
                .iter()
                .map(|what| format!("{}: {what}", path.display())),
        );
    }
    for path in notebooks() {
        let name = name(&path);
        let executed = read(&folder().join(format!("{name}.ipynb")));
        let html = fs::read_to_string(folder().join(format!("{name}.html"))).unwrap();
        wrong.extend(
            checks::page(&executed, &html)
                .iter()
                .map(|what| format!("{name}: {what}")),
        );
        let leads = index.contains(&format!("<a href=\"{name}.html\">"));
        wrong.extend(found([(
            !leads,
            format!("{name}: index.html does not lead to it"),
        )]));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(pages().len(), notebooks().len() + 1);
}

#[test]
fn the_committed_notebooks_are_executed_and_whole_and_have_the_same_set_up() {
    let mut wrong = Vec::new();
    for path in notebooks() {
        let notebook = read(&path);
        let set_up = text(&code_cells(&notebook)[0]["source"]);
        assert_eq!(
            set_up,
            SET_UP.trim_end(),
            "the set-up cell of {}",
            name(&path)
        );
        assert_eq!(
            notebook["metadata"]["kernelspec"]["name"],
            "guard-time-weigh",
            "{}",
            name(&path)
        );
        let faults = [faults(&path), form(&notebook)].concat();
        wrong.extend(faults.iter().map(|what| format!("{}: {what}", name(&path))));
        let size = fs::metadata(&path).unwrap().len();
        assert!(
            size <= 1_500_000,
            "{}: {size} bytes; at most 1,500,000 are wanted",
            name(&path)
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What loom and Miri test is what the reader of notebook 01 sees, letter for letter but for imports.
#[test]
fn the_tested_counters_are_the_cells_of_the_notebook() {
    let notebook = read(&root().join("notebooks/01-guard-internal-state.ipynb"));
    for entry in fs::read_dir(root().join("helpers/tests/counter_cells")).unwrap() {
        let path = entry.unwrap().path();
        let cell = cell_named(&notebook, &name(&path).replace('_', "-"));
        // The file gets loom's types where the cell imports std's.
        let source = text(&cell["source"]);
        let tested = source.lines().filter(|line| !line.starts_with("use "));
        let tested: String = tested.map(|line| format!("{line}\n")).collect();
        let file = fs::read_to_string(&path).unwrap();
        assert_eq!(file, tested, "{}", path.display());
    }
}

fn form(notebook: &Value) -> Vec<String> {
    let cells = code_cells(notebook);
    let order: Vec<Value> = cells
        .iter()
        .map(|cell| cell["execution_count"].clone())
        .collect();
    // The kernel counts what it runs at its start as 1.
    let unbroken: Vec<Value> = (2..2 + cells.len()).map(Value::from).collect();
    let parameters = cells
        .iter()
        .filter(|cell| has_tag(cell, "parameters"))
        .count();
    let mut wrong = found([
        (
            notebook["nbformat"] != 4 || notebook["nbformat_minor"] != 5,
            "not of format 4.5".into(),
        ),
        (
            order != unbroken,
            format!("not executed from top to bottom: {order:?}"),
        ),
        (
            !has_tag(cells[0], "setup"),
            "the first code cell is not tagged setup".into(),
        ),
        (parameters != 1, "not one cell tagged parameters".into()),
    ]);
    let mut ids = HashSet::new();
    for cell in notebook["cells"].as_array().unwrap() {
        let id = cell["id"].as_str().unwrap_or_default();
        let valid = id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let valid = valid && (1..=64).contains(&id.len()) && ids.insert(id);
        let timed = cell["metadata"].get("execution").is_some();
        wrong.extend(found([
            (
                !valid,
                format!("the cell id {id:?} is not valid, or there twice"),
            ),
            (
                timed,
                format!("the cell {id} holds when it was executed, which changes at each run"),
            ),
        ]));
    }
    wrong
}

/// A file that is shared names no folder, user or host of this machine; its pictures are left out
/// of the search.
fn privacy(shared: &str) -> Vec<String> {
    let mut names: Vec<String> = ["/home/", "/Users/", "/root/", "/tmp/"]
        .map(String::from)
        .to_vec();
    names.push(root().display().to_string());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    names.extend([
        host.trim().to_owned(),
        std::env::var("USER").unwrap_or_default(),
    ]);
    // Such words mean more than a name.
    names.retain(|name| !["", "root", "user", "localhost", "linux"].contains(&name.as_str()));
    // A picture is one word of base64, longer than any other.
    let words = shared.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
    let pictures: HashSet<&str> = words.filter(|word| word.len() > 1_000).collect();
    let text = pictures
        .iter()
        .fold(shared.to_owned(), |text, picture| text.replace(picture, ""));
    names.retain(|name| text.contains(name));
    names
        .iter()
        .map(|name| format!("it names {name}"))
        .collect()
}

#[test]
fn names_of_folders_are_found_outside_of_pictures() {
    let picture = format!(
        "data:image/png;base64,{}/tmp/{}",
        "A".repeat(1_000),
        "B".repeat(1_000)
    );
    assert_eq!(privacy(&picture), Vec::<String>::new());
    assert_eq!(
        privacy(&format!("{picture}\" alt=\"in /tmp/x\"")),
        ["it names /tmp/"]
    );
    assert!(!privacy(&root().join("x").display().to_string()).is_empty());
}

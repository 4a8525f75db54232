//! The notebooks, executed once with small parameters for all tests that look at the result, and as committed.

use crate::checks;
use crate::workbench::{
    Outcome, PROGRAM, alone, code_cells, environment, has_tag, name, notebooks, progress, read, root,
    small_values, text,
};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// A folder in which `cargo xtask run` has left all notebooks and their pages, executed with small values.
pub fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("executed");
        let _ = fs::remove_dir_all(&folder);
        environment();
        let _alone = alone();
        for path in notebooks() {
            let name = name(&path);
            let mut run = Command::new(PROGRAM);
            run.args(["run", &name, "--output"]).arg(&folder);
            run.args(small_values(&name).iter().flat_map(|value| ["-p", value]));
            let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut said = Instant::now();
            for line in BufReader::new(run.stdout.take().unwrap()).lines() {
                if said.elapsed() > Duration::from_secs(10) {
                    progress(&format!("  {}", line.unwrap()));
                    said = Instant::now();
                }
            }
            let outcome = Outcome::of(run.wait_with_output().unwrap());
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        }
        folder
    });
    &FOLDER
}

/// The names of the pages in it.
pub fn pages() -> Vec<String> {
    let names =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".html")).collect()
}

#[test]
fn every_notebook_runs_with_small_parameters_and_its_page_is_whole() {
    let mut wrong = Vec::new();
    let index = fs::read_to_string(folder().join("index.html")).unwrap();
    for path in notebooks() {
        let name = name(&path);
        let executed = read(&folder().join(format!("{name}.ipynb")));
        let html = fs::read_to_string(folder().join(format!("{name}.html"))).unwrap();
        let whole = checks::outputs(&executed).into_iter().chain(checks::whole(&executed));
        wrong.extend(whole.chain(checks::page(&executed, &html)).map(|what| format!("{name}: {what}")));
        if !index.contains(&format!("<a href=\"{name}.html\">")) {
            wrong.push(format!("{name}: index.html does not lead to it"));
        }
    }
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    for path in files {
        let shared = fs::read_to_string(&path).unwrap();
        let what = privacy(&shared).into_iter().chain(checks::scripts(&shared));
        wrong.extend(what.map(|what| format!("{}: {what}", path.display())));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(pages().len(), notebooks().len() + 1);
}

#[test]
fn the_committed_notebooks_are_executed_and_whole() {
    let mut wrong = Vec::new();
    for path in notebooks() {
        let notebook = read(&path);
        let shared = fs::read_to_string(&path).unwrap();
        let safe = privacy(&shared).into_iter().chain(checks::scripts(&shared));
        let whole = checks::outputs(&notebook).into_iter().chain(checks::whole(&notebook));
        for what in whole.chain(form(&notebook)).chain(safe) {
            wrong.push(format!("{}: {what}", name(&path)));
        }
        let size = fs::metadata(&path).unwrap().len();
        if size > 1_500_000 {
            wrong.push(format!("{}: {size} bytes; at most 1,500,000 are wanted", name(&path)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_notebook_has_the_same_set_up() {
    let set_ups: HashSet<String> = notebooks()
        .iter()
        .map(|path| {
            let notebook = read(path);
            let first = code_cells(&notebook)[0];
            assert!(has_tag(first, "setup"), "{}: the first code cell is not tagged setup", name(path));
            text(&first["source"])
        })
        .collect();
    assert_eq!(set_ups.len(), 1, "{set_ups:#?}");
}

/// Valid, executed from top to bottom, and with parameters.
fn form(notebook: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if notebook["nbformat"] != 4 || notebook["nbformat_minor"] != 5 {
        wrong.push("not of format 4.5".into());
    }
    let mut ids = HashSet::new();
    for cell in notebook["cells"].as_array().unwrap() {
        let id = cell["id"].as_str().unwrap_or_default();
        let valid = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !(1..=64).contains(&id.len()) || !valid || !ids.insert(id) {
            wrong.push(format!("the cell id {id:?} is not valid, or there twice"));
        }
        if cell["metadata"].get("execution").is_some() {
            wrong.push(format!("the cell {id} holds the times of its execution, which change at each run"));
        }
    }
    let cells = code_cells(notebook);
    let order: Vec<Value> = cells.iter().map(|cell| cell["execution_count"].clone()).collect();
    // The kernel counts what it runs at its start as 1.
    let unbroken: Vec<Value> = (2..2 + cells.len()).map(Value::from).collect();
    if order != unbroken {
        wrong.push(format!("not executed from top to bottom: {order:?}"));
    }
    if cells.iter().filter(|cell| has_tag(cell, "parameters")).count() != 1 {
        wrong.push("not one cell tagged parameters".into());
    }
    wrong
}

/// A file that is shared names no folder, user or host of this machine; its pictures are left out of the search.
fn privacy(shared: &str) -> Vec<String> {
    let mut names: Vec<String> = ["/home/", "/Users/", "/root/", "/tmp/"].map(String::from).to_vec();
    names.push(root().display().to_string());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = std::env::var("USER").unwrap_or_default();
    // Such words mean more than a name.
    let common = ["", "root", "user", "localhost", "linux"];
    names.extend(
        [host.trim(), &user].iter().filter(|name| !common.contains(name)).map(|name| name.to_string()),
    );
    // A picture is one word of base64, longer than any other.
    let words = shared.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
    let pictures: HashSet<&str> = words.filter(|word| word.len() > 1_000).collect();
    let text = pictures.iter().fold(shared.to_owned(), |text, picture| text.replace(picture, ""));
    names.retain(|name| text.contains(name));
    names.iter().map(|name| format!("it names {name}")).collect()
}

#[test]
fn names_of_folders_are_found_outside_of_pictures() {
    let picture = format!("data:image/png;base64,{}/tmp/{}", "A".repeat(1_000), "B".repeat(1_000));
    assert_eq!(privacy(&picture), Vec::<String>::new());
    assert_eq!(privacy(&format!("{picture}\" alt=\"in /tmp/x\"")), ["it names /tmp/"]);
    assert!(!privacy(&root().join("x").display().to_string()).is_empty());
}

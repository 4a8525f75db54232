//! Every notebook, executed here with small parameters, and as committed.

use crate::workbench::{
    code_cells, escaped, has_tag, name, notebooks, read, root, small_values, text, xtask,
};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;

#[test]
fn every_notebook_runs_with_small_parameters() {
    let output = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for path in notebooks() {
        let name = name(&path);
        let mut arguments = vec!["run", &name, "--output", output.path().to_str().unwrap()];
        arguments.extend(small_values(&name).iter().flat_map(|value| ["-p", value]));
        let outcome = xtask(&arguments);
        if outcome.code != Some(0) {
            wrong.push(format!("{name}: {}", outcome.stderr));
            continue;
        }
        let executed = read(&output.path().join(format!("{name}.ipynb")));
        let html = fs::read_to_string(output.path().join(format!("{name}.html"))).unwrap();
        for what in crate::checks::outputs(&executed).into_iter().chain(crate::checks::page(&executed, &html))
        {
            wrong.push(format!("{name}: {what}"));
        }
    }
    let index = fs::read_to_string(output.path().join("index.html")).unwrap();
    for path in notebooks() {
        let executed = output.path().join(path.file_name().unwrap());
        if executed.exists() {
            wrong.extend(listed(&read(&executed), &name(&path), &index));
        }
    }
    for entry in fs::read_dir(output.path()).unwrap() {
        let path = entry.unwrap().path();
        let shared = fs::read_to_string(&path).unwrap();
        let what = privacy(&shared).into_iter().chain(crate::checks::scripts(&shared));
        wrong.extend(what.map(|what| format!("{}: {what}", path.display())));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_committed_notebooks_are_executed_and_whole() {
    let mut wrong = Vec::new();
    for path in notebooks() {
        let notebook = read(&path);
        let shared = fs::read_to_string(&path).unwrap();
        let safe = privacy(&shared).into_iter().chain(crate::checks::scripts(&shared));
        for what in crate::checks::outputs(&notebook).into_iter().chain(form(&notebook)).chain(safe) {
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

/// What the index must say of a notebook.
fn listed(notebook: &Value, name: &str, index: &str) -> Vec<String> {
    let cells = code_cells(notebook);
    let outputs = |id: &str| {
        let cell =
            cells.iter().find(|cell| cell["id"] == id).unwrap_or_else(|| panic!("{name} has no cell {id}"));
        cell["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|output| text(&output["text"]) + &text(&output["data"]["text/plain"]))
            .collect::<String>()
    };
    let figures = cells.iter().flat_map(|cell| cell["outputs"].as_array().into_iter().flatten());
    let figure = figures.map(|output| &output["data"]).find(|data| data.get("image/png").is_some()).unwrap();
    let title =
        text(&notebook["cells"][0]["source"]).lines().next().unwrap().trim_start_matches("# ").to_owned();
    let stamp = outputs("stamp");
    let row = |what: &str| {
        let line =
            stamp.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("no {what}: {stamp}"));
        line[what.len()..].trim().to_owned()
    };
    let date = row("date");
    let mut wanted = vec![
        format!("<a href=\"{name}.html\">{}</a>", escaped(&title)),
        format!("alt=\"{}\"", escaped(text(&figure["text/plain"]).lines().next().unwrap())),
        text(&figure["image/png"]).replace('\n', ""),
        format!("Measured: {date}, {}", escaped(&row("processor"))),
    ];
    // The last word is set apart.
    wanted.extend(
        outputs("verdict").lines().map(|line| escaped(line.rsplit_once(' ').map_or(line, |(most, _)| most))),
    );
    wanted.retain(|what| !index.contains(what));
    wanted
        .iter()
        .map(|what| format!("{name}: index.html does not say {}", &what[..what.len().min(100)]))
        .collect()
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

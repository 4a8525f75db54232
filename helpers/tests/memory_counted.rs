//! The memory notebook against a separate release program: bytes asked for, and the slope in a fresh process.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PROGRAM: &str = include_str!("../examples/memory_counted.rs");

/// What the program says of one kind of task.
struct Counted {
    future: usize,
    asked: usize,
    resident: f64,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn counted() -> &'static BTreeMap<String, Counted> {
    static COUNTED: OnceLock<BTreeMap<String, Counted>> = OnceLock::new();
    COUNTED.get_or_init(|| {
        let run = ["run", "--release", "--quiet", "--package", "helpers", "--example", "memory_counted"];
        let line = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let whole = |word: usize| words[word].parse().unwrap();
            let (future, asked, resident) = (whole(1), whole(2), words[3].parse().unwrap());
            (words[0].to_string(), Counted { future, asked, resident })
        };
        cargo(&run).lines().map(line).collect()
    })
}

fn notebook() -> Value {
    let path = root().join("notebooks/03-memory-per-idle-task.ipynb");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn cell<'a>(notebook: &'a Value, id: &str) -> &'a Value {
    let cells = notebook["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["id"] == id).unwrap_or_else(|| panic!("there is no cell {id}"))
}

fn text(lines: &Value) -> String {
    match lines {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        lines => lines.as_str().unwrap_or_default().to_owned(),
    }
}

/// The rule of the notebook's cell `cell-bytes`, in the words of tokio's layout: header, core, trailer, padding.
fn asked_bytes(future: usize) -> usize {
    let cell = |future: usize| (104 + future.max(24).next_multiple_of(8)).next_multiple_of(128);
    if future > 16_384 { cell(8) + future } else { cell(future) }
}

#[test]
fn the_program_measures_what_the_notebook_measures() {
    let notebook = notebook();
    let holding = text(&cell(&notebook, "stairs")["source"]);
    let holding = holding.split("type Stair").next().unwrap();
    for part in [text(&cell(&notebook, "idle")["source"]).as_str(), holding] {
        for line in part.lines() {
            assert!(PROGRAM.lines().any(|other| other == line), "the program lacks this line: {line}");
        }
    }
}

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn tasks_ask_for_the_bytes_that_the_notebook_says() {
    // What the notebook shows: each captured size and the bytes asked for, from its figure's text.
    let notebook = notebook();
    let outputs = cell(&notebook, "stairs-figure")["outputs"].as_array().unwrap().iter();
    let figure: String = outputs.map(|output| text(&output["data"]["text/plain"])).collect();
    let shown = figure.lines().filter_map(|line| line.strip_prefix("asked for, predicted"));
    let mut compared = 0;
    for line in shown {
        let number = |word: &str| word.replace(',', "").parse::<f64>().unwrap() as usize;
        let numbers: Vec<usize> = line.split_whitespace().map(number).collect();
        let counted = &counted()[&format!("captured-{}", numbers[0])];
        assert_eq!(numbers[1], counted.asked, "{} bytes captured", numbers[0]);
        compared += 1;
    }
    assert!(compared >= 18, "{compared} sizes in the notebook's figure");
    // And its rule, for all kinds: larger captures, boxed ones, a timer, a `Notify`.
    for (kind, counted) in counted() {
        assert_eq!(asked_bytes(counted.future), counted.asked, "{kind}");
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_fresh_process_and_the_kernel_find_the_same_slope() {
    let notebook = notebook();
    let print = "println!(\"{:.2}\", series(TASKS, pending)?.resident_bytes_each()?.value);";
    let source = |id: &str| text(&cell(&notebook, id)["source"]);
    let sources = [source("set-up"), source("parameters"), source("idle"), source("series"), print.into()];
    let cells: Vec<Value> = (0..).zip(&sources).map(|(index, source)| code(index, source)).collect();
    let kernel = json!({ "display_name": "Rust", "language": "rust", "name": "rust" });
    let small =
        json!({ "cells": cells, "metadata": { "kernelspec": kernel }, "nbformat": 4, "nbformat_minor": 5 });

    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("helpers"), folder.path().join("helpers")).unwrap();
    fs::create_dir(folder.path().join("notebooks")).unwrap();
    let path = folder.path().join("notebooks/slope.ipynb");
    fs::write(&path, small.to_string()).unwrap();
    let output = folder.path().join("rendered");
    cargo(&["xtask", "run", path.to_str().unwrap(), "--output", output.to_str().unwrap()]);

    let executed: Value =
        serde_json::from_str(&fs::read_to_string(output.join("slope.ipynb")).unwrap()).unwrap();
    let said = text(&executed["cells"][4]["outputs"][0]["text"]);
    let in_kernel: f64 = said.trim().parse().unwrap_or_else(|_| panic!("it says {said:?}"));
    let fresh = counted()["pending"].resident;
    assert!((in_kernel / fresh - 1.0).abs() < 0.01, "kernel {in_kernel}, fresh process {fresh}");
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn code(index: usize, source: &str) -> Value {
    json!({
        "cell_type": "code", "id": format!("cell-{index}"), "execution_count": null, "metadata": {}, "outputs": [],
        "source": source,
    })
}

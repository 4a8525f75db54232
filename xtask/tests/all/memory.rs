//! What notebook 06 says of memory, against a program of the helper crate that counts every byte.

use crate::parameter_cells::parts;
use crate::session::Session;
use crate::workbench::*;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

fn cell(id: &str) -> Value {
    cell_named(
        &read(&root().join("notebooks/06-where-the-bytes-go.ipynb")),
        id,
    )
    .clone()
}

fn source(id: &str) -> String {
    text(&cell(id)["source"])
}

#[test]
fn the_program_that_counts_bytes_measures_what_the_notebook_measures() {
    let program = fs::read_to_string(root().join("helpers/examples/memory_counted.rs")).unwrap();
    for line in source("idle").lines().chain(source("start-many").lines()) {
        assert!(
            program.lines().any(|other| other == line),
            "the program lacks this line: {line}"
        );
    }
}

/// The rule to which the program holds its tasks, for a future of so many captured bytes and one
/// for its state.
#[test]
fn the_figure_of_captured_bytes_obeys_the_rule() {
    let cell = cell("stairs-figure");
    let outputs = cell["outputs"].as_array().unwrap().iter();
    let figure: String = outputs
        .map(|output| text(&output["data"]["text/plain"]))
        .collect();
    let rows = figure
        .lines()
        .filter_map(|line| line.strip_prefix("asked for"));
    let number = |word: &str| word.replace(',', "").parse::<usize>().unwrap();
    let rows: Vec<Vec<usize>> = rows
        .map(|row| row.split_whitespace().take(2).map(number).collect())
        .collect();
    assert!(rows.len() >= 12, "the figure has {} sizes", rows.len());
    for row in rows {
        let future = (row[0] + 1).max(24).next_multiple_of(8);
        assert_eq!(
            row[1],
            (104 + future).next_multiple_of(128),
            "{} bytes captured",
            row[0]
        );
    }
}

#[test]
#[ignore = "deep: makes a release build, and measures in it and in the kernel, about 4 minutes"]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_fresh_process_and_the_kernel_find_the_same_slope() {
    let run = [
        "run",
        "--release",
        "--package",
        "helpers",
        "--example",
        "memory_counted",
    ];
    let mut program = Command::new(env!("CARGO"))
        .args(run)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while program.try_wait().unwrap().is_none() {
        progress("memory_counted is being built, or runs");
        std::thread::sleep(std::time::Duration::from_secs(5));
    }
    let outcome = Outcome::of(program.wait_with_output().unwrap());
    assert_eq!(
        outcome.code,
        Some(0),
        "tasks of a release build break the rule, or have no slope: see above"
    );
    let pending = outcome.stdout.strip_prefix("pending ").unwrap();
    let fresh: f64 = pending.split(' ').nth(2).unwrap().parse().unwrap();

    let parts = parts()
        .into_iter()
        .find(|parts| parts.name.starts_with("06"))
        .unwrap();
    let mut session = Session::start(&parts);
    ["idle", "start-many", "series"]
        .map(source)
        .iter()
        .for_each(|cell| drop(session.run_well(cell)));
    let print = "println!(\"{:.2}\", series(pending::<()>)?.resident_bytes_each()?.value);";
    let said = session.run_well(print).stream("stdout");
    let in_kernel: f64 = said
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("it says {said:?}"));
    assert!(
        (in_kernel / fresh - 1.0).abs() < 0.01,
        "kernel {in_kernel}, fresh process {fresh}"
    );
}

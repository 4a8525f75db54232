//! The cells of every notebook, run again and again in random orders with random parameters in one kernel, which then
//! gives the same results as a fresh one.

use crate::parameter_cells::{Parameter, Parts, parts};
use crate::session::Session;
use crate::workbench::text;
use fastrand::Rng;
use serde_json::{Value, json};
use std::env;
use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

/// Random orders of each notebook; more with `ORDERS=50 cargo test --test orders -- --nocapture`.
const ORDERS: u64 = 1;

/// Cells that show the same at every run, whatever else the machine does.
const SAME: &[&str] = &[
    "lost-figure",
    "lost-runs",
    "overshoot-timeline",
    "twice-runs",
    "crossed-figure",
    "panic-table",
    "tasks",
    "one-thread-runs",
    "tokio-mutex",
    "schedules-count",
    "plan",
    "leak-figure",
];

#[test]
fn cells_run_again_in_any_order_after_the_parameters() {
    let orders = env::var("ORDERS").map_or(ORDERS, |count| count.parse().expect("ORDERS is a number"));
    // With a folder to leave the notebooks in, those in order are executed with their own parameters.
    let output = env::var_os("ORDERS_OUTPUT").map(PathBuf::from);
    let notebook = env::var("NOTEBOOK").unwrap_or_default();
    let mut wrong = Vec::new();
    for parts in parts().iter().filter(|parts| parts.name.starts_with(&notebook)) {
        let name = &parts.name;
        let settled = |parameter: &Parameter| match output {
            Some(_) => parameter.value.clone(),
            None => parameter.small(),
        };
        let mut session = Session::start();
        let mut random = Rng::with_seed(1);
        let [fresh, after] = [0, orders].map(|orders| {
            for order in 1..=orders {
                let parameters = parameter_cell(parts, |parameter| other_value(parameter, &mut random));
                let mut cells = parts.rest.clone();
                random.shuffle(&mut cells);
                let what = format!("order {order} of {orders}");
                run(&mut session, parts, &what, &parameters, &cells, &mut wrong);
            }
            in_order(&mut session, parts, settled, &mut wrong)
        });
        if let Some(folder) = &output {
            for (run, cells) in [("fresh", &fresh), ("after", &after)] {
                session.write(&folder.join(name).join(format!("{run}.ipynb")), &parts.notebook, cells);
            }
        }
        drop(session);
        let again = in_order(&mut Session::start(), parts, settled, &mut wrong);
        let [noise, difference] = [&again, &after].map(|run| Difference::between(&fresh, run));
        println!("{name}: two fresh kernels: {noise}; after {orders} orders: {difference}");
        wrong.extend(difference.wrong.iter().map(|what| format!("{name}: {what}")));
        if difference.share() < 0.5 * noise.share() {
            wrong.push(format!("{name}: two fresh kernels: {noise}, but after the orders: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A parameter cell with these values.
fn parameter_cell(parts: &Parts, mut value: impl FnMut(&Parameter) -> String) -> String {
    let lines = parts.parameters.iter().map(|parameter| parameter.line(&value(parameter)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Another value that the comment allows, so small that it is quickly measured.
fn other_value(parameter: &Parameter, random: &mut Rng) -> String {
    if parameter.is_list() {
        let mut values: Vec<u64> = (1..=4).collect();
        random.shuffle(&mut values);
        return format!("&{:?}", &values[..random.usize(1..=3)]);
    }
    parameter.between_least_and_value(0.6 * random.f64()).to_string()
}

/// Runs set-up, parameters and all cells in their order, and returns the executed cells.
fn in_order(
    session: &mut Session,
    parts: &Parts,
    value: impl FnMut(&Parameter) -> String,
    wrong: &mut Vec<String>,
) -> Vec<Value> {
    for cell in &parts.begin {
        let said = session.execute(cell);
        assert!(said.is_well(), "{}: {}", parts.name, said.complaint());
    }
    run(session, parts, "in order", &parameter_cell(parts, value), &parts.rest, wrong)
}

/// Runs the parameters and these cells, and returns them executed; what is wrong goes to `wrong`.
fn run(
    session: &mut Session,
    parts: &Parts,
    what: &str,
    parameters: &str,
    cells: &[Value],
    wrong: &mut Vec<String>,
) -> Vec<Value> {
    let (start, known) = (Instant::now(), wrong.len());
    let said = session.execute(parameters);
    assert!(said.is_well(), "{}: {}: {parameters}", parts.name, said.complaint());
    let sources: Vec<String> = cells.iter().map(|cell| text(&cell["source"])).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let mut executed = cells.to_vec();
    for (cell, said) in executed.iter_mut().zip(session.execute_all(&sources)) {
        if said.end != "finished" {
            wrong.push(format!("{}, cell {}: {}", parts.name, cell["id"], said.complaint()));
        }
        cell["outputs"] = said.outputs.into();
        cell["execution_count"] = said.execution_count;
    }
    for what in crate::checks::outputs(&json!({ "cells": executed })) {
        let order: Vec<&Value> = executed.iter().map(|cell| &cell["id"]).collect();
        wrong.push(format!("{}: {what}, of {order:?}, with\n{parameters}", parts.name));
    }
    println!("{}: {what}: {:.1} s", parts.name, start.elapsed().as_secs_f64());
    let left_out = executed.iter().flat_map(left_out).map(|row| format!("left out: {row}"));
    left_out.chain(wrong[known..].iter().cloned()).for_each(|what| println!("  {what}"));
    executed
}

/// How the results of two runs of the same cells differ.
struct Difference {
    /// Values that both runs give with an interval.
    values: usize,
    /// Those whose intervals overlap.
    overlapping: usize,
    /// What may not differ, but does.
    wrong: Vec<String>,
}

impl Difference {
    fn between(one: &[Value], other: &[Value]) -> Self {
        let mut difference = Self { values: 0, overlapping: 0, wrong: Vec::new() };
        for (one, other) in one.iter().zip(other) {
            let id = text(&one["id"]);
            let mut must_agree = |what: &str, one: Vec<String>, other: Vec<String>| {
                if one != other {
                    difference
                        .wrong
                        .push(format!("cell {id}: {what} are not the same: {one:?} and {other:?}"));
                }
            };
            if SAME.contains(&id.as_str()) {
                must_agree("the results", vec![result(one)], vec![result(other)]);
            }
            let left_out: Vec<String> = [one, other].into_iter().flat_map(left_out).collect();
            let [one_rows, other_rows] = [one, other].map(|cell| {
                rows(cell).into_iter().filter(|row| !left_out.contains(&row.label)).collect::<Vec<_>>()
            });
            let labels = |rows: &[Row]| rows.iter().map(|row| row.label.clone()).collect();
            must_agree("the rows", labels(&one_rows), labels(&other_rows));
            let firm = |cell: &Value| {
                let claims = claims(cell).into_iter().filter(|(_, verdict)| verdict != "inconclusive");
                claims.map(|(claim, verdict)| format!("{claim}: {verdict}")).collect::<Vec<_>>()
            };
            if claims(one).len() == firm(one).len() && claims(other).len() == firm(other).len() {
                must_agree("the verdicts", firm(one), firm(other));
            }
            for (one, other) in one_rows.iter().zip(&other_rows) {
                if let (Some([low, high]), Some([other_low, other_high])) = (one.interval, other.interval) {
                    difference.values += 1;
                    difference.overlapping += usize::from(low <= other_high && other_low <= high);
                }
            }
        }
        difference
    }

    fn share(&self) -> f64 {
        self.overlapping as f64 / self.values.max(1) as f64
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} intervals overlap", self.overlapping, self.values)
    }
}

/// What a cell shows, or prints where it shows nothing.
fn result(cell: &Value) -> String {
    let outputs = cell["outputs"].as_array().unwrap();
    let shown: String = outputs.iter().map(|output| text(&output["data"]["text/plain"])).collect();
    if shown.is_empty() { printed(cell) } else { shown }
}

/// A row of a figure's text.
struct Row {
    /// What it is called; a verdict behind a colon is no part of the name.
    label: String,
    /// Where it has several samples.
    interval: Option<[f64; 2]>,
}

/// The rows of a figure's text: a label, a position, then value, low, high and samples.
fn rows(cell: &Value) -> Vec<Row> {
    let outputs = cell["outputs"].as_array().unwrap();
    let figures = outputs.iter().filter(|output| output["data"].get("image/png").is_some());
    let text: String = figures.map(|output| text(&output["data"]["text/plain"])).collect();
    let row = |line: &str| {
        let columns: Vec<&str> =
            line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        let label = columns[0].split(':').next().unwrap_or_default().to_owned();
        let numbers = columns.iter().rev().map_while(|column| column.replace(',', "").parse::<f64>().ok());
        let interval = match numbers.collect::<Vec<_>>()[..] {
            [samples, high, low, _, ..] if samples > 1.0 => Some([low, high]),
            _ => None,
        };
        Row { label, interval }
    };
    text.lines().skip(2).map(row).collect()
}

/// The rows that a cell says it left out of its figure, since they could not be measured this time.
fn left_out(cell: &Value) -> Vec<String> {
    let label = |line: &str| Some(line.split_once(", left out: ")?.0.to_owned());
    printed(cell).lines().filter_map(label).collect()
}

fn printed(cell: &Value) -> String {
    cell["outputs"].as_array().unwrap().iter().map(|output| text(&output["text"])).collect()
}

/// What a cell says of a claim, in lines that end in a verdict; those about a value with an interval belong to it.
fn claims(cell: &Value) -> Vec<(String, String)> {
    let claim = |line: &str| {
        let (claim, verdict) = line.rsplit_once(": ")?;
        let known = ["supported", "refuted", "inconclusive"].contains(&verdict) && !claim.contains('[');
        known.then(|| (claim.to_owned(), verdict.to_owned()))
    };
    printed(cell).lines().filter_map(claim).collect()
}

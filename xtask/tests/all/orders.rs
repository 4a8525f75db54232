//! The cells of a notebook in another order with other values in a kernel that stays, which then gives what a fresh one does.

use crate::checks;
use crate::parameter_cells::{Cell, Parameter, Parts, parts};
use crate::session::Session;
use crate::workbench::{progress, text};
use fastrand::Rng;
use serde_json::{Value, json};

/// Random orders of each notebook.
const ORDERS: usize = 3;

/// Cells that show the same at every run, whatever else the machine does.
const SAME: &str = "lost-figure lost-runs overshoot-timeline twice-runs crossed-figure panic-table tasks one-thread-runs tokio-mutex schedules-count plan leak-figure";

#[test]
#[ignore = "deep: every notebook in random orders, about 12 minutes"]
fn cells_run_again_in_random_orders_show_what_they_show_in_a_fresh_kernel() {
    for parts in &parts() {
        let mut random = Rng::with_seed(1);
        let small = parts.parameter_cell(|parameter| parameter.small(0.5));
        let mut cells: Vec<&Cell> = parts.cells.iter().collect();
        let mut session = Session::start(parts);
        session.run_well(&small);
        let fresh = run(&mut session, parts, "in order", &cells);
        for order in 1..=ORDERS {
            random.shuffle(&mut cells);
            let values = parts.parameter_cell(|parameter| other_value(parameter, &mut random));
            session.run_well(&values);
            run(&mut session, parts, &format!("order {order} of {ORDERS}, {values}"), &cells);
        }
        let cells: Vec<&Cell> = parts.cells.iter().collect();
        session.run_well(&small);
        let after = run(&mut session, parts, "in order again", &cells);
        session = Session::start(parts);
        session.run_well(&small);
        let again = run(&mut session, parts, "another kernel", &cells);
        let [noise, share] = [&again, &after].map(|run| overlap(&fresh, run));
        let mut all = fresh.iter().chain(&after).chain(&again);
        let loaded = all.any(|cell| printed(cell).contains("Other programs kept"));
        let overlapping =
            format!("{}: intervals that overlap: {share:.2}, of two kernels {noise:.2}", parts.name);
        progress(&(overlapping.clone() + if loaded { ", measured under load" } else { "" }));
        assert!(loaded || share >= 0.5 * noise, "{overlapping}");
    }
}

/// Another value that the comment allows, so small that it is quickly measured.
pub fn other_value(parameter: &Parameter, random: &mut Rng) -> String {
    if parameter.is_list() {
        let mut values = [1, 2, 3, 4];
        random.shuffle(&mut values);
        return format!("&{:?}", &values[..random.usize(1..=3)]);
    }
    parameter.small(0.6 * random.f64())
}

/// Runs these cells, in which nothing may be wrong, and returns them executed.
pub fn run(session: &mut Session, parts: &Parts, what: &str, cells: &[&Cell]) -> Vec<Value> {
    let execute = |(place, cell): (usize, &&Cell)| {
        session.doing = format!("{what}, cell {} of {}", place + 1, cells.len());
        let said = session.execute(&cell.source);
        assert_eq!(said.end, "finished", "{}, {what}: {}: {}", parts.name, cell.id, said.complaint());
        let mut executed = cell.json.clone();
        executed["outputs"] = said.outputs.into();
        executed
    };
    let executed: Vec<Value> = cells.iter().enumerate().map(execute).collect();
    let wrong = checks::outputs(&json!({ "cells": executed }));
    let order: Vec<&str> = cells.iter().map(|cell| cell.id.as_str()).collect();
    assert!(wrong.is_empty(), "{}, {what}: {wrong:?}, of {order:?}", parts.name);
    executed
}

/// The share of intervals that overlap in two runs of the same cells; what may not differ does not.
fn overlap(one: &[Value], other: &[Value]) -> f64 {
    let mut overlaps = Vec::new();
    for (one, other) in one.iter().zip(other) {
        let id = text(&one["id"]);
        if SAME.split(' ').any(|same| same == id) {
            let [one, other] = [one, other].map(|cell| shown(cell, |_| true) + &printed(cell));
            assert_eq!(one, other, "{id} does not show the same");
        }
        let left_out = printed(one) + &printed(other);
        let left_out = |label: &str| left_out.contains(&format!("{label}, left out: "));
        let [one, other] = [one, other].map(|cell| {
            rows(&shown(cell, |output| output["data"].get("image/png").is_some()))
                .into_iter()
                .filter(|(label, _)| !left_out(label))
                .unzip::<_, _, Vec<String>, Vec<Option<[f64; 2]>>>()
        });
        assert_eq!(one.0, other.0, "the rows of {id} are not the same");
        for (one, other) in one.1.iter().zip(&other.1) {
            if let (Some([low, high]), Some([other_low, other_high])) = (one, other) {
                overlaps.push(low <= other_high && other_low <= high);
            }
        }
    }
    overlaps.iter().filter(|overlaps| **overlaps).count() as f64 / overlaps.len().max(1) as f64
}

/// What a cell shows as text.
fn shown(cell: &Value, of: impl Fn(&&Value) -> bool) -> String {
    let outputs = cell["outputs"].as_array().unwrap();
    outputs.iter().filter(of).map(|output| text(&output["data"]["text/plain"])).collect()
}

fn printed(cell: &Value) -> String {
    cell["outputs"].as_array().unwrap().iter().map(|output| text(&output["text"])).collect()
}

/// The rows of a figure's text, a label, a position, then value, low, high and samples: label, and interval of several
/// samples. A verdict behind a colon is no part of the label.
fn rows(figure: &str) -> Vec<(String, Option<[f64; 2]>)> {
    let row = |line: &str| {
        let columns: Vec<&str> =
            line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        let numbers = columns.iter().rev().map_while(|column| column.replace(',', "").parse::<f64>().ok());
        let interval = match numbers.collect::<Vec<_>>()[..] {
            [samples, high, low, _, ..] if samples > 1.0 => Some([low, high]),
            _ => None,
        };
        (columns[0].split(':').next().unwrap().into(), interval)
    };
    figure.lines().skip(2).map(row).collect()
}

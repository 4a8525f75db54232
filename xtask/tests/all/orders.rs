//! Cells in other orders with other values in a kernel that stays, which then gives what a fresh one does.

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
#[ignore = "deep: every notebook in random orders, about 10 minutes"]
fn cells_run_again_in_random_orders_show_what_they_show_in_a_fresh_kernel() {
    for parts in &parts() {
        let mut random = Rng::with_seed(1);
        let small = parts.parameter_cell(|parameter| parameter.small(0.5));
        let cells: Vec<&Cell> = parts.cells.iter().collect();
        let mut session = Session::start(parts);
        let fresh = run(&mut session, parts, "in order", &small, &cells);
        for order in 1..=ORDERS {
            let mut cells = cells.clone();
            random.shuffle(&mut cells);
            let values = parts.parameter_cell(|parameter| other_value(parameter, &mut random));
            run(&mut session, parts, &format!("order {order} of {ORDERS}"), &values, &cells);
        }
        let after = run(&mut session, parts, "in order again", &small, &cells);
        let again = run(&mut Session::start(parts), parts, "another kernel", &small, &cells);
        let [noise, share] = [&again, &after].map(|run| overlap(&fresh, run));
        let mut all = fresh.iter().chain(&after).chain(&again);
        let loaded = all.any(|cell| printed(cell).contains("Other programs kept"));
        let shares =
            format!("{}: of the intervals {share:.2} overlap, {noise:.2} of two kernels", parts.name);
        progress(&format!("{shares}{}", if loaded { ", measured under load" } else { "" }));
        assert!(loaded || share >= 0.5 * noise, "{shares}");
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

/// Runs the first cell, and these, in which nothing may be wrong and which it returns executed.
pub fn run(session: &mut Session, parts: &Parts, what: &str, first: &str, cells: &[&Cell]) -> Vec<Value> {
    session.run_well(first);
    let mut executed = Vec::new();
    for (place, cell) in cells.iter().enumerate() {
        session.doing = format!("{what}, cell {} of {}", place + 1, cells.len());
        let mut cell_executed = cell.json.clone();
        cell_executed["outputs"] = session.execute(&cell.source).0.into();
        executed.push(cell_executed);
    }
    let wrong = checks::outputs(&json!({ "cells": executed }));
    let order: Vec<&str> = cells.iter().map(|cell| cell.id.as_str()).collect();
    assert!(wrong.is_empty(), "{}, {what}: {wrong:#?} of {order:?} after {first}", parts.name);
    executed
}

/// The share of intervals that overlap in two runs of the same cells. What may not differ does not.
fn overlap(one: &[Value], other: &[Value]) -> f64 {
    let mut overlaps = Vec::new();
    for (one, other) in one.iter().zip(other) {
        let id = text(&one["id"]);
        assert!(
            !SAME.split(' ').any(|same| same == id) || said(one) == said(other),
            "{id} shows another result"
        );
        let printed = printed(one) + &printed(other);
        let [one, other] = [one, other].map(|cell| {
            let mut rows = rows(cell);
            rows.retain(|(label, _)| !printed.contains(&format!("{label}, left out: ")));
            rows
        });
        let labels = |rows: &[(String, _)]| rows.iter().map(|(label, _)| label.clone()).collect::<Vec<_>>();
        assert_eq!(labels(&one), labels(&other), "the rows of {id} are not the same");
        for (one, other) in one.iter().zip(&other) {
            if let (Some([low, high]), Some([other_low, other_high])) = (one.1, other.1) {
                overlaps.push(f64::from(low <= other_high && other_low <= high));
            }
        }
    }
    overlaps.iter().sum::<f64>() / overlaps.len().max(1) as f64
}

fn outputs(cell: &Value) -> impl Iterator<Item = &Value> {
    cell["outputs"].as_array().unwrap().iter()
}

fn printed(cell: &Value) -> String {
    outputs(cell).map(|output| text(&output["text"])).collect()
}

/// What a cell shows, or prints where it shows nothing.
fn said(cell: &Value) -> String {
    let shown: String = outputs(cell).map(|output| text(&output["data"]["text/plain"])).collect();
    if shown.is_empty() { printed(cell) } else { shown }
}

/// The rows of a figure's text, a label, a position, then value, low, high and samples: the label, without a verdict
/// behind a colon, and the interval of several samples.
fn rows(cell: &Value) -> Vec<(String, Option<[f64; 2]>)> {
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
    let figures = outputs(cell).filter(|output| output["data"].get("image/png").is_some());
    let text: String = figures.map(|output| text(&output["data"]["text/plain"])).collect();
    text.lines().skip(2).map(row).collect()
}

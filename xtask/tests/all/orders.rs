//! Cells in other orders with other values in a kernel that stays, which then gives what a fresh
//! one does.

use crate::checks;
use crate::parameter_cells::{Cell, Parameter, Parts, parts};
use crate::session::Session;
use crate::workbench::text;
use fastrand::Rng;
use serde_json::{Value, json};

/// Cells that say the same at every run, whatever else the machine does.
pub const SAME: &str = "lost-figure overshoot-timeline scope-table crossed-figure all stuck-table answer-shown collected-figure";

/// So a cell runs in any order after those that define what it needs, and again.
#[test]
fn no_cell_uses_a_variable_of_another() {
    for Parts { name, cells, .. } in parts() {
        for (cell, other) in cells
            .iter()
            .flat_map(|cell| cells.iter().map(move |other| (cell, other)))
        {
            let shared: Vec<_> = cell.used.intersection(&other.variables).collect();
            assert!(
                shared.is_empty(),
                "{name}: {} uses {shared:?}, which {} declares",
                cell.id,
                other.id
            );
        }
    }
}

#[test]
#[ignore = "deep: every notebook in random orders, about 15 minutes; ORDERS=1 asks for fewer"]
fn cells_run_again_in_random_orders_show_what_they_show_in_a_fresh_kernel() {
    let orders =
        std::env::var("ORDERS").map_or(3, |orders| orders.parse().expect("ORDERS is a number"));
    for parts in &parts() {
        let mut random = Rng::with_seed(1);
        let small = parts.parameter_cell(|parameter| parameter.small(0.5));
        let cells: Vec<&Cell> = parts.cells.iter().collect();
        let mut session = Session::start(parts);
        let fresh = run(&mut session, parts, "in order", &small, &cells);
        for order in 1..=orders {
            let mut cells = cells.clone();
            random.shuffle(&mut cells);
            let values = parts.parameter_cell(|parameter| other_value(parameter, &mut random));
            run(
                &mut session,
                parts,
                &format!("order {order} of {orders}"),
                &values,
                &cells,
            );
        }
        let after = run(&mut session, parts, "in order again", &small, &cells);
        for (fresh, after) in fresh.iter().zip(&after) {
            let id = text(&fresh["id"]);
            assert!(
                !SAME.split(' ').any(|same| same == id) || said(fresh) == said(after),
                "{id} has changed"
            );
            assert_eq!(
                labels(fresh, after),
                labels(after, fresh),
                "the rows of {id} are not the same"
            );
        }
    }
}

/// Another value that the comment allows, so small that it is quickly measured.
pub fn other_value(parameter: &Parameter, random: &mut Rng) -> String {
    if parameter.is_open() {
        let mut values = [1, 2, 3, 4];
        random.shuffle(&mut values);
        return format!("&{:?}", &values[..random.usize(1..=3)]);
    }
    parameter.small(0.3 * random.f64())
}

/// Runs the first cell, and these, in which nothing may be wrong and which it returns executed.
pub fn run(
    session: &mut Session,
    parts: &Parts,
    what: &str,
    first: &str,
    cells: &[&Cell],
) -> Vec<Value> {
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
    assert!(
        wrong.is_empty(),
        "{}, {what}: {wrong:#?} of {order:?} after {first}",
        parts.name
    );
    executed
}

fn outputs(cell: &Value) -> impl Iterator<Item = &Value> {
    cell["outputs"].as_array().unwrap().iter()
}

fn printed(cell: &Value) -> String {
    outputs(cell).map(|output| text(&output["text"])).collect()
}

/// What a cell prints, or shows where it prints nothing.
fn said(cell: &Value) -> String {
    let printed = printed(cell);
    let shown = outputs(cell).map(|output| text(&output["data"]["text/plain"]));
    if printed.is_empty() {
        shown.collect()
    } else {
        printed
    }
}

/// What the rows of a figure's text are called, in order of these names, since rankings differ from
/// run to run; those that either run could not measure and says it left out are not there.
fn labels(cell: &Value, other: &Value) -> Vec<String> {
    let printed = printed(cell) + &printed(other);
    let figures = outputs(cell).filter(|output| output["data"].get("image/png").is_some());
    let text: String = figures
        .map(|output| text(&output["data"]["text/plain"]))
        .collect();
    let label = |line: &str| {
        line.trim()
            .split("  ")
            .next()
            .unwrap()
            .split(':')
            .next()
            .unwrap()
            .to_owned()
    };
    let rows = text.lines().skip(2).take_while(|line| !line.is_empty());
    let mut labels: Vec<String> = rows.map(label).collect();
    labels.retain(|label| !printed.contains(&format!("{label}, left out: ")));
    labels.sort();
    labels
}

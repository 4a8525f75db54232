//! Both ends of the range that the comment of each parameter states, alone and in pairs: a cell
//! runs and says no nonsense, or refuses by the parameter's name.

use crate::checks;
use crate::parameter_cells::{Cell, Parameter, Parts, parts};
use crate::session::{Said, Session};
use crate::workbench::progress;
use serde_json::json;
use std::time::{Duration, Instant};

/// A parameter and the value that is tried.
type Choice<'a> = (&'a Parameter, String);

/// What lasts longer has to say so.
const SILENT: Duration = Duration::from_secs(20);

macro_rules! notebooks {
    ($($name:ident: $place:literal),*) => {$(
        #[test]
        #[ignore = "deep: both ends of each parameter, alone and in pairs, about 10 minutes"]
        fn $name() {
            run_or_are_refused_by_name($place);
        }
    )*};
}
notebooks!(first: 0, second: 1, third: 2, fourth: 3, fifth: 4, sixth: 5);

fn run_or_are_refused_by_name(place: usize) {
    let parts = parts();
    let parts = &parts[place];
    let mut session = Session::start(parts);
    let first = parts.parameter_cell(|parameter| parameter.small(0.0));
    session.run_well(&(first + &parts.definitions()));
    let choices = alone(parts).into_iter().chain(pairs(parts));
    let faults: Vec<String> = choices
        .flat_map(|choices| faults_of(&mut session, parts, &choices))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn alone(parts: &Parts) -> Vec<Vec<Choice<'_>>> {
    let of_one = |parameter| ends(parameter).map(|value| vec![(parameter, value)]);
    parts.parameters.iter().flat_map(of_one).collect()
}

/// Both at their least, and both at their most. How often something is measured is not among them:
/// it makes a cell longer, and nothing else.
fn pairs(parts: &Parts) -> Vec<Vec<Choice<'_>>> {
    let is_count = |name: &str| ["SAMPLES", "TRIALS", "RUNS", "SEED"].contains(&name);
    let parameters = parts.parameters.iter();
    let sizes: Vec<_> = parameters.filter(|one| !is_count(&one.name)).collect();
    let mut pairs = Vec::new();
    for (place, one) in sizes.iter().enumerate() {
        for other in &sizes[place + 1..] {
            let both = ends(one).into_iter().zip(ends(other));
            pairs.extend(both.map(|(first, second)| vec![(*one, first), (*other, second)]));
        }
    }
    pairs
}

fn ends(parameter: &Parameter) -> [String; 2] {
    let least = parameter.least.unwrap_or(0);
    let most = parameter.most.unwrap_or(least);
    match (parameter.is_list(), parameter.is_open()) {
        (false, _) => [least.to_string(), most.to_string()],
        (true, true) => [format!("&[{least}]"), format!("&[{most}]")],
        (true, false) => ["&[0, 0, 1, 1]".into(), "&[1, 0, 1, 0]".into()],
    }
}

/// What is wrong in the cells that all of these parameters reach, while the others are small.
fn faults_of(session: &mut Session, parts: &Parts, choices: &[Choice]) -> Vec<String> {
    let chosen = |parameter: &Parameter| {
        let choice = choices.iter().find(|(one, _)| one.name == parameter.name);
        choice.map_or_else(|| parameter.small(0.0), |(_, value)| value.clone())
    };
    let tried: Vec<String> = choices
        .iter()
        .map(|(parameter, value)| format!("{} = {value}", parameter.name))
        .collect();
    let tried = format!("{}: {}", parts.name, tried.join(", "));
    session.run_well(&parts.parameter_cell(chosen));
    let mut faults = Vec::new();
    for cell in reached(parts, choices) {
        session.doing = format!("{tried} in {}", cell.id);
        let began = Instant::now();
        let said = session.execute(&cell.source);
        let took = began.elapsed();
        let found = fault(cell, &said, choices, took);
        let seconds = took.as_secs_f64();
        if seconds > 5.0 {
            let foretold = forecasts(&said).join(" | ");
            progress(&format!(
                "  {seconds:.1} s: {tried} in {}: {foretold}",
                cell.id
            ));
        }
        if let Err(what) = found {
            progress(&format!("  fault: {tried} in {}: {what}", cell.id));
            faults.push(format!("{tried} in {}: {what}", cell.id));
        }
    }
    faults
}

/// The cells that do something with every one of these parameters.
fn reached<'a>(parts: &'a Parts, choices: &[Choice]) -> Vec<&'a Cell> {
    let (first, others) = choices.split_first().expect("a choice");
    let mut cells = parts.affected(&first.0.name);
    for (parameter, _) in others {
        let also = parts.affected(&parameter.name);
        cells.retain(|cell| also.iter().any(|other| other.id == cell.id));
    }
    cells
}

/// The lines that say how long something will take.
fn forecasts(said: &Said) -> Vec<String> {
    let printed = said.stream("stdout");
    let foretells = |line: &&str| line.contains("about ") || line.ends_with(" s left");
    printed
        .lines()
        .filter(foretells)
        .map(String::from)
        .collect()
}

fn fault(cell: &Cell, said: &Said, choices: &[Choice], took: Duration) -> Result<(), String> {
    let error = said.error();
    if !error.is_empty() {
        return Err(error);
    }
    let sentence = said.stream("stderr");
    let sentence = sentence.trim_end();
    if !sentence.is_empty() {
        let named = choices
            .iter()
            .any(|(parameter, _)| sentence.contains(&parameter.name));
        let clear = sentence.starts_with("cannot ") && sentence.contains(" (allowed: ");
        return (clear && named)
            .then_some(())
            .ok_or_else(|| sentence.into());
    }
    let mut executed = cell.json.clone();
    executed["outputs"] = said.0.clone().into();
    let mut wrong = checks::outputs(&json!({ "cells": [executed] }));
    let shown = said.stream("stdout") + &said.shown();
    let nonsense = ["NaN", " inf", "e-16", "e-17"];
    let found = nonsense.iter().filter(|word| shown.contains(**word));
    wrong.extend(found.map(|word| format!("{word:?} stands in {shown}")));
    if took > SILENT && forecasts(said).is_empty() {
        wrong.push(format!("{} s without a word", took.as_secs()));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.join("; "))
}

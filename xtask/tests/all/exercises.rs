//! The exercises of the notebooks: the committed cell is not solved, a solution is, and what is
//! wrong is found wrong.
//!
//! `exercises/NN-K.rs` holds, for exercise K of notebook NN, a solution and wrong ones, each below
//! a line that says which.

use crate::parameter_cells::{Cell, Parts};
use crate::session::Session;
use crate::workbench::*;
use std::fs;

const WRONG: usize = 3;

/// Tries each exercise in a kernel in which the notebook's definitions stand.
pub fn are_solved_by_their_solutions_alone(session: &mut Session, parts: &Parts) {
    let tagged = |tag| {
        parts
            .cells
            .iter()
            .filter(move |cell| has_tag(&cell.json, tag))
    };
    let exercises: Vec<&Cell> = tagged("exercise").collect();
    let checks: Vec<&Cell> = tagged("check").collect();
    assert!(!exercises.is_empty(), "{} has no exercise", parts.name);
    assert_eq!(exercises.len(), checks.len(), "{}", parts.name);
    session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.2)));
    for (number, (exercise, check)) in (1..).zip(exercises.into_iter().zip(checks)) {
        let file = format!("xtask/tests/all/exercises/{}-{number}.rs", &parts.name[..2]);
        let text = fs::read_to_string(root().join(&file));
        let text = text.unwrap_or_else(|why| panic!("{file}: {why}"));
        for (what, source) in attempts(&file, &text, &exercise.source) {
            session.doing = format!("{file}, {what}");
            session.run_well(source);
            let said = session.run_well(&check.source).stream("stdout");
            let expected = match what {
                "solved" => "solved",
                _ => "not solved yet: ",
            };
            assert!(said.starts_with(expected), "{file}, {what}: {said}");
        }
    }
}

/// What is tried: what the file holds, each with the line above it, and the cell as committed.
fn attempts<'a>(file: &str, text: &'a str, committed: &'a str) -> Vec<(&'a str, &'a str)> {
    let parts = text.split("//// ").skip(1);
    let mut attempts: Vec<_> = parts
        .map(|attempt| attempt.split_once('\n').unwrap())
        .collect();
    let of_kind = |kind| {
        attempts
            .iter()
            .filter(|(what, _)| what.starts_with(kind))
            .count()
    };
    assert_eq!(
        (of_kind("solved"), of_kind("wrong: ")),
        (1, WRONG),
        "{file}"
    );
    attempts.push(("as committed", committed));
    attempts
}

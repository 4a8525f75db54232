//! The exercises of the notebooks: the committed cell is not solved, a solution is, and what is
//! wrong is found wrong.
//!
//! `exercises/NN-K.rs` holds, for exercise K of notebook NN, a solution and wrong ones, each below
//! a line that says which.

use crate::parameter_cells::{Cell, parts};
use crate::session::Session;
use crate::workbench::*;
use std::fs;

const WRONG: usize = 3;

#[test]
fn exercises_are_solved_by_their_solutions_alone() {
    for parts in parts() {
        let tagged = |tag| {
            parts
                .cells
                .iter()
                .filter(move |cell| has_tag(&cell.json, tag))
        };
        let (exercises, checks): (Vec<&Cell>, Vec<&Cell>) =
            (tagged("exercise").collect(), tagged("check").collect());
        assert!(
            !exercises.is_empty() && exercises.len() == checks.len(),
            "{}",
            parts.name
        );
        let mut session = Session::start(&parts);
        session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.2)));
        session.run_well(&parts.definitions());
        for (number, (exercise, check)) in (1..).zip(exercises.into_iter().zip(checks)) {
            let file = format!("xtask/tests/all/exercises/{}-{number}.rs", &parts.name[..2]);
            let text = fs::read_to_string(root().join(&file))
                .unwrap_or_else(|why| panic!("{file}: {why}"));
            let attempts: Vec<(&str, &str)> = text
                .split("//// ")
                .skip(1)
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
            for (what, source) in attempts
                .into_iter()
                .chain([("as committed", exercise.source.as_str())])
            {
                session.doing = format!("{file}, {what}");
                session.run_well(source);
                let said = session.run_well(&check.source).stream("stdout");
                let expected = if what == "solved" {
                    "solved"
                } else {
                    "not solved yet: "
                };
                assert!(said.starts_with(expected), "{file}, {what}: {said}");
            }
        }
    }
}

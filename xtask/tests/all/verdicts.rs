//! Verdicts again and again: on a quiet machine they stay, and elsewhere none turns into its
//! opposite.

use crate::busy::Busy;
use crate::parameter_cells::{Parts, parts};
use crate::session::Session;
use crate::workbench::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the verdict's table says of each claim and control.
fn verdicts(
    session: &mut Session,
    parts: &Parts,
    times: usize,
    when: &str,
) -> Vec<BTreeMap<String, String>> {
    let mut cells = parts.cells.iter();
    let cell = cells.find(|cell| cell.id == "verdict").unwrap();
    let once = |time| {
        session.doing = format!("verdict {when}, {time} of {times}");
        let outputs = session.run_well(&cell.source).0;
        let rows = outputs.iter().flat_map(|output| rows(&data(output)));
        rows.map(|[claim, outcome]| (claim, outcome)).collect()
    };
    (1..=times).map(once).collect()
}

/// The rows of a table of two columns.
fn rows(table: &Value) -> Vec<[String; 2]> {
    let rows = table["rows"].as_array().into_iter().flatten();
    rows.map(|row| [text(&row[0]), text(&row[1])]).collect()
}

fn is_open(outcome: &str) -> bool {
    outcome.starts_with("inconclusive (") || outcome.starts_with("open: ")
}

fn never_opposite(
    expected: &BTreeMap<String, String>,
    found: &[BTreeMap<String, String>],
    when: &str,
) {
    for verdicts in found {
        assert!(
            verdicts.keys().eq(expected.keys()),
            "{when}: {verdicts:?}, not {expected:?}"
        );
        for (claim, word) in verdicts {
            let fits = *word == expected[claim] || is_open(word);
            assert!(fits, "{when}: {claim}: {word}, not {}", expected[claim]);
        }
    }
}

#[test]
#[ignore = "deep: every verdict forty times, about 11 minutes"]
fn a_verdict_stays_on_a_quiet_machine_and_never_turns_into_its_opposite() {
    let _alone = alone();
    for parts in parts() {
        let mut session = Session::start(&parts);
        session.run_well(&parts.definitions());
        let quiet = verdicts(&mut session, &parts, 20, "on a quiet machine");
        let decided = |verdicts: &&BTreeMap<_, String>| {
            !verdicts.values().any(|word| word.contains("close them"))
        };
        let expected = quiet.iter().find(decided).expect("a quiet machine");
        assert!(expected.len() >= 2, "{}: {expected:?}", parts.name);
        for verdicts in quiet.iter().filter(decided) {
            assert_eq!(verdicts, expected, "{}", parts.name);
        }
        never_opposite(expected, &quiet, &parts.name);
        let busy = Busy::everywhere();
        never_opposite(
            expected,
            &verdicts(&mut session, &parts, 10, "beside busy programs"),
            "busy",
        );
        drop(busy);
        let bind = "std::process::Command::new(\"taskset\").args([\"-acp\", \"0\", &std::process::id().to_string()]).output()?;";
        session.run_well(bind);
        never_opposite(
            expected,
            &verdicts(&mut session, &parts, 10, "on one core"),
            "one core",
        );
    }
}

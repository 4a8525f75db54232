//! A kernel that is interrupted at any moment, while it compiles or measures, runs on after set-up and parameters.

use crate::parameter_cells::{Parts, parts};
use crate::session::{Said, Session};
use crate::workbench::{has_tag, text};
use fastrand::Rng;
use serde_json::Value;
use std::env;

/// Interrupts over all notebooks; more with `INTERRUPTS=100 cargo test --test interrupts -- --nocapture`.
const INTERRUPTS: usize = 20;

/// What evcxr says in place of an interrupted cell's result.
const INTERRUPTED: &str = "Subprocess terminated with status: signal: 9 (SIGKILL)";

#[test]
fn a_kernel_recovers_from_an_interrupt_at_any_moment() {
    let interrupts =
        env::var("INTERRUPTS").map_or(INTERRUPTS, |count| count.parse().expect("INTERRUPTS is a number"));
    let mut random = Rng::with_seed(1);
    let notebooks = parts();
    let (mut hit, mut late, mut recovered) = (0, 0, 0);
    for (place, parts) in notebooks.iter().enumerate() {
        let share = (interrupts + place) / notebooks.len();
        let mut session = Session::start();
        let begin = begin(parts);
        run_well(&mut session, parts, &begin);
        let sources: Vec<String> = parts.rest.iter().map(|cell| text(&cell["source"])).collect();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let said = session.execute_all(&sources);
        let measuring: Vec<(&Value, &Said)> = parts
            .rest
            .iter()
            .zip(&said)
            .filter(|(cell, said)| !has_tag(cell, "raises-exception") && has_figure(said))
            .collect();
        for _ in 0..share {
            let (cell, before) = measuring[random.usize(..measuring.len())];
            let source = text(&cell["source"]);
            // Twice in a row, every fourth time: the second may come while the process is started again.
            let moment = before.seconds * random.f64();
            let moments =
                if random.usize(..4) == 0 { vec![moment, moment + 0.1 * random.f64()] } else { vec![moment] };
            let said = session.interrupt_after(&source, &moments);
            println!(
                "{}, {}: interrupted at {moments:.2?} s of {:.2}: {}",
                parts.name,
                cell["id"],
                before.seconds,
                said.complaint()
            );
            assert!(said.is_well() || said.error() == INTERRUPTED, "{}: {}", cell["id"], said.complaint());
            hit += usize::from(!said.is_well());
            // An interrupt that comes when the cell has just ended stops the next one.
            let next = session.execute(&begin[0]);
            late += usize::from(next.error() == INTERRUPTED);
            if next.error() != INTERRUPTED {
                assert!(next.is_well(), "{}: {}", parts.name, next.complaint());
            }
            run_well(&mut session, parts, &begin[usize::from(next.is_well())..]);
            run_well(&mut session, parts, &[source]);
            recovered += 1;
        }
    }
    println!("{interrupts} interrupts, {hit} stopped their cell, {late} the next; {recovered} recoveries");
    assert_eq!(recovered, interrupts);
    assert!(2 * hit > interrupts, "only {hit} of {interrupts} interrupts stopped a cell");
}

/// Set-up, and the parameters with small values.
fn begin(parts: &Parts) -> Vec<String> {
    let mut begin = parts.begin.clone();
    let small = parts.parameters.iter().map(|parameter| parameter.line(&parameter.small()));
    begin.push(small.collect::<Vec<_>>().join("\n"));
    begin
}

fn run_well(session: &mut Session, parts: &Parts, cells: &[String]) {
    for cell in cells {
        let said = session.execute(cell);
        assert!(said.is_well(), "{}: {cell}: {}", parts.name, said.complaint());
    }
}

fn has_figure(said: &Said) -> bool {
    said.outputs.iter().any(|output| output["data"].get("image/png").is_some())
}

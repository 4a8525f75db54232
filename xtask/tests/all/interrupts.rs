//! A kernel that is interrupted at any moment, while it compiles or measures, runs on after set-up
//! and parameters.

use crate::orders::SAME;
use crate::parameter_cells::{Cell, Parts, parts};
use crate::session::Session;
use crate::workbench::progress;
use fastrand::Rng;

const INTERRUPTED: &str = "Subprocess terminated with status: signal: 9 (SIGKILL)";

#[test]
#[ignore = "deep: 20 interrupts, about 3 minutes"]
fn a_kernel_recovers_from_an_interrupt_at_any_moment() {
    let (mut random, notebooks) = (Rng::with_seed(1), parts());
    for (place, parts) in notebooks.iter().enumerate() {
        let mut session = Session::start(parts);
        session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.5)));
        session.run_well(&parts.definitions());
        let interrupts = (20 + place) / notebooks.len();
        let hit = (0..interrupts)
            .filter(|_| at_a_random_moment(&mut session, parts, &mut random))
            .count();
        progress(&format!(
            "{}: {hit} of {interrupts} interrupts stopped their cell",
            parts.name
        ));
        while_it_measures(&mut session, parts, &mut random);
    }
}

/// Interrupts a cell that measures, while it compiles or runs, if it still does; whether that
/// stopped it.
pub fn at_a_random_moment(session: &mut Session, parts: &Parts, random: &mut Rng) -> bool {
    let (cell, moment) = (measuring(parts, random), 2.0 * random.f64());
    // Twice in a row, every fourth time: the second may come while the process is started again.
    let moments = [moment, moment + 0.1 * random.f64()];
    let moments = &moments[..if random.usize(..4) == 0 { 2 } else { 1 }];
    session.doing = format!("{} is interrupted at {moments:.2?} s", cell.id);
    let error = session.execute_until(&cell.source, "", moments).wrong();
    assert!(
        error.is_empty() || error == INTERRUPTED,
        "{}: {}: {error}",
        parts.name,
        cell.id
    );
    recover(session, parts, cell);
    !error.is_empty()
}

/// Interrupts a cell when it has begun to run and will for long, since the values are those of the
/// notebook.
pub fn while_it_measures(session: &mut Session, parts: &Parts, random: &mut Rng) {
    let cell = measuring(parts, random);
    session.doing = format!("{} is interrupted while it measures", cell.id);
    let source = format!(
        "{}\nprintln!(\"begins\");\n{}",
        parts.begin.last().unwrap(),
        cell.source
    );
    let said = session.execute_until(&source, "begins", &[0.05]);
    assert_eq!(said.wrong(), INTERRUPTED, "{}: {}", parts.name, cell.id);
    recover(session, parts, cell);
}

fn measuring<'a>(parts: &'a Parts, random: &mut Rng) -> &'a Cell {
    // What is forced ends too soon.
    let measures = |cell: &&Cell| {
        cell.statements.contains(".draw()") && !SAME.split(' ').any(|id| id == cell.id)
    };
    let measuring: Vec<&Cell> = parts.cells.iter().filter(measures).collect();
    measuring[random.usize(..measuring.len())]
}

fn recover(session: &mut Session, parts: &Parts, cell: &Cell) {
    // An interrupt that comes when the cell has just ended stops the next one.
    if session.execute(&parts.begin[0]).error() == INTERRUPTED {
        session.run_well(&parts.begin[0]);
    }
    session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.5)));
    session.run_well(&cell.source);
}

//! A kernel that is interrupted at any moment, while it compiles or measures, runs on after set-up and parameters.

use crate::parameter_cells::{Cell, Parts, parts};
use crate::session::Session;
use crate::workbench::progress;
use fastrand::Rng;

/// What evcxr says in place of an interrupted cell's result.
const INTERRUPTED: &str = "Subprocess terminated with status: signal: 9 (SIGKILL)";

#[test]
#[ignore = "deep: 20 interrupts, about 4 minutes"]
fn a_kernel_recovers_from_an_interrupt_at_any_moment() {
    let (mut random, notebooks) = (Rng::with_seed(1), parts());
    for (place, parts) in notebooks.iter().enumerate() {
        let mut session = Session::start(parts);
        session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.5)));
        session.run_well(&parts.definitions());
        let interrupts = (20 + place) / notebooks.len();
        let hit = (0..interrupts).filter(|_| at_a_random_moment(&mut session, parts, &mut random)).count();
        progress(&format!("{}: {hit} of {interrupts} interrupts stopped their cell", parts.name));
        while_it_measures(&mut session, parts, &mut random);
    }
}

/// Interrupts a cell that measures, while it compiles or runs, if it still does; whether that stopped it.
pub fn at_a_random_moment(session: &mut Session, parts: &Parts, random: &mut Rng) -> bool {
    let (cell, moment) = (measuring(parts, random), 2.0 * random.f64());
    // Twice in a row, every fourth time: the second may come while the process is started again.
    let again = (random.usize(..4) == 0).then(|| moment + 0.1 * random.f64());
    let moments: Vec<f64> = [moment].into_iter().chain(again).collect();
    session.doing = format!("{} is interrupted at {moments:.2?} s", cell.id);
    let said = session.interrupt(&cell.source, "", &moments);
    assert!(said.is_well() || said.error() == INTERRUPTED, "{}: {}", cell.id, said.complaint());
    recover(session, parts, cell);
    !said.is_well()
}

/// Interrupts a cell when it has begun to run and will for long, since the values are those of the notebook.
pub fn while_it_measures(session: &mut Session, parts: &Parts, random: &mut Rng) {
    let cell = measuring(parts, random);
    session.doing = format!("{} is interrupted while it measures", cell.id);
    let source = format!("{}\nprintln!(\"begins\");\n{}", parts.begin.last().unwrap(), cell.source);
    let said = session.interrupt(&source, "begins", &[0.05]);
    assert_eq!(said.error(), INTERRUPTED, "{}: {}", cell.id, said.complaint());
    recover(session, parts, cell);
}

fn measuring<'a>(parts: &'a Parts, random: &mut Rng) -> &'a Cell {
    let measuring = parts.cells.iter().filter(|cell| cell.statements.contains("draw"));
    let measuring: Vec<&Cell> = measuring.collect();
    measuring[random.usize(..measuring.len())]
}

fn recover(session: &mut Session, parts: &Parts, cell: &Cell) {
    // An interrupt that comes when the cell has just ended stops the next one.
    let next = session.execute(&parts.begin[0]);
    if next.error() == INTERRUPTED {
        session.run_well(&parts.begin[0]);
    } else {
        assert!(next.is_well(), "{}: {}", parts.name, next.complaint());
    }
    session.run_well(&parts.parameter_cell(|parameter| parameter.small(0.5)));
    session.run_well(&cell.source);
}

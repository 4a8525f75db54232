//! What stands between the front end and the kernel mends.

use crate::busy::Busy;
use crate::session::Session;
use crate::workbench::root;

fn session() -> Session {
    Session::start_in(&root().join("notebooks"))
}

/// Without the mending about every second is lost.
#[test]
fn a_refusal_is_there_before_its_cell_has_ended_on_a_busy_machine() {
    let mut session = session();
    let _busy = Busy::everywhere();
    for number in 0..20 {
        let sentence = format!("refused {number}");
        let said = session.execute(&format!("Err::<(), &str>({sentence:?})?;"));
        assert_eq!(said.stream("stderr").trim_end(), sentence);
    }
}

#[test]
fn a_last_line_without_an_end_does_not_hide_that_its_cell_has_ended() {
    let mut session = session();
    let source = "use std::io::Write;\nprint!(\"tail\"); std::io::stdout().flush()?;";
    assert_eq!(session.run_well(source).stream("stdout"), "tail");
    assert_eq!(session.run_well("1 + 1").shown(), "2");
}

#[test]
fn every_line_of_many_is_there_in_its_order() {
    let mut session = session();
    let said = session.run_well("for number in 0..50_000 { println!(\"{number}\"); }");
    let lines = said.stream("stdout");
    assert!(lines.lines().map(str::parse).eq((0..50_000_u32).map(Ok)));
}

/// An interrupted cell lets the next one run, and its text does not reach it.
#[test]
fn a_cell_that_is_interrupted_ends() {
    let mut session = session();
    let endless =
        "println!(\"begun\"); loop { std::thread::sleep(std::time::Duration::from_millis(1)) }";
    let said = session.execute_until(endless, "begun", &[0.2]);
    assert_eq!(said.stream("stdout"), "begun\n");
    assert_eq!(session.run_well("1 + 1").shown(), "2");
}

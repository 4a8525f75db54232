//! What an ordinary change to a notebook or the helper crate can break, in one kernel for each
//! notebook.

use crate::parameter_cells::{Cell, Parts, parts};
use crate::session::Session;
use crate::workbench::{TURNS, turns_of};
use crate::{bad_values, exercises, interrupts};
use fastrand::Rng;

macro_rules! notebooks {
    ($($name:ident: $place:literal),*) => {$(#[test] fn $name() { run_one($place) })*};
}
notebooks!(first: 0, second: 1, third: 2, fourth: 3, fifth: 4, sixth: 5);

fn run_one(place: usize) {
    let parts = parts();
    assert!(parts.len() <= 6, "add tests for the other notebooks");
    for id in FORCED.split(' ') {
        assert!(
            parts
                .iter()
                .flat_map(|parts| &parts.cells)
                .any(|cell| cell.id == id),
            "no notebook has {id}"
        );
    }
    let Some(parts) = parts.get(place) else {
        return;
    };
    let mut random = Rng::with_seed(1);
    let mut session = Session::start(parts);
    session
        .run_well(&(parts.parameter_cell(|parameter| parameter.small(0.0)) + &parts.definitions()));
    bad_values::most_absurd_and_other_types(&mut session, parts);
    interrupts::at_a_random_moment(&mut session, parts, &mut random);
    interrupts::while_it_measures(&mut session, parts, &mut random);
    forced(&mut session, parts);
    exercises::are_solved_by_their_solutions_alone(&mut session, parts);
    if parts.defines("guarded") {
        callers(&mut session);
        hand_over_a_lock(&mut session);
    }
}

/// Cells, of whichever notebook, that force what they show, and so say the same every time.
const FORCED: &str = "all stuck-table answer-shown";
const FORCED_RUNS: usize = 5;

fn forced(session: &mut Session, parts: &Parts) {
    let forced = |cell: &&Cell| FORCED.split(' ').any(|id| id == cell.id);
    for cell in parts.cells.iter().filter(forced) {
        session.doing = format!("{} in {FORCED_RUNS} runs", cell.id);
        let mut said = (0..FORCED_RUNS).map(|_| session.run_well(&cell.source).stream("stdout"));
        let first = said.next();
        assert!(
            said.all(|other| Some(other) == first),
            "{}: not {first:?}",
            cell.id
        );
    }
}

/// Callers of the guarded counter, and tasks with a guard; what the compiler says, nothing where it
/// takes them. Those that it refuses differ in one line from one that it takes.
const CALLERS: [(&str, &str); 7] = [
    (
        "let counter = guarded::Counter::default(); counter.increment(); let _: u64 = counter.get();",
        "",
    ),
    (
        "let counter = guarded::Counter::default(); let _guard = counter.value.lock();",
        PRIVATE,
    ),
    (
        "let counter = guarded::Counter { value: parking_lot::Mutex::new(0) };",
        PRIVATE,
    ),
    (
        "let _: parking_lot::MutexGuard<'_, u64> = guarded::Counter::default().get();",
        "mismatched types",
    ),
    (
        "spawn!(std::sync::Mutex<u64>, |total| *total.lock().unwrap() += 1; yield_now().await);",
        "",
    ),
    (
        "spawn!(std::sync::Mutex<u64>, |total| let _guard = total.lock().unwrap(); yield_now().await);",
        MOVES,
    ),
    (
        "spawn!(parking_lot::Mutex<u64>, |total| let _guard = total.lock(); yield_now().await);",
        MOVES,
    ),
];

const PRIVATE: &str = "field `value` of struct `guarded::Counter` is private";
const MOVES: &str = "future cannot be sent between threads safely";

fn callers(session: &mut Session) {
    session.doing = "callers".into();
    for (body, error) in CALLERS {
        // In a function that is not called: what compiles is not run.
        let source = format!(
            "#[allow(unused)] fn call() {{
    use tokio::task::yield_now;
    macro_rules! spawn {{ ($lock:ty, |$total:ident| $($body:tt)*) => {{
        async fn add($total: std::sync::Arc<$lock>) {{ $($body)*; }}
        tokio::spawn(add(Default::default()));
    }} }}
    {body}
}}"
        );
        assert_eq!(session.execute(&source).wrong(), error, "{body}");
    }
}

/// Threads of two cells hand a lock to each other. Were the helper crate linked statically into the
/// library that each cell is, each would hold a copy of the queue in which parking_lot keeps its
/// waiting threads, and a thread would wake nobody but those of its own cell.
fn hand_over_a_lock(session: &mut Session) {
    session.doing = "two cells hand a lock over".into();
    session.run_well(TURNS);
    for parity in ["0", "1"] {
        session.run_well(&turns_of(parity, 1_000));
    }
    // Looks at the count without the lock, so that it does not hang where the threads do.
    let wait = "for _ in 0..6_000 { if turns.1.load(SeqCst) < 1_000 { std::thread::sleep(Duration::from_millis(10)) } }
turns.1.load(SeqCst)";
    assert_eq!(
        session.run_well(wait).shown(),
        "1000",
        "hand-overs in a minute"
    );
}

//! What an ordinary change to a notebook or the helper crate can break, in one kernel for each notebook.

use crate::parameter_cells::{Cell, Parts, parts};
use crate::session::Session;
use crate::{bad_values, interrupts, orders};
use fastrand::Rng;

macro_rules! notebooks {
    ($($name:ident: $place:literal),*) => {$(
        #[test]
        fn $name() {
            run_one($place);
        }
    )*};
}
notebooks!(first: 0, second: 1, third: 2, fourth: 3, fifth: 4, sixth: 5);

fn run_one(place: usize) {
    let parts = parts();
    assert!(parts.len() <= 6, "add tests for the other notebooks");
    for id in SCHEDULES {
        assert!(
            parts.iter().flat_map(|parts| &parts.cells).any(|cell| cell.id == id),
            "no notebook has {id}"
        );
    }
    for (item, ..) in PROOFS {
        assert!(parts.iter().any(|parts| parts.defines(item)), "no notebook defines {item}");
    }
    let Some(parts) = parts.get(place) else { return };
    let mut random = Rng::with_seed(1);
    let mut session = Session::start(parts);
    let values = parts.parameter_cell(|parameter| orders::other_value(parameter, &mut random));
    session.run_well(&(values + "\n" + &parts.definitions()));
    // From last to first, so that none finds what one before it in the notebook leaves; `cargo xtask run` has it the
    // other way round. Of the cells that only define something nothing is new.
    let cells: Vec<&Cell> =
        parts.cells.iter().rev().filter(|cell| !cell.statements.is_empty() || cell.fails()).collect();
    orders::run(&mut session, parts, "from last to first", &cells);
    bad_values::most_absurd_and_other_types(&mut session, parts);
    interrupts::at_a_random_moment(&mut session, parts, &mut random);
    interrupts::while_it_measures(&mut session, parts, &mut random);
    forced_schedules(&mut session, parts);
    if parts.defines("guarded") {
        callers(&mut session);
        hand_over_a_lock(&mut session);
    }
}

/// Cells, of whichever notebook, that run a forced schedule and say `in 1000 of 1000 runs`.
const SCHEDULES: [&str; 5] =
    ["lost-runs", "overshoot-timeline", "twice-runs", "crossed-figure", "one-thread-runs"];

/// More about schedules and counters: what the notebook has to define, a cell, and what that shows.
const PROOFS: [(&str, &str, &str); 6] = [
    ("lose_one", "sorted(|steps| lose_one(steps).map(drop))?", "reads 0, reads 0, writes 1, writes 1"),
    (
        "overshoot",
        "sorted(|steps| overshoot(2, steps).map(drop))?",
        "sees 0, below 1, sees 0, below 1, has added 1, has added 1",
    ),
    ("crossed", "sorted(|steps| crossed(steps).map(drop))?", "locks 0, locks 1, gives up 0, gives up 1"),
    (
        "overshoot",
        "let over = |n: usize| count_runs(|| Ok(overshoot(n, &Steps::default())? == n as f64 - 1.0)); [over(1)?, over(4)?]",
        "[1000, 1000]",
    ),
    (
        "guarded",
        "fn keep<C: Count>() -> Result<u64> {
    let counter = C::default();
    on_threads(3, |_| (0..1_000).for_each(|_| counter.increment()))?;
    Ok(counter.get())
}
[keep::<guarded::Counter>()?, keep::<std_lock::Counter>()?, keep::<atomic::Counter>()?]",
        "[3000, 3000, 3000]",
    ),
    (
        "bounded",
        "fn bound() -> Result<u64> {
    let counter = bounded::Counter::default();
    on_threads(3, |_| while counter.increment_below(1_000) {})?;
    Ok(counter.get())
}
bound()?",
        "1000",
    ),
];

fn forced_schedules(session: &mut Session, parts: &Parts) {
    session.run_well("const RUNS: usize = 1_000;\nconst PATIENCE_US: u64 = 100;");
    for cell in parts.cells.iter().filter(|cell| SCHEDULES.contains(&cell.id.as_str())) {
        session.doing = format!("{} in 1,000 runs", cell.id);
        let said = session.run_well(&cell.source).stream("stdout");
        assert!(said.contains("in 1000 of 1000 runs"), "{}: {said}", cell.id);
    }
    if parts.defines("Steps") {
        // What the threads did before the barrier, in no order, and then what they did after it.
        session.run_well(
            "fn sorted(run: impl Fn(&Steps) -> Result<()>) -> Result<String> {
    let steps = Steps::default();
    run(&steps)?;
    let mut steps: Vec<String> = steps.into_inner().into_iter().map(|(_, step)| step).collect();
    steps[..2].sort();
    steps[2..].sort();
    Ok(steps.join(\", \"))
}",
        );
    }
    for (_, cell, shown) in PROOFS.iter().filter(|(item, ..)| parts.defines(item)) {
        assert_eq!(session.run_well(cell).shown().trim_matches('"'), *shown, "{cell}");
    }
}

/// Callers of the guarded counter, and tasks with a guard; what the compiler says, nothing where it takes them.
const CALLERS: [(&str, &str); 7] = [
    ("fn call() { let counter = guarded::Counter::default(); counter.increment(); counter.get(); }", ""),
    (
        "fn call() { let _guard = guarded::Counter::default().value.lock(); }",
        "field `value` of struct `guarded::Counter` is private",
    ),
    (
        "fn call() { let _counter = guarded::Counter { value: parking_lot::Mutex::new(0) }; }",
        "field `value` of struct `guarded::Counter` is private",
    ),
    (
        "fn call() { let _guard: parking_lot::MutexGuard<'_, u64> = guarded::Counter::default().get(); }",
        "mismatched types",
    ),
    (
        "async fn add(total: std::sync::Arc<std::sync::Mutex<u64>>) {
    let mut guard = total.lock().unwrap(); tokio::task::yield_now().await; *guard += 1;
}
fn call() { tokio::spawn(add(Default::default())); }",
        "future cannot be sent between threads safely",
    ),
    (
        "async fn add(total: std::sync::Arc<parking_lot::Mutex<u64>>) {
    let mut guard = total.lock(); tokio::task::yield_now().await; *guard += 1;
}
fn call() { tokio::spawn(add(Default::default())); }",
        "future cannot be sent between threads safely",
    ),
    (
        "async fn add(total: std::sync::Arc<std::sync::Mutex<u64>>) {
    *total.lock().unwrap() += 1; tokio::task::yield_now().await;
}
fn call() { tokio::spawn(add(Default::default())); }",
        "",
    ),
];

fn callers(session: &mut Session) {
    for (cell, error) in CALLERS {
        let said = session.execute(cell);
        assert_eq!((said.error().as_str(), said.stream("stderr").as_str()), (error, ""), "{cell}");
    }
}

/// Threads of two cells hand a lock to each other. Were the helper crate linked statically into the library that each
/// cell is, each would hold a copy of the queue in which parking_lot keeps its waiting threads, and a thread would wake
/// nobody but those of its own cell.
fn hand_over_a_lock(session: &mut Session) {
    session.doing = "two cells hand a lock over".into();
    session.run_well("let turns = std::sync::Arc::new((parking_lot::Mutex::new(()), std::sync::atomic::AtomicUsize::new(0)));");
    for parity in 0..2 {
        // Written out in both cells: a function would be compiled in the first alone. The thread holds the lock for
        // longer than parking_lot spins, so that the other one has to sleep.
        let thread = "let shared = turns.clone();
std::thread::spawn(move || loop {
    let guard = shared.0.lock();
    let turn = shared.1.load(std::sync::atomic::Ordering::SeqCst);
    if turn == 1_000 { break }
    if turn % 2 == PARITY { shared.1.store(turn + 1, std::sync::atomic::Ordering::SeqCst); }
    std::thread::sleep(std::time::Duration::from_micros(100));
    parking_lot::MutexGuard::unlock_fair(guard);
});";
        session.run_well(&thread.replace("PARITY", &parity.to_string()));
    }
    // Looks at the count without the lock, so that it does not hang where the threads do.
    let wait = "for _ in 0..6_000 {
    if turns.1.load(std::sync::atomic::Ordering::SeqCst) == 1_000 { break }
    std::thread::sleep(std::time::Duration::from_millis(10));
}
turns.1.load(std::sync::atomic::Ordering::SeqCst)";
    assert_eq!(session.run_well(wait).shown(), "1000", "hand-overs in a minute");
}

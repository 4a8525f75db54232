//! loom runs the counters of notebook 01 in every schedule of two threads.
//!
//! The files under `counter_cells` are the notebook's cells, letter for letter: a test of `xtask` compares them. They
//! name their types through `super`, so here they get loom's, which hand control to the model at each operation.

use loom::sync;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex as Record;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// `parking_lot`'s interface on loom's mutex.
mod parking_lot {
    #[derive(Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);
    impl<T> Mutex<T> {
        pub fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }
}

include!("counter_cells/count.rs");
include!("counter_cells/lossy.rs");
include!("counter_cells/guarded.rs");
include!("counter_cells/std_lock.rs");
include!("counter_cells/atomic.rs");
include!("counter_cells/two_calls.rs");
include!("counter_cells/bounded.rs");

/// What the threads of one schedule did, in order.
type Steps = Vec<String>;

/// Runs `body` on two threads of a new `state` in every schedule, then `check`. Returns how many schedules there were,
/// or, where `check` fails, the steps of the first one in which it does.
fn every_schedule<S: Default + Send + Sync + 'static>(
    body: fn(&S, &dyn Fn(String)),
    check: fn(&S) -> bool,
) -> Result<usize, Steps> {
    let record: &'static Record<Steps> = Box::leak(Box::default());
    let schedules: &'static AtomicUsize = Box::leak(Box::default());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        loom::model(move || {
            schedules.fetch_add(1, SeqCst);
            record.lock().unwrap().clear();
            let state = loom::sync::Arc::new(S::default());
            let run = |thread: usize| {
                let state = state.clone();
                move || body(&state, &|step| record.lock().unwrap().push(format!("thread {thread} {step}")))
            };
            let other = loom::thread::spawn(run(1));
            run(0)();
            other.join().unwrap();
            if !check(&state) {
                // A panic that prints nothing: what failed is in the record.
                resume_unwind(Box::new(()));
            }
        });
    }));
    match outcome {
        Ok(()) => Ok(schedules.load(SeqCst)),
        Err(_) => Err(record.lock().unwrap().clone()),
    }
}

fn increments_are_kept<C: Count + Send + 'static>() {
    let schedules = every_schedule::<C>(|counter, _| counter.increment(), |counter| counter.get() == 2);
    assert!(schedules.clone().is_ok_and(|schedules| schedules > 1), "{schedules:?}");
}

#[test]
fn the_counter_with_a_parking_lot_mutex_keeps_both_increments_in_every_schedule() {
    increments_are_kept::<guarded::Counter>();
}

#[test]
fn the_counter_with_a_std_mutex_keeps_both_increments_in_every_schedule() {
    increments_are_kept::<std_lock::Counter>();
}

#[test]
fn the_counter_with_an_atomic_instruction_keeps_both_increments_in_every_schedule() {
    increments_are_kept::<atomic::Counter>();
}

/// The schedule in which a pair of calls fails, printed for whoever asks with `--nocapture`.
fn failing_schedule(found: Result<usize, Steps>) -> Steps {
    let steps = found.expect_err("every schedule passed");
    println!("a schedule that fails: {}", steps.join(", "));
    assert_eq!(steps.len(), 4, "{steps:?}");
    steps
}

#[test]
fn a_load_and_a_store_lose_an_update_and_the_schedule_is_found() {
    let found = every_schedule::<lossy::Counter>(
        |counter, note| {
            counter.increment_with(|seen| note(format!("reads {seen}")));
            note("has written".into());
        },
        |counter| counter.get() == 2,
    );
    let steps = failing_schedule(found);
    // In which order is loom's choice: a relaxed load may return an old value when the new one is written already.
    let both = |what: &str| steps.iter().filter(|step| step.ends_with(what)).count() == 2;
    assert!(both("reads 0") && both("has written"), "{steps:?}");
}

#[test]
fn two_guarded_calls_pass_the_limit_and_the_schedule_is_found() {
    let found = every_schedule::<guarded::Counter>(
        |counter, note| {
            let added = increment_if_below(counter, 1, |seen| note(format!("sees {seen}")));
            note(format!("added: {added}"));
        },
        |counter| counter.get() <= 1,
    );
    let steps = failing_schedule(found);
    let all = |steps: &[String], what: &str| steps.iter().all(|step| step.ends_with(what));
    assert!(all(&steps[..2], "sees 0") && all(&steps[2..], "added: true"), "{steps:?}");
}

#[test]
fn one_guarded_call_never_passes_the_limit_in_any_schedule() {
    let schedules = every_schedule::<(bounded::Counter, AtomicUsize)>(
        |(counter, added), _| _ = added.fetch_add(usize::from(counter.increment_below(1)), SeqCst),
        |(counter, added)| (counter.get(), added.load(SeqCst)) == (1, 1),
    );
    assert!(schedules.clone().is_ok_and(|schedules| schedules > 1), "{schedules:?}");
}

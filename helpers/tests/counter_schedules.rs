//! The forced schedules of notebook 01 end as intended every time, and the counters with a guard keep every update.
//!
//! The files under `counter_cells` are the notebook's cells, letter for letter: a test of `xtask` compares them. Miri,
//! where it is installed, runs this program too, and so the threads of the helper crate: no timing here.

use helpers::*;
use std::sync;
use std::time::{Duration, Instant};

/// Miri interprets, which takes its time.
const RUNS: usize = if cfg!(miri) { 5 } else { 1_000 };
const PATIENCE_US: u64 = 100;

include!("counter_cells/count.rs");
include!("counter_cells/lossy.rs");
include!("counter_cells/guarded.rs");
include!("counter_cells/std_lock.rs");
include!("counter_cells/atomic.rs");
include!("counter_cells/meet.rs");
include!("counter_cells/lose_one.rs");
include!("counter_cells/count_runs.rs");
include!("counter_cells/two_calls.rs");
include!("counter_cells/overshoot.rs");
include!("counter_cells/bounded.rs");
include!("counter_cells/exposed.rs");
include!("counter_cells/twice.rs");
include!("counter_cells/crossed.rs");
include!("counter_cells/one_thread.rs");

#[test]
fn a_barrier_between_the_read_and_the_write_loses_an_update() {
    assert_eq!(count_runs(|| Ok(lose_one(&Steps::default())? == 1)), Ok(RUNS));
}

#[test]
fn a_barrier_between_look_and_act_passes_the_limit_by_all_threads_but_one() {
    for threads in [1, 2, 4] {
        let over = (threads - 1) as f64;
        assert_eq!(count_runs(|| Ok(overshoot(threads, &Steps::default())? == over)), Ok(RUNS));
    }
}

#[test]
fn a_lock_taken_twice_is_a_deadlock() {
    assert_eq!(count_runs(locks_twice), Ok(RUNS));
}

#[test]
fn two_locks_taken_crosswise_are_a_deadlock() {
    assert_eq!(count_runs(|| crossed(&Steps::default())), Ok(RUNS));
}

#[test]
fn a_guard_across_an_await_on_one_thread_is_a_deadlock() {
    assert_eq!(count_runs(stuck_on_one_thread), Ok(RUNS));
}

#[test]
fn the_steps_of_a_schedule_are_recorded_on_either_side_of_the_barrier() {
    let (lost, over, stuck) = (Steps::default(), Steps::default(), Steps::default());
    lose_one(&lost).unwrap();
    overshoot(2, &over).unwrap();
    crossed(&stuck).unwrap();
    for (steps, before, after) in [
        (lost, ["reads 0", "reads 0"], ["writes 1", "writes 1"]),
        (over, ["sees 0, below 1", "sees 0, below 1"], ["has added 1", "has added 1"]),
        (stuck, ["locks 0", "locks 1"], ["gives up 0", "gives up 1"]),
    ] {
        let steps = steps.into_inner();
        let side = |steps: &[(usize, String)]| {
            let mut side: Vec<String> = steps.iter().map(|(_, step)| step.clone()).collect();
            side.sort();
            side
        };
        assert_eq!(
            (side(&steps[..2]), side(&steps[2..])),
            (before.map(String::from).to_vec(), after.map(String::from).to_vec())
        );
    }
}

fn keeps_every_update<C: Count>() {
    let counter = C::default();
    let each = RUNS as u64;
    on_threads(3, |_| (0..each).for_each(|_| counter.increment())).unwrap();
    assert_eq!(counter.get(), 3 * each);
}

#[test]
fn counters_with_a_guard_keep_every_update() {
    keeps_every_update::<guarded::Counter>();
    keeps_every_update::<std_lock::Counter>();
    keeps_every_update::<atomic::Counter>();
}

#[test]
fn a_limit_in_one_call_is_never_passed() {
    let counter = bounded::Counter::default();
    let limit = RUNS as u64;
    on_threads(3, |_| while counter.increment_below(limit) {}).unwrap();
    assert_eq!(counter.get(), limit);
}

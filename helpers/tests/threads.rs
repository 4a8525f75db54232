//! Threads, and the counters of `counter_cells` that they share. Nothing is timed: Miri runs this
//! program, too.

use helpers::*;
use std::sync;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Miri interprets, which takes its time.
const UPDATES: u64 = if cfg!(miri) { 5 } else { 100_000 };
const SEATS: u64 = UPDATES;

include!("counter_cells/lossy.rs");
include!("counter_cells/guarded.rs");
include!("counter_cells/hall.rs");

fn lost<C: Default + Sync>(add: fn(&C), total: fn(&C) -> u64) -> u64 {
    let counter = C::default();
    on_threads(3, |_| (0..UPDATES).for_each(|_| add(&counter))).unwrap();
    3 * UPDATES - total(&counter)
}

#[test]
fn a_guard_keeps_every_update_and_a_limit() {
    // Until updates that are not guarded were seen to meet: only then would these have been lost,
    // too.
    assert!((0..1_000).any(|_| {
        let kept = lost(guarded::Counter::increment, guarded::Counter::get);
        assert_eq!(kept, 0);
        lost(increment, read) > 0
    }));
    let hall = Hall::default();
    on_threads(3, |_| while hall.sell() {}).unwrap();
    assert_eq!(*hall.sold.lock(), SEATS);
}

#[test]
fn a_panic_in_a_thread_is_an_error_and_the_others_finish() {
    let finished = sync::Mutex::new(0);
    let outcome = on_threads(4, |thread| {
        assert_ne!(thread, 2);
        *finished.lock().unwrap() += 1;
    });
    let words = "cannot run on threads: thread 2 panicked (allowed: work that returns)";
    assert_eq!(outcome.unwrap_err().to_string(), words);
    assert_eq!(finished.into_inner().unwrap(), 3);
}

//! loom runs the counters of notebook 01 in every schedule of two threads.
//!
//! The files under `counter_cells` are the notebook's cells, letter for letter: a test of `xtask`
//! compares them. They name their types through `super`, so here they get loom's, which hand
//! control to the model at each operation.

use loom::sync;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

trait Count: Default + Sync {
    fn increment(&self);
    fn get(&self) -> u64;
}

mod parking_lot {
    #[derive(Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);
    impl<T> Mutex<T> {
        pub fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }
}

include!("counter_cells/lossy.rs");
include!("counter_cells/guarded.rs");
include!("counter_cells/two_calls.rs");
include!("counter_cells/bounded.rs");

/// Runs `body` on two threads of a new state in every schedule: after how many `check` holds, and
/// after how many not.
fn schedules<S: Default + Send + Sync + 'static>(
    body: fn(&S),
    check: fn(&S) -> bool,
) -> (usize, usize) {
    let ends: &'static [AtomicUsize; 2] = Box::leak(Box::default());
    loom::model(move || {
        let state = loom::sync::Arc::new(S::default());
        let shared = state.clone();
        let other = loom::thread::spawn(move || body(&shared));
        body(&state);
        other.join().unwrap();
        ends[usize::from(!check(&state))].fetch_add(1, SeqCst);
    });
    (ends[0].load(SeqCst), ends[1].load(SeqCst))
}

#[test]
fn a_guard_keeps_both_increments_in_every_schedule_and_without_one_a_loss_is_found() {
    assert!(matches!(
        schedules::<guarded::Counter>(Count::increment, |it| it.get() == 2),
        (2.., 0)
    ));
    assert!(matches!(
        schedules::<lossy::Counter>(Count::increment, |it| it.get() == 2),
        (1.., 1..)
    ));
}

#[test]
fn one_guarded_call_keeps_the_limit_in_every_schedule_and_a_breach_by_two_is_found() {
    let add = |counter: &guarded::Counter| _ = increment_if_below(counter, 1, |_| ());
    assert!(matches!(
        schedules(add, |counter| counter.get() <= 1),
        (1.., 1..)
    ));
    let in_one_call = schedules::<(bounded::Counter, AtomicUsize)>(
        |(counter, added)| _ = added.fetch_add(usize::from(counter.increment_below(1)), SeqCst),
        |(counter, added)| (counter.get(), added.load(SeqCst)) == (1, 1),
    );
    assert!(matches!(in_one_call, (2.., 0)));
}

/// Two locks; how many threads have begun, how many hold their first lock, and whether both did at
/// one time. Of the holders loom knows, so that it may switch threads there.
type Two = (
    [parking_lot::Mutex<u64>; 2],
    AtomicUsize,
    sync::atomic::AtomicUsize,
    AtomicUsize,
);

fn take_first((locks, _, holders, both): &Two, first: usize) {
    let _first = locks[first].lock();
    both.fetch_add(holders.fetch_add(1, SeqCst), SeqCst);
    holders.fetch_sub(1, SeqCst);
}

/// Both with their first lock is a deadlock where each wants the other's; loom aborts the program
/// when it meets one.
#[test]
fn two_threads_come_to_hold_a_lock_each_in_opposite_order_and_never_in_the_same_order() {
    let opposite = |two: &Two| take_first(two, two.1.fetch_add(1, SeqCst));
    let gets_on = |two: &Two| two.3.load(SeqCst) == 0;
    assert!(matches!(schedules(opposite, gets_on), (1.., 1..)));
    assert!(matches!(
        schedules(|two: &Two| take_first(two, 0), gets_on),
        (2.., 0)
    ));
}

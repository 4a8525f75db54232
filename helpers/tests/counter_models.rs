//! loom runs the counters of notebook 01 in every schedule of two threads.
//!
//! The files under `counter_cells` are the notebook's cells, letter for letter but for their
//! imports: a test of `xtask` compares them. Here they get loom's types, which hand control to the
//! model at each operation.

use loom::sync;
use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// The hall of a model has one seat.
const SEATS: u64 = 1;

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
include!("counter_cells/hall.rs");

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
    let guarded = schedules::<guarded::Counter>(|it| it.increment(), |it| it.get() == 2);
    assert!(matches!(guarded, (2.., 0)));
    let lossy = schedules::<AtomicU64>(increment, |it| read(it) == 2);
    assert!(matches!(lossy, (1.., 1..)));
}

#[test]
fn one_guarded_call_keeps_the_limit_in_every_schedule_and_a_breach_by_two_is_found() {
    let by_two_calls =
        schedules::<guarded::Counter>(|sold| _ = look_then_sell(sold), |sold| sold.get() <= SEATS);
    assert!(matches!(by_two_calls, (1.., 1..)));
    let by_one_call = schedules::<(Hall, AtomicUsize)>(
        |(hall, sold)| _ = sold.fetch_add(usize::from(hall.sell()), SeqCst),
        |(_, sold)| sold.load(SeqCst) == 1,
    );
    assert!(matches!(by_one_call, (2.., 0)));
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

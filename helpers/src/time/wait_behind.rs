//! One call while another caller is in the middle of something.

use crate::error::Result;
use crate::time::attempt::attempt;
use crate::time::threads::on_threads;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So long, calls are timed beside each other.
const WINDOW: Duration = Duration::from_millis(20);
/// So many calls are timed, however long they take: fewer have no interval.
const FEWEST_CALLS: usize = 6;
/// Callers that have not returned after this are left behind.
const LONGEST: Duration = Duration::from_secs(3);

/// How long `other` takes that is called while `caller` is in the middle.
///
/// `caller` is given a call that takes as long as `pause`, and more; `other` begins on a second
/// thread as soon as that call has been reached. Where it never is, `other` begins at the end.
///
/// ```
/// use helpers::{parking_lot::Mutex, wait_behind};
/// use std::time::Duration;
/// let lock = Mutex::new(0);
/// let pause = Duration::from_millis(2);
/// let holds = |middle: &dyn Fn()| {
///     let _guard = lock.lock();
///     middle();
/// };
/// assert!(wait_behind(pause, holds, || *lock.lock() += 1)? >= pause);
/// # Ok::<(), helpers::Error>(())
/// ```
///
/// # Errors
/// As [`on_threads`].
pub fn wait_behind(
    pause: Duration,
    caller: impl Fn(&dyn Fn()) + Sync,
    other: impl Fn() + Sync,
) -> Result<Duration> {
    let reached = AtomicBool::new(false);
    let wanted = AtomicBool::new(false);
    let waits = on_threads(2, |thread| {
        if thread == 0 {
            caller(&|| {
                raise(&reached);
                // The pause begins when the other thread is about to call, however late it is.
                wait_for(&wanted);
                std::thread::sleep(pause);
            });
            raise(&reached);
            return Duration::ZERO;
        }
        wait_for(&reached);
        raise(&wanted);
        let asked = Instant::now();
        other();
        asked.elapsed()
    })?;
    Ok(waits[1])
}

fn raise(sign: &AtomicBool) {
    sign.store(true, Ordering::Release);
}

fn wait_for(sign: &AtomicBool) {
    while !sign.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
}

/// Nanoseconds of calls of `call` while another thread does `beside` again and again, for 20 ms
/// and six calls at least.
///
/// ```
/// use helpers::{calls_beside, parking_lot::Mutex};
/// let add: fn(&Mutex<u64>) = |total| *total.lock() += 1;
/// let alone = calls_beside(add, |_| ())?;
/// let beside = calls_beside(add, add)?;
/// assert!(alone.len() >= 6 && beside.len() >= 6);
/// # Ok::<(), helpers::Error>(())
/// ```
///
/// # Errors
/// A call that panics, or calls that have not returned after three seconds, as they do that wait
/// for each other: their threads are left behind.
pub fn calls_beside<T: Default + Sync + 'static>(call: fn(&T), beside: fn(&T)) -> Result<Vec<f64>> {
    attempt(LONGEST, move || two_callers(call, beside)).result("time these calls")
}

fn two_callers<T: Default + Sync>(call: fn(&T), beside: fn(&T)) -> Result<Vec<f64>> {
    let shared = T::default();
    let begun = Instant::now();
    let mut times = on_threads(2, |thread| {
        let act = if thread == 0 { call } else { beside };
        let mut times = vec![];
        while begun.elapsed() < WINDOW || times.len() < FEWEST_CALLS {
            let asked = Instant::now();
            act(&shared);
            // A clock that has not ticked says nothing shorter than one nanosecond.
            times.push(asked.elapsed().as_nanos().max(1) as f64);
        }
        times
    })?;
    Ok(times.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    #[test]
    fn who_needs_no_lock_does_not_wait() {
        let lock = Mutex::new(0);
        let pause = Duration::from_millis(50);
        let waits = (0..6).map(|_| {
            let lets_go = |middle: &dyn Fn()| {
                *lock.lock() += 1;
                middle();
            };
            wait_behind(pause, lets_go, || *lock.lock() += 1).unwrap()
        });
        assert!(waits.min().unwrap() < pause / 2);
        let never = wait_behind(pause, |_| (), || *lock.lock() += 1).unwrap();
        assert!(never < pause, "{never:?}");
    }

    #[test]
    fn calls_that_hang_or_panic_are_refused() {
        let twice: fn(&Mutex<u64>) = |lock| {
            let _first = lock.lock();
            drop(lock.lock());
        };
        let error = calls_beside(twice, |_| ()).unwrap_err().to_string();
        assert!(error.contains("it had not ended"), "{error}");
        let fails: fn(&Mutex<u64>) = |_| std::panic::resume_unwind(Box::new("no"));
        let error = calls_beside(fails, |_| ()).unwrap_err().to_string();
        assert!(error.contains("thread 0 panicked"), "{error}");
    }
}

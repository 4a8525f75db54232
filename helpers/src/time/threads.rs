//! Threads that are let go at once.

use crate::check::within;
use crate::error::{Error, Result};
use crate::machine::cores::usable_cores;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most threads that one run may start.
pub const MOST_THREADS: usize = 256;

/// The numbers of threads that a reader chose, or, where that is none, those that tell most on this
/// machine: 1, 2, half of its cores, all, and twice as many.
///
/// ```
/// assert_eq!(helpers::thread_counts(&[1, 3]), [1, 3]);
/// assert_eq!(helpers::thread_counts(&[])[0], 1);
/// ```
pub fn thread_counts(chosen: &[usize]) -> Vec<usize> {
    if chosen.is_empty() {
        return telling_counts(usable_cores());
    }
    chosen.to_vec()
}

fn telling_counts(cores: usize) -> Vec<usize> {
    let cores = cores.min(MOST_THREADS / 2);
    let mut counts = vec![1, 2, (cores / 2).max(1), cores, 2 * cores];
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Runs `work(0)` to `work(threads - 1)` on a thread each, all let go at once, and returns what
/// each returned.
///
/// # Errors
/// `threads` is not 1 to 256, a thread could not be started, or one panicked.
///
/// ```
/// let total = std::sync::Mutex::new(0);
/// let turns = helpers::on_threads(4, |thread| { *total.lock().unwrap() += 1; thread })?;
/// assert_eq!((turns, *total.lock().unwrap()), (vec![0, 1, 2, 3], 4));
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn on_threads<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>> {
    on_prepared_threads(threads, |_| (), work)
}

/// Runs `measure` while so many threads keep cores busy, as a machine with too much to do.
///
/// # Errors
/// A thread could not be started.
///
/// ```
/// let sum = helpers::beside_busy_threads(2, || 1 + 1)?;
/// assert_eq!(sum, 2);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn beside_busy_threads<T>(threads: usize, measure: impl FnOnce() -> T) -> Result<T> {
    within("busy threads", threads, 0..=MOST_THREADS)?;
    let over = &AtomicBool::new(false);
    let keep_busy = || {
        while !over.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        // Also where a thread does not start, or `measure` panics: else the scope would wait for
        // ever.
        let _end = EndOfBusiness(over);
        for _ in 0..threads {
            let started = std::thread::Builder::new().spawn_scoped(scope, keep_busy);
            started.map_err(|why| {
                let wrong = format!("a busy thread did not start: {why}");
                Error::new("keep cores busy", wrong, "fewer threads")
            })?;
        }
        Ok(measure())
    })
}

struct EndOfBusiness<'a>(&'a AtomicBool);

impl Drop for EndOfBusiness<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The same, where each thread does something before they are let go, such as go to a core.
pub(crate) fn on_prepared_threads<T: Send>(
    threads: usize,
    prepare: impl Fn(usize) + Sync,
    work: impl Fn(usize) -> T + Sync,
) -> Result<Vec<T>> {
    const WAIT: usize = 0;
    const GO: usize = 1;
    const GIVE_UP: usize = 2;
    let attempted = "run on threads";
    within("threads", threads, 1..=MOST_THREADS)?;
    // Not std's `Barrier`: threads that spin leave it together, and it lets them go when one of
    // them cannot start.
    let gate = &AtomicUsize::new(WAIT);
    let arrived = &AtomicUsize::new(0);
    let prepare = &prepare;
    let work = &work;
    std::thread::scope(|scope| {
        let mut handles = Vec::with_capacity(threads);
        for thread in 0..threads {
            let body = move || {
                prepare(thread);
                arrived.fetch_add(1, Ordering::Release);
                while gate.load(Ordering::Acquire) == WAIT {
                    std::thread::yield_now();
                }
                (gate.load(Ordering::Acquire) == GO).then(|| work(thread))
            };
            match std::thread::Builder::new().spawn_scoped(scope, body) {
                Ok(handle) => handles.push(handle),
                Err(why) => {
                    gate.store(GIVE_UP, Ordering::Release);
                    let wrong = format!("thread {} of {threads} did not start: {why}", thread + 1);
                    return Err(Error::new(attempted, wrong, "fewer threads"));
                }
            }
        }
        while arrived.load(Ordering::Acquire) < threads {
            std::thread::yield_now();
        }
        gate.store(GO, Ordering::Release);
        // Every handle is joined before the first panic is reported: an unjoined panic would end
        // the scope in another.
        let joined: Vec<_> = handles.into_iter().map(|handle| handle.join()).collect();
        joined
            .into_iter()
            .enumerate()
            .map(|(thread, outcome)| {
                outcome.ok().flatten().ok_or_else(|| {
                    Error::new(
                        attempted,
                        format!("thread {thread} panicked"),
                        "work that returns",
                    )
                })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_that_tell_most_are_each_there_once() {
        assert_eq!(telling_counts(1), [1, 2]);
        assert_eq!(telling_counts(2), [1, 2, 4]);
        assert_eq!(telling_counts(8), [1, 2, 4, 8, 16]);
        assert_eq!(telling_counts(1_000), [1, 2, 64, 128, 256]);
    }

    #[test]
    fn threads_prepare_before_they_are_let_go() {
        let prepared = AtomicUsize::new(0);
        let prepare = |_| {
            prepared.fetch_add(1, Ordering::Relaxed);
        };
        let seen = on_prepared_threads(3, prepare, |_| prepared.load(Ordering::Relaxed));
        assert_eq!(seen.unwrap(), [3, 3, 3]);
    }
}

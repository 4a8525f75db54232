//! Calls made again and again, by one thread or by several at once.

use crate::check::within;
use crate::error::{Error, Result};
use crate::time::threads::on_threads;
use std::time::{Duration, Instant};

/// Calls that threads made, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calls {
    /// How many calls all threads made together.
    pub count: u64,
    /// Nanoseconds that a call took the thread that made it, on average.
    pub ns_each: f64,
}

/// Makes `threads` threads call again and again for so many milliseconds, all let go at once.
///
/// `prepare` gives each of them what it calls. The clock is read about a hundred times in all, so
/// that it costs a short call next to nothing.
///
/// # Errors
/// `threads` is not 1 to 256, `milliseconds` not 1 to 10,000, or a thread panicked.
///
/// ```
/// let sum = std::sync::Mutex::new(0);
/// let calls = helpers::time_calls(2, 1, |_thread| || *sum.lock().unwrap() += 1)?;
/// let ns = calls.proved_by(sum.into_inner().unwrap())?;
/// assert!(ns > 0.0 && calls.count > 1);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn time_calls<C: FnMut()>(
    threads: usize,
    milliseconds: u64,
    prepare: impl Fn(usize) -> C + Sync,
) -> Result<Calls> {
    let whole = Duration::from_millis(within("milliseconds", milliseconds, 1..=10_000)?);
    let each = on_threads(threads, |thread| repeat(whole, prepare(thread)))?;
    let count = each.iter().map(|(count, _)| count).sum();
    let spent_ns: f64 = each.iter().map(|(_, ns)| ns).sum();
    let ns_each = spent_ns / count as f64;
    Ok(Calls { count, ns_each })
}

/// How often it was called, and for how many nanoseconds.
fn repeat(whole: Duration, mut call: impl FnMut()) -> (u64, f64) {
    const LOOKS: u32 = 100;
    let start = Instant::now();
    let mut count = 0;
    let mut batch = 1;
    loop {
        for _ in 0..batch {
            call();
        }
        count += batch;
        let spent = start.elapsed();
        if spent >= whole {
            return (count, spent.as_nanos() as f64);
        }
        let in_a_look = count as f64 * (whole / LOOKS).as_secs_f64() / spent.as_secs_f64();
        // At most twice as many as were made so far: the first ones may have been quick by chance.
        batch = (in_a_look as u64).clamp(1, 2 * count);
    }
}

impl Calls {
    /// Nanoseconds for a call, if the total that the calls left is as many as there were.
    ///
    /// # Errors
    /// It is another: a time of calls that did something else would say nothing.
    pub fn proved_by(&self, total: u64) -> Result<f64> {
        prove_total(total, self.count)?;
        Ok(self.ns_each)
    }
}

/// Refuses a sample whose total is wrong.
///
/// # Errors
/// `total` is not `expected`.
///
/// ```
/// let error = helpers::prove_total(41, 42).unwrap_err();
/// assert_eq!(error.to_string(), "cannot trust a sample: the total is 41 (allowed: 42)");
/// ```
pub fn prove_total(total: u64, expected: u64) -> Result<()> {
    if total == expected {
        return Ok(());
    }
    let wrong = format!("the total is {total}");
    Err(Error::new("trust a sample", wrong, expected.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn calls_last_as_long_as_was_asked_and_are_counted() {
        let sum = AtomicU64::new(0);
        let began = Instant::now();
        let add = |_| || _ = sum.fetch_add(1, Ordering::Relaxed);
        let calls = time_calls(2, 5, add).unwrap();
        assert!(began.elapsed() >= Duration::from_millis(5));
        assert_eq!(calls.proved_by(sum.into_inner()), Ok(calls.ns_each));
        assert!(calls.count > 100, "{calls:?}");
        assert!(calls.proved_by(calls.count - 1).is_err());
    }

    #[test]
    fn a_call_that_takes_longer_than_the_sample_is_made_once() {
        let nap = |_| || std::thread::sleep(Duration::from_millis(3));
        let calls = time_calls(1, 1, nap).unwrap();
        assert_eq!(calls.count, 1);
        assert!(calls.ns_each >= 3e6, "{calls:?}");
        assert!(time_calls(1, 0, nap).is_err());
    }
}

//! How far apart cores are.

use crate::error::Result;
use crate::stats::order::{middle, sorted};
use crate::time::threads::on_threads;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nanoseconds that a value takes from a core to another: the median over turns of two threads that
/// pass one to and fro, for 1 ms.
///
/// It says how far apart the cores are that the system, or a host, has chosen for now; nothing,
/// where the two never ran at the same time.
///
/// # Errors
/// A thread could not be started.
pub(crate) fn core_to_core_ns() -> Result<Option<f64>> {
    let passed = AtomicU64::new(0);
    let turns = on_threads(2, |thread| pass_to_and_fro(&passed, thread as u64))?;
    Ok(one_way_ns(&turns.concat()))
}

/// The nanoseconds that each turn of one of two threads took, there and back.
fn pass_to_and_fro(passed: &AtomicU64, thread: u64) -> Vec<f64> {
    let start = Instant::now();
    let mut before = start;
    let mut turns = Vec::new();
    while start.elapsed() < Duration::from_millis(1) {
        let seen = passed.load(Ordering::Acquire);
        if seen % 2 == thread {
            passed.store(seen + 1, Ordering::Release);
            let now = Instant::now();
            turns.push(now.duration_since(before).as_nanos() as f64);
            before = now;
        }
    }
    turns
}

fn one_way_ns(turns: &[f64]) -> Option<f64> {
    // Two that take turns on one core pass a few, each time they are let in.
    const FEWEST: usize = 100;
    let turns = sorted(turns);
    (turns.len() >= FEWEST).then(|| middle(&turns) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_half_of_the_median_turn() {
        let turns = [vec![100.0; 40], vec![120.0; 50], vec![900.0; 40]].concat();
        assert_eq!(one_way_ns(&turns), Some(60.0));
        assert_eq!(one_way_ns(&turns[..99]), None);
        assert_eq!(one_way_ns(&turns[..100]), Some(60.0));
    }

    #[test]
    fn a_thread_that_is_never_answered_passes_once() {
        let passed = AtomicU64::new(0);
        assert_eq!(pass_to_and_fro(&passed, 1).len(), 0);
        assert_eq!(pass_to_and_fro(&passed, 0).len(), 1);
        assert_eq!(passed.into_inner(), 1);
    }
}

//! What this machine's clock and busy loop take, measured now.

use crate::time::busy_work::{BusyWork, Pace, time_fenced, typical_ns};
use std::hint::black_box;
use std::time::Instant;

/// What this machine's clock and busy loop take, measured now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Nanoseconds that one reading of the clock takes.
    pub clock_ns: f64,
    /// Nanoseconds that one turn of the busy loop takes.
    pub turn_ns: f64,
    /// Nanoseconds that busy work takes besides its turns.
    pub call_ns: f64,
}

impl Calibration {
    /// Measures for about 2 ms.
    ///
    /// ```
    /// let calibration = helpers::Calibration::measure();
    /// assert!(calibration.clock_ns > 0.0 && calibration.turn_ns > 0.0);
    /// ```
    pub fn measure() -> Self {
        const READINGS: u32 = 20;
        const REPEATS: u64 = 500;
        // Few enough to lie below any step of the loop, see `busy_work`.
        const MANY: u64 = 4_000;
        const FEW: u64 = 64;
        let readings = || (1..READINGS).for_each(|_| _ = black_box(Instant::now()));
        let clock_ns = typical_ns(REPEATS, readings) / f64::from(READINGS);
        // About how long each takes decides how often it is timed.
        let few_ns = time_fenced(FEW, 50, clock_ns);
        let many_ns = time_fenced(MANY, 2_000, clock_ns);
        let turn_ns = ((many_ns - few_ns) / (MANY - FEW) as f64).max(0.01);
        let call_ns = (few_ns - FEW as f64 * turn_ns).max(0.0);
        Self {
            clock_ns,
            turn_ns,
            call_ns,
        }
    }

    /// Work that keeps a core busy for `ns` nanoseconds; no work for 0.
    ///
    /// Its length is timed and corrected until it is what was asked: for some milliseconds, for
    /// work of a millisecond up to ten of them. What cannot be met is said by [`BusyWork::off_ns`].
    ///
    /// ```
    /// let work = helpers::Calibration::measure().busy_work(2_000);
    /// assert_eq!(work.asked_ns, 2_000);
    /// assert!((work.found_ns / 2_000.0 - 1.0).abs() < 0.1);
    /// ```
    pub fn busy_work(&self, ns: u64) -> BusyWork {
        BusyWork::find(ns, self.pace())
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            turn_ns: self.turn_ns,
            call_ns: self.call_ns,
            clock_ns: self.clock_ns,
        }
    }
}

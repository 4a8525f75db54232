//! Time itself: what a look at the clock costs, work of a known length, samples in a random order.

use crate::Result;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What this machine's clock and busy loop cost, measured now.
#[derive(Debug, Clone, Copy)]
pub struct Calibration {
    /// Nanoseconds that one reading of the clock takes.
    pub clock_ns: f64,
    /// Nanoseconds that one turn of the busy loop takes.
    pub turn_ns: f64,
    /// When it was measured.
    pub measured: Instant,
}

impl Calibration {
    /// Measures for about 10 ms.
    ///
    /// ```
    /// let calibration = helpers::Calibration::measure();
    /// assert!(calibration.clock_ns > 0.0 && calibration.turn_ns > 0.0);
    /// ```
    pub fn measure() -> Self {
        const READINGS: u32 = 200;
        const TURNS: u64 = 20_000;
        // The middle of many: the fastest shows a core at its best, which it is not for long.
        let typical = |time_once: &dyn Fn() -> Duration| {
            let mut times: Vec<Duration> = (0..101).map(|_| time_once()).collect();
            times.sort();
            times[50].as_nanos() as f64
        };
        let clock_ns = typical(&|| {
            let start = Instant::now();
            (1..READINGS).for_each(|_| _ = black_box(Instant::now()));
            start.elapsed()
        });
        let turns_ns = typical(&|| {
            let start = Instant::now();
            turn(TURNS, 0);
            start.elapsed()
        });
        Self {
            clock_ns: (clock_ns / f64::from(READINGS)).max(0.1),
            turn_ns: (turns_ns / TURNS as f64).max(0.01),
            measured: Instant::now(),
        }
    }

    /// Work that keeps a core busy for `ns` nanoseconds, to the nearest turn of the loop.
    ///
    /// ```
    /// let work = helpers::Calibration::measure().busy_work(1_000_000);
    /// let start = std::time::Instant::now();
    /// work.spin();
    /// assert!(start.elapsed().as_micros() > 500);
    /// ```
    pub fn busy_work(&self, ns: u64) -> BusyWork {
        BusyWork { turns: (ns as f64 / self.turn_ns).round() as u64 }
    }
}

/// Work of a known length that touches no memory; see [`Calibration::busy_work`].
#[derive(Debug, Clone, Copy)]
pub struct BusyWork {
    turns: u64,
}

impl BusyWork {
    /// Does the work.
    #[inline]
    pub fn spin(self) {
        self.spin_after(0);
    }

    /// Does the work once `known` is: a core that works ahead would otherwise begin while the clock is still read.
    #[inline]
    pub(crate) fn spin_after(self, known: u64) {
        if self.turns > 0 {
            turn(self.turns, known);
        }
    }
}

/// Turns of Marsaglia's xorshift generator (*Xorshift RNGs*, 2003): each needs the one before, so no compiler folds
/// them and no core runs two at once. Never inlined, so that it is the same code wherever it is called.
#[inline(never)]
fn turn(turns: u64, known: u64) {
    let mut state = black_box(known | 1);
    for _ in 0..turns {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}

/// Takes `rounds` samples of each of `cells` settings, every round in a new random order.
///
/// A drift of the machine then falls on all settings alike. Before it starts it prints how long it will take, when
/// that is more than two seconds, and a line at each quarter of the way.
pub(crate) fn interleave(
    what: &str,
    cells: usize,
    rounds: usize,
    seed: u64,
    expected: Duration,
    mut take: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let long = expected > Duration::from_secs(2);
    if long {
        println!("{what}: about {:.0} s", expected.as_secs_f64());
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut order: Vec<usize> = (0..cells).collect();
    for round in 0..rounds {
        random.shuffle(&mut order);
        for &cell in &order {
            take(cell)?;
        }
        let quarters = |rounds_done: usize| 4 * rounds_done / rounds;
        if long && quarters(round + 1) > quarters(round) && round + 1 < rounds {
            let left = expected.as_secs_f64() * (rounds - round - 1) as f64 / rounds as f64;
            println!("{} % done, {left:.0} s left", 100 * (round + 1) / rounds);
        }
    }
    Ok(())
}

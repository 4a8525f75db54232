//! Time itself: what a look at the clock costs, work of a known length, samples in a random order.

use crate::error::Result;
use crate::stats::order::{middle, sorted};
use crate::time::threads::on_threads;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What this machine's clock and busy loop cost, measured now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Nanoseconds that one reading of the clock takes.
    pub clock_ns: f64,
    /// Nanoseconds that one turn of the busy loop takes.
    pub turn_ns: f64,
    /// Nanoseconds that a call of the busy loop takes besides its turns: the shortest busy work.
    pub call_ns: f64,
}

impl Calibration {
    /// Measures for about 2 ms.
    ///
    /// ```
    /// let calibration = helpers::Calibration::measure();
    /// assert!(calibration.clock_ns > 0.0 && calibration.turn_ns > 0.0 && calibration.call_ns >= 0.0);
    /// ```
    pub fn measure() -> Self {
        const MANY: u64 = 4_000;
        const FEW: u64 = 64;
        let clock_ns = typical(|| (1..20).for_each(|_| _ = black_box(Instant::now()))) / 20.0;
        let (few_ns, many_ns) = (typical(|| turn(FEW)), typical(|| turn(MANY)));
        let turn_ns = ((many_ns - few_ns) / (MANY - FEW) as f64).max(0.01);
        let call_ns = (few_ns - clock_ns - FEW as f64 * turn_ns).max(0.0);
        Self {
            clock_ns,
            turn_ns,
            call_ns,
        }
    }

    /// Work that keeps a core busy for `ns` nanoseconds, to the nearest turn of the loop; no work for 0.
    ///
    /// ```
    /// let work = helpers::Calibration::measure().busy_work(1_000_000);
    /// let start = std::time::Instant::now();
    /// work.spin();
    /// assert!(start.elapsed().as_micros() > 500);
    /// ```
    pub fn busy_work(&self, ns: u64) -> BusyWork {
        let turns = ((ns as f64 - self.call_ns) / self.turn_ns).round() as u64;
        BusyWork {
            turns: (ns > 0).then_some(turns),
        }
    }
}

/// What `work` and a reading of the clock take: the mean of those times that were not interrupted, as a hold is timed. The
/// fastest would show a core at its best, which it is not for long.
fn typical(work: impl Fn()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as u64
    };
    let mut each: Vec<u64> = (0..500).map(once).collect();
    each.sort_unstable();
    mean(undisturbed(&each)).max(0.01)
}

/// Of times of the same work in their order, those that were not interrupted. Not the median: the clock may go in steps as
/// long as a short hold.
pub(crate) fn undisturbed(sorted_ns: &[u64]) -> &[u64] {
    let most = sorted_ns
        .get(sorted_ns.len() / 2)
        .map_or(0, |median| median + median / 20 + 50);
    &sorted_ns[..sorted_ns.partition_point(|ns| *ns <= most)]
}

pub(crate) fn mean(each: &[u64]) -> f64 {
    each.iter().sum::<u64>() as f64 / each.len().max(1) as f64
}

/// Work of a known length that touches no memory; see [`Calibration::busy_work`].
#[derive(Debug, Clone, Copy)]
pub struct BusyWork {
    turns: Option<u64>,
}

impl BusyWork {
    pub(crate) fn is_none(self) -> bool {
        self.turns.is_none()
    }

    /// Does the work.
    #[inline]
    pub fn spin(self) {
        if let Some(turns) = self.turns {
            turn(turns);
        }
    }
}

/// Turns of a sum and a rotation: each needs the one before, so no compiler folds them and no core runs two at once.
/// Never inlined, so that it is the same code wherever it is called.
#[inline(never)]
fn turn(turns: u64) {
    finish_what_came_before();
    let mut state = black_box(1_u64);
    for _ in 0..turns {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    }
    black_box(state);
    finish_what_came_before();
}

/// Keeps the core from working ahead: it would begin the work before the lock is taken, while it thinks or reads the
/// clock (seen: a hold and a think of 20 ns each took 19.7 ns together).
#[inline(always)]
fn finish_what_came_before() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the instruction, and it touches nothing.
    unsafe {
        std::arch::x86_64::_mm_lfence();
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the instruction touches nothing.
    unsafe {
        std::arch::asm!("isb", options(nostack, preserves_flags));
    }
}

/// Nanoseconds that a value takes from a core to another: the median over turns of two threads that pass one to and fro,
/// for 1 ms. It says how far apart the cores are that the system, or a host, has chosen for now; nothing, where the two
/// never ran at the same time.
///
/// # Errors
/// A thread could not be started.
pub(crate) fn transfer_ns() -> Result<Option<f64>> {
    let passed = AtomicU64::new(0);
    let turns = on_threads(2, |thread| {
        let start = Instant::now();
        let (mut before, mut turns) = (start, Vec::new());
        while start.elapsed() < Duration::from_millis(1) {
            let seen = passed.load(Ordering::Acquire);
            if seen % 2 == thread as u64 {
                passed.store(seen + 1, Ordering::Release);
                let now = Instant::now();
                // A turn is there and back.
                turns.push(now.duration_since(before).as_nanos() as f64 / 2.0);
                before = now;
            }
        }
        turns
    })?;
    let turns = sorted(&turns.concat());
    Ok((!turns.is_empty()).then(|| middle(&turns)))
}

/// Takes `rounds` samples of each of `cells` settings, every round in a new random order: `take(round, cell)`.
///
/// A drift of the machine then falls on all settings alike. Before it starts it prints how long it will take, when
/// that is more than two seconds, and a line at each quarter of the way.
pub(crate) fn interleave(
    what: &str,
    cells: usize,
    rounds: usize,
    seed: u64,
    expected: Duration,
    mut take: impl FnMut(usize, usize) -> Result<()>,
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
            take(round, cell)?;
        }
        let quarters = |rounds_done: usize| 4 * rounds_done / rounds;
        if long && quarters(round + 1) > quarters(round) && round + 1 < rounds {
            let left = expected.as_secs_f64() * (rounds - round - 1) as f64 / rounds as f64;
            println!("{} % done, {left:.0} s left", 100 * (round + 1) / rounds);
        }
    }
    Ok(())
}

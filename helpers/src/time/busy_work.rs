//! Work of a known length.
//!
//! A loop's time is not everywhere in proportion to its turns: on one processor a loop of 8,192
//! turns or more took 0.8 µs longer, once. So the turns for a length are found by timing that
//! length, and what is found is said with it.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Work of a known length that touches no memory; see [`Calibration::busy_work`].
///
/// [`Calibration::busy_work`]: super::calibration::Calibration::busy_work
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BusyWork {
    /// How long it was asked to be, in nanoseconds.
    pub asked_ns: u64,
    /// How long it was found to be, in nanoseconds.
    pub found_ns: f64,
    turns: u64,
    /// Whether the core finishes what came before; work shorter than that takes has none of it.
    fenced: bool,
}

/// What the time of work is composed of, roughly: where the search for the right turns begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) turn_ns: f64,
    /// What fenced work takes besides its turns.
    pub(crate) call_ns: f64,
    /// One reading of the clock.
    pub(crate) clock_ns: f64,
}

/// Work found as near as this needs no correction, as a share of what was asked.
const NEAR: f64 = 0.002;
/// After so many tries, work found as near as this does not either: the machine may be no steadier.
const PATIENT: usize = 2;
const NEAR_ENOUGH: f64 = 0.007;
/// So often work is timed and corrected.
const TRIES: usize = 16;

impl BusyWork {
    /// No work at all.
    pub(crate) const NONE: Self = Self {
        asked_ns: 0,
        found_ns: 0.0,
        turns: 0,
        fenced: false,
    };

    /// Finds the turns that take `asked_ns`.
    pub(crate) fn find(asked_ns: u64, pace: Pace) -> Self {
        if asked_ns == 0 {
            return Self::NONE;
        }
        let fenced = asked_ns as f64 >= pace.call_ns;
        let overhead_ns = if fenced { pace.call_ns } else { 0.0 };
        let first = (asked_ns as f64 - overhead_ns) / pace.turn_ns;
        Self::search(asked_ns, first.round() as u64, fenced, pace)
    }

    /// The same work with its length looked at again, and its turns corrected if it has changed.
    pub(crate) fn found_again(self, pace: Pace) -> Self {
        if self.asked_ns == 0 {
            return self;
        }
        Self::search(self.asked_ns, self.turns, self.fenced, pace)
    }

    fn search(asked_ns: u64, first: u64, fenced: bool, pace: Pace) -> Self {
        let measure = |turns| match fenced {
            true => time_fenced(turns, asked_ns, pace.clock_ns),
            false => time_beside_an_addition(turns),
        };
        let turns = nearest_turns(asked_ns as f64, first, pace.turn_ns, measure);
        Self {
            asked_ns,
            // Of several tries, the one that came out nearest did so by chance, too.
            found_ns: measure(turns),
            turns,
            fenced,
        }
    }

    /// By how much the work is longer than asked, or shorter, in nanoseconds, where that is more
    /// than a hundredth and two nanoseconds.
    pub fn off_ns(&self) -> Option<f64> {
        let off_ns = self.found_ns - self.asked_ns as f64;
        let allowed_ns = 2.0 + 0.01 * self.asked_ns as f64;
        (off_ns.abs() > allowed_ns).then_some(off_ns)
    }

    pub(crate) fn is_work(&self) -> bool {
        self.asked_ns > 0
    }

    /// Does the work.
    ///
    /// ```
    /// let work = helpers::Calibration::measure().busy_work(1_000_000);
    /// let start = std::time::Instant::now();
    /// work.run();
    /// assert!(start.elapsed().as_micros() > 500);
    /// ```
    #[inline]
    pub fn run(self) {
        if self.fenced {
            fenced_turns(self.turns);
        } else if self.turns > 0 {
            turns_alone(self.turns);
        }
    }
}

/// The turns whose time comes nearest to `asked_ns`; `measure` times so many turns.
///
/// Each try is corrected by what it was off, as if the loop's time were in proportion to its turns.
/// Where that does not bring it nearer, as at a step, the middle between too few and too many is
/// tried.
fn nearest_turns(
    asked_ns: f64,
    first: u64,
    turn_ns: f64,
    mut measure: impl FnMut(u64) -> f64,
) -> u64 {
    let mut turns = first;
    let mut best = (first, f64::INFINITY);
    let mut too_few = None;
    let mut too_many = None;
    for tried in 0..TRIES {
        let found_ns = measure(turns);
        let off_ns = asked_ns - found_ns;
        let before_ns = (asked_ns - best.1).abs();
        if off_ns.abs() < before_ns {
            best = (turns, found_ns);
        }
        let near = if tried < PATIENT { NEAR } else { NEAR_ENOUGH };
        if off_ns.abs() <= (near * asked_ns).max(turn_ns) {
            break;
        }
        if off_ns > 0.0 {
            too_few = Some(turns);
        } else {
            too_many = Some(turns);
        }
        turns = match too_few.zip(too_many) {
            Some((low, high)) if off_ns.abs() > before_ns / 2.0 => u64::midpoint(low, high),
            _ => (turns as f64 + (off_ns / turn_ns).round()).max(0.0) as u64,
        };
    }
    best.0
}

/// What fenced work takes: the mean of those times that were not interrupted, as a hold is timed.
pub(crate) fn time_fenced(turns: u64, about_ns: u64, clock_ns: f64) -> f64 {
    const WHOLE_NS: u64 = 1_000_000;
    let repeats = (WHOLE_NS / about_ns.max(1)).clamp(5, 4_000);
    typical_ns(repeats, || fenced_turns(turns)) - clock_ns
}

/// What `work` and a reading of the clock take.
///
/// The fastest would show a core at its best, which it is not for long.
pub(crate) fn typical_ns(repeats: u64, work: impl Fn()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as u64
    };
    let mut each: Vec<u64> = (0..repeats).map(once).collect();
    each.sort_unstable();
    mean(undisturbed(&each)).max(0.01)
}

/// Of times of the same work in their order, those that were not interrupted.
///
/// Not the median: the clock may go in steps as long as a short hold.
pub(crate) fn undisturbed(sorted_ns: &[u64]) -> &[u64] {
    let Some(median) = sorted_ns.get(sorted_ns.len() / 2) else {
        return sorted_ns;
    };
    let most = median + median / 20 + 50;
    &sorted_ns[..sorted_ns.partition_point(|ns| *ns <= most)]
}

pub(crate) fn mean(each: &[u64]) -> f64 {
    each.iter().sum::<u64>() as f64 / each.len().max(1) as f64
}

/// By how much turns without a fence make an atomic addition longer, which is where such short work
/// stands: alone the core would do several of them at once.
fn time_beside_an_addition(turns: u64) -> f64 {
    const CALLS: u32 = 2_000;
    const REPEATS: usize = 9;
    let counter = AtomicU64::new(0);
    let fastest_ns = |work: &dyn Fn()| {
        let once = |_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                counter.fetch_add(1, Ordering::Relaxed);
                work();
            }
            start.elapsed().as_nanos() as f64 / f64::from(CALLS)
        };
        (0..REPEATS).map(once).fold(f64::INFINITY, f64::min)
    };
    let bare_ns = fastest_ns(&|| ());
    if turns == 0 {
        return 0.0;
    }
    fastest_ns(&|| turns_alone(turns)) - bare_ns
}

/// Turns that begin when all that came before is done.
///
/// Else the core works ahead: it would begin the work before the lock is taken, while it thinks or
/// reads the clock (seen: a hold and a think of 20 ns each took 19.7 ns together). What comes after
/// needs no such fence: a release is seen by others in its order, and the clock waits by itself.
/// Never inlined, so that it is the same code wherever it is called.
#[inline(never)]
pub(crate) fn fenced_turns(turns: u64) {
    finish_what_came_before();
    turn(turns);
}

#[inline(never)]
fn turns_alone(turns: u64) {
    turn(turns);
}

/// A sum and a rotation, so often: each needs the one before, so no compiler folds them and no core
/// does two at once.
#[inline(always)]
fn turn(turns: u64) {
    let mut state = black_box(1_u64);
    for _ in 0..turns {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    }
    black_box(state);
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const TURN_NS: f64 = 0.54;

    /// A loop that takes so much longer from so many turns on.
    fn stepped(step_ns: f64) -> impl FnMut(u64) -> f64 {
        move |turns| {
            let late_ns = if turns >= 8_192 { step_ns } else { 0.0 };
            8.0 + TURN_NS * turns as f64 + late_ns
        }
    }

    fn found(asked_ns: f64, step_ns: f64) -> f64 {
        let first = (asked_ns - 8.0) / TURN_NS;
        let turns = nearest_turns(asked_ns, first as u64, TURN_NS, stepped(step_ns));
        stepped(step_ns)(turns)
    }

    #[test]
    fn a_loop_with_a_step_still_gives_the_length_that_was_asked() {
        for asked_ns in [20.0, 50.0, 137.0, 4_000.0, 5_300.0, 10_000.0, 20_000.0, 1e6] {
            let off = found(asked_ns, 800.0) / asked_ns - 1.0;
            assert!(
                off.abs() <= NEAR.max(TURN_NS / asked_ns),
                "{asked_ns}: {off}"
            );
        }
    }

    #[test]
    fn a_length_that_a_loop_skips_is_met_as_nearly_as_it_goes() {
        // The loop goes from 4,431 ns to 5,232 in one turn.
        let found_ns = found(4_600.0, 800.0);
        assert!((4_200.0..4_432.0).contains(&found_ns), "{found_ns}");
        let work = BusyWork {
            asked_ns: 4_600,
            found_ns,
            ..BusyWork::NONE
        };
        assert_eq!(work.off_ns(), Some(found_ns - 4_600.0));
    }

    #[test]
    fn a_wrong_first_guess_is_corrected() {
        for first in [0, 10, 1_000_000] {
            let turns = nearest_turns(1_000.0, first, TURN_NS, stepped(0.0));
            let found_ns = stepped(0.0)(turns);
            assert!((found_ns - 1_000.0).abs() <= 2.0, "{first}: {found_ns}");
            assert!((turns as i64 - 1_837).abs() <= 4, "{first}: {turns}");
        }
    }

    #[test]
    fn work_is_found_again_and_corrected() {
        let pace = crate::Calibration::measure().pace();
        assert_eq!(BusyWork::NONE.found_again(pace), BusyWork::NONE);
        let mut work = BusyWork::find(20_000, pace);
        let turns = work.turns;
        work.turns *= 4;
        let again = work.found_again(pace);
        assert_eq!((again.asked_ns, again.fenced), (20_000, true));
        assert!((turns / 2..2 * turns).contains(&again.turns), "{again:?}");
        // What was found was measured: to the last digit it is not what was asked.
        assert!(
            again.found_ns > 0.0 && again.found_ns != 20_000.0,
            "{again:?}"
        );
    }

    #[test]
    fn a_length_is_off_beyond_a_hundredth_and_two_nanoseconds() {
        let off = |asked_ns, found_ns| {
            let work = BusyWork {
                asked_ns,
                found_ns,
                ..BusyWork::NONE
            };
            work.off_ns()
        };
        assert_eq!(off(1_000, 1_012.0), None);
        assert_eq!(off(1_000, 988.0), None);
        assert_eq!(off(1_000, 1_013.0), Some(13.0));
        assert_eq!(off(1_000, 987.0), Some(-13.0));
        assert_eq!(off(10, 7.9), None);
    }

    #[test]
    fn interrupted_times_are_left_out_and_those_in_steps_of_the_clock_are_not() {
        let each = [900, 980, 1_000, 1_000, 1_100, 1_101, 50_000];
        assert_eq!(undisturbed(&each), &each[..5]);
        assert_eq!(undisturbed(&[0, 20, 20, 40]), &[0, 20, 20, 40]);
        assert_eq!(undisturbed(&[]), &[] as &[u64]);
        assert_eq!(mean(&[1, 2, 6]), 3.0);
        assert_eq!(mean(&[]), 0.0);
    }
}

//! The clock's own grain.

use std::time::Instant;

/// The step in which the clock goes, in nanoseconds.
///
/// Not the shortest time between two readings: that is what a reading takes. Times between readings
/// are whole numbers of steps, to the nanosecond that the clock is rounded to, so they lie in heaps
/// that are a step apart.
pub(crate) fn clock_resolution_ns() -> f64 {
    const READINGS: usize = 20_000;
    let time = |_| {
        let start = Instant::now();
        start.elapsed().as_nanos() as u64
    };
    step_ns((0..READINGS).map(time).collect())
}

/// The shortest distance of two heaps of `times_ns`.
fn step_ns(mut times_ns: Vec<u64>) -> f64 {
    const ROUNDING_NS: u64 = 1;
    times_ns.sort_unstable();
    let heaps = times_ns.chunk_by(|one, next| next - one <= ROUNDING_NS);
    // Of few times, the middle of a heap is not known.
    let heaps = heaps.filter(|heap| heap.len() >= 50);
    let middle = |heap: &[u64]| heap.iter().sum::<u64>() as f64 / heap.len() as f64;
    let middles: Vec<f64> = heaps.map(middle).collect();
    let steps = middles.windows(2).map(|two| two[1] - two[0]);
    // One heap alone: each nanosecond occurs.
    steps.reduce(f64::min).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heaps(times_ns: &[u64]) -> Vec<u64> {
        times_ns.iter().flat_map(|&ns| [ns; 200]).collect()
    }

    #[test]
    fn a_step_is_what_lies_between_times_and_not_what_a_reading_takes() {
        assert_eq!(step_ns(heaps(&[20, 21, 30, 31, 40, 41])), 10.0);
        assert_eq!(step_ns(heaps(&[0, 41, 42, 83, 125])), 41.5);
        assert_eq!(step_ns(heaps(&[0, 100, 200])), 100.0);
        assert_eq!(step_ns(heaps(&[18, 19, 20, 21, 22])), 1.0);
    }

    #[test]
    fn a_time_that_occurs_seldom_makes_no_heap() {
        let mut times_ns = heaps(&[20, 40]);
        times_ns.push(33);
        assert_eq!(step_ns(times_ns), 20.0);
    }

    #[test]
    fn this_clock_has_a_step() {
        let found_ns = clock_resolution_ns();
        assert!((1.0..10_000.0).contains(&found_ns), "{found_ns}");
    }
}

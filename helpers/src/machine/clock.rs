//! The clock's own grain.

use std::time::Instant;

/// The shortest time between two different readings of the clock, in nanoseconds.
pub(crate) fn clock_resolution_ns() -> f64 {
    let steps = (0..1_000).filter_map(|_| {
        let start = Instant::now();
        let step = std::iter::repeat_with(|| start.elapsed())
            .take(1_000)
            .find(|step| !step.is_zero())?;
        Some(step.as_nanos() as f64)
    });
    steps.fold(f64::MAX, f64::min)
}

//! Gaps between events that come by chance.

use std::time::Duration;

/// Gaps of this mean between events that know nothing of each other, without end: many short ones,
/// few long ones (exponential, so that the events are a Poisson process).
///
/// ```
/// use std::time::Duration;
/// let gaps = || helpers::random_gaps(Duration::from_micros(10), 7).take(10_000);
/// let mean = gaps().sum::<Duration>() / 10_000;
/// assert!((9_700..10_300).contains(&mean.as_nanos()));
/// let short = gaps().filter(|&gap| gap < Duration::from_micros(10)).count();
/// assert!((6_100..6_550).contains(&short), "63 of 100 are shorter than the mean: {short}");
/// ```
pub fn random_gaps(mean: Duration, seed: u64) -> impl Iterator<Item = Duration> {
    let mut random = fastrand::Rng::with_seed(seed);
    // A share below 1, so that the logarithm is finite.
    std::iter::repeat_with(move || mean.mul_f64(-(1.0 - random.f64()).ln()))
}

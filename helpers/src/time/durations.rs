//! Any number of durations in little memory.

use hdrhistogram::Histogram;
use std::time::Duration;

/// Longer ones count as a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// Any number of durations, each kept to two digits, from a nanosecond to a minute.
///
/// ```
/// use helpers::Durations;
/// use std::time::Duration;
/// let waits: Durations = (1..=100).map(Duration::from_millis).collect();
/// assert_eq!(waits.len(), 100);
/// assert!((waits.at_ns(50.0) / 50e6 - 1.0).abs() < 0.01);
/// assert!((waits.longest_ns() / 100e6 - 1.0).abs() < 0.01);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Durations {
    ns: Histogram<u64>,
}

impl Default for Durations {
    fn default() -> Self {
        let ns = Histogram::new_with_bounds(1, LONGEST_NS, 2);
        Self {
            ns: ns.expect("bounds that are valid"),
        }
    }
}

impl Durations {
    /// Adds one.
    pub fn record(&mut self, duration: Duration) {
        let ns = duration.as_nanos().clamp(1, LONGEST_NS.into());
        self.ns.saturating_record(ns as u64);
    }

    /// All of several together.
    ///
    /// ```
    /// use helpers::Durations;
    /// use std::time::Duration;
    /// let one: Durations = [Duration::from_micros(1)].into_iter().collect();
    /// assert_eq!(Durations::all([&one, &one]).len(), 2);
    /// ```
    pub fn all<'a>(several: impl IntoIterator<Item = &'a Durations>) -> Self {
        let mut all = Self::default();
        for each in several {
            all.ns += &each.ns;
        }
        all
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.ns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ns.is_empty()
    }

    /// So many per cent are no longer, in nanoseconds; 0 where there are none.
    pub fn at_ns(&self, percent: f64) -> f64 {
        let bucket = self.ns.value_at_percentile(percent);
        self.ns.median_equivalent(bucket) as f64
    }

    /// The longest, in nanoseconds; 0 where there are none.
    pub fn longest_ns(&self) -> f64 {
        self.at_ns(100.0)
    }
}

impl FromIterator<Duration> for Durations {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut all = Self::default();
        for duration in durations {
            all.record(duration);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_counts_at_the_edge() {
        let ends = [Duration::ZERO, Duration::from_secs(3_600)];
        let both: Durations = ends.into_iter().collect();
        assert_eq!((both.len(), both.at_ns(50.0)), (2, 1.0));
        assert!((both.longest_ns() / 60e9 - 1.0).abs() < 0.01);
        assert_eq!(Durations::default().longest_ns(), 0.0);
        assert!(Durations::default().is_empty());
    }
}

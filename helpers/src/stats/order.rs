//! Numbers in their order.

use std::ops::RangeInclusive;

pub(crate) fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The median of numbers that are sorted, of which there is one at least.
pub(crate) fn middle(sorted: &[f64]) -> f64 {
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

/// Outside of these a sample is far out: three times the distance of the quartiles from the nearer
/// one (Tukey, *Exploratory Data Analysis*, 1977, section 2D).
pub(crate) fn fences(sorted: &[f64]) -> RangeInclusive<f64> {
    let quartile = |nth: usize| {
        let place = nth * sorted.len().saturating_sub(1) / 4;
        sorted.get(place).copied().unwrap_or(0.0)
    };
    let low = quartile(1);
    let high = quartile(3);
    low - 3.0 * (high - low)..=high + 3.0 * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_one_sample_or_between_two() {
        assert_eq!(sorted(&[3.0, -1.0, 2.0]), [-1.0, 2.0, 3.0]);
        assert_eq!(middle(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(middle(&[1.0, 2.0, 9.0, 9.0]), 5.5);
    }

    #[test]
    fn fences_stand_three_times_the_distance_of_the_quartiles_away() {
        assert_eq!(fences(&[0.0, 10.0, 11.0, 13.0, 99.0]), 1.0..=22.0);
        assert_eq!(fences(&[]), 0.0..=0.0);
    }
}

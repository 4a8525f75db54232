//! Whether samples that were taken one after the other follow each other.

/// A correlation beyond this is held to be this: what little is left cannot be told apart.
const MOST: f64 = 0.9;

/// The correlation of samples with those before them, 0 to 0.9; nothing where all are alike.
///
/// Few samples show less of it than there is, by (1 + 3 r) / n on average, which is put back
/// (Kendall, *Biometrika* 41, 1954; Marriott and Pope in the same volume).
pub(crate) fn correlation(samples: &[f64]) -> Option<f64> {
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    let product = |two: &[f64]| (two[0] - mean) * (two[1] - mean);
    let products: f64 = samples.windows(2).map(product).sum();
    let seen = products / squares;
    let corrected = seen + (1.0 + 3.0 * seen) / count;
    seen.is_finite().then_some(corrected.clamp(0.0, MOST))
}

/// The correlation that so few samples may hide where they show some: below 15, what is put back is
/// too little for their medians. By simulation of samples with a correlation of a half.
pub(crate) fn told_by_few(seen: f64, count: usize) -> f64 {
    const ENOUGH: usize = 15;
    if seen == 0.0 {
        return seen;
    }
    let hidden = 0.5 * ENOUGH.saturating_sub(count) as f64 / ENOUGH as f64;
    (seen + hidden).min(MOST)
}

/// So many samples that follow each other say as much as one that does not.
pub(crate) fn inflation(correlation: f64) -> f64 {
    (1.0 + correlation) / (1.0 - correlation)
}

/// Twice the place of each sample in the order of all; those that are alike share one.
pub(crate) fn ranks(samples: &[f64], sorted: &[f64]) -> Vec<f64> {
    let rank = |sample: &f64| {
        let below = sorted.partition_point(|other| other < sample);
        let not_above = sorted.partition_point(|other| other <= sample);
        (below + not_above) as f64
    };
    samples.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_follow_each_other_are_seen_to() {
        // Off the mean by -1, -1, 1, 1: products 1, -1, 1, squares 4.
        let seen = 0.25;
        let corrected = seen + (1.0 + 3.0 * seen) / 4.0;
        assert_eq!(correlation(&[1.0, 1.0, 3.0, 3.0]), Some(corrected));
        let turns: Vec<f64> = (0..20).map(|nth| f64::from(nth % 2)).collect();
        assert_eq!(correlation(&turns), Some(0.0));
        let rising: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(correlation(&rising), Some(0.9));
        assert_eq!(correlation(&[2.0; 9]), None);
    }

    #[test]
    fn a_correlation_of_a_half_makes_three_samples_one() {
        assert_eq!([0.0, 0.5].map(inflation), [1.0, 3.0]);
    }

    #[test]
    fn ranks_are_places_and_ties_share_one() {
        let sorted = [1.0, 5.0, 5.0, 9.0];
        assert_eq!(ranks(&[9.0, 5.0, 1.0, 5.0], &sorted), [7.0, 4.0, 1.0, 4.0]);
    }
}

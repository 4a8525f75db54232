//! Whether samples gather at one place or at two.
//!
//! They gather at two if Hartigans' dip test says so at the level of 1 % (Hartigan and Hartigan,
//! *Annals of Statistics* 13, 1985). The two are parted where the variance within them is least
//! (Otsu, *IEEE Transactions on Systems, Man, and Cybernetics* 9, 1979).

use crate::number::show_number;
use crate::stats::order::{fences, middle};
use std::fmt;

/// Two places at which samples gather, the lower one first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modes {
    /// The medians of the lower and of the higher samples.
    pub values: [f64; 2],
    /// How many samples are lower, and how many higher.
    pub samples: [usize; 2],
    /// The lowest and the highest of them, those far out left aside.
    pub range: [f64; 2],
}

/// `2.57 in 10 of 15 samples, 3.00 in 5`.
///
/// ```
/// let modes = helpers::Modes { values: [2.57, 3.0], samples: [10, 5], range: [2.5, 3.1] };
/// assert_eq!(modes.to_string(), "2.57 in 10 of 15 samples, 3.00 in 5");
/// ```
impl fmt::Display for Modes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(self.values.map(show_number)))
    }
}

impl Modes {
    /// The modes of samples that are sorted, unless there is only one that matters.
    pub(crate) fn of(sorted: &[f64]) -> Option<Self> {
        let critical = critical_dip(sorted.len());
        if dip(sorted) <= critical {
            return None;
        }
        // Two places with fewer at one of them have no such dip: it is half of the smaller share.
        let fewest = (2.0 * critical * sorted.len() as f64).ceil() as usize;
        let far_out = fences(sorted);
        // As many as make a mode are none that lie far out.
        let few = |count: usize| if count < fewest { count } else { 0 };
        let lowest = few(sorted.partition_point(|sample| *sample < *far_out.start()));
        let far = sorted.len() - sorted.partition_point(|sample| sample <= far_out.end());
        let near = sorted.len() - few(far);
        let place = lowest + parting(&sorted[lowest..near])?;
        let (lower, higher) = sorted.split_at(place);
        if lower.len().min(higher.len()) < fewest {
            return None;
        }
        let modes = Self {
            values: [middle(lower), middle(higher)],
            samples: [lower.len(), higher.len()],
            range: [sorted[lowest], sorted[near - 1]],
        };
        modes.differ_by_more_than(0.0).then_some(modes)
    }

    /// Whether the two differ by more than a `step`, and by more than a twentieth of the larger
    /// one: nobody would act on less.
    pub(crate) fn differ_by_more_than(&self, step: f64) -> bool {
        let [lower, higher] = self.values;
        let larger = lower.abs().max(higher.abs());
        // Neighbouring multiples of a step are a step apart, and a hair.
        higher - lower > f64::max(1.01 * step, larger / 20.0)
    }

    /// `10 of 15` and `5 of 15`.
    pub(crate) fn shares(&self) -> [String; 2] {
        let all: usize = self.samples.iter().sum();
        self.samples.map(|count| format!("{count} of {all}"))
    }

    /// In words, each value as it was `written`.
    pub(crate) fn words(&self, [lower, higher]: [String; 2]) -> String {
        let [few, others] = self.samples;
        format!(
            "{lower} in {few} of {} samples, {higher} in {others}",
            few + others
        )
    }
}

/// The dip that one of 100 lots of `count` samples of a uniform distribution exceeds, which has the
/// largest dips of those with one mode; by simulation of 6 to 1,000 samples.
fn critical_dip(count: usize) -> f64 {
    let root = (count as f64).sqrt();
    (0.634 - 0.412 / root) / root
}

/// How many samples are lower where the variance within two parts is least, and so that between
/// them largest.
fn parting(sorted: &[f64]) -> Option<usize> {
    let all: f64 = sorted.iter().sum();
    let mut below = 0.0;
    let mut best = None;
    let mut widest = 0.0;
    for place in 1..sorted.len() {
        below += sorted[place - 1];
        let others = sorted.len() - place;
        let apart = (all - below) / others as f64 - below / place as f64;
        let between = (place * others) as f64 * apart.powi(2);
        if between > widest {
            widest = between;
            best = Some(place);
        }
    }
    best
}

/// Hartigans' dip: how far at least the distribution of the samples is from one with a single mode.
///
/// Between the largest convex function below the distribution and the smallest concave one above it
/// the widest gap is looked for, then again between its ends, as long as gaps become no narrower
/// than what the parts outside are off (Hartigan, *Applied Statistics* 34, 1985, algorithm 217).
fn dip(sorted: &[f64]) -> f64 {
    let mut from = 0;
    let mut to = sorted.len() - 1;
    // In steps of the distribution, of which each sample is one; half a step is the least.
    let mut dip: f64 = 1.0;
    loop {
        let convex = hull(sorted, from, to, 1.0);
        let concave = hull(sorted, from, to, -1.0);
        let (gap, left, right) = widest_gap(sorted, &convex, &concave);
        if gap < dip {
            break;
        }
        let below = off(sorted, &convex, from, left, 1.0);
        let above = off(sorted, &concave, right, to, -1.0);
        dip = dip.max(below).max(above);
        if left == right || (left, right) == (from, to) {
            break;
        }
        from = left;
        to = right;
    }
    dip / (2.0 * sorted.len() as f64)
}

/// The corners of the largest convex function below the samples' distribution from one sample to
/// another, or, where `side` is -1, of the smallest concave one above.
fn hull(sorted: &[f64], from: usize, to: usize, side: f64) -> Vec<usize> {
    let mut corners: Vec<usize> = Vec::new();
    for next in from..=to {
        while let [.., before, last] = corners[..] {
            let run = |left: usize, right: usize| sorted[right] - sorted[left];
            let rise = |left: usize, right: usize| side * (right - left) as f64;
            if rise(before, last) * run(last, next) < rise(last, next) * run(before, last) {
                break;
            }
            corners.pop();
        }
        corners.push(next);
    }
    corners
}

/// How high the line through `corners` is at a sample.
fn height(sorted: &[f64], corners: &[usize], at: usize) -> f64 {
    let next = corners.partition_point(|&corner| corner < at).max(1);
    let left = corners[next - 1];
    let right = corners[next];
    let run = sorted[right] - sorted[left];
    if run == 0.0 {
        return at as f64;
    }
    left as f64 + (right - left) as f64 * (sorted[at] - sorted[left]) / run
}

/// The widest gap between the two functions, and the corners on either side of it.
fn widest_gap(sorted: &[f64], convex: &[usize], concave: &[usize]) -> (f64, usize, usize) {
    let mut widest = (0.0, convex[0], convex[convex.len() - 1]);
    for &left in convex {
        let gap = height(sorted, concave, left) - left as f64 + 1.0;
        if gap > widest.0 {
            let right = concave[concave.partition_point(|&corner| corner < left)];
            widest = (gap, left, right);
        }
    }
    for &right in concave {
        let gap = right as f64 - height(sorted, convex, right) + 1.0;
        if gap > widest.0 {
            let left = convex[convex.partition_point(|&corner| corner <= right) - 1];
            widest = (gap, left, right);
        }
    }
    widest
}

/// How far at most the samples' distribution is from the line through `corners`, from one to
/// another.
fn off(sorted: &[f64], corners: &[usize], from: usize, to: usize, side: f64) -> f64 {
    let off = |at: usize| side * (at as f64 - height(sorted, corners, at)) + 1.0;
    (from..=to).map(off).fold(1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::order::sorted;

    /// `low` samples about 1 and `high` about `place`, each a little off.
    fn two(low: usize, high: usize, place: f64) -> Vec<f64> {
        let about = |at: f64, count: usize| (0..count).map(move |nth| at + 1e-3 * nth as f64);
        about(1.0, low).chain(about(place, high)).collect()
    }

    #[test]
    fn dips_are_those_that_a_pencil_finds() {
        // Two places are half of the smaller share away from one; even steps half a step.
        let atoms = |low, high| [vec![0.0; low], vec![1.0; high]].concat();
        assert_eq!(dip(&atoms(4, 11)), 4.0 / 30.0);
        assert_eq!(dip(&atoms(5, 5)), 0.25);
        assert_eq!(dip(&atoms(0, 6)), 1.0 / 12.0);
        let even: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(dip(&even), 0.025);
    }

    #[test]
    fn a_dip_does_not_change_with_the_unit_and_the_sign() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..200 {
            let samples: Vec<f64> = (0..40).map(|_| random.f64().powi(3)).collect();
            let scaled = |factor: f64| {
                let scaled: Vec<f64> = samples.iter().map(|it| factor * it).collect();
                dip(&sorted(&scaled))
            };
            assert!((scaled(1.0) - scaled(7.0)).abs() < 1e-9);
            assert!((scaled(1.0) - scaled(-1.0)).abs() < 1e-9);
        }
    }

    /// Of 10,000 lots with one mode, 100 should be called two, with a standard deviation of 10. A
    /// rule at 0.3 % or at 2 % passes for none of the sizes with a probability above 1 in 1,000.
    #[test]
    fn one_of_a_hundred_lots_of_a_uniform_distribution_is_called_two() {
        let mut random = fastrand::Rng::with_seed(3);
        for count in [6, 10, 15, 25, 60, 200, 1_000] {
            let mut alarm = || {
                let lot: Vec<f64> = (0..count).map(|_| random.f64()).collect();
                dip(&sorted(&lot)) > critical_dip(count)
            };
            let alarms = (0..10_000).filter(|_| alarm()).count();
            assert!(
                (60..=145).contains(&alarms),
                "{alarms} of {count} samples each"
            );
        }
    }

    #[test]
    fn two_modes_are_found_with_their_shares() {
        let modes = Modes::of(&two(10, 5, 1.5)).unwrap();
        assert_eq!(modes.samples, [10, 5]);
        assert_eq!(modes.values, [1.0045, 1.502]);
        // One that is far out is no mode, and goes to the nearer one.
        let mut far = two(10, 6, 1.5);
        far.push(1e6);
        assert_eq!(Modes::of(&far).unwrap().samples, [10, 7]);
    }

    #[test]
    fn parts_vary_least_within_themselves() {
        let mut random = fastrand::Rng::with_seed(4);
        let within = |part: &[f64]| {
            let mean = part.iter().sum::<f64>() / part.len() as f64;
            part.iter().map(|it| (it - mean).powi(2)).sum::<f64>()
        };
        for _ in 0..200 {
            let lot: Vec<f64> = (0..12).map(|_| random.f64().powi(2)).collect();
            let lot = sorted(&lot);
            let within_both = |place: usize| within(&lot[..place]) + within(&lot[place..]);
            let least = (1..12).map(within_both).fold(f64::MAX, f64::min);
            assert!(within_both(parting(&lot).unwrap()) - least < 1e-12);
        }
        assert_eq!(parting(&[7.0; 9]), None);
    }

    #[test]
    fn a_part_with_too_few_for_such_a_dip_is_no_mode() {
        // Not far enough out to be left aside, and far enough to be parted from all others.
        let mut samples = two(8, 6, 1.5);
        samples.push(2.9);
        assert!(dip(&samples) > critical_dip(15));
        assert_eq!(Modes::of(&samples), None);
    }

    #[test]
    fn a_mode_of_a_fifth_of_many_samples_is_found() {
        let mut samples: Vec<f64> = (0..80).map(|nth| 1.0 + 0.0001 * f64::from(nth)).collect();
        samples.extend((0..20).map(|nth| 2.0 + 0.0001 * f64::from(nth)));
        let modes = Modes::of(&samples).unwrap();
        assert_eq!((modes.samples, modes.range), ([80, 20], [1.0, samples[99]]));
        // Of one that lies far out nothing is said.
        samples.truncate(81);
        assert_eq!(Modes::of(&samples), None);
    }

    #[test]
    fn what_nobody_would_act_on_is_one_mode() {
        assert_eq!(Modes::of(&two(10, 3, 1.5)), None);
        assert_eq!(Modes::of(&two(10, 5, 1.05)), None);
        assert!(Modes::of(&two(10, 5, 1.07)).is_some());
        assert_eq!(Modes::of(&[7.0; 15]), None);
        let modes = |lower, higher| Modes {
            values: [lower, higher],
            samples: [8, 7],
            range: [lower, higher],
        };
        // Two ticks of a clock, next to each other and not.
        assert!(!modes(41.7, 83.4).differ_by_more_than(41.7));
        assert!(modes(41.7, 125.1).differ_by_more_than(41.7));
        assert!(modes(-3.0, -2.0).differ_by_more_than(0.0));
        assert!(!modes(-100.0, -96.0).differ_by_more_than(0.0));
    }
}

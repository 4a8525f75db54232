//! Summaries that carry their uncertainty: medians, ratios and shares, each with a 95 % interval.
//!
//! The interval of a median lies between two order statistics (David and Nagaraja, *Order
//! Statistics*, 2003, section 7.1), which assumes no shape of the distribution, but that samples
//! are independent. Where they follow each other it reaches farther. A ratio is the median of the
//! ratios of rounds.

use crate::error::{Error, Result};
use crate::number::{first_digit, round_to, show_exact, write_to};
use crate::stats::beta::beta_quantile;
use crate::stats::correlation::{correlation, inflation, ranks, told_by_few};
use crate::stats::modes::Modes;
use crate::stats::order::{middle, sorted};
use std::fmt;

/// With fewer samples, even the smallest and the largest together are no 95 % interval.
pub(crate) const FEWEST_SAMPLES: usize = 6;
pub(crate) const CONFIDENCE: f64 = 0.95;
/// Fewer outcomes that are independent do not show whether they follow each other; by simulation.
const FEWEST_OUTCOMES: f64 = 16.0;

/// A value with the 95 % interval around it, all in the unit of the samples.
///
/// The interval covers what varied while the samples were taken. That of a bare cost holds *within
/// this run*; the next hour may find the machine slower. A ratio of the same rounds is disturbed
/// less, so verdicts rest on ratios.
///
/// In simulation it covers the truth in 95 of 100 experiments or more if samples are independent,
/// and in 93 if each is correlated by a half with the one before, from 15 samples on; that of a
/// slope or a share of few samples may then cover less, and is [`doubtful`](Estimate::doubtful).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The value computed from all samples.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// How finely the quantity can be told: a page over a count, a tick of a clock, a bucket, a
    /// printed decimal; 0 where it is not rounded.
    pub step: f64,
    /// Where samples gather, if at two places: then the median means nothing.
    pub modes: Option<Modes>,
    /// How far samples follow the ones before them, 0 to 0.9; the interval is the wider for it.
    pub correlation: f64,
    /// Whether the interval may be too narrow: samples follow each other so closely, or are so few
    /// or so alike, that they do not show how far.
    pub doubtful: bool,
}

impl Estimate {
    /// A count, a size, one reading: no interval.
    ///
    /// ```
    /// use helpers::Estimate;
    /// assert_eq!(Estimate::exact(1_000.0).to_string(), "1,000");
    /// assert_eq!(Estimate::exact(2.5).to_string(), "2.50");
    /// ```
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
            ..Self::default()
        }
    }

    /// The same, told no finer than to a multiple of `step`: the interval holds what that hides.
    ///
    /// ```
    /// use helpers::Estimate;
    /// let page_over_tasks = Estimate::exact(0.1283).told_to(0.041);
    /// assert_eq!(page_over_tasks.to_string(), "0.13 [0.11, 0.15]");
    /// ```
    pub fn told_to(self, step: f64) -> Self {
        Self {
            low: self.low - step / 2.0,
            high: self.high + step / 2.0,
            step,
            modes: self.modes.filter(|modes| modes.differ_by_more_than(step)),
            // Samples that were rounded to one number are known to the step.
            doubtful: self.doubtful && !(self.low == self.high && step > 0.0),
            ..self
        }
    }

    /// The same in another unit, of which there are `factor` in one.
    ///
    /// ```
    /// use helpers::Estimate;
    /// let nanoseconds = Estimate { value: 2.0, low: 1.5, high: 2.5, ..Estimate::default() };
    /// assert_eq!(nanoseconds.scaled(1_000.0).to_string(), "2,000 [1,500, 2,500]");
    /// ```
    pub fn scaled(self, factor: f64) -> Self {
        let ends = [self.low * factor, self.high * factor];
        let in_order = |[one, other]: [f64; 2]| [one.min(other), one.max(other)];
        let [low, high] = in_order(ends);
        let scale = |both: [f64; 2]| in_order(both.map(|number| number * factor));
        let modes = self.modes.map(|modes| {
            let [lower, higher] = modes.samples;
            Modes {
                values: scale(modes.values),
                samples: if factor < 0.0 {
                    [higher, lower]
                } else {
                    [lower, higher]
                },
                range: scale(modes.range),
            }
        });
        Self {
            value: self.value * factor,
            low,
            high,
            step: self.step * factor.abs(),
            modes,
            ..self
        }
    }

    /// The median of `samples`, in the order in which they were taken, with its interval.
    ///
    /// The interval of samples that follow each other is as wide as that of as many independent
    /// ones as say as much: n (1 - r) / (1 + r), where r is the correlation of their ranks with the
    /// ranks before.
    ///
    /// # Errors
    /// Fewer than 6 samples, or one that is not finite.
    ///
    /// ```
    /// let estimate = helpers::Estimate::median(&[4.0, 100.0, 1.0, 5.0, 2.0, 3.0])?;
    /// assert_eq!((estimate.value, estimate.low, estimate.high), (3.5, 1.0, 100.0));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn median(samples: &[f64]) -> Result<Self> {
        Self::median_at(CONFIDENCE, samples)
    }

    /// The ratio `numerator / denominator`: the median of [`round_ratios`] with its interval.
    ///
    /// # Errors
    /// As [`round_ratios`], or fewer than 6 samples.
    ///
    /// ```
    /// let below = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// let ratio = helpers::Estimate::ratio(&below.map(|it| 2.0 * it), &below)?;
    /// assert_eq!(ratio.value, 2.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn ratio(numerator: &[f64], denominator: &[f64]) -> Result<Self> {
        Self::median(&round_ratios(numerator, denominator)?)
    }

    /// The share of `outcomes` that are true, in the order in which they came, with its interval
    /// (Clopper and Pearson, *Biometrika* 26, 1934).
    ///
    /// It covers the truth in at least 95 of 100 experiments whose outcomes are independent. Where
    /// they follow each other, fewer trials are counted, as for a [median](Estimate::median). Where
    /// all are alike nothing shows whether they do, and the interval is doubtful.
    ///
    /// # Errors
    /// No outcomes.
    ///
    /// ```
    /// let share = helpers::Estimate::share(&[false; 20])?;
    /// assert_eq!((share.value, share.low), (0.0, 0.0));
    /// assert!((share.high - 0.168).abs() < 0.001);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn share(outcomes: &[bool]) -> Result<Self> {
        if outcomes.is_empty() {
            let wrong = "there are no outcomes";
            return Err(Error::new("take a share", wrong, "1 or more"));
        }
        let numbers: Vec<f64> = outcomes.iter().map(|&hit| f64::from(hit)).collect();
        let value = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let seen = correlation(&numbers);
        let correlation = seen.unwrap_or(0.0);
        let trials = numbers.len() as f64 / inflation(correlation);
        let hits = value * trials;
        let misses = trials - hits;
        let tail = (1.0 - CONFIDENCE) / 2.0;
        let end = |share, hits, misses, none| {
            if hits > 0.0 && misses > 0.0 {
                beta_quantile(share, hits, misses)
            } else {
                none
            }
        };
        Ok(Self {
            value,
            low: end(tail, hits, misses + 1.0, 0.0),
            high: end(1.0 - tail, hits + 1.0, misses, 1.0),
            correlation,
            doubtful: seen.is_none() || trials < FEWEST_OUTCOMES,
            ..Self::default()
        })
    }

    /// The value, the lower and the upper end in words: never finer than the step, else to the
    /// second digit of the interval's width, since what comes after it is noise.
    /// What is exact is written as such: whole, or as [`show_number`](crate::show_number).
    ///
    /// ```
    /// use helpers::Estimate;
    /// let written = |value, low, high, step| {
    ///     Estimate { value, low, high, step, ..Estimate::default() }.written()
    /// };
    /// assert_eq!(written(319.93, 319.6, 320.2, 0.0), ["319.93", "319.60", "320.20"]);
    /// assert_eq!(written(1_234.0, 1_201.0, 1_270.0, 41.0), ["1,230", "1,200", "1,270"]);
    /// assert_eq!(written(8.3, 6.4, 380.0, 0.0), ["8", "6", "380"]);
    /// ```
    pub fn written(&self) -> [String; 3] {
        let [low, high] = self.reach();
        [self.value, low, high].map(|number| self.write(number))
    }

    /// The value in words, or both modes.
    pub(crate) fn value_written(&self) -> String {
        match self.modes {
            Some(Modes { values, .. }) => values.map(|mode| self.write(mode)).join(" or "),
            None => self.write(self.value),
        }
    }

    /// The last power of ten that is written of a number. A wide interval makes nothing of noise,
    /// and not of what is above 0 for sure; what a step hides stays hidden.
    fn place_of(&self, number: f64) -> Option<i32> {
        let place = self.place()?;
        match self.step == 0.0 && self.low > 0.0 && number > 0.0 {
            true => Some(place.min(first_digit(number))),
            false => Some(place),
        }
    }

    /// The value as a sentence says it: as finely as it can be told, and in three digits at most;
    /// or both modes.
    ///
    /// ```
    /// use helpers::Estimate;
    /// let estimate = |value, low, high| Estimate { value, low, high, ..Estimate::default() };
    /// assert_eq!(estimate(319.93, 319.6, 320.2).in_words(), "320");
    /// assert_eq!(estimate(40.2, 31.0, 49.0).in_words(), "40");
    /// assert_eq!(estimate(5.3, 0.2, 1_200.0).in_words(), "5");
    /// assert_eq!(estimate(0.99881, 0.9951, 1.0017).in_words(), "0.999");
    /// assert_eq!(Estimate::exact(99_999.0).in_words(), "99,999");
    /// ```
    pub fn in_words(&self) -> String {
        let write = |number: f64| match self.place_in_words(number) {
            Some(place) => write_to(number, place),
            None => self.write(number),
        };
        match self.modes {
            Some(Modes { values, .. }) => values.map(write).join(" or "),
            None => write(self.value),
        }
    }

    /// The last power of ten that a sentence says of a number.
    fn place_in_words(&self, number: f64) -> Option<i32> {
        let place = self.place_of(number).filter(|_| number != 0.0)?;
        Some(place.max(first_digit(number) - 2))
    }

    /// The number that a sentence says, or of two the more frequent, and how many digits it has.
    pub(crate) fn said(&self) -> (f64, i32) {
        let number = self.most_typical();
        match self.place_in_words(number) {
            Some(place) => (round_to(number, place), first_digit(number) - place + 1),
            None => (number, 3),
        }
    }

    /// From where to where verdicts look: the interval and, of two modes, all samples near them.
    pub(crate) fn reach(&self) -> [f64; 2] {
        let [lowest, highest] = self.modes.map_or([self.value; 2], |modes| modes.range);
        [self.low.min(lowest), self.high.max(highest)]
    }

    /// The same in words, both ends as finely as the larger one can be told.
    pub(crate) fn reach_in_words(&self) -> [String; 2] {
        let write = |end| match self.place() {
            Some(place) => write_to(end, place),
            None => show_exact(end),
        };
        self.reach().map(write)
    }

    /// The modes, the lower one first; where there is one, the value.
    pub(crate) fn typical(&self) -> [f64; 2] {
        self.modes.map_or([self.value; 2], |modes| modes.values)
    }

    /// The value; of two modes the one at which more samples are.
    pub(crate) fn most_typical(&self) -> f64 {
        match self.modes {
            Some(Modes {
                values, samples, ..
            }) => values[usize::from(samples[1] > samples[0])],
            None => self.value,
        }
    }

    fn write(&self, number: f64) -> String {
        match self.place_of(number) {
            Some(place) => write_to(number, place),
            None => show_exact(number),
        }
    }

    /// The last power of ten that is written; nothing of what is exact, or without end.
    fn place(&self) -> Option<i32> {
        let [low, high] = self.reach();
        let width = high - low;
        // The power of ten that is nearest from below, or at most twice the step.
        let of_step = (self.step > 0.0).then(|| first_digit(2.0 * self.step));
        if !(width > 0.0 && width.is_finite()) {
            return of_step;
        }
        let second_digit = first_digit(width) - 1;
        // Fewer decimals than digits that a double has.
        Some(second_digit.max(of_step.unwrap_or(-9)))
    }

    /// Where too few samples have an interval of such confidence, it is without end.
    pub(crate) fn median_at(confidence: f64, samples: &[f64]) -> Result<Self> {
        check("take a median", samples)?;
        let sorted = sorted(samples);
        let value = middle(&sorted);
        let seen = correlation(&ranks(samples, &sorted));
        let correlation = seen.map_or(0.0, |seen| told_by_few(seen, samples.len()));
        let (low, high, too_few) = median_interval(&sorted, confidence, correlation);
        Ok(Self {
            value,
            low,
            high,
            modes: Modes::of(&sorted),
            correlation,
            // Alike, they are one reading again and again.
            doubtful: too_few || seen.is_none(),
            ..Self::default()
        })
    }
}

/// One reading.
impl From<f64> for Estimate {
    fn from(value: f64) -> Self {
        Self::exact(value)
    }
}

/// `value [low, high]`, without the brackets where there is no interval; of two modes, where they
/// are and how many samples are there.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(modes) = self.modes {
            return f.write_str(&modes.words(modes.values.map(|mode| self.write(mode))));
        }
        let [value, low, high] = self.written();
        if self.low == self.high {
            f.write_str(&value)
        } else {
            write!(f, "{value} [{low}, {high}]")
        }
    }
}

/// The interval of the median of samples, and whether it should reach beyond all of them.
///
/// Independent samples leave out as many of the lowest and of the highest as [`rank`] says. The
/// places of samples that follow each other are as much farther from the middle as such a median
/// varies more, and end with the last sample.
fn median_interval(sorted: &[f64], confidence: f64, correlation: f64) -> (f64, f64, bool) {
    let Some(left_out) = rank(sorted.len(), confidence) else {
        return (f64::NEG_INFINITY, f64::INFINITY, false);
    };
    let last = sorted.len() - 1;
    let centre = last as f64 / 2.0;
    let distance = (centre - left_out as f64) * inflation(correlation).sqrt();
    let place = (centre - distance).round();
    let left_out = place.max(0.0) as usize;
    (sorted[left_out], sorted[last - left_out], place < 0.0)
}

/// `numerator / denominator` of each round.
///
/// Sample `i` of both must come from the same round of an interleaved run: what slows both in one
/// round then does not widen the interval.
///
/// # Errors
/// Lengths that differ, a sample that is not finite, or a denominator that is not above 0.
///
/// ```
/// assert_eq!(helpers::round_ratios(&[2.0, 9.0], &[1.0, 3.0])?, [2.0, 3.0]);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn round_ratios(numerator: &[f64], denominator: &[f64]) -> Result<Vec<f64>> {
    let refuse = |wrong: String, allowed: &str| Err(Error::new("take a ratio", wrong, allowed));
    if numerator.len() != denominator.len() {
        let wrong = format!("{} samples against {}", numerator.len(), denominator.len());
        return refuse(wrong, "as many of each");
    }
    if let Some(bad) = numerator
        .iter()
        .chain(denominator)
        .find(|sample| !sample.is_finite())
    {
        return refuse(format!("a sample is {bad}"), "finite samples");
    }
    if let Some(bad) = denominator.iter().find(|&&sample| sample <= 0.0) {
        return refuse(format!("a denominator is {bad}"), "samples above 0");
    }
    Ok(numerator
        .iter()
        .zip(denominator)
        .map(|(above, below)| above / below)
        .collect())
}

/// How many of the lowest and of the highest of `count` samples the interval of their median leaves
/// out: as many as it can, since so many heads of fair coins, or fewer, must be rarer than `1 -
/// confidence` on both sides together.
fn rank(count: usize, confidence: f64) -> Option<usize> {
    let mut logarithm = -(count as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for heads in 0..count {
        tail += logarithm.exp();
        if 2.0 * tail > 1.0 - confidence {
            return heads.checked_sub(1);
        }
        logarithm += ((count - heads) as f64 / (heads + 1) as f64).ln();
    }
    None
}

pub(crate) fn check(attempted: &str, samples: &[f64]) -> Result<()> {
    if samples.len() < FEWEST_SAMPLES {
        let wrong = format!("there are {} samples", samples.len());
        let allowed = format!("{FEWEST_SAMPLES} or more, since fewer have no interval");
        return Err(Error::new(attempted, wrong, allowed));
    }
    match samples.iter().find(|sample| !sample.is_finite()) {
        Some(bad) => Err(Error::new(
            attempted,
            format!("a sample is {bad}"),
            "finite samples",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, low: f64, high: f64, step: f64) -> Estimate {
        Estimate {
            value,
            low,
            high,
            step,
            ..Estimate::default()
        }
    }

    fn in_two(lower: f64, higher: f64, samples: [usize; 2]) -> Estimate {
        let modes = Modes {
            values: [lower, higher],
            samples,
            range: [lower, higher],
        };
        Estimate {
            modes: Some(modes),
            ..estimate(lower, lower, lower + 0.01, 0.0)
        }
    }

    #[test]
    fn nothing_is_written_finer_than_its_step() {
        let written = |step, wanted: &str| {
            let found = estimate(1_234.567_891, 1_234.567_8, 1_234.567_9, step).to_string();
            assert_eq!(found, wanted, "step {step}");
        };
        written(0.0, "1,234.567891 [1,234.567800, 1,234.567900]");
        written(0.001, "1,234.568 [1,234.568, 1,234.568]");
        written(0.041, "1,234.57 [1,234.57, 1,234.57]");
        written(9.9, "1,230 [1,230, 1,230]");
        written(1.0, "1,235 [1,235, 1,235]");
        written(41.0, "1,230 [1,230, 1,230]");
        written(1_000.0, "1,000 [1,000, 1,000]");
        for power in -9..9 {
            let step = 10_f64.powi(power);
            assert_eq!(
                estimate(1.0, 0.0, 2.0, step).place(),
                Some(power.max(-1)),
                "{step}"
            );
        }
        // Wider than the step, the interval says how many digits there are.
        assert_eq!(
            estimate(5.13, 4.0, 6.0, 0.001).to_string(),
            "5.1 [4.0, 6.0]"
        );
        assert_eq!(
            estimate(0.0, -0.04, 0.04, 0.0).to_string(),
            "0.000 [-0.040, 0.040]"
        );
        assert_eq!(
            estimate(-0.001, -1.0, 1.0, 0.1).to_string(),
            "0.0 [-1.0, 1.0]"
        );
        let nothing_finer = estimate(1e-12, 0.0, 1e-11, 0.0);
        assert_eq!(
            nothing_finer.to_string(),
            "0.000000000 [0.000000000, 0.000000000]"
        );
    }

    #[test]
    fn what_is_exact_is_written_without_brackets() {
        let exact = |value| Estimate::exact(value).to_string();
        assert_eq!(
            ["2", "100", "1,000", "-3"],
            [2.0, 100.0, 1_000.0, -3.0].map(exact)
        );
        assert_eq!(exact(0.1283), "0.128");
        assert_eq!(estimate(120.0, 120.0, 120.0, 7.0).to_string(), "120");
        let without_end = estimate(2.0, f64::NEG_INFINITY, f64::INFINITY, 0.0);
        assert_eq!(without_end.to_string(), "2 [-inf, inf]");
    }

    #[test]
    fn a_step_widens_by_half_of_it_and_hides_modes_that_are_neighbours() {
        let told = estimate(5.0, 4.0, 6.0, 0.0).told_to(1.0);
        assert_eq!([told.low, told.high, told.step], [3.5, 6.5, 1.0]);
        let ticks = in_two(41.7, 83.4, [8, 7]);
        assert_eq!(ticks.told_to(41.7).modes, None);
        assert_eq!(ticks.told_to(10.0).modes, ticks.modes);
    }

    #[test]
    fn another_unit_changes_all_that_has_one() {
        let found = Estimate {
            step: 0.5,
            low: 2.0,
            high: 3.0,
            correlation: 0.25,
            doubtful: true,
            ..in_two(2.0, 4.0, [9, 6])
        };
        let scaled = found.scaled(-10.0);
        assert_eq!(
            [scaled.value, scaled.low, scaled.high],
            [-20.0, -30.0, -20.0]
        );
        let modes = Modes {
            values: [-40.0, -20.0],
            samples: [6, 9],
            range: [-40.0, -20.0],
        };
        assert_eq!((scaled.step, scaled.modes), (5.0, Some(modes)));
        assert_eq!((scaled.correlation, scaled.doubtful), (0.25, true));
        assert_eq!(found.scaled(10.0).modes.unwrap().samples, [9, 6]);
    }

    #[test]
    fn a_small_end_is_written_no_finer_than_a_large_one() {
        let reach = |low, high| {
            let estimate = Estimate {
                value: low,
                low,
                high,
                ..Estimate::default()
            };
            estimate.reach_in_words().join(" to ")
        };
        assert_eq!(reach(0.000_06, 1.2), "0.0 to 1.2");
        assert_eq!(reach(1_116.0, 1_179.0), "1,116 to 1,179");
        assert_eq!(reach(5.0, 5.0), "5 to 5");
    }

    #[test]
    fn two_modes_are_said_in_place_of_a_median() {
        let found = in_two(2.57, 3.0, [10, 5]);
        assert_eq!(found.to_string(), "2.57 in 10 of 15 samples, 3.00 in 5");
        assert_eq!(found.value_written(), "2.57 or 3.00");
        assert_eq!(found.written(), ["2.57", "2.57", "3.00"]);
        assert_eq!((found.reach(), found.most_typical()), ([2.57, 3.0], 2.57));
        assert_eq!(in_two(2.57, 3.0, [5, 10]).most_typical(), 3.0);
        let single = estimate(2.0, 1.0, 3.0, 0.0);
        assert_eq!((single.reach(), single.most_typical()), ([1.0, 3.0], 2.0));
        assert_eq!(single.value_written(), "2.0");
    }

    /// Ranks from any table of the sign test, at 5 % and at 1 % on both sides together.
    #[test]
    fn an_interval_leaves_out_what_the_sign_test_says() {
        let at = |confidence| [5, 6, 8, 9, 15, 25, 100].map(|count| rank(count, confidence));
        let ranks = [None, Some(0), Some(0), Some(1), Some(3), Some(7), Some(39)];
        assert_eq!(at(0.95), ranks);
        let ranks = [None, None, Some(0), Some(0), Some(2), Some(5), Some(36)];
        assert_eq!(at(0.99), ranks);
    }

    #[test]
    fn samples_that_follow_each_other_leave_out_fewer_until_there_are_none() {
        let sorted: Vec<f64> = (0..15).map(f64::from).collect();
        let interval = |correlation| median_interval(&sorted, 0.95, correlation);
        assert_eq!(interval(0.0), (3.0, 11.0, false));
        assert_eq!(interval(0.3), (2.0, 12.0, false));
        assert_eq!(interval(0.5), (0.0, 14.0, false));
        assert_eq!(interval(0.6), (0.0, 14.0, true));
        let endless = median_interval(&sorted[..5], 0.95, 0.0);
        assert_eq!(endless, (f64::NEG_INFINITY, f64::INFINITY, false));
    }

    /// Limits of Clopper and Pearson, as tables have them.
    #[test]
    fn shares_have_the_limits_of_clopper_and_pearson() {
        let limits = |hits: usize, trials: usize, low: f64, high: f64| {
            // As far from each other as they can be.
            let outcomes: Vec<bool> = (0..trials)
                .map(|nth| (nth * hits + trials / 2) % trials < hits)
                .collect();
            let found = Estimate::share(&outcomes).unwrap();
            assert_eq!(
                (found.value, found.correlation),
                (hits as f64 / trials as f64, 0.0)
            );
            let [below, above] = [found.low - low, found.high - high].map(f64::abs);
            assert!(
                below < 5e-5 && above < 5e-5,
                "{hits} of {trials}: {found:?}"
            );
            found.doubtful
        };
        assert!(limits(0, 20, 0.0, 0.1684));
        assert!(limits(20, 20, 0.8316, 1.0));
        assert!(!limits(1, 20, 0.0013, 0.2487));
        assert!(!limits(10, 20, 0.2720, 0.7280));
        assert!(!limits(4, 16, 0.0727, 0.5238));
        assert!(limits(5, 15, 0.1182, 0.6162));
    }

    #[test]
    fn outcomes_that_follow_each_other_count_as_fewer() {
        let outcomes: Vec<bool> = (0..100).map(|nth| nth % 20 < 10).collect();
        let found = Estimate::share(&outcomes).unwrap();
        let numbers: Vec<f64> = outcomes.iter().map(|&hit| f64::from(hit)).collect();
        let seen = correlation(&numbers).unwrap();
        assert_eq!((found.value, found.correlation), (0.5, seen));
        let trials = 100.0 / inflation(seen);
        let low = beta_quantile(0.025, trials / 2.0, trials / 2.0 + 1.0);
        assert!((found.low - low).abs() < 1e-12 && (found.high - 1.0 + low).abs() < 1e-9);
    }
}

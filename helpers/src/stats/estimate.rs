//! Summaries that carry their uncertainty: medians, ratios and shares, each with a 95 % interval.
//!
//! The interval of a median lies between two order statistics (David and Nagaraja, *Order Statistics*, 2003, section
//! 7.1): it is exact, and assumes no shape of the distribution. A ratio is the median of the ratios of rounds.

use crate::error::{Error, Result};
use crate::number::{show_number, thousands, with_decimals};
use crate::stats::order::{middle, sorted};
use std::fmt;
/// With fewer samples, even the smallest and the largest together are no 95 % interval.
pub(crate) const FEWEST_SAMPLES: usize = 6;
pub(crate) const CONFIDENCE: f64 = 0.95;
/// So many standard deviations on either side hold that share of a normal distribution.
pub(crate) const NORMAL: f64 = 1.959_964;

/// A value with the 95 % interval around it, all in the unit of the samples.
///
/// The interval covers what varied while the samples were taken. That of a bare cost holds *within this run*; the next
/// hour may find the machine slower. A ratio of the same rounds is disturbed less, so verdicts rest on ratios.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The value computed from all samples.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// The median of `samples` with its interval.
    ///
    /// # Errors
    /// Fewer than 6 samples, or one that is not finite.
    ///
    /// ```
    /// let estimate = helpers::Estimate::median(&[1.0, 2.0, 3.0, 4.0, 5.0, 100.0])?;
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
    /// let ratio = helpers::Estimate::ratio(&[2.0, 4.0, 6.0, 8.0, 10.0, 12.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(ratio.value, 2.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn ratio(numerator: &[f64], denominator: &[f64]) -> Result<Self> {
        Self::median(&round_ratios(numerator, denominator)?)
    }

    /// The share `hits / trials` with its interval (Wilson, *Journal of the American Statistical Association* 22, 1927).
    ///
    /// # Errors
    /// No trials, or more hits than trials.
    ///
    /// ```
    /// let share = helpers::Estimate::share(0, 20)?;
    /// assert_eq!((share.value, share.low), (0.0, 0.0));
    /// assert!((share.high - 0.161).abs() < 0.001);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn share(hits: u64, trials: u64) -> Result<Self> {
        if trials == 0 || hits > trials {
            let wrong = format!("{hits} of {trials} trials hit");
            return Err(Error::new(
                "take a share",
                wrong,
                "1 trial or more, and no more hits than trials",
            ));
        }
        let (trials, square) = (trials as f64, NORMAL.powi(2));
        let value = hits as f64 / trials;
        let middle = (value + square / (2.0 * trials)) / (1.0 + square / trials);
        let half = (value * (1.0 - value) / trials + square / (4.0 * trials * trials)).sqrt();
        let half = NORMAL * half / (1.0 + square / trials);
        // Rounding would leave an end a hair on the wrong side.
        Ok(Self {
            value,
            low: (middle - half).clamp(0.0, value),
            high: (middle + half).clamp(value, 1.0),
        })
    }

    /// The value, the lower and the upper end in words: to the second digit of the interval's width, since what comes
    /// after it is noise, and of the value; as [`show_number`] where there is no width.
    ///
    /// ```
    /// let written = |value, low, high| helpers::Estimate { value, low, high }.written();
    /// assert_eq!(written(319.93, 319.6, 320.2), ["319.93", "319.60", "320.20"]);
    /// assert_eq!(written(1_234_567.0, 1_201_000.0, 1_270_000.0), ["1,235,000", "1,201,000", "1,270,000"]);
    /// ```
    pub fn written(&self) -> [String; 3] {
        let all = [self.value, self.low, self.high];
        let width = self.high - self.low;
        if !(width > 0.0 && width.is_finite()) {
            return all.map(show_number);
        }
        let two_digits = |size: f64| size.log10().floor() as i32 - 1;
        let value = if self.value == 0.0 {
            width
        } else {
            self.value.abs()
        };
        let place = two_digits(width).min(two_digits(value));
        let unit = 10_f64.powi(place);
        all.map(|number| match place {
            // Fewer decimals than digits that a double has.
            ..0 => with_decimals(number, -place.max(-9) as usize),
            _ => thousands((number / unit).round() * unit),
        })
    }

    /// Where too few samples have an interval of such confidence, it is without end.
    pub(crate) fn median_at(confidence: f64, samples: &[f64]) -> Result<Self> {
        check("take a median", samples)?;
        let sorted = sorted(samples);
        let (value, last) = (middle(&sorted), sorted.len() - 1);
        Ok(match rank(sorted.len(), confidence) {
            Some(rank) => Self {
                value,
                low: sorted[rank],
                high: sorted[last - rank],
            },
            None => Self {
                value,
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
            },
        })
    }
}

/// `value [low, high]`, each to the second digit of the interval's width.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value, low, high] = self.written();
        write!(f, "{value} [{low}, {high}]")
    }
}

/// `numerator / denominator` of each round.
///
/// Sample `i` of both must come from the same round of an interleaved run: what slows both in one round then does not
/// widen the interval.
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

/// How many of the lowest and of the highest of `count` samples the interval of their median leaves out: as many as it
/// can, since so many heads of fair coins, or fewer, must be rarer than `1 - confidence` on both sides together.
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

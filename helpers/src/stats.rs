//! Summaries that carry their uncertainty: medians, ratios and slopes, each with a 95 % interval.
//!
//! Intervals are percentile bootstrap intervals (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993,
//! chapter 13): they assume no shape of the distribution. The resampling is seeded with a constant, so the same samples
//! give the same interval every time.

use crate::error::thousands;
use crate::{Error, Result};
use std::fmt;

const RESAMPLES: usize = 2_000;
const RESAMPLING_SEED: u64 = 0x5EED;
/// Fewer samples than this say nothing about their spread.
pub(crate) const FEWEST_SAMPLES: usize = 5;

/// A value with the 95 % interval around it, all in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The value computed from all samples.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// What the interval says of a claim that is about one side of a threshold.
    ///
    /// The claim is *supported* when it holds at both ends of the interval, *refuted* when at neither.
    ///
    /// ```
    /// use helpers::{Estimate, Verdict};
    /// let ratio = Estimate { value: 1.2, low: 0.9, high: 1.5 };
    /// assert_eq!(ratio.verdict(|slower| slower > 1.0), Verdict::Inconclusive);
    /// assert_eq!(ratio.verdict(|slower| slower > 0.5), Verdict::Supported);
    /// ```
    pub fn verdict(&self, claim: impl Fn(f64) -> bool) -> Verdict {
        match (claim(self.low), claim(self.high)) {
            (true, true) => Verdict::Supported,
            (false, false) => Verdict::Refuted,
            _ => Verdict::Inconclusive,
        }
    }
}

/// `value [low, high]`, each to three significant digits or more.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value, low, high] = [self.value, self.low, self.high].map(number);
        write!(f, "{value} [{low}, {high}]")
    }
}

/// What a measurement says of a claim, on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The claim holds at both ends of the interval.
    Supported,
    /// The claim holds at neither end.
    Refuted,
    /// The interval lies across the threshold.
    Inconclusive,
}

impl Verdict {
    /// The verdict on a claim made of several parts: refuted by any part that is, supported when all are.
    ///
    /// ```
    /// use helpers::Verdict::{self, *};
    /// assert_eq!(Verdict::all([Supported, Supported]), Supported);
    /// assert_eq!(Verdict::all([Supported, Inconclusive, Refuted]), Refuted);
    /// ```
    pub fn all(parts: impl IntoIterator<Item = Verdict>) -> Verdict {
        parts.into_iter().fold(Verdict::Supported, |so_far, part| match (so_far, part) {
            (Verdict::Refuted, _) | (_, Verdict::Refuted) => Verdict::Refuted,
            (Verdict::Supported, Verdict::Supported) => Verdict::Supported,
            _ => Verdict::Inconclusive,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Supported => "supported",
            Verdict::Refuted => "refuted",
            Verdict::Inconclusive => "inconclusive",
        })
    }
}

/// The median of `samples` with its interval.
///
/// # Errors
/// Fewer than 5 samples, or one that is not finite.
///
/// ```
/// let estimate = helpers::median(&[1.0, 2.0, 3.0, 4.0, 100.0])?;
/// assert_eq!(estimate.value, 3.0);
/// assert!(estimate.low <= 3.0 && 3.0 <= estimate.high);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn median(samples: &[f64]) -> Result<Estimate> {
    check("take a median", samples)?;
    let interval = bootstrap(samples.len(), |draw| middle(draw.map(|i| samples[i])));
    Ok(interval.around(middle(samples.iter().copied())))
}

/// The ratio of two medians, `numerator / denominator`, with its interval.
///
/// Sample `i` of both must come from the same round of an interleaved run: rounds are resampled whole, so a drift of the
/// machine that slows both in the same round does not widen the interval.
///
/// # Errors
/// Fewer than 5 samples, lengths that differ, a sample that is not finite, or a denominator that is not above 0.
///
/// ```
/// let ratio = helpers::ratio(&[2.0, 4.0, 6.0, 8.0, 10.0], &[1.0, 2.0, 3.0, 4.0, 5.0])?;
/// assert_eq!(ratio.value, 2.0);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn ratio(numerator: &[f64], denominator: &[f64]) -> Result<Estimate> {
    let attempted = "take a ratio";
    check(attempted, numerator)?;
    check(attempted, denominator)?;
    if numerator.len() != denominator.len() {
        let wrong = format!("{} samples against {}", numerator.len(), denominator.len());
        return Err(Error::new(attempted, wrong, "as many of each"));
    }
    if let Some(bad) = denominator.iter().find(|&&sample| sample <= 0.0) {
        let wrong = format!("a denominator is {bad}");
        return Err(Error::new(attempted, wrong, "samples above 0"));
    }
    let of = |draw: &mut dyn Iterator<Item = usize>| {
        let rounds: Vec<usize> = draw.collect();
        middle(rounds.iter().map(|&i| numerator[i])) / middle(rounds.iter().map(|&i| denominator[i]))
    };
    let interval = bootstrap(numerator.len(), |mut draw| of(&mut draw));
    Ok(interval.around(of(&mut (0..numerator.len()))))
}

/// A straight line through points, by least squares.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The change of y for one x, with its interval.
    pub slope: Estimate,
    /// y where x is 0.
    pub intercept: f64,
    /// The share of the variance of y that the line explains, 0 to 1.
    pub r_squared: f64,
    /// y less the line, a point each, in the order of the points.
    pub residuals: Vec<f64>,
}

impl Line {
    /// The line through `points` of (x, y); the interval of the slope comes from resampling whole points.
    ///
    /// # Errors
    /// Fewer than 5 points, a value that is not finite, or an x that is the same in all.
    ///
    /// ```
    /// let points: Vec<(f64, f64)> = (0..10).map(|x| (x as f64, 3.0 * x as f64 + 1.0)).collect();
    /// let line = helpers::Line::fit(&points)?;
    /// assert!((line.slope.value - 3.0).abs() < 1e-12 && (line.intercept - 1.0).abs() < 1e-12);
    /// assert_eq!(line.r_squared, 1.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn fit(points: &[(f64, f64)]) -> Result<Line> {
        let attempted = "fit a line";
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        check(attempted, &xs)?;
        check(attempted, &ys)?;
        let Some((slope, intercept)) = least_squares(points.iter().copied()) else {
            return Err(Error::new(attempted, "every x is the same", "x that differ"));
        };
        let residuals: Vec<f64> = points.iter().map(|(x, y)| y - (slope * x + intercept)).collect();
        let mean = ys.iter().sum::<f64>() / ys.len() as f64;
        let total: f64 = ys.iter().map(|y| (y - mean).powi(2)).sum();
        let unexplained: f64 = residuals.iter().map(|residual| residual.powi(2)).sum();
        let r_squared = if total == 0.0 { 1.0 } else { 1.0 - unexplained / total };
        // A draw may hold one x only; it has no slope and says nothing.
        let interval = bootstrap(points.len(), |draw| {
            least_squares(draw.map(|i| points[i])).map_or(slope, |(slope, _)| slope)
        });
        Ok(Line { slope: interval.around(slope), intercept, r_squared, residuals })
    }
}

fn least_squares(points: impl Iterator<Item = (f64, f64)>) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = points.collect();
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let slope = common / spread;
    (spread > 0.0).then_some((slope, mean_y - slope * mean_x))
}

struct Interval(f64, f64);

impl Interval {
    fn around(self, value: f64) -> Estimate {
        Estimate { value, low: self.0.min(value), high: self.1.max(value) }
    }
}

/// The 2.5th and 97.5th percentile of `statistic` over draws of `count` indices with replacement.
fn bootstrap(count: usize, statistic: impl Fn(&mut dyn Iterator<Item = usize>) -> f64) -> Interval {
    let mut random = fastrand::Rng::with_seed(RESAMPLING_SEED);
    let mut values: Vec<f64> =
        (0..RESAMPLES).map(|_| statistic(&mut (0..count).map(|_| random.usize(..count)))).collect();
    values.sort_by(f64::total_cmp);
    Interval(values[RESAMPLES / 40], values[RESAMPLES - 1 - RESAMPLES / 40])
}

fn middle(samples: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = samples.collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[half - 1] + sorted[half]) / 2.0,
        _ => sorted[half],
    }
}

fn check(attempted: &str, samples: &[f64]) -> Result<()> {
    if samples.len() < FEWEST_SAMPLES {
        let wrong = format!("there are {} samples", samples.len());
        let allowed = format!("{FEWEST_SAMPLES} or more, since fewer have no interval");
        return Err(Error::new(attempted, wrong, allowed));
    }
    match samples.iter().find(|sample| !sample.is_finite()) {
        Some(bad) => Err(Error::new(attempted, format!("a sample is {bad}"), "finite samples")),
        None => Ok(()),
    }
}

/// A number as a reader wants it: three significant digits below 1,000, whole with commas above.
///
/// ```
/// assert_eq!(helpers::number(0.012345), "0.0123");
/// assert_eq!(helpers::number(12.0), "12.0");
/// assert_eq!(helpers::number(1234567.8), "1,234,568");
/// ```
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size >= 999.5 {
        return thousands(value.round());
    }
    let decimals = match size {
        0.0 => 0,
        _ => (2 - size.log10().floor() as i32).clamp(0, 9) as usize,
    };
    format!("{value:.decimals$}")
}

//! Summaries that carry their uncertainty: medians, ratios and slopes, each with a 95 % interval.
//!
//! The interval of a median lies between two order statistics (David and Nagaraja, *Order Statistics*, 2003, section
//! 7.1): it is exact, and assumes no shape of the distribution. A ratio is the median of the ratios of rounds.

use crate::error::thousands;
use crate::{Error, Result, Warning};
use std::fmt;
use std::ops::{Bound, RangeBounds};

/// With fewer samples, even the smallest and the largest together are no 95 % interval.
pub(crate) const FEWEST_SAMPLES: usize = 6;
const CONFIDENCE: f64 = 0.95;
/// So many standard deviations on either side hold that share of a normal distribution.
const NORMAL: f64 = 1.959_964;

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
    fn median_at(confidence: f64, samples: &[f64]) -> Result<Self> {
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

    /// What the interval says of a claim that the value lies in `range`.
    ///
    /// *Supported* if the whole interval lies inside of the range, *refuted* if the whole lies outside.
    ///
    /// ```
    /// use helpers::{Estimate, Verdict};
    /// let wide = Estimate { value: 1.2, low: 0.5, high: 1.5 };
    /// assert_eq!(wide.verdict(0.2..=2.0), Verdict::Supported);
    /// assert_eq!(wide.verdict(2.0..), Verdict::Refuted);
    /// assert!(matches!(wide.verdict(0.8..=1.3), Verdict::Inconclusive(_)));
    /// ```
    pub fn verdict(&self, range: impl RangeBounds<f64>) -> Verdict {
        let (from, to) = ends(&range);
        if self.low >= from && self.high <= to {
            Verdict::Supported
        } else if self.high < from || self.low > to {
            Verdict::Refuted
        } else {
            let [low, high] = [self.low, self.high].map(show_number);
            Verdict::Inconclusive(format!(
                "the interval, {low} to {high}, reaches across the limit"
            ))
        }
    }
}

/// The lowest and the highest number in `range`.
fn ends(range: &impl RangeBounds<f64>) -> (f64, f64) {
    let from = match range.start_bound() {
        Bound::Included(&from) => from,
        Bound::Excluded(&from) => from.next_up(),
        Bound::Unbounded => f64::NEG_INFINITY,
    };
    let to = match range.end_bound() {
        Bound::Included(&to) => to,
        Bound::Excluded(&to) => to.next_down(),
        Bound::Unbounded => f64::INFINITY,
    };
    (from, to)
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

/// What a measurement says of a claim, on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval agrees with the claim.
    Supported,
    /// The whole interval contradicts it.
    Refuted,
    /// Neither, for this reason.
    Inconclusive(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Supported => f.pad("supported"),
            Verdict::Refuted => f.pad("refuted"),
            Verdict::Inconclusive(why) => f.pad(&format!("inconclusive ({why})")),
        }
    }
}

/// A claim about the median of a quantity, with the samples that it is judged by.
///
/// ```
/// use helpers::{Claim, Verdict, Warning};
/// let slower = |name, times: f64, warnings: &[Warning]| Claim::new(name, vec![times; 10], 1.0.., warnings);
/// let [reply, no_reply] = [slower("reply", 90.0, &[]), slower("no reply", 0.5, &[])];
/// assert_eq!(reply.verdict()?, Verdict::Supported);
/// assert_eq!(Claim::all(&[reply, no_reply])?, Verdict::Refuted);
/// assert!(matches!(slower("busy", 90.0, &[Warning::OneCore]).verdict()?, Verdict::Inconclusive(_)));
/// # Ok::<(), helpers::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What the quantity is.
    pub name: String,
    /// Its samples: ratios of rounds, wherever times are compared.
    pub samples: Vec<f64>,
    /// Where the claim says that the median lies, both ends included.
    pub range: (f64, f64),
    /// What the run warned of that measured the samples.
    pub warnings: Vec<Warning>,
}

impl Claim {
    /// The claim that the median of `samples` lies in `range`.
    pub fn new(
        name: impl Into<String>,
        samples: Vec<f64>,
        range: impl RangeBounds<f64>,
        warnings: &[Warning],
    ) -> Self {
        Self {
            name: name.into(),
            samples,
            range: ends(&range),
            warnings: warnings.to_vec(),
        }
    }

    /// The median with its 95 % interval.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn estimate(&self) -> Result<Estimate> {
        Estimate::median(&self.samples)
    }

    /// The verdict on this claim alone.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn verdict(&self) -> Result<Verdict> {
        self.verdict_at(CONFIDENCE)
    }

    /// The verdict on the claim that all of `parts` hold: refuted by any that is, supported when all are.
    ///
    /// One of many parts is refuted by chance more often than one alone, so each is refuted by an interval of
    /// confidence 1 - 0.05 / parts (Bonferroni's correction). Without parts nothing was judged: inconclusive.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn all(parts: &[Claim]) -> Result<Verdict> {
        let corrected = 1.0 - (1.0 - CONFIDENCE) / parts.len().max(1) as f64;
        let mut open = None;
        for part in parts {
            if part.verdict_at(corrected)? == Verdict::Refuted {
                return Ok(Verdict::Refuted);
            }
            let alone = part.verdict()?;
            if alone != Verdict::Supported {
                let why = match alone {
                    Verdict::Inconclusive(why) => why,
                    _ => "there are too few samples for so many parts".into(),
                };
                open.get_or_insert(format!("`{}`, since {why}", part.name));
            }
        }
        if parts.is_empty() {
            open = Some("nothing was judged".into());
        }
        Ok(open.map_or(Verdict::Supported, Verdict::Inconclusive))
    }

    fn verdict_at(&self, confidence: f64) -> Result<Verdict> {
        let Estimate { value, low, high } = Estimate::median_at(confidence, &self.samples)?;
        if let Some(turning) = self
            .warnings
            .iter()
            .find(|warning| warning.turns_verdicts())
        {
            return Ok(Verdict::Inconclusive(turning.to_string()));
        }
        // A machine that drifted by so much may have moved the median by as much.
        let drift = 1.0 + self.warnings.iter().map(Warning::drift).fold(0.0, f64::max);
        let moved = |end: f64, outwards: f64| {
            if end > 0.0 {
                end * outwards
            } else {
                end / outwards
            }
        };
        let widened = Estimate {
            value,
            low: moved(low, 1.0 / drift),
            high: moved(high, drift),
        };
        Ok(widened.verdict(self.range.0..=self.range.1))
    }
}

/// What a reader expects, before measuring: a value and how far off it may be, in the same unit.
///
/// ```
/// use helpers::{Estimate, Prediction};
/// const TIMES: Prediction = Prediction { value: 2.0, tolerance: 0.5 };
/// let found = TIMES.judge(Estimate { value: 3.1, low: 3.0, high: 3.2 });
/// assert_eq!(found.to_string(), "predicted 2.00, give or take 0.500; found 3.10 [3.00, 3.20]: did not hold, 0.500 beyond");
/// assert_eq!(found.agrees, Some(false));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// What is expected.
    pub value: f64,
    /// How far from it the truth may lie on either side.
    pub tolerance: f64,
}

/// A prediction beside what was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The prediction.
    pub prediction: Prediction,
    /// What was found.
    pub found: Estimate,
    /// Whether the whole interval lies within the tolerance, or the whole beyond it; `None` when it reaches across.
    pub agrees: Option<bool>,
}

impl Prediction {
    /// Holds the prediction against what was found. One that is no number, or whose tolerance is below 0, never holds.
    pub fn judge(self, found: Estimate) -> Judged {
        let (low, high) = (self.value - self.tolerance, self.value + self.tolerance);
        let agrees = match found.verdict(low..=high) {
            _ if !(self.value.is_finite() && self.tolerance >= 0.0) => Some(false),
            Verdict::Supported => Some(true),
            Verdict::Refuted => Some(false),
            Verdict::Inconclusive(_) => None,
        };
        Judged {
            prediction: self,
            found,
            agrees,
        }
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Prediction { value, tolerance } = self.prediction;
        let [wanted, give] = [value, tolerance].map(show_number);
        write!(
            f,
            "predicted {wanted}, give or take {give}; found {}: ",
            self.found
        )?;
        let beyond = (self.found.low - value).max(value - self.found.high) - tolerance;
        match self.agrees {
            Some(true) => f.write_str("held"),
            Some(false) if beyond > 0.0 => {
                write!(f, "did not hold, {} beyond", show_number(beyond))
            }
            Some(false) => f.write_str("did not hold: no number with a tolerance of 0 or more"),
            None => f.write_str("open, since the interval reaches beyond"),
        }
    }
}

/// A straight line through the readings of a series, each of which holds all that came before, by least squares.
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
    /// The line through `points` of (x, y), x rising, where each y was rounded to a multiple of `unit`; 0 if it was not.
    ///
    /// Whatever disturbs one step stays in all readings after it, so not the readings vary independently of each other,
    /// but the steps between them. The slope is a sum of the steps with known weights; its interval is Student's, with
    /// a step's variance in proportion to its x. What rounding adds to the variance of a step is taken out, and what it
    /// adds to that of the slope is put in.
    ///
    /// # Errors
    /// Fewer than 6 points, a value that is not finite, or an x that is not above the one before.
    ///
    /// ```
    /// let points: Vec<(f64, f64)> = (0..10).map(|x| (x as f64, 3.0 * x as f64 + 1.0)).collect();
    /// let line = helpers::Line::fit(&points, 0.0)?;
    /// assert!((line.slope.value - 3.0).abs() < 1e-12 && (line.intercept - 1.0).abs() < 1e-12);
    /// assert_eq!(line.r_squared, 1.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn fit(points: &[(f64, f64)], unit: f64) -> Result<Line> {
        let attempted = "fit a line";
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        check(attempted, &xs)?;
        check(attempted, &ys)?;
        if let Some(two) = xs.windows(2).find(|two| two[1] <= two[0]) {
            let wrong = format!("x is {} after {}", two[1], two[0]);
            return Err(Error::new(attempted, wrong, "x that rises"));
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (mean_x, mean_y) = (mean(&xs), mean(&ys));
        let spread: f64 = xs.iter().map(|x| (x - mean_x).powi(2)).sum();
        let value = slope(points);
        let intercept = mean_y - value * mean_x;
        let residuals: Vec<f64> = points
            .iter()
            .map(|(x, y)| y - (value * x + intercept))
            .collect();
        let total: f64 = ys.iter().map(|y| (y - mean_y).powi(2)).sum();
        let unexplained: f64 = residuals.iter().map(|residual| residual.powi(2)).sum();
        let r_squared = if total == 0.0 {
            1.0
        } else {
            1.0 - unexplained / total
        };

        // The variance of an even spread over one unit; both ends of a step have it.
        let rounding = unit.powi(2) / 12.0;
        // A step moves every reading after it.
        let (mut step_variance, mut weights, mut weight) = (0.0, 0.0, 0.0);
        for two in points.windows(2).rev() {
            let [(from_x, from_y), (to_x, to_y)] = [two[0], two[1]];
            weight += (to_x - mean_x) / spread;
            weights += weight * weight * (to_x - from_x);
            let off = to_y - from_y - value * (to_x - from_x);
            step_variance += (off.powi(2) - 2.0 * rounding) / (to_x - from_x);
        }
        let freedom = (points.len() - 2) as f64;
        let variance = step_variance.max(0.0) / freedom * weights + rounding / spread;
        let half = student_t(freedom) * variance.sqrt();
        let slope = Estimate {
            value,
            low: value - half,
            high: value + half,
        };
        Ok(Line {
            slope,
            intercept,
            r_squared,
            residuals,
        })
    }
}

pub(crate) fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The median of numbers that are sorted, of which there is one at least.
pub(crate) fn middle(sorted: &[f64]) -> f64 {
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

/// The slope of the line of least squares.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    points.iter().map(|(x, y)| (x - mean_x) * y).sum::<f64>() / spread
}

/// The 97.5th percentile of Student's t, by the series of Abramowitz and Stegun, *Handbook of Mathematical Functions*,
/// 26.7.5; 0.3 % too low with 4 degrees of freedom, less with more.
fn student_t(freedom: f64) -> f64 {
    let z = NORMAL;
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
    ];
    terms
        .into_iter()
        .rev()
        .fold(0.0, |sum, term| (sum + term) / freedom)
        + z
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

fn check(attempted: &str, samples: &[f64]) -> Result<()> {
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

/// With commas in what stands before the point.
fn with_decimals(number: f64, decimals: usize) -> String {
    let plain = format!("{number:.decimals$}");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    format!("{}.{part}", thousands(whole))
}

/// A number as a reader wants it: three significant digits below 1,000, whole with commas above.
///
/// ```
/// assert_eq!(helpers::show_number(0.012345), "0.0123");
/// assert_eq!(helpers::show_number(12.0), "12.0");
/// assert_eq!(helpers::show_number(1234567.8), "1,234,568");
/// ```
pub fn show_number(value: f64) -> String {
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

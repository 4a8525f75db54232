//! Claims, and what a measurement says of them.

use crate::error::{Error, Result};
use crate::judge::warning::Warning;
use crate::stats::estimate::{CONFIDENCE, Estimate};
use std::fmt;
use std::ops::{Bound, RangeBounds};

impl Estimate {
    /// What the interval says of a claim that the value lies in `range`.
    ///
    /// *Supported* if the whole interval lies inside of the range, *refuted* if the whole lies
    /// outside. Of two modes, all samples near them must lie on the same side. An interval that may
    /// be too short is taken to be three times as wide; samples that are all alike decide nothing.
    ///
    /// ```
    /// use helpers::{Estimate, Verdict};
    /// let wide = Estimate { value: 1.2, low: 0.5, high: 1.5, ..Estimate::default() };
    /// assert_eq!(wide.verdict(0.2..=2.0), Verdict::Supported);
    /// assert_eq!(wide.verdict(2.0..), Verdict::Refuted);
    /// assert!(matches!(wide.verdict(0.8..=1.3), Verdict::Inconclusive(_)));
    /// ```
    pub fn verdict(&self, range: impl RangeBounds<f64>) -> Verdict {
        self.verdict_within(self.reach(), ends(&range))
    }

    /// The verdict if the value may lie anywhere from `low` to `high`.
    fn verdict_within(&self, [low, high]: [f64; 2], (from, to): (f64, f64)) -> Verdict {
        let decided = |room: f64| match () {
            _ if low - room >= from && high + room <= to => Some(Verdict::Supported),
            _ if high + room < from || low - room > to => Some(Verdict::Refuted),
            _ => None,
        };
        let Some(verdict) = decided(0.0) else {
            return Verdict::Inconclusive(self.why_across([low, high]));
        };
        if !self.doubtful {
            return verdict;
        }
        // Samples that are all alike do not show by how much others would differ; else an interval
        // that may be too short is taken to be three times as wide.
        let alike = self.value == low || self.value == high;
        match decided(high - low).filter(|_| !alike) {
            Some(verdict) => verdict,
            None => {
                let [_, low, high] = self.written();
                let why = format!("the interval, {low} to {high}, may be too short{DOUBTFUL}");
                Verdict::Inconclusive(why)
            }
        }
    }

    fn why_across(&self, [low, high]: [f64; 2]) -> String {
        let mut why = match self.modes {
            Some(_) => format!("there are two modes, {self}, which reach across the limit"),
            None => {
                let [_, low, high] = Estimate { low, high, ..*self }.written();
                format!("the interval, {low} to {high}, reaches across the limit")
            }
        };
        if self.doubtful {
            why += DOUBTFUL;
        }
        why
    }
}

const DOUBTFUL: &str = "; samples follow each other, or are few or alike: take more";

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

impl Verdict {
    /// The verdict on the claim that something never happens, of trials that say where it did.
    ///
    /// Trials can refute such a claim and never prove it, so it is shown beside a control: trials
    /// of something in which it is known to happen, judged alike.
    ///
    /// ```
    /// use helpers::Verdict;
    /// assert_eq!(Verdict::never(&[false, false]), Verdict::Supported);
    /// assert_eq!(Verdict::never(&[false, true]), Verdict::Refuted);
    /// assert!(matches!(Verdict::never(&[]), Verdict::Inconclusive(_)));
    /// ```
    pub fn never(happened: &[bool]) -> Verdict {
        match happened {
            [] => Verdict::Inconclusive("nothing was tried".into()),
            _ if happened.contains(&true) => Verdict::Refuted,
            _ => Verdict::Supported,
        }
    }
}

/// A claim whose measuring failed stays open, for that reason.
///
/// ```
/// use helpers::{Error, Verdict};
/// let missing = Error::new("build with Go", "there is no `go` here", "Go 1.22");
/// assert_eq!(Verdict::from(missing).to_string(), "inconclusive (there is no `go` here)");
/// ```
impl From<Error> for Verdict {
    fn from(why: Error) -> Self {
        Verdict::Inconclusive(why.wrong)
    }
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
/// let slower = |name, times: f64, warnings: &[Warning]| {
///     let samples = (0..20).map(|nth| times + 0.01 * f64::from(nth % 3));
///     Claim::new(name, samples.collect(), 1.0.., warnings)
/// };
/// let [reply, no_reply] = [slower("reply", 90.0, &[]), slower("no reply", 0.5, &[])];
/// assert_eq!(reply.verdict()?, Verdict::Supported);
/// assert_eq!(Claim::all(&[reply, no_reply])?, Verdict::Refuted);
/// let alone = slower("one core", 90.0, &[Warning::OneCore]);
/// assert!(matches!(alone.verdict()?, Verdict::Inconclusive(_)));
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

    /// The verdict on the claim that all of `parts` hold: refuted by any that is, supported when
    /// all are.
    ///
    /// One of many parts is refuted by chance more often than one alone, so each is refuted by an
    /// interval of confidence 1 - 0.05 / parts (Bonferroni's correction). Without parts nothing was
    /// judged: inconclusive.
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
        let estimate = Estimate::median_at(confidence, &self.samples)?;
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
        let [low, high] = estimate.reach();
        let widened = [moved(low, 1.0 / drift), moved(high, drift)];
        Ok(estimate.verdict_within(widened, self.range))
    }
}

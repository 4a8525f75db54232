//! What a reader expects, beside what was found.

use crate::judge::claim::Verdict;
use crate::number::show_number;
use crate::stats::estimate::Estimate;
use std::fmt;

/// What a reader expects, before measuring: a value and how far off it may be, in the same unit.
///
/// ```
/// use helpers::{Estimate, Prediction};
/// const TIMES: Prediction = Prediction { value: 2.0, tolerance: 0.5 };
/// let found = TIMES.judge(Estimate { value: 3.1, low: 3.0, high: 3.2, ..Estimate::default() });
/// let words = found.to_string();
/// assert!(words.starts_with("predicted 2.00, give or take 0.500; found 3.10 [3.00, 3.20]: "));
/// assert!(words.ends_with(": did not hold, 0.500 beyond"));
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
    /// Whether the whole interval, or both modes, lie within the tolerance, or beyond it on one
    /// side; `None` when they reach across.
    pub agrees: Option<bool>,
}

impl Prediction {
    fn can_hold(self) -> bool {
        self.value.is_finite() && self.tolerance >= 0.0
    }

    /// Holds the prediction against what was found. One that is no number, or whose tolerance is
    /// below 0, never holds.
    pub fn judge(self, found: Estimate) -> Judged {
        let (low, high) = (self.value - self.tolerance, self.value + self.tolerance);
        // It is held against what was found, however well that is known.
        let as_found = Estimate {
            doubtful: false,
            ..found
        };
        let agrees = match as_found.verdict(low..=high) {
            _ if !self.can_hold() => Some(false),
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
        let [low, high] = self.found.reach();
        let beyond = (low - value).max(value - high) - tolerance;
        match self.agrees {
            Some(true) => f.write_str("held"),
            Some(false) if self.prediction.can_hold() => {
                write!(f, "did not hold, {} beyond", show_number(beyond))
            }
            Some(false) => f.write_str("did not hold: no number with a tolerance of 0 or more"),
            None if self.found.modes.is_some() => {
                f.write_str("open, since not both lie on the same side")
            }
            None => f.write_str("open, since the interval reaches beyond"),
        }
    }
}

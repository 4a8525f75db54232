//! A straight line through a series whose steps vary.

use crate::error::{Error, Result};
use crate::stats::beta::student_t;
use crate::stats::correlation::{correlation, inflation};
use crate::stats::estimate::{CONFIDENCE, Estimate, check, too_few};

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
    /// The line through `points` of (x, y), x rising, where each y was rounded to a multiple of
    /// `unit`; 0 if it was not.
    ///
    /// Whatever disturbs one step stays in all readings after it, so not the readings vary
    /// independently of each other, but the steps between them. The slope is a sum of the steps with
    /// known weights; its interval is Student's, with a step's variance in proportion to its x. What
    /// rounding adds to the variance of a step is taken out, and what it adds to that of the slope
    /// is put in. Steps that follow each other count as fewer.
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

        let slope = interval(points, value, unit);
        Ok(Line {
            slope,
            intercept,
            r_squared,
            residuals,
        })
    }
}

/// The slope `value` with its interval, from the steps between the points.
fn interval(points: &[(f64, f64)], value: f64, unit: f64) -> Estimate {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    // The variance of an even spread over one unit; both ends of a step have it.
    let rounding = unit.powi(2) / 12.0;
    let mut step_variance = 0.0;
    let mut weights = 0.0;
    // A step moves every reading after it.
    let mut weight = 0.0;
    let mut steps = Vec::new();
    for two in points.windows(2).rev() {
        let [(from_x, from_y), (to_x, to_y)] = [two[0], two[1]];
        let run = to_x - from_x;
        weight += (to_x - mean_x) / spread;
        weights += weight * weight * run;
        let off = to_y - from_y - value * run;
        step_variance += (off.powi(2) - 2.0 * rounding) / run;
        steps.push(off / run.sqrt());
    }
    let correlation = correlation(&steps).unwrap_or(0.0);
    let inflation = inflation(correlation);
    let independent = steps.len() as f64 / inflation;
    let variance = step_variance.max(0.0) / (count - 2.0) * weights * inflation;
    let half =
        student_t(CONFIDENCE, (independent - 1.0).max(1.0)) * (variance + rounding / spread).sqrt();
    Estimate {
        value,
        low: value - half,
        high: value + half,
        step: unit / (points[points.len() - 1].0 - points[0].0),
        correlation,
        doubtful: too_few(independent),
        ..Estimate::default()
    }
}

/// The slope of the line of least squares.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    points.iter().map(|(x, y)| (x - mean_x) * y).sum::<f64>() / spread
}

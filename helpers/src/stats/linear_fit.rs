//! A straight line through a series whose steps vary.

use crate::error::{Error, Result};
use crate::stats::beta::student_t;
use crate::stats::correlation::{correlation, inflation};
use crate::stats::estimate::{CONFIDENCE, Estimate, check};

/// Fewer independent steps do not show whether they follow each other; by simulation.
const FEWEST_STEPS: f64 = 10.0;

/// A straight line through the readings of a series, each of which holds all that came before, by
/// least squares.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearFit {
    /// The change of y for one x, with its interval.
    pub slope: Estimate,
    /// y where x is 0.
    pub intercept: f64,
    /// The share of the variance of y that the line explains, 0 to 1.
    pub r_squared: f64,
    /// y less the line, a point each, in the order of the points.
    pub residuals: Vec<f64>,
}

impl LinearFit {
    /// The line through `points` of (x, y), x rising, where each y was rounded to a multiple of
    /// `unit`; 0 if it was not.
    ///
    /// Whatever disturbs one step stays in all readings after it, so not the readings vary
    /// independently of each other, but the steps between them. The slope is a sum of the steps
    /// with known weights; its interval is Student's, with a step's variance in proportion to its
    /// x. What rounding adds to the variance of a step is taken out, and what it adds to that of
    /// the slope is put in. Steps that follow each other count as fewer.
    ///
    /// # Errors
    /// Fewer than 6 points, a value that is not finite, or an x that is not above the one before.
    ///
    /// ```
    /// let points: Vec<(f64, f64)> = (0..10).map(|x| (x as f64, 3.0 * x as f64 + 1.0)).collect();
    /// let line = helpers::LinearFit::fit(&points, 0.0)?;
    /// assert!((line.slope.value - 3.0).abs() < 1e-12 && (line.intercept - 1.0).abs() < 1e-12);
    /// assert_eq!(line.r_squared, 1.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn fit(points: &[(f64, f64)], unit: f64) -> Result<LinearFit> {
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
        Ok(LinearFit {
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
    let freedom = count - 2.0;
    let variance = step_variance.max(0.0) / freedom * weights * inflation + rounding / spread;
    let half = student_t(CONFIDENCE, freedom) * variance.sqrt();
    Estimate {
        value,
        low: value - half,
        high: value + half,
        step: unit / (points[points.len() - 1].0 - points[0].0),
        correlation,
        doubtful: independent < FEWEST_STEPS,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of 1 and 3 in turns, against the sums done by hand.
    #[test]
    fn a_line_is_the_one_of_least_squares_with_students_interval() {
        let ys = [0.0, 1.0, 4.0, 5.0, 8.0, 9.0, 12.0];
        let points: Vec<(f64, f64)> = (0..).map(f64::from).zip(ys).collect();
        let line = LinearFit::fit(&points, 0.0).unwrap();
        // Sums of (x - 3) y and (x - 3)².
        let value = 56.0 / 28.0;
        assert!((line.slope.value - value).abs() < 1e-12);
        assert!((line.intercept - (39.0 / 7.0 - 3.0 * value)).abs() < 1e-12);
        let residuals = ys
            .iter()
            .zip(0..)
            .map(|(y, x)| y - value * f64::from(x) - line.intercept);
        let residuals: Vec<f64> = residuals.collect();
        let near = |one: &f64, other: &f64| (one - other).abs() < 1e-12;
        assert!(
            line.residuals
                .iter()
                .zip(&residuals)
                .all(|(one, other)| near(one, other))
        );
        let unexplained: f64 = residuals.iter().map(|off| off * off).sum();
        let total: f64 = ys.iter().map(|y| (y - 39.0 / 7.0).powi(2)).sum();
        assert!((line.r_squared - (1.0 - unexplained / total)).abs() < 1e-12);
        // Each step is off by 1; weights are 3, 5, 6, 6, 5 and 3 of 28.
        let variance = 6.0 / 5.0 * 140.0 / 784.0;
        let half = 2.570_582 * f64::sqrt(variance);
        assert!((line.slope.high - value - half).abs() < 1e-5);
        assert!((value - line.slope.low - half).abs() < 1e-5);
        assert_eq!((line.slope.correlation, line.slope.step), (0.0, 0.0));
        assert!(line.slope.doubtful);
    }

    #[test]
    fn steps_that_follow_each_other_widen_the_interval() {
        let mut y = 0.0;
        let points: Vec<(f64, f64)> = (0..=40)
            .map(|x| {
                y += if x % 10 < 5 { 1.0 } else { 3.0 };
                (f64::from(x), y)
            })
            .collect();
        let slope = LinearFit::fit(&points, 0.0).unwrap().slope;
        assert!((0.5..0.8).contains(&slope.correlation), "{slope:?}");
        let independent = 40.0 / inflation(slope.correlation);
        assert!(
            slope.doubtful && (8.0..10.0).contains(&independent),
            "{independent}"
        );
        // 40 steps, each off by 1, with the weights of a line through 41 points.
        let spread = 40.0 * 41.0 * 42.0 / 12.0;
        let weights: f64 = (1..=40)
            .map(|step| f64::from(step * (41 - step)) / 2.0)
            .map(|it| (it / spread).powi(2))
            .sum();
        let one = 40.0 / 39.0 * weights * inflation(slope.correlation);
        let half = student_t(0.95, 39.0) * one.sqrt();
        let found = (slope.high - slope.low) / 2.0;
        assert!((found / half - 1.0).abs() < 0.01, "{found} {half}");
    }

    /// Of 0.2113 pages a step: its rounding varies by 0.2113 * 0.7887, two times a twelfth.
    #[test]
    fn rounding_is_taken_out_of_the_steps_and_put_into_the_slope() {
        let points: Vec<(f64, f64)> = (0..=20)
            .map(|step| {
                let x = 100.0 * f64::from(step);
                (x, (0.002_113 * x).floor() * 4_096.0)
            })
            .collect();
        let slope = LinearFit::fit(&points, 4_096.0).unwrap().slope;
        assert!((slope.step - 2.048).abs() < 1e-12);
        let spread = 1e4 * 20.0 * 21.0 * 22.0 / 12.0;
        let half = 2.093_024 * f64::sqrt(4_096.0 * 4_096.0 / 12.0 / spread);
        let found = (slope.high - slope.low) / 2.0;
        assert!(
            found >= 0.999 * half && found < 1.5 * half,
            "{found} {half}"
        );
    }

    #[test]
    fn a_level_line_is_explained() {
        let points: Vec<(f64, f64)> = (0..8).map(|x| (f64::from(x), 5.0)).collect();
        let line = LinearFit::fit(&points, 0.0).unwrap();
        assert_eq!((line.r_squared, line.intercept), (1.0, 5.0));
        assert_eq!(line.slope.to_string(), "0");
    }
}

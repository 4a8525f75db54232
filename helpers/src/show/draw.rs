//! From a figure's data to its picture: checked, laid out, painted.

use crate::error::{Error, Result};
use crate::show::axis_layout::{AxisLayout, inside};
use crate::show::canvas::Drawing;
use crate::show::figure::{Axis, Figure, Point, Scale, Series, Style};
use crate::show::layout::layout;
use crate::stats::estimate::Estimate;

impl Figure {
    /// Checks the data and draws it.
    ///
    /// # Errors
    /// No points, an estimate or a mark that is not finite, or one that is not above 0 on a
    /// logarithmic axis; labels that have no room.
    pub fn draw(&self) -> Result<Drawing> {
        let positions = self.positions();
        let values = self.values();
        self.check(&positions, &values)?;
        let measured: Vec<f64> = self.points().map(|point| point.at).collect();
        let at = AxisLayout::new(&self.position, &positions, &measured, self.rows);
        let values = AxisLayout::new(&self.value, &values, &[], !self.rows);
        let caption = self.caption.sentences(self.key(&values));
        let ordered = self.in_order();
        Drawing::paint(&self.table(), self.data(), &caption, |area| {
            let (width, height) = area.dim_in_pixel();
            let shapes = layout(&ordered, &at, &values, (width as i32, height as i32))?;
            shapes.into_iter().try_for_each(|shape| shape.paint(area))
        })
    }

    fn check(&self, positions: &[f64], values: &[f64]) -> Result<()> {
        let refuse = |wrong, allowed: &str| {
            let what = format!("draw `{}`", self.title);
            Err(Error::new(what, wrong, allowed))
        };
        if self.points().next().is_none() {
            return refuse("there are no points".into(), "1 point or more");
        }
        for (axis, numbers) in [(&self.position, positions), (&self.value, values)] {
            let (range, allowed) = drawable(axis);
            if let Some(bad) = numbers.iter().find(|number| !range.contains(*number)) {
                return refuse(format!("`{}` holds {bad:?}", axis.label), allowed);
            }
        }
        Ok(())
    }

    /// Without series that have no points, and with points in the order of their positions.
    fn in_order(&self) -> Figure {
        let mut figure = self.clone();
        figure.series.retain(|series| !series.points.is_empty());
        for series in &mut figure.series {
            series
                .points
                .sort_by(|one, other| one.at.total_cmp(&other.at));
        }
        figure
    }

    /// What marks mean, for the caption.
    fn key(&self, values: &AxisLayout) -> String {
        let has = |style| self.series.iter().any(|series| series.style == style);
        let estimated = self.series.iter().filter(|it| it.style.is_estimated());
        let points: Vec<&Point> = estimated.flat_map(|series| &series.points).collect();
        let mut key = estimates_key(&points, self.words());
        key.extend(samples_key(&points, values));
        if has(Style::Strip) {
            key.push("each dot is one sample".into());
        }
        if has(Style::Computed) {
            key.push("a line without markers is computed".into());
        }
        if has(Style::Guessed) {
            key.push(self.guesses_key(values));
        }
        key.join("; ")
    }

    fn guesses_key(&self, values: &AxisLayout) -> String {
        let guessed = |series: &&Series| series.style == Style::Guessed;
        let guesses = self.series.iter().filter(guessed);
        let mut points = guesses.flat_map(|series| &series.points);
        let is_beyond = |point: &Point| !inside(values.share(point.estimate.value));
        match points.any(is_beyond) {
            true => "hollow or dashed is what you guessed, at the edge what lies beyond it".into(),
            false => "hollow or dashed is what you guessed".into(),
        }
    }
}

/// The numbers that an axis has places for, in words too.
fn drawable(axis: &Axis) -> (std::ops::RangeInclusive<f64>, &'static str) {
    match &axis.scale {
        Scale::Linear => (-1e15..=1e15, "finite numbers up to 1e15"),
        Scale::Log => (
            1e-15..=1e15,
            "on a log axis, numbers above 0, from 1e-15 to 1e15",
        ),
        Scale::Named(names) => (
            0.0..=names.len() as f64 - 1.0,
            "places that have a name, from 0 on",
        ),
    }
}

/// What markers and bars mean.
fn estimates_key(points: &[&Point], words: bool) -> Vec<String> {
    let is_median = |point: &&Point| {
        Estimate::median(&point.raw).is_ok_and(|median| median.value == point.estimate.value)
    };
    let estimates = points.iter().map(|point| point.estimate);
    let (in_two, single): (Vec<_>, Vec<_>) = estimates.partition(|it| it.modes.is_some());
    let has_samples = points.iter().any(|point| !point.raw.is_empty());
    let has_bars = single.iter().any(|it| it.low < it.high);
    let doubtful = single.iter().filter(|it| it.doubtful).count();
    let mut key = Vec::new();
    if has_samples && points.iter().all(is_median) {
        key.push("markers are medians".into());
    }
    if has_bars {
        key.push("bars are 95 % intervals within the run".into());
    }
    if doubtful > 0 {
        key.push(format!(
            "{doubtful} may be too short, since samples follow each other, or are few or alike"
        ));
    }
    if !in_two.is_empty() {
        key.push(
            "where samples gather at two places, a marker at each says how many of them".into(),
        );
    }
    if !has_bars && !words && !has_samples && !points.is_empty() {
        key.push("each marker is one reading".into());
    }
    key
}

/// What faint dots mean, and those at the edge.
fn samples_key(points: &[&Point], values: &AxisLayout) -> Vec<String> {
    let counts = points.iter().map(|point| point.raw.len());
    let least = counts.clone().min().unwrap_or(0);
    let most = counts.max().unwrap_or(0);
    let samples = points.iter().flat_map(|point| &point.raw);
    let is_beyond = |sample: &&f64| !inside(values.share(**sample));
    let beyond = samples.filter(is_beyond).count();
    let mut key = Vec::new();
    if most > 0 {
        key.push(format!("faint dots are single samples, {most} of each"));
    }
    if least < most {
        key.push(format!("or fewer, from {least} on"));
    }
    if beyond > 0 {
        key.push(format!(
            "samples farther out are triangles at the edge: {beyond}"
        ));
    }
    key
}

//! Figures as plain data: series of points on two axes, with marks to compare them with; and the
//! same as a table.

use crate::error::Result;
use crate::machine::cores::usable_cores;
use crate::number::show_number;
use crate::show::caption::Caption;
use crate::stats::estimate::Estimate;
use crate::stats::modes::Modes;
use crate::stats::order::{fences, sorted};
use crate::table::Table;
use crate::time::design::Family;

/// A value at a position: its estimate, and the raw samples behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// Where on the position axis; on a named axis, the index of the name.
    pub at: f64,
    /// The value with its interval, drawn as a marker with a bar; on a named axis, the index of the
    /// name.
    pub estimate: Estimate,
    /// The samples, drawn faint.
    pub raw: Vec<f64>,
    /// Words beside the marker.
    pub note: String,
}

impl Point {
    /// The median of `samples` with its interval, over the samples.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    ///
    /// ```
    /// let point = helpers::Point::of_samples(2.0, vec![5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0])?;
    /// assert_eq!((point.at, point.estimate.value, point.raw.len()), (2.0, 8.0, 7));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn of_samples(at: f64, samples: Vec<f64>) -> Result<Self> {
        Ok(Self {
            at,
            estimate: Estimate::median(&samples)?,
            raw: samples,
            ..Self::default()
        })
    }

    /// A single reading, which has no interval.
    ///
    /// ```
    /// assert_eq!(helpers::Point::reading(1.0, 3.5).estimate.low, 3.5);
    /// ```
    pub fn reading(at: f64, value: f64) -> Self {
        Self {
            at,
            estimate: Estimate::exact(value),
            ..Self::default()
        }
    }
}

/// How the points of a series are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Markers, joined by a line.
    Joined,
    /// Markers, each alone.
    Scattered,
    /// A line without markers: computed, not measured.
    Computed,
    /// Parts of a whole, each upon those before it.
    Stacked,
    /// A line without markers through the percentiles of samples.
    Distribution,
    /// Samples alone, without a summary.
    Strip,
    /// What a reader guessed: hollow markers, or a dashed line.
    Guessed,
}

impl Style {
    /// Whether points are estimates with samples and intervals, or single readings.
    pub(crate) fn is_estimated(self) -> bool {
        matches!(self, Style::Joined | Style::Scattered)
    }
}

/// Points of one kind: one colour, one shape, one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The label, drawn where the points end.
    pub label: String,
    /// The kind, which gives the colour: lock blue, atomic vermillion, channel green, task purple,
    /// reference grey.
    pub family: Family,
    /// How the points are drawn.
    pub style: Style,
    /// The points.
    pub points: Vec<Point>,
}

impl Series {
    /// Points joined by a line.
    pub fn joined(label: impl Into<String>, family: Family, points: Vec<Point>) -> Self {
        Self {
            label: label.into(),
            family,
            style: Style::Joined,
            points,
        }
    }

    /// Points that stand alone.
    pub fn scattered(label: impl Into<String>, family: Family, points: Vec<Point>) -> Self {
        Self {
            style: Style::Scattered,
            ..Self::joined(label, family, points)
        }
    }

    /// A line that was computed.
    pub fn computed(label: impl Into<String>, points: Vec<Point>) -> Self {
        Self {
            style: Style::Computed,
            ..Self::joined(label, Family::Reference, points)
        }
    }
}

/// How values become places on an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scale {
    /// In proportion; an axis of values holds zero.
    #[default]
    Linear,
    /// By the logarithm; every estimate is above 0. The axis says so in its label.
    Log,
    /// One place a name, at 0, 1, 2 and so on.
    Named(Vec<String>),
}

/// An axis: what it shows, with the unit, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What the axis shows, with its unit.
    pub label: String,
    /// How values become places.
    pub scale: Scale,
}

/// A linear axis.
impl From<&str> for Axis {
    fn from(label: &str) -> Self {
        Self::linear(label)
    }
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            scale: Scale::Linear,
        }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            scale: Scale::Log,
        }
    }

    /// An axis of names.
    pub fn named<N: ToString>(
        label: impl Into<String>,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        let names = names.into_iter().map(|name| name.to_string()).collect();
        Self {
            label: label.into(),
            scale: Scale::Named(names),
        }
    }

    /// Whether a value beside these takes no more than half of the axis for itself.
    fn is_near(&self, value: f64, others: &[f64]) -> bool {
        let log = self.scale == Scale::Log;
        let place = |number: f64| if log { number.log10() } else { number };
        let others = others.iter().map(|&other| place(other));
        let zero = (!log).then_some(0.0);
        let low = others.clone().chain(zero).fold(f64::INFINITY, f64::min);
        let high = others.chain(zero).fold(f64::NEG_INFINITY, f64::max);
        let span = (high - low).max(if log { 1.0 } else { 0.0 });
        (low - span..=high + span).contains(&place(value))
    }

    /// A place on this axis in words: as short as it goes, the noise of binary fractions off.
    pub(crate) fn written(&self, place: f64) -> String {
        match &self.scale {
            Scale::Named(names) => names.get(place as usize).cloned().unwrap_or_default(),
            _ if place.abs() >= 1_000.0 => show_number(place),
            _ if place != 0.0 && place.abs() < 1e-4 => format!("{place:.0e}"),
            _ => format!("{}", (place * 1e6).round() / 1e6),
        }
    }
}

/// Something to compare points with.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What it is.
    pub label: String,
    /// A place on the position axis; `None` for all along it.
    pub at: Option<f64>,
    /// From where to where on the value axis; `None` for all along it.
    pub values: Option<(f64, f64)>,
}

impl Mark {
    fn ends(&self) -> Vec<f64> {
        self.values.map_or(vec![], |(low, high)| vec![low, high])
    }

    /// A line across the figure at a value.
    pub fn value(value: f64, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            at: None,
            values: Some((value, value)),
        }
    }

    /// A line at a position.
    pub fn position(at: f64, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            at: Some(at),
            values: None,
        }
    }

    /// The number of cores that this process may use, on an axis of threads.
    ///
    /// ```
    /// assert!(helpers::Mark::cores().at >= Some(1.0));
    /// ```
    pub fn cores() -> Self {
        let cores = usable_cores();
        Self::position(
            cores as f64,
            format!("{cores} core{}", if cores == 1 { "" } else { "s" }),
        )
    }
}

/// A figure as plain data.
///
/// ```
/// use helpers::{Axis, Family, Figure, Mark, Point, Series, caption};
/// const HOLD_NS: u64 = 200;
/// let samples = vec![9.0, 10.0, 10.0, 11.0, 12.0, 12.0];
/// let points = vec![Point::of_samples(1.0, samples)?, Point::reading(2.0, 25.0)];
/// let drawing = Figure {
///     title: "What does a lock cost?".into(),
///     position: Axis::log("threads"),
///     value: Axis::linear("ns per operation"),
///     series: vec![Series::joined("std mutex", Family::Lock, points)],
///     marks: vec![Mark::cores()],
///     caption: caption![HOLD_NS],
///     ..Figure::default()
/// }
/// .draw()?;
/// assert!(drawing.png.starts_with(b"\x89PNG"));
/// let begin = "What does a lock cost?\nseries     threads  ns per operation  low";
/// assert!(drawing.text.starts_with(begin));
/// assert!(drawing.text.contains("\n\nHOLD_NS 200."));
/// # Ok::<(), helpers::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    /// The question, or the finding.
    pub title: String,
    /// The axis of positions: across, or down where `rows` is set.
    pub position: Axis,
    /// The axis of values: up, or across where `rows` is set.
    pub value: Axis,
    /// What is shown.
    pub series: Vec<Series>,
    /// What to compare it with.
    pub marks: Vec<Mark>,
    /// Whether positions are rows from top to bottom, each with its value written at the end.
    pub rows: bool,
    /// How the numbers came about.
    pub caption: Caption,
}

impl Figure {
    pub(crate) fn points(&self) -> impl Iterator<Item = &Point> {
        self.series.iter().flat_map(|series| &series.points)
    }

    /// All that the position axis has to hold.
    pub(crate) fn positions(&self) -> Vec<f64> {
        self.points()
            .map(|point| point.at)
            .chain(self.marks.iter().filter_map(|mark| mark.at))
            .collect()
    }

    /// All that the value axis has to hold; of samples and intervals, what lies near, and what a
    /// log axis has a place for; of guesses, those that leave half of it to the rest.
    pub(crate) fn values(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.marks.iter().flat_map(Mark::ends).collect();
        let guessed = |series: &&Series| series.style == Style::Guessed;
        for series in self.series.iter().filter(|series| !guessed(series)) {
            for point in &series.points {
                let base = self.base(series, point.at);
                let extent = self.extent(series.style, point).into_iter();
                values.extend(extent.map(|value| base + value));
            }
        }
        let guesses = self.series.iter().filter(guessed);
        let guesses = guesses.flat_map(|series| &series.points);
        let near: Vec<f64> = guesses
            .map(|point| point.estimate.value)
            .filter(|&guess| self.value.is_near(guess, &values))
            .collect();
        values.extend(near);
        values
    }

    /// What of a point the value axis has to hold.
    fn extent(&self, style: Style, point: &Point) -> Vec<f64> {
        let Estimate { low, high, .. } = point.estimate;
        let near = fences(&sorted(&point.raw));
        // The ends of an interval are samples.
        let spread = point.raw.iter().copied().chain([low, high]);
        let all = style == Style::Strip || point.raw.is_empty();
        let spread = spread.filter(|it| all || near.contains(it));
        let has_place = |value: &f64| *value > 0.0 || self.value.scale != Scale::Log;
        let mut extent: Vec<f64> = spread.filter(has_place).collect();
        extent.extend(point.estimate.typical());
        extent
    }

    /// Upon which value a part of a whole stands.
    pub(crate) fn base(&self, part: &Series, at: f64) -> f64 {
        if part.style != Style::Stacked {
            return 0.0;
        }
        let before = self.series.iter().take_while(|series| *series != part);
        before
            .filter(|series| series.style == Style::Stacked)
            .flat_map(|series| &series.points)
            .filter(|point| point.at == at)
            .map(|point| point.estimate.value)
            .sum()
    }

    /// The heading above a row, if it has one: the last name before it that has no points.
    pub(crate) fn heading(&self, row: usize) -> Option<&str> {
        let Scale::Named(names) = &self.position.scale else {
            return None;
        };
        let above = (0..=row.min(names.len() - 1)).rev();
        let heading = above.into_iter().find(|&above| self.is_heading(above))?;
        Some(&names[heading])
    }

    /// Whether a row has a name and nothing else.
    pub(crate) fn is_heading(&self, row: usize) -> bool {
        self.rows && !self.points().any(|point| point.at == row as f64)
    }

    /// Whether values are words, as the threads of a schedule are.
    pub(crate) fn words(&self) -> bool {
        matches!(self.value.scale, Scale::Named(_))
    }

    /// The text form: a row a point, in the order of the position axis, with the columns that say
    /// something.
    pub(crate) fn table(&self) -> Table {
        let words = self.words();
        let has_headings = self.points().any(|point| self.heading_of(point).is_some());
        let has_notes = self.points().any(|point| !point.note.is_empty());
        let columns: [(bool, &str, Column); 8] = [
            (has_headings, "group", |figure, _, point| {
                figure.heading_of(point).unwrap_or_default().into()
            }),
            (!words, "series", |_, series, _| series.label.clone()),
            (!self.rows, &self.position.label, |figure, _, point| {
                figure.position.written(point.at)
            }),
            (true, &self.value.label, |figure, _, point| {
                figure.value_written(point)
            }),
            (!words, "low", |_, _, point| {
                point.estimate.written()[1].clone()
            }),
            (!words, "high", |_, _, point| {
                point.estimate.written()[2].clone()
            }),
            (!words, "samples", |_, series, point| {
                samples_written(series, point)
            }),
            (has_notes, "note", |_, _, point| point.note.clone()),
        ];
        let columns: Vec<_> = columns.into_iter().filter(|(said, ..)| *said).collect();
        let points = self.series.iter().flat_map(|series| {
            let with_series = move |point| (series, point);
            series.points.iter().map(with_series)
        });
        let mut points: Vec<(&Series, &Point)> = points.collect();
        points.sort_by(|(_, one), (_, other)| one.at.total_cmp(&other.at));
        let row = |(series, point): (&Series, &Point)| {
            let cells = columns.iter();
            cells.map(|(.., cell)| cell(self, series, point)).collect()
        };
        Table {
            title: self.title.clone(),
            header: columns
                .iter()
                .map(|(_, name, _)| name.to_string())
                .collect(),
            rows: points.into_iter().map(row).collect(),
        }
    }

    pub(crate) fn heading_of(&self, point: &Point) -> Option<&str> {
        self.heading(point.at as usize).filter(|_| self.rows)
    }

    fn value_written(&self, point: &Point) -> String {
        match self.words() {
            true => self.value.written(point.estimate.value),
            false => point.estimate.value_written(),
        }
    }
}

/// What a column of the text form says of a point.
type Column = fn(&Figure, &Series, &Point) -> String;

fn samples_written(series: &Series, point: &Point) -> String {
    let has_interval = point.estimate.low != point.estimate.high;
    match (series.style, point.estimate.modes) {
        (Style::Computed, _) => "computed".into(),
        (Style::Guessed, _) => "guessed".into(),
        (Style::Distribution, _) => "percentile".into(),
        _ if point.raw.is_empty() && has_interval => "not kept".into(),
        (_, Some(Modes { samples, .. })) => samples.map(|count| count.to_string()).join(" + "),
        _ => point.raw.len().max(1).to_string(),
    }
}

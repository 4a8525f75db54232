//! Figures as plain data: series of points on two axes, with marks to compare them with; and the
//! same as a table.

use crate::error::Result;
use crate::judge::prediction::Prediction;
use crate::machine::cores::usable_cores;
use crate::number::show_number;
use crate::show::caption::Caption;
use crate::stats::estimate::Estimate;
use crate::stats::modes::Modes;
use crate::stats::order::{fences, sorted};
use crate::table::Table;
use crate::time::design::Family;
use crate::time::run::DesignRun;

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

    /// What was predicted, as a band as wide as its tolerance: at one position, or all along.
    ///
    /// ```
    /// use helpers::{Mark, Prediction};
    /// let mark = Mark::predicted(Prediction { value: 2.0, tolerance: 0.5 }, None);
    /// assert_eq!(mark.values, Some((1.5, 2.5)));
    /// ```
    pub fn predicted(prediction: Prediction, at: Option<f64>) -> Self {
        let Prediction { value, tolerance } = prediction;
        Self {
            label: "predicted".into(),
            at,
            values: Some((value - tolerance, value + tolerance)),
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
    /// Named quantities, a point each, as rows: the smallest value on top.
    ///
    /// ```
    /// use helpers::{Axis, Caption, Family, Figure, Point, Scale};
    /// let cost = |name: &str, ns| (name.into(), Family::Lock, Point::reading(0.0, ns));
    /// let costs = vec![cost("slow", 9.0), cost("fast", 1.0)];
    /// let figure = Figure::ranking("Which?", Axis::log("ns"), costs, Caption::default());
    /// assert_eq!(figure.position.scale, Scale::Named(vec!["fast".into(), "slow".into()]));
    /// ```
    pub fn ranking(
        title: impl Into<String>,
        value: Axis,
        mut quantities: Vec<(String, Family, Point)>,
        caption: Caption,
    ) -> Figure {
        quantities
            .sort_by(|(.., one), (.., other)| one.estimate.value.total_cmp(&other.estimate.value));
        let position = Axis::named("", quantities.iter().map(|(name, ..)| name));
        let series = (0..).zip(quantities).map(|(row, (name, family, point))| {
            Series::scattered(
                name,
                family,
                vec![Point {
                    at: f64::from(row),
                    ..point
                }],
            )
        });
        let (title, series) = (title.into(), series.collect());
        Figure {
            title,
            position,
            value,
            series,
            rows: true,
            caption,
            ..Figure::default()
        }
    }

    /// Wall time per operation of every design of a run over its numbers of threads, the cores
    /// marked.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn over_threads(title: impl Into<String>, run: &DesignRun) -> Result<Figure> {
        let mut series: Vec<Series> = Vec::new();
        for timing in &run.timings {
            let point = Point::of_samples(timing.threads as f64, timing.ns_per_operation())?;
            match series
                .iter_mut()
                .find(|series| series.label == timing.label)
            {
                Some(series) => series.points.push(point),
                None => series.push(Series::joined(
                    timing.label.as_str(),
                    timing.family,
                    vec![point],
                )),
            }
        }
        Ok(Figure {
            title: title.into(),
            position: Axis::log("threads"),
            value: Axis::log("wall time per operation of all threads together, ns"),
            series,
            marks: vec![Mark::cores()],
            caption: run.caption(),
            ..Figure::default()
        })
    }

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
    /// log axis has a place for.
    pub(crate) fn values(&self) -> Vec<f64> {
        let marked = self
            .marks
            .iter()
            .filter_map(|mark| mark.values)
            .flat_map(|(low, high)| [low, high]);
        let mut values: Vec<f64> = marked.collect();
        for point in self.points() {
            let Estimate { low, high, .. } = point.estimate;
            let near = fences(&sorted(&point.raw));
            let kept = point.raw.iter().copied();
            // The ends of an interval are samples.
            let spread = kept.chain([low, high]);
            let spread = spread.filter(|it| near.contains(it) || point.raw.is_empty());
            let shown = |value: &f64| *value > 0.0 || self.value.scale != Scale::Log;
            let [from, to] = point.estimate.typical();
            values.extend(spread.filter(shown).chain([from, to]));
        }
        values
    }

    /// Whether values are words, as the threads of a schedule are.
    pub(crate) fn words(&self) -> bool {
        matches!(self.value.scale, Scale::Named(_))
    }

    /// The text twin: a row a point, in the order of the position axis, with the columns that say
    /// something.
    pub(crate) fn table(&self) -> Table {
        type Cell<'a> = &'a dyn Fn(&Series, &Point) -> String;
        let samples = |series: &Series, point: &Point| match series.style {
            Style::Computed => "computed".into(),
            _ if point.raw.is_empty() && point.estimate.low != point.estimate.high => {
                "not kept".into()
            }
            _ => match point.estimate.modes {
                Some(Modes { samples, .. }) => samples.map(|count| count.to_string()).join(" + "),
                None => point.raw.len().max(1).to_string(),
            },
        };
        let (words, noted) = (
            self.words(),
            self.points().any(|point| !point.note.is_empty()),
        );
        let value = |_: &Series, point: &Point| match words {
            true => self.value.written(point.estimate.value),
            false => point.estimate.value_written(),
        };
        let columns: [(bool, &str, Cell); 7] = [
            (!words, "series", &|series, _| series.label.clone()),
            (!self.rows, &self.position.label, &|_, point| {
                self.position.written(point.at)
            }),
            (true, &self.value.label, &value),
            (!words, "low", &|_, point| {
                point.estimate.written()[1].clone()
            }),
            (!words, "high", &|_, point| {
                point.estimate.written()[2].clone()
            }),
            (!words, "samples", &samples),
            (noted, "note", &|_, point| point.note.clone()),
        ];
        let columns = columns.iter().filter(|(said, ..)| *said);
        let of_series = |series| move |point| (series, point);
        let points = self
            .series
            .iter()
            .flat_map(|series| series.points.iter().map(of_series(series)));
        let mut points: Vec<(&Series, &Point)> = points.collect();
        points.sort_by(|(_, one), (_, other)| one.at.total_cmp(&other.at));
        let cells = |(series, point)| {
            columns
                .clone()
                .map(|(.., cell)| cell(series, point))
                .collect()
        };
        let header = columns
            .clone()
            .map(|(_, name, _)| name.to_string())
            .collect();
        Table {
            title: self.title.clone(),
            header,
            rows: points.into_iter().map(cells).collect(),
        }
    }
}

//! Figures in one house style: a PNG with a text twin, so that it shows wherever a notebook is opened.
//!
//! A [`Figure`] is plain data; [`Figure::draw`] checks it and makes a [`Drawing`], the last expression of a cell.
//! PNG and text are the one pair that every front end shows, an untrusted notebook's included; SVG and HTML are not.

use crate::canvas::{self, Anchor, Canvas, EDGE, GREY, HEIGHT, INK, WIDTH};
use crate::scale::{Placed, plain};
use crate::{ContentionRun, Error, Estimate, Family, Warning};
use crate::{Result, Table, round_ratios, show_number, usable_cores};
use base64::Engine;
use plotters::style::Color;

/// A value at a position: its estimate, and the raw samples behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Where on the position axis; on a named axis, the index of the name.
    pub at: f64,
    /// The value with its interval, drawn as a marker with a bar.
    pub estimate: Estimate,
    /// The samples, drawn faint.
    pub raw: Vec<f64>,
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
        Ok(Self { at, estimate: Estimate::median(&samples)?, raw: samples })
    }

    /// The median of the ratios of rounds with its interval, over those ratios.
    ///
    /// # Errors
    /// As [`Estimate::ratio`].
    ///
    /// ```
    /// let point = helpers::Point::of_ratio(1.0, &[4.0; 6], &[2.0; 6])?;
    /// assert_eq!((point.estimate.value, point.raw), (2.0, vec![2.0; 6]));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn of_ratio(at: f64, numerator: &[f64], denominator: &[f64]) -> Result<Self> {
        Self::of_samples(at, round_ratios(numerator, denominator)?)
    }

    /// A single reading, which has no interval.
    ///
    /// ```
    /// assert_eq!(helpers::Point::reading(1.0, 3.5).estimate.low, 3.5);
    /// ```
    pub fn reading(at: f64, value: f64) -> Self {
        Self { at, estimate: Estimate { value, low: value, high: value }, raw: Vec::new() }
    }
}

/// How the points of a series are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Joined by a line.
    Joined,
    /// Each alone.
    Scattered,
    /// As bars, each on top of the stacked series before it.
    Stacked,
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
    /// The points, from left to right.
    pub points: Vec<Point>,
}

impl Series {
    /// Points joined by a line.
    pub fn joined(label: impl Into<String>, family: Family, points: Vec<Point>) -> Self {
        Self { label: label.into(), family, style: Style::Joined, points }
    }

    /// Bars on top of those of the series before.
    pub fn stacked(label: impl Into<String>, family: Family, points: Vec<Point>) -> Self {
        Self { label: label.into(), family, style: Style::Stacked, points }
    }

    /// Points that stand alone.
    pub fn scattered(label: impl Into<String>, family: Family, points: Vec<Point>) -> Self {
        Self { label: label.into(), family, style: Style::Scattered, points }
    }
}

/// How values become places on an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scale {
    /// In proportion, zero included.
    #[default]
    Linear,
    /// By the logarithm; every value is above 0. The axis says so in its label.
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
        Self { label: label.into(), scale: Scale::Linear }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log }
    }

    /// An axis of names.
    pub fn named(label: impl Into<String>, names: Vec<String>) -> Self {
        Self { label: label.into(), scale: Scale::Named(names) }
    }
}

/// A grey line to compare with.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Across the figure at a value.
    Value(f64, String),
    /// Across the figure at a position.
    Position(f64, String),
}

/// A figure as plain data.
///
/// ```
/// use helpers::{Axis, Family, Figure, Mark, Point, Series};
/// let points = vec![Point::of_samples(1.0, vec![9.0, 10.0, 10.0, 11.0, 12.0, 12.0])?, Point::reading(2.0, 25.0)];
/// let drawing = Figure {
///     title: "What does a lock cost?".into(),
///     position: Axis::linear("threads"),
///     value: Axis::linear("ns per operation"),
///     series: vec![Series::joined("std mutex", Family::Lock, points)],
///     marks: vec![Mark::Position(2.0, "2 cores".into())],
///     ..Figure::default()
/// }
/// .draw()?;
/// assert!(drawing.png.starts_with(b"\x89PNG"));
/// assert!(drawing.text.starts_with("What does a lock cost?\nseries     threads  ns per operation  low"));
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
    /// Lines to compare with.
    pub marks: Vec<Mark>,
    /// Whether positions are rows from top to bottom, each with its value written at the end.
    pub rows: bool,
    /// What the runs warned of that the figure shows, drawn below it, each kind once.
    pub warnings: Vec<Warning>,
}

/// A drawn figure: what a notebook shows.
///
/// A cell's last expression must not take a variable of the cell by value, or the kernel shows its `Debug` form:
/// `let figure = Figure { .. };`, then `figure.draw()?`.
#[derive(Clone, PartialEq, Eq)]
pub struct Drawing {
    /// The picture, 1440 x 840 pixels, opaque.
    pub png: Vec<u8>,
    /// The same data as text: the title, a header with units, then a row a point.
    pub text: String,
}

/// The text twin: bytes of a picture help nobody.
impl std::fmt::Debug for Drawing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Drawing {
    /// What `paint` draws above the line that it gets, with the same data as a table. Below both stand the warnings,
    /// each kind once.
    pub(crate) fn paint(
        data: Table,
        warnings: &[Warning],
        paint: impl FnOnce(&mut Canvas, i32) -> Result<()>,
    ) -> Result<Self> {
        const NOTE: i32 = 30;
        let kind = |at: usize| std::mem::discriminant(&warnings[at]);
        let first = (0..warnings.len()).filter(|&at| (0..at).all(|before| kind(before) != kind(at)));
        let notes: Vec<String> = first.map(|at| format!("Warning: {}.", warnings[at])).collect();
        let mut pixels = canvas::blank();
        let mut canvas = Canvas::new(&mut pixels)?;
        let floor = HEIGHT as i32 - NOTE * notes.len() as i32;
        paint(&mut canvas, floor)?;
        for (line, note) in (0..).zip(&notes) {
            let size = canvas.fitting_size(note, 20, WIDTH as i32 - 2 * EDGE);
            canvas.text(note, (EDGE, floor + NOTE * line), size, INK, Anchor::Left)?;
        }
        drop(canvas);
        let failed =
            |why: png::EncodingError| Error::new("encode a figure", why.to_string(), "memory for it");
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, WIDTH, HEIGHT);
        encoder.set_color(png::ColorType::Rgb);
        let pixels = canvas::averaged(&pixels);
        encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).map_err(failed)?;
        let text = notes.iter().fold(data.to_string(), |text, note| format!("{text}{note}\n"));
        Ok(Self { png, text })
    }

    /// Shows the drawing in a notebook; the kernel calls this for the last expression of a cell.
    pub fn evcxr_display(&self) {
        let png = base64::engine::general_purpose::STANDARD.encode(&self.png);
        println!("EVCXR_BEGIN_CONTENT image/png\n{png}\nEVCXR_END_CONTENT");
        println!("EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT", self.text);
    }
}

impl Figure {
    /// Named quantities from top to bottom, each with samples, on a logarithmic axis of values.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn ranking(
        title: impl Into<String>,
        value: Axis,
        quantities: &[(String, Family, Vec<f64>)],
    ) -> Result<Figure> {
        let series = quantities.iter().enumerate().map(|(row, (name, family, samples))| {
            let point = Point::of_samples(row as f64, samples.clone())?;
            Ok(Series::scattered(name, *family, vec![point]))
        });
        let names = quantities.iter().map(|(name, ..)| name.clone()).collect();
        Ok(Figure {
            title: title.into(),
            position: Axis::named("", names),
            value,
            series: series.collect::<Result<_>>()?,
            rows: true,
            ..Figure::default()
        })
    }

    /// Wall time per operation of every contender of a run over its numbers of threads, the cores marked.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn over_threads(title: impl Into<String>, run: &ContentionRun) -> Result<Figure> {
        let mut series: Vec<Series> = Vec::new();
        for timing in &run.timings {
            let point = Point::of_samples(timing.threads as f64, timing.ns_per_operation())?;
            match series.iter_mut().find(|series| series.label == timing.label) {
                Some(series) => series.points.push(point),
                None => series.push(Series::joined(timing.label.as_str(), timing.family, vec![point])),
            }
        }
        Ok(Figure {
            title: title.into(),
            position: Axis::linear("threads"),
            value: Axis::log("wall time per operation of all threads together, ns"),
            series,
            marks: vec![Mark::cores()],
            warnings: run.warnings.clone(),
            ..Figure::default()
        })
    }

    /// Checks the data and draws it.
    ///
    /// # Errors
    /// No points, a value that is not finite, or a value that is not above 0 on a logarithmic axis.
    pub fn draw(&self) -> Result<Drawing> {
        self.check()?;
        Drawing::paint(self.table(), &self.warnings, |canvas, floor| self.paint(canvas, floor))
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.series.iter().flat_map(|series| &series.points)
    }

    fn check(&self) -> Result<()> {
        let refuse =
            |wrong: String, allowed: &str| Err(Error::new(format!("draw `{}`", self.title), wrong, allowed));
        if self.points().next().is_none() {
            return refuse("there are no points".into(), "1 point or more");
        }
        for (axis, numbers) in [(&self.position, self.positions()), (&self.value, self.values())] {
            if let Some(bad) = numbers.iter().find(|number| !number.is_finite()) {
                return refuse(format!("`{}` holds {bad}", axis.label), "finite numbers");
            }
            if let (Scale::Log, Some(bad)) = (&axis.scale, numbers.iter().find(|number| **number <= 0.0)) {
                return refuse(format!("`{}` holds {bad} on a log axis", axis.label), "numbers above 0");
            }
        }
        Ok(())
    }

    fn positions(&self) -> Vec<f64> {
        let marks = self.marks.iter().filter_map(|mark| match mark {
            Mark::Position(at, _) => Some(*at),
            Mark::Value(..) => None,
        });
        self.points().map(|point| point.at).chain(marks).collect()
    }

    fn values(&self) -> Vec<f64> {
        let of_point = |point: &Point| {
            let Estimate { value, low, high } = point.estimate;
            [value, low, high].into_iter().chain(point.raw.clone()).collect::<Vec<_>>()
        };
        let marks = self.marks.iter().filter_map(|mark| match mark {
            Mark::Value(value, _) => Some(*value),
            Mark::Position(..) => None,
        });
        let tops = self.series.iter().enumerate().flat_map(|(index, series)| {
            series.points.iter().map(move |point| self.base(index, point.at) + point.estimate.value)
        });
        self.points().flat_map(of_point).chain(tops).chain(marks).collect()
    }

    /// Where a bar of a stacked series starts: on top of those before it.
    fn base(&self, index: usize, at: f64) -> f64 {
        let (before, [series, ..]) = self.series.split_at(index) else { return 0.0 };
        let stacked = |series: &&Series| series.style == Style::Stacked;
        let below = before.iter().filter(stacked).filter(|_| stacked(&series));
        below
            .flat_map(|series| &series.points)
            .filter(|point| point.at == at)
            .map(|point| point.estimate.value)
            .sum()
    }

    /// The text twin.
    fn table(&self) -> Table {
        let written = |axis: &Axis, at: f64, write: fn(f64) -> String| match &axis.scale {
            Scale::Named(names) => names.get(at as usize).cloned().unwrap_or_default(),
            _ => write(at),
        };
        // Where every row is a series of its own, its name says all.
        let row = |series: &Series, point: &Point| {
            let Estimate { value, low, high } = point.estimate;
            let mut cells = if self.rows { vec![] } else { vec![series.label.clone()] };
            cells.push(written(&self.position, point.at, plain));
            cells.extend([value, low, high].map(|at| written(&self.value, at, show_number)));
            cells.push(point.raw.len().max(1).to_string());
            cells
        };
        let rows =
            self.series.iter().flat_map(|series| series.points.iter().map(move |point| (series, point)));
        let mut header = if self.rows { vec![] } else { vec!["series".to_string()] };
        let named = if self.position.label.is_empty() { "series" } else { &self.position.label };
        header.extend([named, &self.value.label, "low", "high", "samples"].map(String::from));
        Table {
            title: self.title.clone(),
            header,
            rows: rows.map(|(series, point)| row(series, point)).collect(),
        }
    }

    fn paint(&self, canvas: &mut Canvas, floor: i32) -> Result<()> {
        const GAP: i32 = 14;
        let title_size = canvas.fitting_size(&self.title, 34, WIDTH as i32 - 2 * EDGE);
        canvas.text(&self.title, (EDGE, 44), title_size, INK, Anchor::Left)?;

        let positions = Placed::new(&self.position, &self.positions(), true, self.rows);
        let values = Placed::new(&self.value, &self.values(), false, !self.rows);
        let (across, up) = if self.rows { (&values, &positions) } else { (&positions, &values) };

        // Room for every label is measured before anything is placed, so that none is cut.
        let widest = |canvas: &Canvas, labels: &mut dyn Iterator<Item = &str>| {
            labels.map(|label| canvas.width(label, 22)).max().unwrap_or(0)
        };
        let ends = self.end_labels();
        let left = EDGE + GAP + widest(canvas, &mut up.ticks.iter().map(|(_, label)| label.as_str()));
        let right =
            WIDTH as i32 - EDGE - 2 * GAP - widest(canvas, &mut ends.iter().map(|end| end.label.as_str()));
        let vertical_marks = self.marks.iter().any(|mark| matches!(mark, Mark::Position(..)) != self.rows);
        let top = 100 + if self.rows { 0 } else { 30 } + if vertical_marks { 30 } else { 0 };
        let bottom = floor - 96;
        let x = |share: f64| left + (share * f64::from(right - left)).round() as i32;
        let y = |share: f64| bottom - (share * f64::from(bottom - top)).round() as i32;
        let place = |point_at: f64, value: f64| match self.rows {
            true => (x(values.share(value)), y(positions.share(point_at))),
            false => (x(positions.share(point_at)), y(values.share(value))),
        };

        for (share, label) in &up.ticks {
            canvas.line(&[(left, y(*share)), (right, y(*share))], GREY.mix(0.18), 1, false)?;
            canvas.text(label, (left - GAP, y(*share)), 22, INK, Anchor::Right)?;
        }
        canvas.line(&[(left, bottom), (right, bottom)], GREY, 2, false)?;
        let mut free_from = i32::MIN;
        for (share, label) in &across.ticks {
            let (at, width) = (x(*share), canvas.width(label, 22));
            canvas.line(&[(at, bottom), (at, bottom + 8)], GREY, 2, false)?;
            if at - width / 2 > free_from {
                canvas.text(label, (at, bottom + 26), 22, INK, Anchor::Centre)?;
                free_from = at + width / 2 + GAP;
            }
        }
        canvas.text(&across.label, ((left + right) / 2, floor - 32), 24, INK, Anchor::Centre)?;
        if !self.rows {
            canvas.text(&up.label, (EDGE, 96), 24, INK, Anchor::Left)?;
        }

        for mark in &self.marks {
            let (line, label) = match mark {
                Mark::Value(value, label) => (self.mark_line(values.share(*value), !self.rows), label),
                Mark::Position(at, label) => (self.mark_line(positions.share(*at), self.rows), label),
            };
            let line = line.map(|(share_x, share_y)| (x(share_x), y(share_y)));
            canvas.line(&line, GREY, 2, true)?;
            if line[0].0 == line[1].0 {
                let half = canvas.width(label, 22) / 2;
                let at = line[0].0.clamp(EDGE + half, WIDTH as i32 - EDGE - half);
                canvas.text(label, (at, top - 18), 22, GREY, Anchor::Centre)?;
            }
        }

        for (index, series) in self.series.iter().enumerate() {
            let colour = Canvas::colour(series.family);
            let earlier = self.series[..index].iter().filter(|other| other.family == series.family).count();
            if series.style == Style::Stacked {
                // Shades of one colour, since they are parts of one thing.
                let shade = colour.mix([1.0, 0.65, 0.4, 0.2][earlier % 4]);
                for point in &series.points {
                    let base = self.base(index, point.at);
                    canvas.bar(place(point.at, base), place(point.at, base + point.estimate.value), shade)?;
                }
                continue;
            }
            if series.style == Style::Joined {
                let path: Vec<_> =
                    series.points.iter().map(|point| place(point.at, point.estimate.value)).collect();
                canvas.line(&path, colour, 3, earlier % 2 == 1)?;
            }
            for point in &series.points {
                for &sample in &point.raw {
                    canvas.dot(place(point.at, sample), 4, colour.mix(0.22))?;
                }
                let Estimate { value, low, high } = point.estimate;
                canvas.line(&[place(point.at, low), place(point.at, high)], colour, 5, false)?;
                canvas.marker(place(point.at, value), index, colour)?;
            }
        }

        let mut labels: Vec<(i32, &EndLabel)> =
            ends.iter().map(|end| (place(end.at, end.value).1, end)).collect();
        spread(&mut labels, top, bottom, 30);
        for (at, end) in labels {
            let from = place(end.at, end.value);
            if !self.rows {
                canvas.line(&[(from.0 + 10, from.1), (right + GAP, at)], end.colour(0.35), 1, false)?;
            }
            canvas.text(&end.label, (right + 2 * GAP, at), 22, end.colour(1.0), Anchor::Left)?;
        }
        Ok(())
    }

    fn mark_line(&self, share: f64, horizontal: bool) -> [(f64, f64); 2] {
        match horizontal {
            true => [(0.0, share), (1.0, share)],
            false => [(share, 0.0), (share, 1.0)],
        }
    }

    /// What stands at the right edge: the name of each series, or the value of each row, and the marks across.
    fn end_labels(&self) -> Vec<EndLabel> {
        let mut ends = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            let last = series.points.last().into_iter();
            let stacked = series.style == Style::Stacked;
            let shown: Vec<&Point> = if self.rows { series.points.iter().collect() } else { last.collect() };
            ends.extend(shown.into_iter().map(|point| EndLabel {
                label: if self.rows { show_number(point.estimate.value) } else { series.label.clone() },
                family: series.family,
                at: point.at,
                // The middle of a bar, the place of a point.
                value: self.base(index, point.at) + point.estimate.value / if stacked { 2.0 } else { 1.0 },
            }));
        }
        let far = self.positions().into_iter().fold(f64::MIN, f64::max);
        ends.extend(self.marks.iter().filter_map(|mark| match mark {
            Mark::Value(value, label) if !self.rows => {
                Some(EndLabel { label: label.clone(), family: Family::Reference, at: far, value: *value })
            }
            _ => None,
        }));
        ends
    }
}

impl Mark {
    /// The number of cores of this machine, on an axis of threads.
    ///
    /// ```
    /// assert!(matches!(helpers::Mark::cores(), helpers::Mark::Position(cores, _) if cores >= 1.0));
    /// ```
    pub fn cores() -> Mark {
        let cores = usable_cores();
        Mark::Position(cores as f64, format!("{cores} core{}", if cores == 1 { "" } else { "s" }))
    }
}

struct EndLabel {
    label: String,
    family: Family,
    at: f64,
    value: f64,
}

impl EndLabel {
    fn colour(&self, strength: f64) -> plotters::style::RGBAColor {
        Canvas::colour(self.family).mix(strength)
    }
}

/// Moves labels apart, as little as needed, so that they are `gap` pixels apart between `top` and `bottom`.
fn spread(labels: &mut [(i32, &EndLabel)], top: i32, bottom: i32, gap: i32) {
    labels.sort_by_key(|(at, _)| *at);
    let mut lowest_free = top;
    for (at, _) in labels.iter_mut() {
        *at = (*at).max(lowest_free);
        lowest_free = *at + gap;
    }
    let mut highest_free = bottom;
    for (at, _) in labels.iter_mut().rev() {
        *at = (*at).min(highest_free);
        highest_free = *at - gap;
    }
}

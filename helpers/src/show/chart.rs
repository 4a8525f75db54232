//! A chain that builds a figure, one aspect a line.

use crate::error::{Error, Result};
use crate::judge::warning::Warning;
use crate::memory::series::MemorySeries;
use crate::show::canvas::Drawing;
use crate::show::caption::Caption;
use crate::show::figure::{Axis, Figure, Mark, Point, Scale, Series, Style};
use crate::stats::estimate::Estimate;
use crate::stats::order::sorted;
use crate::time::design::Family;
use crate::time::run::Timing;
use crate::time::trials::Trials;

/// Begins a figure with its question, or its finding.
///
/// Each further line of the chain adds one aspect. What cannot be is kept until the chain ends, in
/// [`Chart::draw`] or [`Chart::figure`], so that a cell has one `?`.
///
/// ```
/// use helpers::{Axis, Family, caption, chart};
/// const GUESS_CHANNEL_NS: Option<f64> = Some(15.0);
/// let mutex_ns = vec![9.0, 10.0, 10.0, 11.0, 12.0, 12.0];
/// let drawing = chart("What does an addition cost?")
///     .value(Axis::log("ns per addition"))
///     .row("mutex", Family::Lock, mutex_ns)
///     .row("channel", Family::Channel, 34.0)
///     .guess("channel", GUESS_CHANNEL_NS)
///     .caption(caption![GUESS_CHANNEL_NS])
///     .draw()?;
/// assert!(drawing.text.contains("channel, your guess  15"));
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn chart(title: impl Into<String>) -> Chart {
    let figure = Figure {
        title: title.into(),
        ..Figure::default()
    };
    Chart {
        figure,
        refused: None,
        left_out: vec![],
    }
}

/// A figure that is being built; see [`chart`].
#[derive(Debug, Clone)]
pub struct Chart {
    figure: Figure,
    /// The first thing that cannot be.
    refused: Option<Error>,
    /// The labels of what could not be measured here.
    left_out: Vec<String>,
}

impl Chart {
    /// What the axis of positions shows, with its unit.
    pub fn position(mut self, axis: impl Into<Axis>) -> Self {
        self.figure.position = axis.into();
        self
    }

    /// What the axis of values shows, with its unit.
    pub fn value(mut self, axis: impl Into<Axis>) -> Self {
        self.figure.value = axis.into();
        self
    }

    /// Points joined by a line.
    pub fn line(self, label: &str, family: Family, points: impl IntoPoints) -> Self {
        self.series(label, family, Style::Joined, points)
    }

    /// Points that stand alone.
    pub fn dots(self, label: &str, family: Family, points: impl IntoPoints) -> Self {
        self.series(label, family, Style::Scattered, points)
    }

    /// A line that was computed.
    pub fn computed(self, label: &str, points: impl IntoPoints) -> Self {
        self.series(label, Family::Reference, Style::Computed, points)
    }

    /// A part of a whole, upon the parts that stand in the chain before it.
    pub fn part(self, label: &str, family: Family, points: impl IntoPoints) -> Self {
        self.series(label, family, Style::Stacked, points)
    }

    /// How many per cent of the samples lie at or below each value. The axis of positions is that
    /// of the samples.
    ///
    /// ```
    /// use helpers::{Axis, Family, chart};
    /// let waits_ns: Vec<f64> = (1..=1_000).map(f64::from).collect();
    /// let figure = chart("How long do threads wait?")
    ///     .position(Axis::log("wait of an operation, ns"))
    ///     .distribution("mutex", Family::Lock, &waits_ns)
    ///     .figure()?;
    /// let points = figure.series[0].points.iter();
    /// let mut middle = points.filter(|point| point.estimate.value == 50.0);
    /// assert_eq!(middle.next().unwrap().at, 501.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn distribution(mut self, label: &str, family: Family, samples: &[f64]) -> Self {
        if self.figure.value == Axis::default() {
            self.figure.value = Axis::linear("samples at or below, %");
        }
        self.series(label, family, Style::Distribution, percentiles(samples))
    }

    /// A row with its name, below those that stand in the chain before it: a marker with its bar.
    pub fn row(mut self, label: &str, family: Family, value: impl IntoPoint) -> Self {
        self.figure.caption.warnings.extend(value.warnings());
        match value.into_point() {
            Ok(point) => self.add_row(label, family, Style::Scattered, point),
            Err(why) => self.refuse(why),
        }
        self
    }

    /// A row of what could perhaps not be measured here: then there is none, the caption says why,
    /// and a guess of it draws nothing. A parameter outside its range ends the chain all the same.
    ///
    /// ```
    /// use helpers::{Caption, Error, Family, chart};
    /// let missing = Error::new("build with Go", "there is no `go` here", "Go 1.22");
    /// let figure = chart("What does a task cost?")
    ///     .value("bytes")
    ///     .row("task", Family::Task, 320.0)
    ///     .try_row("goroutine", Family::Channel, Err::<f64, _>(missing))
    ///     .guess("goroutine", Some(2_048.0))
    ///     .caption(Caption::default())
    ///     .figure()?;
    /// assert_eq!(figure.series.len(), 1);
    /// let said = ("goroutine".to_string(), "left out: there is no `go` here".to_string());
    /// assert_eq!(figure.caption.settings, [said]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn try_row(mut self, label: &str, family: Family, found: Result<impl IntoPoint>) -> Self {
        match self.found(label, found) {
            Some(value) => self.row(label, family, value),
            None => self,
        }
    }

    /// The same for a row of samples without a summary.
    pub fn try_strip(mut self, label: &str, family: Family, found: Result<Vec<f64>>) -> Self {
        match self.found(label, found) {
            Some(samples) => self.strip(label, family, &samples),
            None => self,
        }
    }

    /// The same for points joined by a line.
    pub fn try_line(mut self, label: &str, family: Family, found: Result<impl IntoPoints>) -> Self {
        match self.found(label, found) {
            Some(points) => self.line(label, family, points),
            None => self,
        }
    }

    /// A row for each timing: wall time for an operation of all threads together, in nanoseconds.
    ///
    /// The name of a row says where its queue grew, and where there were more threads than cores.
    ///
    /// ```
    /// use helpers::{Design, Family, Section, Setting, chart, parking_lot::Mutex, time_designs};
    /// let add = |value: &Mutex<u64>, section: Section| {
    ///     *value.lock() += 1;
    ///     section.work()
    /// };
    /// let start = || Mutex::new(0);
    /// let design = Design::of_calls("mutex", Family::Lock, start, add, |value| *value.lock());
    /// let setting = Setting { sample_ms: 1, ..Setting::default() };
    /// let run = time_designs(&[design], &setting)?;
    /// let figure = chart("What does it cost?").value("ns").designs(&run.timings).figure()?;
    /// assert_eq!(figure.series[0].label, "mutex");
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn designs(self, timings: &[Timing]) -> Self {
        let add = |mut figure: Self, timing: &Timing| {
            figure.figure.caption.warnings.extend(&timing.warnings);
            match Point::of_samples(0.0, timing.ns_per_operation()) {
                Ok(point) => figure.add_design(timing, point),
                Err(why) => figure.refuse(why),
            }
            figure
        };
        timings.iter().fold(self, add)
    }

    /// A row that shows every sample and no summary.
    pub fn strip(mut self, label: &str, family: Family, samples: &[f64]) -> Self {
        let Some(&first) = samples.first() else {
            let wrong = format!("`{label}` has no samples");
            self.refuse(Error::new("draw a strip", wrong, "1 or more"));
            return self;
        };
        let low = samples.iter().copied().fold(first, f64::min);
        let high = samples.iter().copied().fold(first, f64::max);
        let value = sorted(samples)[samples.len() / 2];
        let estimate = Estimate {
            value,
            low,
            high,
            ..Estimate::default()
        };
        let point = Point {
            estimate,
            raw: samples.to_vec(),
            ..Point::default()
        };
        self.add_row(label, family, Style::Strip, point);
        self
    }

    /// Words above the rows that follow in the chain.
    pub fn heading(mut self, words: &str) -> Self {
        self.new_row(words);
        self
    }

    /// The rows again, the smallest value on top; the rows below a heading stay there.
    pub fn sorted(mut self) -> Self {
        let names = self.row_names().clone();
        let value_in = |row: usize| {
            let series = self.figure.series.iter();
            let mut points = series
                .filter(|series| series.style != Style::Guessed)
                .flat_map(|series| &series.points);
            let point = points.find(|point| point.at == row as f64);
            point.map(|point| point.estimate.value)
        };
        let values: Vec<Option<f64>> = (0..names.len()).map(value_in).collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        for group in order.chunk_by_mut(|_, &next| values[next].is_some()) {
            group.sort_by(|&one, &other| values[one].partial_cmp(&values[other]).unwrap());
        }
        let place = |row: f64| order.iter().position(|&it| it as f64 == row);
        let series = self.figure.series.iter_mut();
        for point in series.flat_map(|series| &mut series.points) {
            point.at = place(point.at).unwrap_or(0) as f64;
        }
        let sorted_names = order.iter().map(|&row| names[row].clone());
        self.figure.position.scale = Scale::Named(sorted_names.collect());
        self
    }

    /// What was guessed of a series or a row: a hollow mark in its colour. None draws nothing.
    ///
    /// A guess does not stretch the axis: one that lies far out is drawn at the edge.
    pub fn guess(mut self, label: &str, guess: Option<f64>) -> Self {
        let Some(series) = self.series_of(label) else {
            return self.unknown(label);
        };
        let family = series.family;
        let ends = [series.points.first(), series.points.last()];
        let mut places: Vec<f64> = ends.into_iter().flatten().map(|point| point.at).collect();
        places.dedup();
        self.add_guess(label, family, places, guess);
        self
    }

    /// What was guessed of a series at one position.
    pub fn guess_at(mut self, label: &str, position: f64, guess: Option<f64>) -> Self {
        let Some(series) = self.series_of(label) else {
            return self.unknown(label);
        };
        let family = series.family;
        self.add_guess(label, family, vec![position], guess);
        self
    }

    /// A line across the figure at a value, to compare others with.
    pub fn level(mut self, value: f64, label: &str) -> Self {
        self.figure.marks.push(Mark::value(value, label));
        self
    }

    /// A line at a position.
    pub fn at(mut self, position: f64, label: &str) -> Self {
        self.figure.marks.push(Mark::position(position, label));
        self
    }

    /// A line at the number of cores, on an axis of threads.
    pub fn cores(mut self) -> Self {
        self.figure.marks.push(Mark::cores());
        self
    }

    /// How the numbers came about, beside what was said before.
    pub fn caption(mut self, caption: Caption) -> Self {
        self.figure.caption = self.figure.caption.and(&caption);
        self
    }

    /// The figure as plain data.
    ///
    /// # Errors
    /// The first thing in the chain that cannot be.
    pub fn figure(self) -> Result<Figure> {
        self.refused.map_or(Ok(self.figure), Err)
    }

    /// Checks the data and draws it.
    ///
    /// # Errors
    /// As [`Chart::figure`] and [`Figure::draw`].
    pub fn draw(self) -> Result<Drawing> {
        self.figure()?.draw()
    }

    fn series(
        mut self,
        label: &str,
        family: Family,
        style: Style,
        points: impl IntoPoints,
    ) -> Self {
        self.figure.caption.warnings.extend(points.warnings());
        match points.into_points() {
            Ok(points) => self.figure.series.push(Series {
                label: label.into(),
                family,
                style,
                points,
            }),
            Err(why) => self.refuse(why),
        }
        self
    }

    /// Its series keeps the design's own label, by which a guess finds it.
    fn add_design(&mut self, timing: &Timing, point: Point) {
        let at = self.new_row(&timing.named());
        self.figure.series.push(Series {
            label: timing.label.clone(),
            family: timing.family,
            style: Style::Scattered,
            points: vec![Point { at, ..point }],
        });
    }

    fn add_row(&mut self, label: &str, family: Family, style: Style, point: Point) {
        let at = self.new_row(label);
        self.figure.series.push(Series {
            label: label.into(),
            family,
            style,
            points: vec![Point { at, ..point }],
        });
    }

    /// Its place on the axis of positions.
    fn new_row(&mut self, name: &str) -> f64 {
        self.figure.rows = true;
        let names = self.row_names();
        names.push(name.into());
        names.len() as f64 - 1.0
    }

    fn row_names(&mut self) -> &mut Vec<String> {
        if !matches!(self.figure.position.scale, Scale::Named(_)) {
            self.figure.position.scale = Scale::Named(vec![]);
        }
        match &mut self.figure.position.scale {
            Scale::Named(names) => names,
            Scale::Linear | Scale::Log => unreachable!("named just now"),
        }
    }

    fn series_of(&self, label: &str) -> Option<&Series> {
        let mut series = self.figure.series.iter();
        series.find(|series| series.label == label && series.style != Style::Guessed)
    }

    fn add_guess(&mut self, label: &str, family: Family, places: Vec<f64>, guess: Option<f64>) {
        // What is no number is told in words; it has no place in a figure.
        let Some(value) = guess.filter(|guess| guess.is_finite()) else {
            return;
        };
        let point = |at| Point::reading(at, value);
        self.figure.series.push(Series {
            label: format!("{label}, your guess"),
            family,
            style: Style::Guessed,
            points: places.into_iter().map(point).collect(),
        });
    }

    fn found<T>(&mut self, label: &str, found: Result<T>) -> Option<T> {
        match found {
            Ok(found) => return Some(found),
            Err(why) if why.is_of_parameter => self.refuse(why),
            Err(why) => {
                let reason = format!("left out: {}", why.wrong);
                self.figure.caption.settings.push((label.into(), reason));
            }
        }
        self.left_out.push(label.into());
        None
    }

    fn unknown(mut self, label: &str) -> Self {
        if self.left_out.iter().any(|left_out| left_out == label) {
            return self;
        }
        let known = self.figure.series.iter();
        let labels: Vec<String> = known.map(|series| format!("`{}`", series.label)).collect();
        let wrong = format!("nothing before it in the chain is called `{label}`");
        self.refuse(Error::new("draw a guess", wrong, labels.join(", ")));
        self
    }

    fn refuse(&mut self, why: Error) {
        self.refused.get_or_insert(why);
    }
}

/// At which value so many per cent lie at or below it.
fn percentiles(samples: &[f64]) -> Vec<(f64, f64)> {
    let sorted = sorted(samples);
    let Some(last) = sorted.len().checked_sub(1) else {
        return vec![];
    };
    let fives = (1..20).map(|fives| 5.0 * f64::from(fives));
    let percents = [0.0, 1.0]
        .into_iter()
        .chain(fives)
        .chain([99.0, 99.9, 100.0]);
    let point = |percent: f64| {
        let place = (percent / 100.0 * last as f64).round() as usize;
        (sorted[place], percent)
    };
    percents.map(point).collect()
}

/// What a point can be made of.
pub trait IntoPoint {
    /// The point; its position is given by what it is part of.
    ///
    /// # Errors
    /// Samples that have no median.
    fn into_point(self) -> Result<Point>;

    /// What weakens it.
    fn warnings(&self) -> Vec<Warning> {
        vec![]
    }
}

impl IntoPoint for Point {
    fn into_point(self) -> Result<Point> {
        Ok(self)
    }
}

/// One reading.
impl IntoPoint for f64 {
    fn into_point(self) -> Result<Point> {
        Ok(Point::reading(0.0, self))
    }
}

/// A summary whose samples are elsewhere.
impl IntoPoint for Estimate {
    fn into_point(self) -> Result<Point> {
        Ok(Point {
            estimate: self,
            ..Point::default()
        })
    }
}

/// The median of samples.
impl IntoPoint for Vec<f64> {
    fn into_point(self) -> Result<Point> {
        Point::of_samples(0.0, self)
    }
}

/// The share of outcomes that are true, in per cent.
impl IntoPoint for Vec<bool> {
    fn into_point(self) -> Result<Point> {
        Estimate::share(&self)?.scaled(100.0).into_point()
    }
}

/// Resident bytes of one thing.
impl IntoPoint for &MemorySeries {
    fn into_point(self) -> Result<Point> {
        self.resident_bytes_each()?.into_point()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}

impl<T: IntoPoint> IntoPoint for Result<T> {
    fn into_point(self) -> Result<Point> {
        self?.into_point()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.as_ref().map_or(vec![], IntoPoint::warnings)
    }
}

/// What the points of a series can be made of.
pub trait IntoPoints {
    /// The points.
    ///
    /// # Errors
    /// As [`IntoPoint::into_point`].
    fn into_points(self) -> Result<Vec<Point>>;

    /// What weakens them.
    fn warnings(&self) -> Vec<Warning> {
        vec![]
    }
}

impl IntoPoints for Vec<Point> {
    fn into_points(self) -> Result<Vec<Point>> {
        Ok(self)
    }
}

/// Positions, and what was found there.
impl<T: IntoPoint> IntoPoints for Vec<(f64, T)> {
    fn into_points(self) -> Result<Vec<Point>> {
        let point = |(at, value): (f64, T)| {
            let point = value.into_point()?;
            Ok(Point { at, ..point })
        };
        self.into_iter().map(point).collect()
    }
}

/// A point for each size, of all trials there.
impl<T: Clone> IntoPoints for &Trials<T>
where
    Vec<T>: IntoPoint,
{
    fn into_points(self) -> Result<Vec<Point>> {
        let sizes = self.sizes.iter().map(|&size| size as f64);
        let found = self.found.iter().cloned();
        sizes.zip(found).collect::<Vec<_>>().into_points()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}

impl<P: IntoPoints> IntoPoints for Result<P> {
    fn into_points(self) -> Result<Vec<Point>> {
        self?.into_points()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.as_ref().map_or(vec![], IntoPoints::warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(figure: &Figure) -> Vec<(&str, f64)> {
        let series = figure.series.iter();
        series
            .map(|it| (it.label.as_str(), it.points[0].at))
            .collect()
    }

    #[test]
    fn rows_are_sorted_below_their_headings_and_take_their_guesses_along() {
        let figure = chart("Which?")
            .heading("done when the call returns")
            .row("slow", Family::Lock, 9.0)
            .row("fast", Family::Lock, 1.0)
            .heading("done later")
            .row("queue", Family::Channel, 0.5)
            .guess("slow", Some(3.0))
            .sorted()
            .figure()
            .unwrap();
        let names = [
            "done when the call returns",
            "fast",
            "slow",
            "done later",
            "queue",
        ];
        let expected = Scale::Named(names.map(String::from).to_vec());
        assert_eq!(figure.position.scale, expected);
        let places = [
            ("slow", 2.0),
            ("fast", 1.0),
            ("queue", 4.0),
            ("slow, your guess", 2.0),
        ];
        assert_eq!(labels(&figure), places);
        assert_eq!(figure.heading(2), Some("done when the call returns"));
        assert_eq!(figure.heading(4), Some("done later"));
    }

    #[test]
    fn the_first_thing_that_cannot_be_is_told_at_the_end() {
        let few = chart("Few?")
            .row("a", Family::Lock, vec![1.0])
            .guess("b", Some(1.0));
        assert!(few.draw().unwrap_err().wrong.contains("1 samples"));
        let unknown = chart("Which?")
            .row("a", Family::Lock, 1.0)
            .guess("b", Some(1.0));
        let error = unknown.draw().unwrap_err();
        assert!(
            error.wrong.contains("`b`") && error.allowed == "`a`",
            "{error}"
        );
        let empty = chart("None?").strip("a", Family::Lock, &[]);
        assert!(empty.figure().is_err());
    }

    #[test]
    fn no_guess_and_one_that_is_no_number_draw_nothing() {
        for guess in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            let figure = chart("?")
                .row("a", Family::Lock, 1.0)
                .guess("a", guess)
                .figure();
            assert_eq!(figure.unwrap().series.len(), 1);
        }
    }

    #[test]
    fn a_guess_far_out_does_not_stretch_the_axis() {
        let highest = |guess| {
            let chart = chart("?")
                .row("a", Family::Lock, 10.0)
                .guess("a", Some(guess));
            let values = chart.figure().unwrap().values();
            values.into_iter().fold(f64::MIN, f64::max)
        };
        assert_eq!(highest(19.0), 19.0);
        assert_eq!(highest(21.0), 10.0);
        assert_eq!(highest(1e300), 10.0);
        let log = chart("?")
            .value(Axis::log("ns"))
            .row("a", Family::Lock, 10.0);
        for absurd in [0.0, -5.0, 1e9] {
            let figure = log.clone().guess("a", Some(absurd)).figure().unwrap();
            assert_eq!(figure.values(), [10.0, 10.0, 10.0, 10.0], "{absurd}");
            assert!(figure.draw().is_ok());
        }
    }

    #[test]
    fn parts_stand_upon_each_other() {
        let figure = chart("Where are the threads?")
            .position(Axis::named("threads", [1, 2]))
            .value("threads there")
            .part("hold", Family::Lock, vec![(0.0, 0.5), (1.0, 1.0)])
            .part("wait", Family::Channel, vec![(0.0, 0.25), (1.0, 0.75)])
            .figure()
            .unwrap();
        let bases = [0.0, 1.0].map(|at| figure.base(&figure.series[1], at));
        assert_eq!(bases, [0.5, 1.0]);
        let highest = figure.values().into_iter().fold(f64::MIN, f64::max);
        assert_eq!(highest, 1.75);
    }

    #[test]
    fn trials_become_a_point_for_each_size_and_hand_on_their_warnings() {
        let trials = Trials {
            sizes: vec![10, 100],
            found: vec![vec![false; 8], vec![true; 8]],
            warnings: vec![Warning::OneCore],
            measured: String::new(),
        };
        let figure = chart("?")
            .dots("caught", Family::Lock, &trials)
            .figure()
            .unwrap();
        let values = figure.series[0]
            .points
            .iter()
            .map(|it| (it.at, it.estimate.value));
        assert_eq!(values.collect::<Vec<_>>(), [(10.0, 0.0), (100.0, 100.0)]);
        assert_eq!(figure.caption.warnings, [Warning::OneCore]);
    }
}

//! Where everything in a figure stands: margins as wide as what is written there, labels at the
//! ends of lines. The result is plain data.

use crate::error::{Error, Result};
use crate::show::axis_layout::{AxisLayout, inside};
use crate::show::canvas::{Anchor, GREY, INK, SMALLEST, fitting, width};
use crate::show::figure::{Figure, Mark, Point, Scale, Series, Style};
use crate::show::shape::{DISC, HOLLOW_DIAMOND, HOLLOW_TRIANGLE, Place, Shape, TRIANGLE};
use crate::time::design::Family;
use plotters::style::{Color, RGBAColor, RGBColor};

const SIZE: i32 = 44;
const AXIS_LABEL: i32 = 48;
const GAP: i32 = 28;
/// Words beside a marker.
const BESIDE: i32 = 34;
/// From one label above the figure to the next above it.
const LEVEL: i32 = 56;
/// Below the figure: numbers, and what they are.
const BELOW: i32 = 152;
/// In how many positions points of different series stand side by side.
const FEW_POSITIONS: usize = 12;
/// Dashes and gaps of the line of a guess.
const GUESS_DASH: (i32, i32) = (14, 14);
/// How dashes and gaps tell lines of one colour apart; the first line has none.
const DASHES: [(i32, i32); 4] = [(1_000_000, 1), (24, 16), (6, 12), (48, 12)];

/// The shapes of a figure on a canvas of that width and height, in the order in which they are
/// drawn. Points are in the order of their positions.
///
/// # Errors
/// Labels that have no room.
pub(crate) fn layout(
    figure: &Figure,
    at: &AxisLayout,
    values: &AxisLayout,
    size: (i32, i32),
) -> Result<Vec<Shape>> {
    let mut layout = Layout::new(figure, at, values, size)?;
    layout.axes()?;
    layout.marks();
    for index in 0..figure.series.len() {
        layout.line(index);
        layout.points(index)?;
    }
    layout.words_beside();
    layout.end_labels();
    Ok(layout.shapes)
}

/// The rectangle in which points stand. Places in it are shares of its width and height.
#[derive(Debug, Clone, Copy)]
struct Frame {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Frame {
    fn x(&self, share: f64) -> i32 {
        self.left + (share * f64::from(self.right - self.left)).round() as i32
    }

    fn y(&self, share: f64) -> i32 {
        self.bottom - (share * f64::from(self.bottom - self.top)).round() as i32
    }
}

/// The label of a mark above the figure.
struct Above<'a> {
    words: &'a str,
    size: i32,
    /// Its middle, and how far it reaches to either side.
    x: i32,
    half: i32,
    /// 0 for the lowest.
    level: i32,
}

/// Words beside a marker: how many samples are near one of two modes, or that it is a guess.
struct Beside {
    marker: Place,
    words: String,
    below: bool,
    colour: RGBColor,
}

/// A label at the right edge.
struct End {
    label: String,
    family: Family,
    /// Whose marker stands before it, as the index of the series.
    marker: Option<usize>,
    /// What it is about, as shares of the axis of positions and of that of values.
    place: (f64, f64),
}

/// Something on the figure: its middle, and how wide and high it is.
type Room = (Place, (i32, i32));

/// A marker and some room around it.
const MARKER: (i32, i32) = (44, 44);

struct Layout<'a> {
    figure: &'a Figure,
    /// The axis of positions, and that of values.
    at: &'a AxisLayout,
    values: &'a AxisLayout,
    /// The canvas's width.
    wide: i32,
    frame: Frame,
    /// What has a label at the right edge, and how large.
    ends: Vec<End>,
    end_size: i32,
    /// The size of what stands at the left edge.
    name_size: i32,
    /// The ticks below that have room.
    ticks: Vec<(f64, String)>,
    above: Vec<Above<'a>>,
    shapes: Vec<Shape>,
    /// Where markers and labels stand.
    taken: Vec<Room>,
    beside: Vec<Beside>,
}

impl<'a> Layout<'a> {
    /// Measures every label before anything is placed, so that none is cut.
    fn new(
        figure: &'a Figure,
        at: &'a AxisLayout,
        values: &'a AxisLayout,
        (wide, high): (i32, i32),
    ) -> Result<Self> {
        let bottom = high - BELOW;
        let [across, up] = in_directions(figure, at, values);
        let ends = ends(figure, at, values);
        let end_labels = ends.iter().map(|end| &end.label);
        let (end_size, end_width) = column(end_labels, bottom, wide)?;
        let names = up.ticks.iter().map(|(_, name)| name);
        let (name_size, name_width) = column(names, bottom, wide)?;
        let notes = figure.points().map(|point| width(&point.note, SIZE));
        let note_width = notes.max().unwrap_or(0).min(wide * 2 / 5);
        let mut frame = Frame {
            left: name_width + GAP,
            right: wide - end_width.max(note_width) - 4 * GAP,
            top: 0,
            bottom,
        };
        let above = labels_above(figure, at, values, frame, wide)?;
        let levels = above.iter().map(|label| label.level + 1).max().unwrap_or(0);
        frame.top = 20 + LEVEL * (i32::from(!up.label.is_empty()) + levels);
        let ticks = with_room(across, frame);
        let is_named = matches!(figure.position.scale, Scale::Named(_));
        if is_named && !figure.rows && ticks.len() < across.ticks.len() {
            let wrong = "the names below have no room";
            return Err(Error::new("draw", wrong, "shorter names, or rows"));
        }
        if frame.top > bottom / 2 {
            let wrong = format!("the labels of {} marks have no room", above.len());
            return Err(Error::new("draw", wrong, "fewer marks"));
        }
        Ok(Self {
            figure,
            at,
            values,
            wide,
            frame,
            ends,
            end_size,
            name_size,
            ticks,
            above,
            shapes: vec![],
            taken: vec![],
            beside: vec![],
        })
    }

    fn text(
        &mut self,
        words: impl Into<String>,
        at: Place,
        size: i32,
        colour: RGBColor,
        anchor: Anchor,
    ) {
        self.shapes.push(Shape::Text {
            words: words.into(),
            at,
            size,
            colour,
            anchor,
        });
    }

    fn path(&mut self, path: Vec<Place>, colour: RGBAColor, stroke: u32) {
        self.shapes.push(Shape::Line {
            path,
            colour,
            stroke,
        });
    }

    fn marker(&mut self, at: Place, index: usize, size: f64, colour: RGBAColor) {
        self.shapes.push(Shape::Marker {
            at,
            index,
            size,
            colour,
        });
    }

    /// Lines, numbers and names of both axes, and the labels of marks above them.
    fn axes(&mut self) -> Result<()> {
        let frame = self.frame;
        let Frame {
            left,
            right,
            top,
            bottom,
        } = frame;
        let [across, up] = in_directions(self.figure, self.at, self.values);
        for (row, (share, name)) in up.ticks.iter().enumerate() {
            let y = frame.y(*share);
            if self.figure.is_heading(row) {
                self.text(name, (0, y), self.name_size, GREY, Anchor::Begin);
                continue;
            }
            self.path(vec![(left, y), (right, y)], GREY.mix(0.18), 2);
            self.text(name, (left - GAP, y), self.name_size, INK, Anchor::End);
        }
        for (share, name) in self.ticks.clone() {
            let x = frame.x(share);
            self.path(vec![(x, bottom), (x, bottom + 16)], GREY.to_rgba(), 2);
            self.text(name, (x, bottom + 46), SIZE, INK, Anchor::Middle);
        }
        let corner = vec![(left, top), (left, bottom), (right, bottom)];
        self.path(corner, GREY.to_rgba(), 2);
        let room = right - left + 2 * left.min(self.wide - right);
        let size = fitting(&across.label, AXIS_LABEL, room)?;
        let middle = ((left + right) / 2, bottom + 112);
        self.text(&across.label, middle, size, INK, Anchor::Middle);
        let size = fitting(&up.label, AXIS_LABEL, self.wide)?;
        self.text(&up.label, (0, 28), size, INK, Anchor::Begin);
        for label in std::mem::take(&mut self.above) {
            let at = (label.x, top - 32 - LEVEL * label.level);
            self.text(label.words, at, label.size, GREY, Anchor::Middle);
        }
        Ok(())
    }

    /// The room of one position, as a share of its axis.
    fn slot(&self) -> f64 {
        1.0 / self.at.ticks.len().max(1) as f64
    }

    /// The place of a share of the axis of positions and one of that of values, which may lie
    /// beyond its ends.
    fn place(&self, at: f64, value: f64) -> Place {
        let value = value.clamp(0.0, 1.0);
        match self.figure.rows {
            true => (self.frame.x(value), self.frame.y(at)),
            false => (self.frame.x(at), self.frame.y(value)),
        }
    }

    /// Lines and areas to compare points with.
    fn marks(&mut self) {
        for mark in &self.figure.marks {
            let [from, to] = self.corners(mark);
            match mark.values {
                Some((low, high)) if low < high => self.shapes.push(Shape::Rectangle {
                    corners: [from, to],
                    colour: GREY.mix(0.22),
                }),
                _ => self.path(vec![from, to], GREY.mix(0.5), 4),
            }
        }
    }

    fn corners(&self, mark: &Mark) -> [Place; 2] {
        let half = match mark.values {
            Some(_) => self.slot() / 3.0,
            None => 0.0,
        };
        let (from, to) = mark.at.map_or((0.0, 1.0), |number| {
            let share = self.at.share(number);
            (share - half, share + half)
        });
        let (low, high) = mark.values.map_or((0.0, 1.0), |(low, high)| {
            (self.values.share(low), self.values.share(high))
        });
        [self.place(from, low), self.place(to, high)]
    }

    /// Where a number of a series stands on the axis of positions, as a share. Points at one place
    /// stand side by side, where there are few places.
    fn moved(&self, index: usize, number: f64) -> f64 {
        let share = self.at.share(number);
        let many = self.at.ticks.len() > FEW_POSITIONS;
        let alone = self.figure.rows || self.figure.words() || many;
        if alone || !self.stands_aside(&self.figure.series[index]) {
            return share;
        }
        let count = self.figure.series.len() as f64;
        let step = (0.6 * self.slot() / count).min(0.012);
        share + step * (index as f64 - (count - 1.0) / 2.0)
    }

    /// Whether most of its points would cover those of another series: a position that was measured
    /// is nobody else's, and stays where it is.
    fn stands_aside(&self, series: &Series) -> bool {
        let moves = |one: &Series| matches!(one.style, Style::Joined | Style::Scattered);
        let others = self.figure.series.iter();
        let others = others.filter(|other| moves(other) && !std::ptr::eq(*other, series));
        let taken: Vec<f64> = others
            .flat_map(|other| &other.points)
            .map(|it| it.at)
            .collect();
        let shared = series.points.iter().filter(|it| taken.contains(&it.at));
        moves(series) && 2 * shared.count() > series.points.len()
    }

    /// The line that joins the points of a series.
    fn line(&mut self, index: usize) {
        let series = &self.figure.series[index];
        let dash = match series.style {
            Style::Scattered | Style::Strip | Style::Stacked => return,
            Style::Guessed => GUESS_DASH,
            Style::Joined | Style::Computed | Style::Distribution => self.dash(index),
        };
        let place = |point: &Point| {
            let value = point.estimate.most_typical();
            self.place(self.moved(index, point.at), self.values.share(value))
        };
        let path = series.points.iter().map(place).collect();
        self.shapes.push(Shape::Dashes {
            path,
            dash,
            colour: series.family.colour().to_rgba(),
            stroke: 6,
        });
    }

    /// How many series before one are of its family and style.
    fn alike_before(&self, index: usize) -> usize {
        let series = &self.figure.series[index];
        let before = self.figure.series[..index].iter();
        before
            .filter(|it| it.family == series.family && it.style != Style::Guessed)
            .count()
    }

    /// Of lines between words, each stands in a row that has a name.
    fn dash(&self, index: usize) -> (i32, i32) {
        match self.figure.words() {
            true => DASHES[0],
            false => DASHES[self.alike_before(index) % DASHES.len()],
        }
    }

    fn points(&mut self, index: usize) -> Result<()> {
        let series = &self.figure.series[index];
        match series.style {
            Style::Computed => {}
            Style::Distribution => self.distribution_label(index),
            Style::Guessed => self.guess(index),
            Style::Stacked => self.parts(index),
            Style::Strip => series
                .points
                .iter()
                .for_each(|point| self.strip(index, point)),
            Style::Joined | Style::Scattered => {
                for point in &series.points {
                    self.samples(index, point);
                    self.estimate(index, point);
                    self.note(index, point)?;
                }
            }
        }
        Ok(())
    }

    /// Beside a line that goes up, at a height of its own: to its right, or to its left where
    /// another line is in the way.
    fn distribution_label(&mut self, index: usize) {
        let series = &self.figure.series[index];
        let count = self.figure.series.len();
        let nth = series.points.len() * (count - index) / (count + 1);
        let (x, y) = self.place_on(index, nth);
        let reach = x + GAP + width(&series.label, SIZE);
        let others = (0..count).filter(|&other| other != index);
        let mut others = others.filter(|&other| self.figure.series[other].points.len() > nth);
        let is_in_the_way = others.any(|other| (x..reach).contains(&self.place_on(other, nth).0));
        let colour = series.family.colour();
        let (at, anchor) = match is_in_the_way {
            true => ((x - GAP, y - GAP), Anchor::End),
            false => ((x + GAP, y + GAP), Anchor::Begin),
        };
        self.text(&series.label, at, SIZE, colour, anchor);
    }

    /// The place of the point of that number of a series.
    fn place_on(&self, index: usize, nth: usize) -> Place {
        let point = &self.figure.series[index].points[nth];
        self.place_of(index, point, point.estimate.value)
    }

    /// A hollow marker, at the edge where it lies beyond; of several points, the line is all.
    fn guess(&mut self, index: usize) {
        let series = &self.figure.series[index];
        let [point] = &series.points[..] else { return };
        let colour = series.family.colour();
        let shape = match inside(self.values.share(point.estimate.value)) {
            true => HOLLOW_DIAMOND,
            false => HOLLOW_TRIANGLE,
        };
        let marker = self.place_of(index, point, point.estimate.value);
        self.marker(marker, shape, 1.2, colour.to_rgba());
        self.taken.push((marker, MARKER));
        self.beside.push(Beside {
            marker,
            words: "your guess".into(),
            below: false,
            colour,
        });
    }

    /// Bars upon those of the parts before.
    fn parts(&mut self, index: usize) {
        let series = &self.figure.series[index];
        let shade = 1.0 / (1 + self.alike_before(index)) as f64;
        let half = 0.35 * self.slot();
        for point in &series.points {
            let base = self.figure.base(series, point.at);
            let at = self.at.share(point.at);
            let [from, to] = [base, base + point.estimate.value].map(|it| self.values.share(it));
            self.shapes.push(Shape::Rectangle {
                corners: [self.place(at - half, from), self.place(at + half, to)],
                colour: series.family.colour().mix(shade),
            });
        }
    }

    fn strip(&mut self, index: usize, point: &Point) {
        let colour = self.figure.series[index].family.colour().mix(0.6);
        for &sample in &point.raw {
            self.marker(self.place_of(index, point, sample), DISC, 0.8, colour);
        }
    }

    /// The place of a value of a point.
    fn place_of(&self, index: usize, point: &Point, value: f64) -> Place {
        self.place(self.moved(index, point.at), self.values.share(value))
    }

    /// Faint dots, and triangles at the edge for what lies beyond.
    fn samples(&mut self, index: usize, point: &Point) {
        let colour = self.figure.series[index].family.colour().mix(0.3);
        for &sample in &point.raw {
            let shape = match inside(self.values.share(sample)) {
                true => DISC,
                false => TRIANGLE,
            };
            self.marker(self.place_of(index, point, sample), shape, 0.6, colour);
        }
    }

    /// A marker with its bar, or a marker for each of two modes.
    fn estimate(&mut self, index: usize, point: &Point) {
        let colour = self.figure.series[index].family.colour();
        let shape = match self.figure.rows || self.figure.words() {
            true => DISC,
            false => index,
        };
        let estimate = point.estimate;
        let Some(modes) = estimate.modes else {
            if estimate.low < estimate.high {
                let ends = [estimate.low, estimate.high].map(|it| self.place_of(index, point, it));
                self.path(ends.to_vec(), colour.to_rgba(), 8);
                self.taken.push(around(ends));
            }
            let at = self.place_of(index, point, estimate.value);
            self.marker(at, shape, 1.0, colour.to_rgba());
            self.taken.push((at, MARKER));
            return;
        };
        let places = modes.values.map(|value| self.place_of(index, point, value));
        for marker in places {
            self.marker(marker, shape, 1.0, colour.to_rgba());
            self.taken.push((marker, MARKER));
        }
        let shares = places.into_iter().zip(modes.shares()).zip([true, false]);
        for ((marker, words), below) in shares {
            self.beside.push(Beside {
                marker,
                words,
                below,
                colour,
            });
        }
    }

    /// The note of a point, beside its marker.
    fn note(&mut self, index: usize, point: &Point) -> Result<()> {
        if point.note.is_empty() {
            return Ok(());
        }
        let (x, y) = self.place_of(index, point, point.estimate.typical()[0]);
        let slot = self.slot() * f64::from(self.frame.right - self.frame.left);
        let room = (slot as i32).min(self.wide - x) - GAP;
        let size = fitting(&point.note, SIZE, room)?;
        let side = if self.rises_from(index, point) { 1 } else { -1 };
        self.text(
            &point.note,
            (x + GAP, y + side * GAP),
            size,
            INK,
            Anchor::Begin,
        );
        Ok(())
    }

    /// Whether the line of a series leads upwards from a point, so that words above would lie on
    /// it.
    fn rises_from(&self, index: usize, point: &Point) -> bool {
        let series = &self.figure.series[index];
        let height = |it: &Point| self.place_of(index, it, it.estimate.most_typical()).1;
        let next = series.points.iter().find(|it| it.at > point.at);
        series.style == Style::Joined && next.is_some_and(|next| height(next) < height(point))
    }

    /// Over all points: words above a marker, of the lower mode below, or wherever beside it
    /// nothing stands.
    fn words_beside(&mut self) {
        for beside in std::mem::take(&mut self.beside) {
            let size = (width(&beside.words, BESIDE) + 8, BESIDE);
            let mut spots = self.spots(&beside, size.0);
            // Not on the axis below.
            let lowest = self.frame.bottom - size.1 / 2;
            if spots.iter().any(|(_, y)| *y <= lowest) {
                spots.retain(|(_, y)| *y <= lowest);
            }
            let edges = (self.frame.left + size.0 / 2, self.frame.right - size.0 / 2);
            let spot = free_spot(&spots, size, edges, &self.taken);
            self.taken.push((spot, size));
            self.text(beside.words, spot, BESIDE, beside.colour, Anchor::Middle);
        }
    }

    /// Where words beside a marker may stand, the best place first.
    fn spots(&self, words: &Beside, wide: i32) -> Vec<Place> {
        let (x, y) = words.marker;
        let side = if words.below { 1 } else { -1 };
        let beside = wide / 2 + GAP;
        let clear = side * (BESIDE + 14);
        let mut spots = vec![(x, y + clear)];
        if self.figure.rows {
            spots.extend([(x + beside, y), (x - beside, y)]);
        } else {
            let near = y + clear;
            spots.extend([(x - beside, near), (x + beside, near), (x, y - clear)]);
            spots.extend([(x - beside, y), (x + beside, y), (x, y + 2 * clear)]);
        }
        spots
    }

    /// Labels at the right edge, each with its marker and a line to the last point.
    fn end_labels(&mut self) {
        let ends = std::mem::take(&mut self.ends);
        let Frame {
            right, top, bottom, ..
        } = self.frame;
        let places: Vec<Place> = ends
            .iter()
            .map(|end| self.place(end.place.0, end.place.1))
            .collect();
        let gap = (self.end_size + 16).min((bottom - top) / ends.len().max(1) as i32);
        let mut labels: Vec<(i32, usize)> = places.iter().map(|(_, y)| *y).zip(0..).collect();
        spread(&mut labels, (top, bottom), gap);
        for (y, index) in labels {
            let end = &ends[index];
            let colour = end.family.colour();
            let x = right + 4 * GAP;
            if let Some(series) = end.marker.filter(|_| self.end_size > 28) {
                let from = (places[index].0 + GAP, places[index].1);
                self.path(vec![from, (right + GAP, y)], colour.mix(0.4), 2);
                self.marker((x - GAP - 8, y), series, 1.0, colour.to_rgba());
            }
            self.text(&end.label, (x, y), self.end_size, colour, Anchor::Begin);
        }
    }
}

/// The axis across and the axis up.
fn in_directions<'a>(
    figure: &Figure,
    at: &'a AxisLayout,
    values: &'a AxisLayout,
) -> [&'a AxisLayout; 2] {
    match figure.rows {
        true => [values, at],
        false => [at, values],
    }
}

/// What has a label at the right edge: series, or their values where they are rows, and marks all
/// along.
fn ends(figure: &Figure, at: &AxisLayout, values: &AxisLayout) -> Vec<End> {
    let mut ends = Vec::new();
    for (index, series) in figure.series.iter().enumerate() {
        let Some(point) = series.points.last() else {
            continue;
        };
        let label = match figure.rows {
            true => row_end(series),
            false => series_end(figure, series),
        };
        let has_marker = matches!(series.style, Style::Joined | Style::Scattered);
        let marker = (has_marker && !figure.rows).then_some(index);
        let middle = middle_of(figure, series, point);
        ends.extend(label.map(|label| End {
            label,
            family: series.family,
            marker,
            place: (at.share(point.at), values.share(middle)),
        }));
    }
    let last = figure.positions().into_iter().fold(f64::MIN, f64::max);
    let is_all_along = |mark: &&Mark| !figure.rows && mark.at.is_none();
    for mark in figure.marks.iter().filter(is_all_along) {
        let (low, high) = mark.values.unwrap_or_default();
        ends.push(End {
            label: mark.label.clone(),
            family: Family::Reference,
            marker: None,
            place: (at.share(last), values.share((low + high) / 2.0)),
        });
    }
    ends
}

/// The value of a row.
fn row_end(series: &Series) -> Option<String> {
    if series.style == Style::Guessed {
        return None;
    }
    let written = series.points.iter().map(|point| match series.style {
        Style::Strip => strip_written(point),
        _ => point.estimate.value_written(),
    });
    Some(written.collect())
}

/// From where to where samples lie.
fn strip_written(point: &Point) -> String {
    let [low, high] = point.estimate.reach_in_words();
    match low == high {
        true => low,
        false => format!("{low} to {high}"),
    }
}

fn series_end(figure: &Figure, series: &Series) -> Option<String> {
    let alone = series.style == Style::Guessed && series.points.len() == 1;
    let labelled = !alone && series.style != Style::Distribution && !figure.words();
    labelled.then(|| series.label.clone())
}

/// What the label of a series stands beside: its last point, or the middle of a part.
fn middle_of(figure: &Figure, series: &Series, last: &Point) -> f64 {
    match series.style {
        Style::Stacked => figure.base(series, last.at) + last.estimate.value / 2.0,
        _ => last.estimate.most_typical(),
    }
}

/// Labels of marks that stand at one place across; where two would touch, the second goes one
/// level higher.
fn labels_above<'a>(
    figure: &'a Figure,
    at: &AxisLayout,
    values: &AxisLayout,
    frame: Frame,
    wide: i32,
) -> Result<Vec<Above<'a>>> {
    let mut above: Vec<Above> = Vec::new();
    for mark in &figure.marks {
        let share = match (mark.at, mark.values) {
            (Some(number), None) if !figure.rows => at.share(number),
            (None, Some((low, high))) if figure.rows => values.share((low + high) / 2.0),
            _ => continue,
        };
        let size = fitting(&mark.label, SIZE, wide - 2 * GAP)?;
        let half = width(&mark.label, size) / 2 + GAP;
        let x = frame.x(share).clamp(half, wide - half);
        let is_free = |level: &i32| {
            let touches = |it: &Above| it.level == *level && (x - it.x).abs() < half + it.half;
            !above.iter().any(touches)
        };
        above.push(Above {
            words: &mark.label,
            size,
            x,
            half,
            level: (0..).find(is_free).unwrap_or(0),
        });
    }
    Ok(above)
}

/// The ticks of the axis across whose numbers or names have room beside each other.
fn with_room(across: &AxisLayout, frame: Frame) -> Vec<(f64, String)> {
    let mut free_from = i32::MIN;
    let fits = |(share, name): &&(f64, String)| {
        let half = (width(name, SIZE) + GAP) / 2;
        let x = frame.x(*share);
        let fits = x - half >= free_from;
        if fits {
            free_from = x + half;
        }
        fits
    };
    across.ticks.iter().filter(fits).cloned().collect()
}

/// The size at which labels below each other fit into two fifths of a width, and how wide they are
/// then.
fn column<'a>(
    labels: impl Iterator<Item = &'a String> + Clone,
    height: i32,
    wide: i32,
) -> Result<(i32, i32)> {
    let count = labels.clone().count() as i32;
    let height = height - 2 * LEVEL;
    let mut size = SIZE.min(height / count.max(1) - 4);
    if size < SMALLEST {
        let wrong = format!("there are {count} labels below each other");
        let allowed = format!("up to {}", height / (SMALLEST + 4));
        return Err(Error::new("draw", wrong, allowed));
    }
    for label in labels.clone() {
        size = fitting(label, size, wide * 2 / 5)?;
    }
    let widths = labels.map(|label| width(label, size));
    Ok((size, widths.max().unwrap_or(0)))
}

/// Moves labels apart, as little as needed, so that they are `gap` apart between `top` and
/// `bottom`.
fn spread(labels: &mut [(i32, usize)], (top, bottom): (i32, i32), gap: i32) {
    labels.sort_by_key(|(at, _)| *at);
    let mut free = top;
    for (at, _) in labels.iter_mut() {
        *at = (*at).max(free);
        free = *at + gap;
    }
    let mut free = bottom;
    for (at, _) in labels.iter_mut().rev() {
        *at = (*at).min(free);
        free = *at - gap;
    }
}

/// The room of a bar.
fn around([low, high]: [Place; 2]) -> Room {
    let middle = (i32::midpoint(low.0, high.0), i32::midpoint(low.1, high.1));
    let size = ((high.0 - low.0).abs(), (high.1 - low.1).abs());
    (middle, size)
}

/// The first of `spots` between the edges at which something of that size touches nothing that is
/// there; the first where there is none.
fn free_spot(spots: &[Place], size: (i32, i32), (from, to): (i32, i32), taken: &[Room]) -> Place {
    let free = |spot: &Place| {
        let touches = |((x, y), (wide, high)): &Room| {
            let across = 2 * (spot.0 - x).abs() < size.0 + wide;
            across && 2 * (spot.1 - y).abs() < size.1 + high
        };
        (from..=to).contains(&spot.0) && !taken.iter().any(touches)
    };
    let found = spots.iter().find(|spot| free(spot));
    *found.unwrap_or(&spots[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::canvas::load_font;
    use crate::show::figure::Axis;
    use crate::time::design::Family;

    /// Two series whose last points lie side by side, and a band.
    fn shapes() -> Vec<Shape> {
        shapes_at([1.0, 2.0, 4.0])
    }

    /// The same, the second series at these positions.
    fn shapes_at(other: [f64; 3]) -> Vec<Shape> {
        let one = [1.0, 2.0, 4.0];
        let series = |label, positions: [f64; 3], times: f64| {
            let points = positions.map(|at| Point::reading(at, times * at));
            Series::joined(label, Family::Lock, points.to_vec())
        };
        let band = Mark {
            values: Some((10.0, 12.0)),
            ..Mark::value(10.0, "band")
        };
        let figure = Figure {
            series: vec![series("one", one, 5.0), series("other", other, 5.1)],
            marks: vec![band],
            position: Axis::log("threads"),
            value: Axis::linear("ns"),
            ..Figure::default()
        };
        let at = AxisLayout::new(
            &figure.position,
            &figure.positions(),
            &[1.0, 2.0, 4.0],
            false,
        );
        let values = AxisLayout::new(&figure.value, &figure.values(), &[], true);
        load_font().unwrap();
        layout(&figure, &at, &values, (2_736, 1_400)).unwrap()
    }

    #[test]
    fn labels_at_the_edge_are_apart_and_points_where_their_numbers_are() {
        let shapes = shapes();
        let place_of = |label: &str| {
            let text = |shape: &Shape| match shape {
                Shape::Text { words, at, .. } if words == label => Some(*at),
                _ => None,
            };
            shapes.iter().find_map(text).unwrap()
        };
        let [one, other] = ["one", "other"].map(place_of);
        assert_eq!(one.0, other.0);
        assert!((one.1 - other.1).abs() >= SMALLEST, "{one:?} {other:?}");
        let markers = shapes.iter().filter_map(|shape| match shape {
            Shape::Marker { at, index: 0, .. } => Some(*at),
            _ => None,
        });
        // Three points, and one beside the label; a number twice as large, as far again.
        let [first, second, third, _] = markers.collect::<Vec<_>>()[..] else {
            panic!("{shapes:?}")
        };
        assert!((third.0 - 2 * second.0 + first.0).abs() <= 1);
        assert!((2 * (first.1 - second.1) - (second.1 - third.1)).abs() <= 2);
    }

    #[test]
    fn points_at_positions_of_their_own_stand_where_these_are() {
        let first = |shapes: Vec<Shape>, series: usize| {
            let place = |shape: &Shape| match shape {
                Shape::Marker { at, index, .. } if *index == series => Some(at.0),
                _ => None,
            };
            shapes.iter().find_map(place).unwrap()
        };
        assert!(first(shapes(), 0) < first(shapes(), 1));
        let measured = || shapes_at([1.0, 2.5, 3.5]);
        assert_eq!(first(measured(), 0), first(measured(), 1));
    }

    #[test]
    fn what_is_compared_with_lies_below_the_points() {
        let shapes = shapes();
        let place = |is: fn(&Shape) -> bool| shapes.iter().position(is).unwrap();
        let band = place(|shape| matches!(shape, Shape::Rectangle { .. }));
        let marker = place(|shape| matches!(shape, Shape::Marker { .. }));
        assert!(band < marker);
    }

    #[test]
    fn a_label_stands_where_nothing_else_does() {
        let spots = [(100, 50), (200, 50), (300, 50)];
        let spot = |taken: &[Room]| free_spot(&spots, (80, 34), (40, 1_000), taken);
        assert_eq!(spot(&[]), (100, 50));
        assert_eq!(spot(&[((110, 60), MARKER)]), (200, 50));
        assert_eq!(spot(&[((110, 90), MARKER)]), (100, 50));
        assert_eq!(spot(&[((150, 50), (60, 60))]), (300, 50));
        assert_eq!(spot(&[((200, 50), (400, 60))]), (100, 50));
        assert_eq!(free_spot(&spots, (80, 34), (150, 1_000), &[]), (200, 50));
    }
}

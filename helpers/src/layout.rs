//! Where everything in a figure stands: margins as wide as what is written there, labels at the ends of lines. plotters
//! lays out the axes and draws.

use crate::canvas::{Area, FONT, GREY, INK, SMALLEST, failed, fitting, text, width, with_signs};
use crate::stats::sorted;
use crate::{Axis, Drawing, Error, Estimate, Figure, Point, Result, Scale, Style};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::ops::Range;

const SIZE: i32 = 44;
const GAP: i32 = 28;
/// From one label above the figure to the next above it.
const LEVEL: i32 = 56;

/// An axis laid over what it has to hold. On a log axis, `from` and `to` are logarithms.
#[derive(Clone)]
struct Placed {
    axis: Axis,
    from: f64,
    to: f64,
    ticks: Vec<f64>,
    /// Whether it was measured at so few places that each has a tick.
    few: bool,
}

impl Placed {
    /// Ticked where `measured`, if those places are few, else at round numbers.
    fn new(axis: &Axis, data: &[f64], measured: &[f64]) -> Self {
        let data = sorted(data);
        let padded = |low: f64, high: f64| {
            let room = if high > low { 0.05 * (high - low) } else { 0.5 };
            (low - room, high + room)
        };
        let (low, high) = (data[0], data[data.len() - 1]);
        let (from, to) = match &axis.scale {
            Scale::Named(names) => (-0.5, names.len() as f64 - 0.5),
            Scale::Log => padded(low.log10(), high.log10()),
            Scale::Linear if measured.is_empty() => padded(low.min(0.0), high.max(0.0)),
            Scale::Linear => padded(low, high),
        };
        let mut ticks = sorted(measured);
        ticks.dedup();
        let few = (1..=12).contains(&ticks.len());
        let mut placed = Self { axis: axis.clone(), from, to, ticks: vec![], few };
        let ticks: Vec<f64> = match &axis.scale {
            Scale::Named(names) => (0..names.len()).map(|index| index as f64).collect(),
            _ if few => ticks,
            Scale::Log if to - from > 0.8 => {
                let steps: &[f64] = if to - from < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let decades = (from.floor() as i32..=to.ceil() as i32).step_by(1 + (to - from) as usize / 10);
                decades.flat_map(|ten| steps.iter().map(move |step| step * 10_f64.powi(ten))).collect()
            }
            _ => RangedCoordf64::from(placed.range()).key_points(8),
        };
        placed.ticks = ticks.into_iter().filter(|tick| placed.holds(*tick)).collect();
        placed
    }

    /// Where along the axis a number stands, 0 to 1.
    fn share(&self, number: f64) -> f64 {
        let log = self.axis.scale == Scale::Log;
        let inner = if log { number.max(f64::MIN_POSITIVE).log10() } else { number };
        (inner - self.from) / (self.to - self.from)
    }

    /// The number that stands at such a share.
    fn at(&self, share: f64) -> f64 {
        let inner = self.from + share * (self.to - self.from);
        if self.axis.scale == Scale::Log { 10_f64.powf(inner) } else { inner }
    }

    fn holds(&self, number: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.share(number))
    }

    /// The number, or the end of the axis that it lies beyond.
    fn inside(&self, number: f64) -> f64 {
        self.at(self.share(number).clamp(0.0, 1.0))
    }

    fn label(&self) -> String {
        format!("{}{}", self.axis.label, if self.axis.scale == Scale::Log { " (log scale)" } else { "" })
    }

    fn tick_labels(&self) -> Vec<String> {
        self.ticks.iter().map(|tick| self.format_ext(tick)).collect()
    }
}

impl Ranged for Placed {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    /// Names run from top to bottom, numbers up.
    fn map(&self, number: &f64, (from, to): (i32, i32)) -> i32 {
        let named = matches!(self.axis.scale, Scale::Named(_));
        let share = if named && to < from { 1.0 - self.share(*number) } else { self.share(*number) };
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.at(0.0)..self.at(1.0)
    }
}

impl ValueFormatter<f64> for Placed {
    fn format_ext(&self, tick: &f64) -> String {
        with_signs(&self.axis.written(*tick))
    }
}

/// A label at the right edge: the name of a series, the value of a row, or a mark.
struct End {
    label: String,
    hue: RGBColor,
    shape: Option<usize>,
    at: f64,
    value: f64,
}

impl Figure {
    /// Checks the data and draws it.
    ///
    /// # Errors
    /// No points, an estimate or a mark that is not finite, or one that is not above 0 on a logarithmic axis; labels
    /// that have no room.
    pub fn draw(&self) -> Result<Drawing> {
        let refuse = |wrong, allowed| Err(Error::new(format!("draw `{}`", self.title), wrong, allowed));
        if self.points().next().is_none() {
            return refuse("there are no points".into(), "1 point or more");
        }
        let (positions, values) = (self.positions(), self.values());
        for (axis, numbers) in [(&self.position, &positions), (&self.value, &values)] {
            let (log, extreme) =
                (axis.scale == Scale::Log, |number: &&f64| number.is_nan() || number.abs() > 1e15);
            if let Some(bad) = numbers.iter().find(extreme) {
                return refuse(format!("`{}` holds {bad}", axis.label), "finite numbers up to 1e15");
            }
            if let Scale::Named(names) = &axis.scale
                && let Some(bad) = numbers.iter().find(|number| !(0.0..names.len() as f64).contains(*number))
            {
                let wrong = format!("`{}` holds {bad} and has {} names", axis.label, names.len());
                return refuse(wrong, "places that have a name, from 0 on");
            }
            if let Some(bad) = numbers.iter().find(|number| log && **number < 1e-15) {
                return refuse(
                    format!("`{}` holds {bad} on a log axis", axis.label),
                    "numbers above 0, from 1e-15 on",
                );
            }
        }
        let measured: Vec<f64> = self.points().map(|point| point.at).collect();
        let at = Placed::new(&self.position, &positions, &measured);
        let values = Placed::new(&self.value, &values, &[]);
        let caption = self.caption.sentences(self.key(&values));
        Drawing::paint(&self.table(), &caption, |area| self.paint(area, &at, &values))
    }

    /// What marks mean, for the caption.
    fn key(&self, values: &Placed) -> String {
        let computed =
            |style| self.series.iter().filter(move |series| (series.style == Style::Computed) == style);
        let points: Vec<&Point> = computed(false).flat_map(|series| &series.points).collect();
        let medians =
            |point: &&Point| Estimate::median(&point.raw).is_ok_and(|median| median == point.estimate);
        let counts = sorted(&points.iter().map(|point| point.raw.len() as f64).collect::<Vec<_>>());
        let (least, most) = (counts.first().copied().unwrap_or(0.0), counts.last().copied().unwrap_or(0.0));
        let beyond =
            points.iter().flat_map(|point| &point.raw).filter(|sample| !values.holds(**sample)).count();
        let bars = points.iter().any(|point| point.estimate.low < point.estimate.high);
        let words = matches!(values.axis.scale, Scale::Named(_));
        let said = [
            (most > 0.0 && points.iter().all(medians), "markers are medians".into()),
            (bars, "bars are 95 % intervals within the run".into()),
            (!bars && !words && most == 0.0, "each marker is one reading".into()),
            (most > 0.0, format!("faint dots are single samples, {most} of each")),
            (least < most, format!("or fewer, from {least} on")),
            (beyond > 0, format!("samples farther out are triangles at the edge: {beyond}")),
            (computed(true).next().is_some(), "a line without markers is computed".into()),
            (self.marks.iter().any(|mark| mark.label == "predicted"), "shaded is what was predicted".into()),
        ];
        said.into_iter().filter_map(|(so, what)| so.then_some(what)).collect::<Vec<_>>().join("; ")
    }

    fn paint(&self, area: &Area, at: &Placed, values: &Placed) -> Result<()> {
        let (wide, high) = area.dim_in_pixel();
        let (wide, bottom) = (wide as i32, high as i32 - 152);
        let (mut across, up) =
            if self.rows { (values.clone(), at.clone()) } else { (at.clone(), values.clone()) };

        // Room for every label is measured before anything is placed, so that none is cut.
        let (ends, names, heading) = (self.ends(), up.tick_labels(), up.label());
        let labels: Vec<String> = ends.iter().map(|end| end.label.clone()).collect();
        let (end_size, end_width) = column(area, &labels, bottom - 2 * LEVEL, wide * 2 / 5)?;
        let notes = self.points().map(|point| width(area, &point.note, SIZE)).max().unwrap_or(0);
        let notes = notes.min(wide * 2 / 5);
        let (name_size, name_width) = column(area, &names, bottom - 2 * LEVEL, wide * 2 / 5)?;
        let (left, right) = (name_width + GAP, wide - end_width.max(notes) - 4 * GAP);
        // Where labels would touch, the second goes: below the axis for good, above the figure one level higher.
        let mut free_from = i32::MIN;
        for (tick, name) in across.ticks.clone().into_iter().zip(across.tick_labels()) {
            let (x, half) = (across.map(&tick, (left, right)), (width(area, &name, SIZE) + GAP) / 2);
            if x - half >= free_from {
                free_from = x + half;
            } else if matches!(across.axis.scale, Scale::Named(_)) {
                return Err(Error::new("draw", format!("`{name}` has no room"), "shorter names, or rows"));
            } else {
                across.ticks.retain(|kept| *kept != tick);
            }
        }
        let mut above: Vec<(i32, i32, i32, i32, &str)> = Vec::new();
        for mark in &self.marks {
            let number = match (mark.at, mark.values) {
                (Some(at), None) if !self.rows => at,
                (None, Some((low, high))) if self.rows => (low + high) / 2.0,
                _ => continue,
            };
            let size = fitting(area, &mark.label, SIZE, wide - 2 * GAP)?;
            let half = width(area, &mark.label, size) / 2 + GAP;
            let x = across.map(&number, (left, right)).clamp(half, wide - half);
            let touches = |on: i32| {
                above.iter().any(|&(level, at, other, ..)| on == level && (x - at).abs() < half + other)
            };
            let level = (0..).find(|&level| !touches(level)).unwrap_or_default();
            above.push((level, x, half, size, &mark.label));
        }
        let top = 20 + LEVEL * i32::from(!heading.is_empty());
        let top = top + LEVEL * above.iter().map(|(level, ..)| level + 1).max().unwrap_or(0);
        if top > bottom / 2 {
            let wrong = format!("the labels of {} marks have no room", above.len());
            return Err(Error::new("draw", wrong, "fewer marks, or shorter labels"));
        }

        let font = |size: i32| TextStyle::from((FONT, size)).color(&INK);
        let below = across.label();
        let below_size = fitting(area, &below, 48, right - left + 2 * left.min(wide - right))?;
        let heading_size = fitting(area, &heading, 48, wide)?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(top)
            .margin_right(wide - right)
            .x_label_area_size(high as i32 - bottom)
            .y_label_area_size(left)
            .build_cartesian_2d(across, up)
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(GREY.mix(0.18).stroke_width(2));
        mesh.set_all_tick_mark_size(16)
            .axis_style(GREY.stroke_width(2))
            .axis_desc_style(font(below_size))
            .x_desc(with_signs(&below));
        mesh.x_label_style(font(SIZE)).y_label_style(font(name_size)).draw().map_err(failed)?;
        text(area, &heading, (0, 28), heading_size, INK, HPos::Left)?;
        for (level, x, _, size, label) in above {
            text(area, label, (x, top - 32 - LEVEL * level), size, GREY, HPos::Center)?;
        }

        let origin = area.get_base_pixel();
        let place = |at: f64, value: f64| {
            let value = values.inside(value);
            let (x, y) = chart.backend_coord(&if self.rows { (value, at) } else { (at, value) });
            (x - origin.0, y - origin.1)
        };
        let line = |path: Vec<(i32, i32)>, style: ShapeStyle| {
            area.draw(&PathElement::new(path, style)).map_err(failed)
        };
        let slot = 1.0 / at.ticks.len().max(1) as f64;
        for mark in &self.marks {
            let half = if mark.values.is_some() { slot / 3.0 } else { 0.0 };
            let (from, to) =
                mark.at.map_or((0.0, 1.0), |number| (at.share(number) - half, at.share(number) + half));
            let (low, high) = mark.values.unwrap_or((values.at(0.0), values.at(1.0)));
            let corners = [place(at.at(from), low), place(at.at(to), high)];
            if mark.values.is_some() && low < high {
                area.draw(&Rectangle::new(corners, GREY.mix(0.22).filled())).map_err(failed)?;
            } else {
                line(corners.to_vec(), GREY.mix(0.5).stroke_width(4))?;
            }
        }

        // Points at one place stand side by side, where there are few places.
        let words = matches!(values.axis.scale, Scale::Named(_));
        let count = self.series.len() as f64;
        let step = if at.few && !self.rows && !words { (0.6 * slot / count).min(0.012) } else { 0.0 };
        let moved = |index: usize, number: f64| match self.series[index].style {
            Style::Computed => number,
            _ => at.at(at.share(number) + step * (index as f64 - (count - 1.0) / 2.0)),
        };
        for (index, series) in self.series.iter().enumerate() {
            let hue = series.family.colour();
            let mut points: Vec<&Point> = series.points.iter().collect();
            points.sort_by(|one, other| one.at.total_cmp(&other.at));
            let path = points.iter().map(|point| place(moved(index, point.at), point.estimate.value));
            if series.style != Style::Scattered {
                let alike = self.series[..index].iter().filter(|other| other.family == series.family).count();
                let (dash, space) = [(1_000_000, 1), (24, 16), (6, 12), (48, 12)][alike % 4];
                let dashes =
                    DashedPathElement::new(path.collect::<Vec<_>>(), dash, space, hue.stroke_width(6));
                area.draw(&dashes).map_err(failed)?;
            }
            for point in points.into_iter().filter(|_| series.style != Style::Computed) {
                let (at, Estimate { value, low, high }) = (moved(index, point.at), point.estimate);
                for &sample in &point.raw {
                    let shape = if values.holds(sample) { disc(10) } else { TRIANGLE.to_vec() };
                    polygon(area, place(at, sample), &shape, hue.mix(0.3).filled())?;
                }
                if low < high {
                    line(vec![place(at, low), place(at, high)], hue.stroke_width(8))?;
                }
                let (x, y) = place(at, value);
                marker(area, (x, y), if self.rows { 0 } else { index }, hue)?;
                if !point.note.is_empty() {
                    let room = ((slot * f64::from(right - left)) as i32).min(wide - x) - GAP;
                    let size = fitting(area, &point.note, SIZE, room)?;
                    text(area, &point.note, (x + GAP, y - GAP), size, INK, HPos::Left)?;
                }
            }
        }

        let from = |end: &End| place(end.shape.map_or(end.at, |index| moved(index, end.at)), end.value);
        let mut labels: Vec<(i32, &End)> = ends.iter().map(|end| (from(end).1, end)).collect();
        spread(&mut labels, (top, bottom), (end_size + 16).min((bottom - top) / ends.len().max(1) as i32));
        for (y, end) in labels {
            let x = right + 4 * GAP;
            if let Some(shape) = end.shape.filter(|_| end_size > 28) {
                let leader = vec![(from(end).0 + GAP, from(end).1), (right + GAP, y)];
                line(leader, end.hue.mix(0.4).stroke_width(2))?;
                marker(area, (x - GAP - 8, y), shape, end.hue)?;
            }
            text(area, &end.label, (x, y), end_size, end.hue, HPos::Left)?;
        }
        Ok(())
    }

    /// What stands at the right edge; nothing where points have words beside them.
    fn ends(&self) -> Vec<End> {
        let words = matches!(self.value.scale, Scale::Named(_));
        let of_series = self.series.iter().enumerate().filter(|_| !words).filter_map(|(index, series)| {
            let point = series.points.iter().max_by(|one, other| one.at.total_cmp(&other.at))?;
            let [value, ..] = point.estimate.written();
            let label = if self.rows { value } else { series.label.clone() };
            let shape = (!self.rows && series.style != Style::Computed).then_some(index);
            Some(End { label, hue: series.family.colour(), shape, at: point.at, value: point.estimate.value })
        });
        let at = self.positions().into_iter().fold(f64::MIN, f64::max);
        let of_marks = self.marks.iter().filter(|mark| !self.rows && mark.at.is_none()).filter_map(|mark| {
            let ((low, high), label) = (mark.values?, mark.label.clone());
            Some(End { label, hue: GREY, shape: None, at, value: (low + high) / 2.0 })
        });
        of_series.chain(of_marks).collect()
    }
}

/// The size at which labels below each other fit into a height and a width, and how wide they are then.
fn column(area: &Area, labels: &[String], height: i32, room: i32) -> Result<(i32, i32)> {
    let (count, most) = (labels.len(), height / (SMALLEST + 4));
    let mut size = SIZE.min(height / count.max(1) as i32 - 4);
    if size < SMALLEST {
        let wrong = format!("there are {count} labels below each other");
        return Err(Error::new("draw", wrong, format!("up to {most}")));
    }
    for label in labels {
        size = fitting(area, label, size, room)?;
    }
    Ok((size, labels.iter().map(|label| width(area, label, size)).max().unwrap_or(0)))
}

/// Moves labels apart, as little as needed, so that they are `gap` apart between `top` and `bottom`.
fn spread(labels: &mut [(i32, &End)], (top, bottom): (i32, i32), gap: i32) {
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

const TRIANGLE: [(i32, i32); 3] = [(0, -14), (14, 14), (-14, 14)];

fn disc(radius: i32) -> Vec<(i32, i32)> {
    let corner = |turn: i32| (f64::from(turn) * std::f64::consts::TAU / 24.0).sin_cos();
    let scaled = |part: f64| (part * f64::from(radius)).round() as i32;
    (0..24).map(corner).map(|(x, y)| (scaled(x), scaled(y))).collect()
}

fn polygon(area: &Area, (x, y): (i32, i32), corners: &[(i32, i32)], style: ShapeStyle) -> Result<()> {
    let corners: Vec<_> = corners.iter().map(|(right, down)| (x + right, y + down)).collect();
    area.draw(&Polygon::new(corners, style)).map_err(failed)
}

/// A marker whose shape goes with `index`, filled or hollow, so that series differ without colour too.
fn marker(area: &Area, at: (i32, i32), index: usize, hue: RGBColor) -> Result<()> {
    let corners = match index % 5 {
        0 => disc(17),
        1 => vec![(-18, -18), (18, -18), (18, 18), (-18, 18)],
        2 => vec![(0, -22), (20, 16), (-20, 16)],
        3 => vec![(0, -24), (24, 0), (0, 24), (-24, 0)],
        _ => vec![(0, 22), (20, -16), (-20, -16)],
    };
    polygon(area, at, &corners, hue.filled())?;
    let inner: Vec<_> = corners.iter().map(|(x, y)| (x / 2, y / 2)).collect();
    if index / 5 % 2 == 1 { polygon(area, at, &inner, WHITE.filled()) } else { Ok(()) }
}

//! Where everything in a figure stands: margins as wide as what is written there, labels at the
//! ends of lines. plotters lays out the axes and draws.

use crate::error::{Error, Result};
use crate::show::canvas::Drawing;
use crate::show::canvas::{Area, GREY, INK, SMALLEST, failed, fitting, text, width};
use crate::show::figure::{Axis, Figure, Point, Scale, Series, Style};
use crate::stats::estimate::Estimate;
use crate::stats::order::sorted;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

const SIZE: i32 = 44;
const GAP: i32 = 28;
/// How many samples are near a mode.
const SHARE: i32 = 34;
/// From one label above the figure to the next above it.
const LEVEL: i32 = 56;

/// An axis laid over what it has to hold. Places on it are shares of its length.
struct Placed {
    log: bool,
    /// What stands at either end; on a log axis, the logarithms.
    ends: (f64, f64),
    label: String,
    /// Where a number or a name stands beside it.
    ticks: Vec<(f64, String)>,
}

impl Placed {
    /// Ticked where `measured`, if those places are few, else at round numbers. Names run from left
    /// to right and from top to bottom.
    fn new(axis: &Axis, data: &[f64], measured: &[f64], up: bool) -> Self {
        let log = axis.scale == Scale::Log;
        let mut data: Vec<f64> = data
            .iter()
            .map(|number| if log { number.log10() } else { *number })
            .collect();
        // How large values are is only seen beside zero.
        data.extend((axis.scale == Scale::Linear && measured.is_empty()).then_some(0.0));
        let data = sorted(&data);
        let (low, high) = (data[0], data[data.len() - 1]);
        let room = if high > low { 0.05 * (high - low) } else { 0.5 };
        let (from, to) = (low - room, high + room);
        let mut places = sorted(measured);
        places.dedup();
        let few = (1..=12).contains(&places.len());
        let ticks: Vec<f64> = match &axis.scale {
            Scale::Named(names) => (0..names.len()).map(|index| index as f64).collect(),
            _ if few => places,
            Scale::Log if to - from > 0.8 => {
                let steps: &[f64] = if to - from < 2.5 {
                    &[1.0, 2.0, 5.0]
                } else {
                    &[1.0]
                };
                let decades =
                    (from.floor() as i32..=to.ceil() as i32).step_by(1 + (to - from) as usize / 10);
                decades
                    .flat_map(|ten| steps.iter().map(move |step| step * 10_f64.powi(ten)))
                    .collect()
            }
            Scale::Log => RangedCoordf64::from(10_f64.powf(from)..10_f64.powf(to)).key_points(8),
            Scale::Linear => RangedCoordf64::from(from..to).key_points(8),
        };
        let ends = match &axis.scale {
            Scale::Named(names) if up => (names.len() as f64 - 0.5, -0.5),
            Scale::Named(names) => (-0.5, names.len() as f64 - 0.5),
            _ => (from, to),
        };
        let label = format!("{}{}", axis.label, if log { " (log scale)" } else { "" });
        let mut placed = Self {
            log,
            ends,
            label,
            ticks: vec![],
        };
        let ticks = ticks
            .into_iter()
            .map(|tick| (placed.share(tick), axis.written(tick)));
        placed.ticks = ticks.filter(|(share, _)| inside(*share)).collect();
        placed
    }

    /// Where along the axis a number stands.
    fn share(&self, number: f64) -> f64 {
        let number = if self.log {
            number.max(f64::MIN_POSITIVE).log10()
        } else {
            number
        };
        (number - self.ends.0) / (self.ends.1 - self.ends.0)
    }
}

fn inside(share: f64) -> bool {
    (-1e-9..=1.0 + 1e-9).contains(&share)
}

impl Figure {
    /// Checks the data and draws it.
    ///
    /// # Errors
    /// No points, an estimate or a mark that is not finite, or one that is not above 0 on a
    /// logarithmic axis; labels that have no room.
    pub fn draw(&self) -> Result<Drawing> {
        let refuse = |wrong, allowed: &str| {
            Err(Error::new(format!("draw `{}`", self.title), wrong, allowed))
        };
        if self.points().next().is_none() {
            return refuse("there are no points".into(), "1 point or more");
        }
        let (positions, values) = (self.positions(), self.values());
        for (axis, numbers) in [(&self.position, &positions), (&self.value, &values)] {
            let (range, allowed) = match &axis.scale {
                Scale::Linear => (-1e15..=1e15, "finite numbers up to 1e15"),
                Scale::Log => (
                    1e-15..=1e15,
                    "on a log axis, numbers above 0, from 1e-15 to 1e15",
                ),
                Scale::Named(names) => (
                    0.0..=names.len() as f64 - 1.0,
                    "places that have a name, from 0 on",
                ),
            };
            if let Some(bad) = numbers.iter().find(|number| !range.contains(*number)) {
                return refuse(format!("`{}` holds {bad:?}", axis.label), allowed);
            }
        }
        let measured: Vec<f64> = self.points().map(|point| point.at).collect();
        let at = Placed::new(&self.position, &positions, &measured, self.rows);
        let values = Placed::new(&self.value, &values, &[], !self.rows);
        let caption = self.caption.sentences(self.key(&values));
        let mut ordered = self.clone();
        ordered.series.retain(|series| !series.points.is_empty());
        for series in &mut ordered.series {
            series
                .points
                .sort_by(|one, other| one.at.total_cmp(&other.at));
        }
        Drawing::paint(&self.table(), &caption, |area| {
            ordered.paint(area, &at, &values)
        })
    }

    /// What marks mean, for the caption.
    fn key(&self, values: &Placed) -> String {
        let (computed, measured): (Vec<_>, Vec<_>) = self
            .series
            .iter()
            .partition(|series| series.style == Style::Computed);
        let points: Vec<&Point> = measured.iter().flat_map(|series| &series.points).collect();
        let medians = |point: &&Point| {
            Estimate::median(&point.raw).is_ok_and(|median| median.value == point.estimate.value)
        };
        let counts = points.iter().map(|point| point.raw.len());
        let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
        let samples = points.iter().flat_map(|point| &point.raw);
        let beyond = samples
            .filter(|sample| !inside(values.share(**sample)))
            .count();
        let estimates = points.iter().map(|point| point.estimate);
        let (in_two, single): (Vec<_>, Vec<_>) = estimates.partition(|it| it.modes.is_some());
        let bars = single.iter().any(|it| it.low < it.high);
        let doubtful = single.iter().filter(|it| it.doubtful).count();
        let said = [
            (
                most > 0 && points.iter().all(medians),
                "markers are medians".into(),
            ),
            (bars, "bars are 95 % intervals within the run".into()),
            (
                doubtful > 0,
                format!(
                    "{doubtful} may be too short, since samples follow each other, or are few or alike"
                ),
            ),
            (
                !in_two.is_empty(),
                "where samples gather at two places, a marker at each says how many of them".into(),
            ),
            (
                !bars && !self.words() && most == 0,
                "each marker is one reading".into(),
            ),
            (
                most > 0,
                format!("faint dots are single samples, {most} of each"),
            ),
            (least < most, format!("or fewer, from {least} on")),
            (
                beyond > 0,
                format!("samples farther out are triangles at the edge: {beyond}"),
            ),
            (
                !computed.is_empty(),
                "a line without markers is computed".into(),
            ),
            (
                self.marks.iter().any(|mark| mark.label == "predicted"),
                "grey is what was predicted".into(),
            ),
        ];
        said.into_iter()
            .filter_map(|(so, what)| so.then_some(what))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn paint(&self, area: &Area, at: &Placed, values: &Placed) -> Result<()> {
        let (wide, high) = area.dim_in_pixel();
        let (wide, bottom) = (wide as i32, high as i32 - 152);
        let (across, up) = if self.rows {
            (values, at)
        } else {
            (at, values)
        };

        // Room for every label is measured before anything is placed, so that none is cut.
        let ends = self.ends();
        let (end_size, end_width) = column(area, ends.iter().map(|end| &end.label), bottom, wide)?;
        let (name_size, name_width) =
            column(area, up.ticks.iter().map(|(_, name)| name), bottom, wide)?;
        let notes = self
            .points()
            .map(|point| width(area, &point.note, SIZE))
            .max()
            .unwrap_or(0);
        let (left, right) = (
            name_width + GAP,
            wide - end_width.max(notes.min(wide * 2 / 5)) - 4 * GAP,
        );
        let x = |share: f64| left + (share * f64::from(right - left)).round() as i32;
        let (mut ticks, mut free_from) = (across.ticks.clone(), i32::MIN);
        ticks.retain(|(share, name)| {
            let half = (width(area, name, SIZE) + GAP) / 2;
            let fits = x(*share) - half >= free_from;
            free_from = if fits { x(*share) + half } else { free_from };
            fits
        });
        if matches!(self.position.scale, Scale::Named(_))
            && !self.rows
            && ticks.len() < across.ticks.len()
        {
            return Err(Error::new(
                "draw",
                "the names below have no room",
                "shorter names, or rows",
            ));
        }
        // Where the labels of marks would touch, the second goes one level higher.
        let mut above: Vec<(i32, i32, i32, i32, &str)> = Vec::new();
        for mark in &self.marks {
            let share = match (mark.at, mark.values) {
                (Some(number), None) if !self.rows => at.share(number),
                (None, Some((low, high))) if self.rows => values.share((low + high) / 2.0),
                _ => continue,
            };
            let size = fitting(area, &mark.label, SIZE, wide - 2 * GAP)?;
            let half = width(area, &mark.label, size) / 2 + GAP;
            let x = x(share).clamp(half, wide - half);
            let touches = |&(level, at, other, ..): &(i32, i32, i32, i32, &str), on| {
                level == on && (x - at).abs() < half + other
            };
            let level = (0..)
                .find(|&on| !above.iter().any(|label| touches(label, on)))
                .unwrap_or(0);
            above.push((level, x, half, size, &mark.label));
        }
        let levels = above.iter().map(|(level, ..)| level + 1).max().unwrap_or(0);
        let top = 20 + LEVEL * (i32::from(!up.label.is_empty()) + levels);
        if top > bottom / 2 {
            let wrong = format!("the labels of {} marks have no room", above.len());
            return Err(Error::new("draw", wrong, "fewer marks"));
        }

        let y = |share: f64| bottom - (share * f64::from(bottom - top)).round() as i32;
        let line = |path: Vec<(i32, i32)>, style: ShapeStyle| {
            area.draw(&PathElement::new(path, style)).map_err(failed)
        };
        for (share, name) in &up.ticks {
            line(
                vec![(left, y(*share)), (right, y(*share))],
                GREY.mix(0.18).stroke_width(2),
            )?;
            text(
                area,
                name,
                (left - GAP, y(*share)),
                name_size,
                INK,
                HPos::Right,
            )?;
        }
        for (share, name) in &ticks {
            line(
                vec![(x(*share), bottom), (x(*share), bottom + 16)],
                GREY.stroke_width(2),
            )?;
            text(
                area,
                name,
                (x(*share), bottom + 46),
                SIZE,
                INK,
                HPos::Center,
            )?;
        }
        line(
            vec![(left, top), (left, bottom), (right, bottom)],
            GREY.stroke_width(2),
        )?;
        let below = fitting(
            area,
            &across.label,
            48,
            right - left + 2 * left.min(wide - right),
        )?;
        text(
            area,
            &across.label,
            ((left + right) / 2, bottom + 112),
            below,
            INK,
            HPos::Center,
        )?;
        text(
            area,
            &up.label,
            (0, 28),
            fitting(area, &up.label, 48, wide)?,
            INK,
            HPos::Left,
        )?;
        for (level, x, _, size, label) in above {
            text(
                area,
                label,
                (x, top - 32 - LEVEL * level),
                size,
                GREY,
                HPos::Center,
            )?;
        }

        let place = |at: f64, value: f64| {
            let value = value.clamp(0.0, 1.0);
            let (across, up) = if self.rows { (value, at) } else { (at, value) };
            (x(across), y(up))
        };
        let slot = 1.0 / at.ticks.len().max(1) as f64;
        for mark in &self.marks {
            let half = if mark.values.is_some() {
                slot / 3.0
            } else {
                0.0
            };
            let (from, to) = mark.at.map_or((0.0, 1.0), |number| {
                (at.share(number) - half, at.share(number) + half)
            });
            let (low, high) = mark.values.map_or((0.0, 1.0), |(low, high)| {
                (values.share(low), values.share(high))
            });
            let corners = [place(from, low), place(to, high)];
            if mark.values.is_some() && low < high {
                area.draw(&Rectangle::new(corners, GREY.mix(0.22).filled()))
                    .map_err(failed)?;
            } else {
                line(corners.to_vec(), GREY.mix(0.5).stroke_width(4))?;
            }
        }

        // Points at one place stand side by side, where there are few places.
        let count = self.series.len() as f64;
        let apart = !self.rows && !self.words() && at.ticks.len() <= 12;
        let step = if apart {
            (0.6 * slot / count).min(0.012)
        } else {
            0.0
        };
        let moved = |index: usize, number: f64| match self.series[index].style {
            Style::Computed => at.share(number),
            _ => at.share(number) + step * (index as f64 - (count - 1.0) / 2.0),
        };
        let mut shares = Vec::new();
        // Where markers and labels stand: the middle, and how wide and high.
        let mut taken: Vec<Room> = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            let hue = series.family.colour();
            if series.style != Style::Scattered {
                let place = |point: &Point| {
                    let value = point.estimate.most_typical();
                    place(moved(index, point.at), values.share(value))
                };
                let alike = self.series[..index]
                    .iter()
                    .filter(|other| other.family == series.family)
                    .count();
                let (dash, space) = [(1_000_000, 1), (24, 16), (6, 12), (48, 12)][alike % 4];
                let path: Vec<_> = series.points.iter().map(place).collect();
                area.draw(&DashedPathElement::new(
                    path,
                    dash,
                    space,
                    hue.stroke_width(6),
                ))
                .map_err(failed)?;
            }
            for point in series
                .points
                .iter()
                .filter(|_| series.style != Style::Computed)
            {
                let place = |value| place(moved(index, point.at), values.share(value));
                let estimate = point.estimate;
                for &sample in &point.raw {
                    let shape = if inside(values.share(sample)) {
                        DISC
                    } else {
                        TRIANGLE
                    };
                    marker(area, place(sample), shape, 0.6, hue.mix(0.3))?;
                }
                let shape = if self.rows { DISC } else { index };
                if let Some(modes) = estimate.modes {
                    let [lower, higher] = modes.values.map(place);
                    let [few, others] = modes.shares();
                    marker(area, lower, shape, 1.0, hue)?;
                    marker(area, higher, shape, 1.0, hue)?;
                    taken.extend([(lower, MARKER), (higher, MARKER)]);
                    shares.extend([(lower, few, true, hue), (higher, others, false, hue)]);
                } else {
                    if estimate.low < estimate.high {
                        let (low, high) = (place(estimate.low), place(estimate.high));
                        line(vec![low, high], hue.stroke_width(8))?;
                        let middle = (i32::midpoint(low.0, high.0), i32::midpoint(low.1, high.1));
                        taken.push((middle, ((high.0 - low.0).abs(), (high.1 - low.1).abs())));
                    }
                    marker(area, place(estimate.value), shape, 1.0, hue)?;
                    taken.push((place(estimate.value), MARKER));
                }
                let (x, y) = place(estimate.typical()[0]);
                if !point.note.is_empty() {
                    let room = ((slot * f64::from(right - left)) as i32).min(wide - x) - GAP;
                    let size = fitting(area, &point.note, SIZE, room)?;
                    text(area, &point.note, (x + GAP, y - GAP), size, INK, HPos::Left)?;
                }
            }
        }
        // Over all marks: that of the higher mode above its marker, that of the lower one below, or
        // wherever beside it nothing stands.
        for ((x, y), share, below, hue) in shares {
            let size = (width(area, &share, SHARE) + 8, SHARE);
            let side = if below { 1 } else { -1 };
            let beside = size.0 / 2 + GAP;
            let clear = SHARE + 8;
            let mut spots = vec![(x, y + side * clear)];
            if !self.rows {
                let low = y + side * clear;
                spots.extend([(x - beside, low), (x + beside, low), (x, y - side * clear)]);
                spots.extend([(x - beside, y), (x + beside, y), (x, y + 2 * side * clear)]);
            }
            let edges = (left + size.0 / 2, right - size.0 / 2);
            let spot = free_spot(&spots, size, edges, &taken);
            taken.push((spot, size));
            text(area, &share, spot, SHARE, hue, HPos::Center)?;
        }

        let place_of = |(index, end): (usize, &Series)| {
            let Point {
                at: number,
                estimate,
                ..
            } = &end.points[end.points.len() - 1];
            let at = if index < self.series.len() {
                moved(index, *number)
            } else {
                at.share(*number)
            };
            place(at, values.share(estimate.most_typical()))
        };
        let places: Vec<(i32, i32)> = ends.iter().enumerate().map(place_of).collect();
        let mut labels: Vec<(i32, usize)> = places.iter().map(|(_, y)| *y).zip(0..).collect();
        spread(
            &mut labels,
            (top, bottom),
            (end_size + 16).min((bottom - top) / ends.len().max(1) as i32),
        );
        for (y, index) in labels {
            let (end, x, hue) = (&ends[index], right + 4 * GAP, ends[index].family.colour());
            if end.style != Style::Computed && !self.rows && end_size > 28 {
                let leader = vec![(places[index].0 + GAP, places[index].1), (right + GAP, y)];
                line(leader, hue.mix(0.4).stroke_width(2))?;
                marker(area, (x - GAP - 8, y), index, 1.0, hue)?;
            }
            text(area, &end.label, (x, y), end_size, hue, HPos::Left)?;
        }
        Ok(())
    }

    /// What has a label at the right edge: series, by their value where they are rows, and marks
    /// all along.
    fn ends(&self) -> Vec<Series> {
        let mut ends = if self.words() {
            vec![]
        } else {
            self.series.clone()
        };
        for end in ends.iter_mut().filter(|_| self.rows) {
            end.label = end
                .points
                .iter()
                .map(|point| point.estimate.value_written())
                .collect();
        }
        let last = self.positions().into_iter().fold(f64::MIN, f64::max);
        for mark in self
            .marks
            .iter()
            .filter(|mark| !self.rows && mark.at.is_none())
        {
            let (low, high) = mark.values.unwrap_or_default();
            ends.push(Series::computed(
                mark.label.as_str(),
                vec![Point::reading(last, (low + high) / 2.0)],
            ));
        }
        ends
    }
}

/// The size at which labels below each other fit into two fifths of a width, and how wide they are
/// then.
fn column<'a>(
    area: &Area,
    labels: impl Iterator<Item = &'a String> + Clone,
    height: i32,
    wide: i32,
) -> Result<(i32, i32)> {
    let (count, height) = (labels.clone().count() as i32, height - 2 * LEVEL);
    let mut size = SIZE.min(height / count.max(1) - 4);
    if size < SMALLEST {
        let wrong = format!("there are {count} labels below each other");
        return Err(Error::new(
            "draw",
            wrong,
            format!("up to {}", height / (SMALLEST + 4)),
        ));
    }
    for label in labels.clone() {
        size = fitting(area, label, size, wide * 2 / 5)?;
    }
    Ok((
        size,
        labels
            .map(|label| width(area, label, size))
            .max()
            .unwrap_or(0),
    ))
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

/// Something on the figure: its middle, and how wide and high it is.
type Room = ((i32, i32), (i32, i32));

/// A marker and some room around it.
const MARKER: (i32, i32) = (44, 44);

/// The first of `spots` between the edges at which something of that size touches nothing that is
/// there; the first where there is none.
fn free_spot(
    spots: &[(i32, i32)],
    size: (i32, i32),
    (from, to): (i32, i32),
    taken: &[Room],
) -> (i32, i32) {
    let free = |spot: &(i32, i32)| {
        let touches = |((x, y), (wide, high)): &Room| {
            let across = 2 * (spot.0 - x).abs() < size.0 + wide;
            across && 2 * (spot.1 - y).abs() < size.1 + high
        };
        (from..=to).contains(&spot.0) && !taken.iter().any(touches)
    };
    let found = spots.iter().find(|spot| free(spot));
    *found.unwrap_or(&spots[0])
}

const DISC: usize = 0;
const TRIANGLE: usize = 2;

/// A marker whose shape goes with `index`, filled or hollow, so that series differ without colour
/// too.
fn marker(
    area: &Area,
    (x, y): (i32, i32),
    index: usize,
    size: f64,
    hue: impl Into<ShapeStyle>,
) -> Result<()> {
    let (sides, turn, radius) = [
        (24, 0.0, 17.0),
        (4, 0.125, 25.0),
        (3, 0.0, 24.0),
        (4, 0.0, 24.0),
        (3, 0.5, 24.0),
    ][index % 5];
    let polygon = |size: f64, style: ShapeStyle| {
        let corner = |side| {
            let (right, up) =
                ((f64::from(side) / f64::from(sides) + turn) * std::f64::consts::TAU).sin_cos();
            (
                x + (size * radius * right).round() as i32,
                y - (size * radius * up).round() as i32,
            )
        };
        area.draw(&Polygon::new(
            (0..sides).map(corner).collect::<Vec<_>>(),
            style,
        ))
        .map_err(failed)
    };
    polygon(size, hue.into().filled())?;
    if index / 5 % 2 == 1 {
        polygon(size / 2.0, WHITE.filled())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

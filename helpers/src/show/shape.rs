//! What a picture is made of, and how plotters draws it.

use crate::error::Result;
use crate::show::canvas::{Anchor, Area, failed, text};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// A place on the canvas, from its left and its top.
pub(crate) type Place = (i32, i32);

/// A part of a picture, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Line {
        path: Vec<Place>,
        colour: RGBAColor,
        stroke: u32,
    },
    /// A line of dashes so long, with gaps so long.
    Dashes {
        path: Vec<Place>,
        dash: (i32, i32),
        colour: RGBAColor,
        stroke: u32,
    },
    Rectangle {
        corners: [Place; 2],
        colour: RGBAColor,
    },
    /// A marker of the shape with this index, and so many times as large as usual.
    Marker {
        at: Place,
        index: usize,
        size: f64,
        colour: RGBAColor,
    },
    /// Words that begin, end, or have their middle at a place.
    Text {
        words: String,
        at: Place,
        size: i32,
        colour: RGBColor,
        anchor: Anchor,
    },
}

impl Shape {
    pub(crate) fn paint(self, area: &Area) -> Result<()> {
        match self {
            Shape::Line {
                path,
                colour,
                stroke,
            } => {
                let line = PathElement::new(path, colour.stroke_width(stroke));
                area.draw(&line).map_err(failed)
            }
            Shape::Dashes {
                path,
                dash: (dash, gap),
                colour,
                stroke,
            } => {
                let style = colour.stroke_width(stroke);
                let line = DashedPathElement::new(path, dash, gap, style);
                area.draw(&line).map_err(failed)
            }
            Shape::Rectangle { corners, colour } => {
                let rectangle = Rectangle::new(corners, colour.filled());
                area.draw(&rectangle).map_err(failed)
            }
            Shape::Marker {
                at,
                index,
                size,
                colour,
            } => marker(area, at, index, size, colour),
            Shape::Text {
                words,
                at,
                size,
                colour,
                anchor,
            } => text(area, &words, at, size, colour, anchor),
        }
    }
}

/// Sides of a marker, the part of a turn by which it is turned, and its radius.
const OUTLINES: [(u32, f64, f64); 5] = [
    (24, 0.0, 17.0),
    (4, 0.125, 25.0),
    (3, 0.0, 24.0),
    (4, 0.0, 24.0),
    (3, 0.5, 24.0),
];
pub(crate) const DISC: usize = 0;
pub(crate) const TRIANGLE: usize = 2;
pub(crate) const HOLLOW_TRIANGLE: usize = 7;
pub(crate) const HOLLOW_DIAMOND: usize = 8;

/// A marker whose outline goes with `index`, filled or hollow, so that series differ without colour
/// too.
fn marker(area: &Area, at: Place, index: usize, size: f64, colour: RGBAColor) -> Result<()> {
    let outline = |size: f64, colour: RGBAColor| {
        let polygon = Polygon::new(corners(at, index, size), colour.filled());
        area.draw(&polygon).map_err(failed)
    };
    outline(size, colour)?;
    let hollow = index / OUTLINES.len() % 2 == 1;
    if hollow {
        outline(size / 2.0, WHITE.to_rgba())?;
    }
    Ok(())
}

fn corners((x, y): Place, index: usize, size: f64) -> Vec<Place> {
    let (sides, turned, radius) = OUTLINES[index % OUTLINES.len()];
    let corner = |side| {
        let turns = f64::from(side) / f64::from(sides) + turned;
        let (right, up) = (turns * std::f64::consts::TAU).sin_cos();
        let across = (size * radius * right).round() as i32;
        let upwards = (size * radius * up).round() as i32;
        (x + across, y - upwards)
    };
    (0..sides).map(corner).collect()
}

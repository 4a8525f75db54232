//! The pencil: text, lines and markers on a bitmap, in the house's colours and one font.

use crate::{Error, Family, Result};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(crate) const WIDTH: u32 = 1440;
pub(crate) const HEIGHT: u32 = 840;
/// What stays free at the left and the right.
pub(crate) const EDGE: i32 = 36;
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
pub(crate) const GREY: RGBColor = RGBColor(110, 110, 110);
const FONT: &str = "DejaVu Sans";
/// Everything is drawn twice as large and averaged down, for smooth edges and evenly spaced letters.
const FINE: i32 = 2;

/// Which point of a text stands at the place given; vertically, always its middle.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Left,
    Centre,
    Right,
}

/// Pixels of a blank picture, to draw on with a [`Canvas`] and to take with [`averaged`].
pub(crate) fn blank() -> Vec<u8> {
    vec![255; WIDTH as usize * HEIGHT as usize * 3 * (FINE * FINE) as usize]
}

/// The picture at its final size: each pixel the mean of those drawn for it, three bytes a pixel.
pub(crate) fn averaged(fine_pixels: &[u8]) -> Vec<u8> {
    let (fine, row) = (FINE as usize, WIDTH as usize * 3 * FINE as usize);
    let mut pixels = Vec::with_capacity(fine_pixels.len() / (fine * fine));
    for rows in fine_pixels.chunks_exact(row * fine) {
        for x in 0..WIDTH as usize {
            for channel in 0..3 {
                let block = (0..fine * fine).map(|part| {
                    let (down, across) = (part / fine, part % fine);
                    u32::from(rows[down * row + (x * fine + across) * 3 + channel])
                });
                pixels.push((block.sum::<u32>() / (fine * fine) as u32) as u8);
            }
        }
    }
    pixels
}

/// Draws on pixels of [`blank`]; places and sizes are in pixels of the final picture.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

fn failed(why: impl std::fmt::Display) -> Error {
    Error::new("draw", why.to_string(), "a bitmap and the font that comes with this crate")
}

impl<'a> Canvas<'a> {
    pub(crate) fn new(pixels: &'a mut [u8]) -> Result<Self> {
        // The font comes with the crate: what the system has differs, and may be nothing.
        plotters::style::register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
            .map_err(|_| failed("the font does not load"))?;
        let size = (WIDTH * FINE as u32, HEIGHT * FINE as u32);
        let area = BitMapBackend::with_buffer(pixels, size).into_drawing_area();
        Ok(Self { area })
    }

    /// Okabe and Ito's palette (*Color Universal Design*, 2008), which colour-blind readers can tell apart.
    pub(crate) fn colour(family: Family) -> RGBColor {
        match family {
            Family::Lock => RGBColor(0x00, 0x72, 0xB2),
            Family::Atomic => RGBColor(0xD5, 0x5E, 0x00),
            Family::Channel => RGBColor(0x00, 0x9E, 0x73),
            Family::Task => RGBColor(0xCC, 0x79, 0xA7),
            Family::Reference => GREY,
        }
    }

    pub(crate) fn width(&self, text: &str, size: i32) -> i32 {
        let style = TextStyle::from((FONT, size * FINE));
        self.area.estimate_text_size(text, &style).map_or(0, |(width, _)| width as i32 / FINE)
    }

    /// The largest size up to `size` at which `text` is no wider than `room`.
    pub(crate) fn fitting_size(&self, text: &str, size: i32, room: i32) -> i32 {
        (1..=size).rev().find(|&size| self.width(text, size) <= room).unwrap_or(1)
    }

    pub(crate) fn text(
        &mut self,
        text: &str,
        at: (i32, i32),
        size: i32,
        colour: impl Color,
        anchor: Anchor,
    ) -> Result<()> {
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Centre => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let style =
            TextStyle::from((FONT, size * FINE)).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        // The layout's middle lies above the middle of the letters.
        let at = (at.0 * FINE, at.1 * FINE + size * FINE / 8);
        self.area.draw_text(text, &style, at).map_err(failed)
    }

    pub(crate) fn line(
        &mut self,
        path: &[(i32, i32)],
        colour: impl Color,
        width: u32,
        dashed: bool,
    ) -> Result<()> {
        let style = colour.stroke_width(width * FINE as u32);
        let path = path.iter().map(|(x, y)| (x * FINE, y * FINE));
        if dashed {
            self.area.draw(&DashedPathElement::new(path, 10 * FINE, 7 * FINE, style)).map_err(failed)
        } else {
            self.area.draw(&PathElement::new(path.collect::<Vec<_>>(), style)).map_err(failed)
        }
    }

    /// An upright bar between two places on one vertical.
    pub(crate) fn bar(&mut self, from: (i32, i32), to: (i32, i32), colour: impl Color) -> Result<()> {
        self.rectangle((from.0 - 34, from.1), (to.0 + 34, to.1), colour)
    }

    pub(crate) fn rectangle(&mut self, from: (i32, i32), to: (i32, i32), colour: impl Color) -> Result<()> {
        let corners = [from, to].map(|(x, y)| (x * FINE, y * FINE));
        self.area.draw(&Rectangle::new(corners, colour.filled())).map_err(failed)
    }

    /// A pale tile, hatched or plain.
    pub(crate) fn tile(
        &mut self,
        from: (i32, i32),
        to: (i32, i32),
        family: Family,
        hatched: bool,
    ) -> Result<()> {
        let colour = Self::colour(family);
        self.rectangle(from, to, colour.mix(0.3))?;
        let (width, height) = (to.0 - from.0, to.1 - from.1);
        for start in (-height..width).step_by(16).filter(|_| hatched) {
            // A line at 45 degrees, cut at the edges of the tile.
            let (first, last) = (start.max(0), (start + height).min(width));
            let line = [(from.0 + first, from.1 + first - start), (from.0 + last, from.1 + last - start)];
            self.line(&line, WHITE.mix(0.8), 3, false)?;
        }
        Ok(())
    }

    pub(crate) fn dot(&mut self, at: (i32, i32), radius: i32, colour: impl Color) -> Result<()> {
        let at = (at.0 * FINE, at.1 * FINE);
        self.area.draw(&Circle::new(at, radius * FINE, colour.filled())).map_err(failed)
    }

    /// A marker whose shape goes with `index`, so that series differ without colour too.
    pub(crate) fn marker(&mut self, at: (i32, i32), index: usize, colour: RGBColor) -> Result<()> {
        let corners: &[(i32, i32)] = match index % 5 {
            0 => return self.dot(at, 9, colour),
            1 => &[(-8, -8), (8, -8), (8, 8), (-8, 8)],
            2 => &[(0, -11), (10, 8), (-10, 8)],
            3 => &[(0, -12), (12, 0), (0, 12), (-12, 0)],
            _ => &[(0, 11), (10, -8), (-10, -8)],
        };
        let shape: Vec<_> = corners.iter().map(|(x, y)| ((at.0 + x) * FINE, (at.1 + y) * FINE)).collect();
        self.area.draw(&Polygon::new(shape, colour.filled())).map_err(failed)
    }
}

//! The house's canvas: a bitmap of one size with a title above and a caption below, in the house's
//! colours and one font, and its text form.

use crate::error::{Error, Result};
use crate::show::caption::Caption;
use crate::table::{MIME_TYPE, Table};
use crate::time::design::Family;
use base64::Engine;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Display;

// The picture's size. Everything is drawn twice as large and averaged down, for smooth edges and
// evenly spaced letters; all other sizes here and in the layout are those of the drawing, not of
// the picture.
const SIZE: (usize, usize) = (1440, 840);
/// What stays free at the left and the right.
const EDGE: i32 = 72;
const CAPTION: i32 = 34;
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
pub(crate) const GREY: RGBColor = RGBColor(110, 110, 110);
const FONT: &str = "DejaVu Sans";
/// The smallest letters, 11 pixels of the picture.
pub(crate) const SMALLEST: i32 = 22;

/// An area of the canvas, as plotters draws on it: places and sizes are twice those of the picture.
pub type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// A drawn figure: what a notebook shows.
///
/// A cell's last expression must not take a variable of the cell by value, or the kernel shows its
/// `Debug` form; a `chart` borrows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Drawing {
    /// The picture, 1440 x 840 pixels, opaque.
    pub png: Vec<u8>,
    /// The same as text: the title, a header with units, a row a point in the order of the position
    /// axis; after an empty line, the caption.
    pub text: String,
    /// The same as JSON, with all samples.
    pub data: String,
}

/// The text form: bytes of a picture help nobody.
impl std::fmt::Debug for Drawing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Drawing {
    /// What `paint` draws with plotters itself, on the house's canvas: between the title of `data`
    /// and the caption.
    ///
    /// The area is twice as large as what is shown, 2,736 pixels wide, so letters of 44 come out at
    /// 22. The font is there as `sans-serif`.
    ///
    /// # Errors
    /// `paint` fails, or a title that does not fit.
    ///
    /// ```
    /// use helpers::{Drawing, Table, caption, plotters::prelude::*};
    /// let data = Table {
    ///     title: "What is a square?".into(),
    ///     header: vec!["x".into(), "y".into()],
    ///     rows: vec![],
    /// };
    /// let drawing = Drawing::by_plotters(&data, &caption![], |area| {
    ///     let mut chart = ChartBuilder::on(area)
    ///         .set_left_and_bottom_label_area_size(90)
    ///         .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    ///     chart.configure_mesh().label_style(("sans-serif", 44)).draw()?;
    ///     let squares = (0..=10).map(|tenths| f64::from(tenths) / 10.0).map(|x| (x, x * x));
    ///     chart.draw_series(LineSeries::new(squares, RED))?;
    ///     Ok(())
    /// })?;
    /// assert!(drawing.text.contains(" UTC on "));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn by_plotters(
        data: &Table,
        caption: &Caption,
        paint: impl FnOnce(&Area) -> std::result::Result<(), Box<dyn std::error::Error>>,
    ) -> Result<Self> {
        let sentences = caption.sentences(String::new());
        let mut whole = data.data();
        whole["caption"] = caption.data();
        Self::paint(data, whole, &sentences, |area| paint(area).map_err(failed))
    }

    /// What `paint` draws between the title of `table` and the sentences of a caption.
    pub(crate) fn paint(
        table: &Table,
        data: serde_json::Value,
        caption: &[String],
        paint: impl FnOnce(&Area) -> Result<()>,
    ) -> Result<Self> {
        load_font()?;
        let (width, height) = (2 * SIZE.0, 2 * SIZE.1);
        let mut pixels = vec![255; 3 * width * height];
        {
            let whole = BitMapBackend::with_buffer(&mut pixels, (width as u32, height as u32));
            let whole = whole.into_drawing_area().margin(0, 20, EDGE, EDGE);
            let (room, height) = (whole.dim_in_pixel().0 as i32, whole.dim_in_pixel().1 as i32);
            text(
                &whole,
                &table.title,
                (0, 88),
                fitting(&table.title, 68, room)?,
                INK,
                Anchor::Begin,
            )?;
            let lines: Vec<String> = caption
                .iter()
                .flat_map(|sentence| wrapped(sentence, room))
                .collect();
            let (line, floor) = (CAPTION + 12, height - (CAPTION + 12) * lines.len() as i32);
            for (y, words) in (floor + line / 2..).step_by(line as usize).zip(&lines) {
                text(&whole, words, (0, y), CAPTION, GREY, Anchor::Begin)?;
            }
            paint(&whole.margin(152, height - floor + 16, 0, 0))?;
        }
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, SIZE.0 as u32, SIZE.1 as u32);
        encoder.set_color(png::ColorType::Rgb);
        let pixels = averaged(&pixels);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&pixels))
            .map_err(failed)?;
        Ok(Self {
            png,
            text: format!("{table}\n{}\n", caption.join("\n")),
            data: data.to_string(),
        })
    }

    /// Shows the drawing in a notebook; the kernel calls this for the last expression of a cell.
    pub fn evcxr_display(&self) {
        let png = base64::engine::general_purpose::STANDARD.encode(&self.png);
        println!("EVCXR_BEGIN_CONTENT image/png\n{png}\nEVCXR_END_CONTENT");
        let Self { text, data, .. } = self;
        println!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT");
        println!("EVCXR_BEGIN_CONTENT {MIME_TYPE}\n{data}\nEVCXR_END_CONTENT");
    }
}

/// The picture at its final size: each pixel the mean of the four drawn for it, three bytes a
/// pixel.
fn averaged(drawn: &[u8]) -> Vec<u8> {
    let row = 2 * 3 * SIZE.0;
    let mean = |at: usize| {
        let of = |at: usize| u32::from(drawn[at]);
        ((of(at) + of(at + 3) + of(at + row) + of(at + row + 3)) / 4) as u8
    };
    let pixel = |at: usize| 2 * row * (at / SIZE.0) + 6 * (at % SIZE.0);
    (0..SIZE.0 * SIZE.1)
        .flat_map(|at| (pixel(at)..pixel(at) + 3).map(mean))
        .collect()
}

pub(crate) fn failed(why: impl Display) -> Error {
    Error::new(
        "draw",
        why.to_string(),
        "what plotters can draw on a bitmap of 1440 x 840 pixels",
    )
}

impl Family {
    /// Its colour, of Okabe and Ito's palette (*Color Universal Design*, 2008), which colour-blind
    /// readers can tell apart.
    pub fn colour(self) -> RGBColor {
        match self {
            Family::Lock => RGBColor(0x00, 0x72, 0xB2),
            Family::Atomic => RGBColor(0xD5, 0x5E, 0x00),
            Family::Channel => RGBColor(0x00, 0x9E, 0x73),
            Family::Task => RGBColor(0xCC, 0x79, 0xA7),
            Family::Reference => GREY,
        }
    }
}

/// `text` with signs that the font lacks as their numbers, such as `U+6F22`.
fn with_signs(text: &str) -> String {
    use ab_glyph::Font;
    let Ok(font) = ab_glyph::FontRef::try_from_slice(dejavu::sans::regular()) else {
        return text.into();
    };
    let sign = |sign: char| match font.glyph_id(sign).0 {
        0 if !sign.is_control() => format!("U+{:04X}", sign as u32),
        0 => " ".into(),
        _ => sign.into(),
    };
    text.chars().map(sign).collect()
}

/// How wide a text is in the house's font, which [`load_font`] has loaded.
pub(crate) fn width(text: &str, size: i32) -> i32 {
    let font = FontDesc::from((FONT, size));
    let layout = font.layout_box(&with_signs(text));
    layout.map_or(0, |((left, _), (right, _))| right - left + 2)
}

/// Loads the font that comes with the crate: what the system has differs, and may be nothing.
pub(crate) fn load_font() -> Result<()> {
    for name in [FONT, "sans-serif"] {
        plotters::style::register_font(name, FontStyle::Normal, dejavu::sans::regular())
            .map_err(|_| failed("the font does not load"))?;
    }
    Ok(())
}

/// The largest size up to `size` at which `text` is no wider than `room`.
pub(crate) fn fitting(text: &str, size: i32, room: i32) -> Result<i32> {
    let fitting = (SMALLEST..=size)
        .rev()
        .find(|&size| width(text, size) <= room);
    fitting.ok_or_else(|| {
        let signs = text.chars().count() as i32 * room / width(text, SMALLEST);
        Error::new(
            "draw",
            format!("`{text}` is too long"),
            format!("up to about {signs} signs like these"),
        )
    })
}

/// What of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Begin,
    Middle,
    End,
}

/// A text at a place; vertically, always its middle.
pub(crate) fn text(
    area: &Area,
    text: &str,
    (x, y): (i32, i32),
    size: i32,
    colour: RGBColor,
    anchor: Anchor,
) -> Result<()> {
    let across = match anchor {
        Anchor::Begin => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = TextStyle::from((FONT, size))
        .color(&colour)
        .pos(Pos::new(across, VPos::Center));
    // The layout's middle lies above the middle of the letters.
    area.draw_text(&with_signs(text), &style, (x, y + size / 8))
        .map_err(failed)
}

/// A sentence in lines that fit.
fn wrapped(sentence: &str, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), CAPTION) <= room => {
                *line += &format!(" {word}")
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

//! A map of two parameters: which design is the fastest where.

use crate::canvas::{Anchor, Canvas, EDGE, GREY, INK, WIDTH};
use crate::{Drawing, Error, Family, Result, Table, Warning};

/// One combination of the two parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// The fastest design, written on the tile.
    pub label: String,
    /// Its kind, which gives the colour.
    pub family: Family,
    /// Whether the next one is slower by the whole interval of their ratio; hatched where it is not.
    pub clear: bool,
}

/// Tiles in rows and columns.
///
/// ```
/// use helpers::{Family, Map, Tile};
/// let tile = |label: &str, family, clear| Tile { label: label.into(), family, clear };
/// let drawing = Map {
///     title: "Which is the fastest?".into(),
///     across: ("hold, ns".into(), vec!["0".into(), "100".into()]),
///     down: ("think, ns".into(), vec!["0".into()]),
///     tiles: vec![vec![tile("mutex", Family::Lock, true), tile("channel", Family::Channel, false)]],
///     warnings: vec![],
/// }
/// .draw()?;
/// assert!(drawing.text.contains("0          100       channel  no"));
/// # Ok::<(), helpers::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The question, or the finding.
    pub title: String,
    /// What varies from left to right, with its unit, and its values.
    pub across: (String, Vec<String>),
    /// What varies from top to bottom, with its unit, and its values.
    pub down: (String, Vec<String>),
    /// A row for each value of `down`, in it a tile for each value of `across`.
    pub tiles: Vec<Vec<Tile>>,
    /// What the runs warned of that the map shows, drawn below it, each kind once.
    pub warnings: Vec<Warning>,
}

impl Map {
    /// Checks the tiles and draws them.
    ///
    /// # Errors
    /// No tiles, or not one for each pair of values.
    pub fn draw(&self) -> Result<Drawing> {
        let (columns, rows) = (self.across.1.len(), self.down.1.len());
        if columns * rows == 0
            || self.tiles.len() != rows
            || self.tiles.iter().any(|row| row.len() != columns)
        {
            let wrong = format!("the tiles are not {rows} rows of {columns}");
            return Err(Error::new(
                format!("draw `{}`", self.title),
                wrong,
                "a tile for each pair of values",
            ));
        }
        Drawing::paint(self.table(), &self.warnings, |canvas, floor| self.paint(canvas, floor))
    }

    fn table(&self) -> Table {
        let header = [&self.down.0, &self.across.0, "fastest", "clearly"].map(String::from).to_vec();
        let mut rows = Vec::new();
        for (down, tiles) in self.down.1.iter().zip(&self.tiles) {
            for (across, tile) in self.across.1.iter().zip(tiles) {
                let clearly = if tile.clear { "yes" } else { "no" };
                rows.push([down, across, &tile.label, clearly].map(String::from).to_vec());
            }
        }
        Table { title: self.title.clone(), header, rows }
    }

    fn paint(&self, canvas: &mut Canvas, floor: i32) -> Result<()> {
        let size = canvas.fitting_size(&self.title, 34, WIDTH as i32 - 2 * EDGE);
        canvas.text(&self.title, (EDGE, 44), size, INK, Anchor::Left)?;
        canvas.text(&self.down.0, (EDGE, 96), 24, INK, Anchor::Left)?;
        let widest = self.down.1.iter().map(|value| canvas.width(value, 22)).max().unwrap_or(0);
        let (left, top) = (EDGE + widest + 14, 124);
        let (right, bottom) = (WIDTH as i32 - EDGE, floor - 96);
        let (columns, rows) = (self.across.1.len() as i32, self.down.1.len() as i32);
        let x = |column: usize| left + (right - left) * column as i32 / columns;
        let y = |row: usize| top + (bottom - top) * row as i32 / rows;
        for (row, tiles) in self.tiles.iter().enumerate() {
            let middle = (y(row) + y(row + 1)) / 2;
            canvas.text(&self.down.1[row], (left - 14, middle), 22, INK, Anchor::Right)?;
            for (column, tile) in tiles.iter().enumerate() {
                let (from, to) = ((x(column), y(row)), (x(column + 1) - 3, y(row + 1) - 3));
                canvas.tile(from, to, tile.family, !tile.clear)?;
                let size = canvas.fitting_size(&tile.label, 22, to.0 - from.0 - 12);
                canvas.text(&tile.label, ((from.0 + to.0) / 2, middle), size, INK, Anchor::Centre)?;
            }
        }
        for (column, value) in self.across.1.iter().enumerate() {
            let middle = (x(column) + x(column + 1)) / 2;
            canvas.text(value, (middle, bottom + 24), 22, INK, Anchor::Centre)?;
        }
        canvas.text(&self.across.0, ((left + right) / 2, floor - 32), 24, INK, Anchor::Centre)?;
        let note = "hatched: the second is not slower by the whole interval of their ratio";
        canvas.text(note, (right, 96), 22, GREY, Anchor::Right)
    }
}

//! Two runs side by side: the same figures' data, read from their text twins.

use crate::notebook::{self, Notebook};
use crate::{page, parameters};
use anyhow::{Context, Result, bail};
use maud::{Markup, html};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const TITLE: &str = "Two runs side by side";

/// What `compare` is asked to do.
#[derive(clap::Args)]
pub struct Options {
    /// A folder of executed notebooks, or one of them
    a: PathBuf,
    /// The folder or the notebook to set beside it
    b: PathBuf,
    /// The HTML page; target/compared.html if none is given
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints the data of the same figures in two runs, with ratios, and writes it as one HTML page.
///
/// # Errors
/// When there is nothing to compare, or the page cannot be written.
pub fn compare(root: &Path, options: &Options) -> Result<()> {
    let (a, b) = (&options.a, &options.b);
    let compared: Vec<Compared> =
        pairs(a, b)?.iter().map(|[a, b]| Compared::new(a, b)).collect::<Result<_>>()?;
    let default = root.join("target/compared.html");
    let output = options.output.as_deref().unwrap_or(&default);
    page::write(output, TITLE, &body(&compared))?;
    let text: String = compared.iter().map(Compared::to_string).collect();
    let sides = format!("A: {}\nB: {}", a.display(), b.display());
    let end = format!("{}\nWrote {}", summary(&compared), output.display());
    match writeln!(io::stdout(), "{sides}\n\n{text}{end}") {
        // Whoever reads this may have seen enough, as `head` has.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot print"),
        _ => Ok(()),
    }
}

/// The notebooks that both sides have: two that were named, or those of the same name in two folders.
fn pairs(a: &Path, b: &Path) -> Result<Vec<[Notebook; 2]>> {
    if a.is_file() && b.is_file() {
        return Ok(vec![[Notebook::read(a)?, Notebook::read(b)?]]);
    }
    let files = |path: &Path| match path.is_file() {
        true => Ok(vec![path.to_owned()]),
        false => notebook::list(path),
    };
    let others = files(b)?;
    let mut pairs = Vec::new();
    for path in files(a)? {
        if let Some(other) = others.iter().find(|other| other.file_name() == path.file_name()) {
            pairs.push([Notebook::read(&path)?, Notebook::read(other)?]);
        }
    }
    if pairs.is_empty() {
        bail!("{} and {} hold no notebook of the same name", a.display(), b.display());
    }
    Ok(pairs)
}

/// One notebook in two runs.
struct Compared {
    title: String,
    /// On what machine and with which parameters.
    setting: Table,
    verdict: Table,
    figures: Vec<Pair>,
    /// A sentence for each figure that only one side has.
    missing: Vec<String>,
}

/// One figure in two runs.
struct Pair {
    table: Table,
    /// Each side's picture in base64, and its text.
    sides: [(String, String); 2],
}

impl Compared {
    fn new(a: &Notebook, b: &Notebook) -> Result<Self> {
        let (in_a, mut in_b) = (a.figures(), b.figures());
        for (notebook, figures) in [(a, &in_a), (b, &in_b)] {
            if figures.is_empty() {
                bail!("{} shows no figure: execute it with `cargo xtask run`", notebook.path.display());
            }
        }
        let (mut figures, mut missing) = (Vec::new(), Vec::new());
        let only =
            |side: &str, twin: &str| format!("Only {side} has the figure: {}", Twin::parse(twin).title);
        for a in in_a {
            match in_b.iter().position(|b| b.cell == a.cell) {
                Some(place) => {
                    let b = in_b.remove(place);
                    let table = Table::new(&Twin::parse(&a.twin), &Twin::parse(&b.twin));
                    figures.push(Pair { table, sides: [(a.png, a.twin), (b.png, b.twin)] });
                }
                None => missing.push(only("A", &a.twin)),
            }
        }
        missing.extend(in_b.iter().map(|b| only("B", &b.twin)));
        let setting = Table::new(&setting(a)?, &setting(b)?);
        Ok(Self {
            title: a.title(),
            setting,
            verdict: Table::new(&verdict(a), &verdict(b)),
            figures,
            missing,
        })
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{}\n{}", self.title, self.setting, self.verdict)?;
        self.figures.iter().try_for_each(|figure| writeln!(f, "{}", figure.table))?;
        self.missing.iter().try_for_each(|missing| writeln!(f, "{missing}\n"))
    }
}

/// The stamp, and below it the parameters.
fn setting(notebook: &Notebook) -> Result<Twin> {
    let mut twin = Twin::parse(&notebook.shown("stamp").unwrap_or_default());
    twin.header = ["what", "value"].map(String::from).to_vec();
    for parameter in parameters::list(&notebook.parameters())? {
        twin.rows.push(vec![parameter.name, parameter.value]);
    }
    Ok(twin)
}

/// What the verdict's cell printed, line by line.
fn verdict(notebook: &Notebook) -> Twin {
    let shown = notebook.shown("verdict").unwrap_or_default();
    let rows = (1..).zip(shown.lines()).map(|(number, line)| vec![number.to_string(), line.to_owned()]);
    Twin {
        title: "Verdict".into(),
        header: ["line", "said"].map(String::from).to_vec(),
        rows: rows.collect(),
    }
}

/// A figure or a table as text: a title, a header, then rows, with two spaces or more between columns. A figure's
/// caption, after an empty line, is no part of it.
struct Twin {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Twin {
    fn parse(text: &str) -> Self {
        let lines = text.lines().skip_while(|line| line.trim().is_empty());
        let mut lines = lines.take_while(|line| !line.trim().is_empty());
        let title = lines.next().unwrap_or_default().trim().to_owned();
        let columns = |line: &str| {
            let columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
            columns.map(String::from).collect::<Vec<_>>()
        };
        let header = lines.next().map(columns).unwrap_or_default();
        Self { title, header, rows: lines.map(columns).collect() }
    }

    /// How many columns at the left say what a row is; those on their right are its value.
    fn key_columns(&self) -> usize {
        match self.header.as_slice() {
            [key @ .., _, low, high, samples] if [low, high, samples] == ["low", "high", "samples"] => {
                key.len()
            }
            // A map: two places, and what stands there. A stamp: what, and its value.
            header => header.len() / 2,
        }
    }

    /// What each row is, and its value.
    fn rows(&self) -> Vec<(Vec<String>, Value)> {
        let split = |row: &Vec<String>| {
            let (key, value) = row.split_at(self.key_columns().min(row.len()));
            (key.to_vec(), Value::new(value))
        };
        self.rows.iter().map(split).collect()
    }
}

/// The value of a row as written and, where it is a number above 0, with the ends of its interval.
struct Value {
    text: String,
    estimate: Option<[f64; 3]>,
}

impl Value {
    fn new(columns: &[String]) -> Self {
        let number = |text: &String| text.replace(',', "").parse().ok().filter(|&value: &f64| value > 0.0);
        match columns {
            [value, low, high, _samples] => {
                let text = if low == high { value.clone() } else { format!("{value} [{low}, {high}]") };
                let numbers = (number(value), number(low), number(high));
                let estimate = match numbers {
                    (Some(value), Some(low), Some(high)) => Some([value, low, high]),
                    _ => None,
                };
                Self { text, estimate }
            }
            columns => Self { text: columns.join(", "), estimate: None },
        }
    }
}

/// How many times as much B is as A, with its 95 % interval where the runs give one.
#[derive(Debug, PartialEq)]
struct Ratio {
    value: f64,
    interval: Option<[f64; 2]>,
}

impl Ratio {
    /// Combines two intervals that were measured apart: each end of the ratio's, on a logarithmic scale, is as far
    /// from the ratio as the root of the summed squares of the two distances that move it there.
    ///
    /// Zou and Donner, *Construction of confidence limits about effect measures: A general approach*, Statistics in
    /// Medicine 27 (2008), 1693-1702.
    fn new([a, a_low, a_high]: [f64; 3], [b, b_low, b_high]: [f64; 3]) -> Self {
        let value = b / a;
        let distance = |from_a: f64, from_b: f64| (from_a / a).ln().hypot((from_b / b).ln()).exp();
        let [down, up] = [distance(a_high, b_low), distance(a_low, b_high)];
        // Both sides are single readings, or the same each time: then chance is not what sets them apart.
        let interval = (a_low < a_high || b_low < b_high).then(|| [value / down, value * up]);
        Self { value, interval }
    }

    /// Whether the interval tells the runs apart; nothing where there is none.
    fn apart(&self) -> Option<bool> {
        self.interval.map(|[low, high]| high < 1.0 || 1.0 < low)
    }
}

/// To three digits, as the figures have them.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |value: f64| format!("{value:.*}", (2.0 - value.log10().floor()).clamp(0.0, 9.0) as usize);
        f.write_str(&number(self.value))?;
        match self.interval {
            Some([low, high]) => write!(f, " [{}, {}]", number(low), number(high)),
            None => Ok(()),
        }
    }
}

/// The rows of two twins side by side.
struct Table {
    title: String,
    /// What the values are, with their unit; empty where each row says it.
    unit: String,
    /// What says which row it is, A, B, and, where any row has one, the ratio.
    header: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    key: Vec<String>,
    /// The value of each side; nothing where it has no such row.
    sides: [Option<String>; 2],
    ratio: Option<Ratio>,
}

impl Table {
    fn new(a: &Twin, b: &Twin) -> Self {
        let mut in_b = b.rows();
        let mut rows = Vec::new();
        for (key, a) in a.rows() {
            let b = in_b.iter().position(|(other, _)| *other == key).map(|place| in_b.remove(place).1);
            let ratio = b.as_ref().and_then(|b| Some(Ratio::new(a.estimate?, b.estimate?)));
            // Where both read the same and nothing is uncertain, a ratio says nothing.
            let ratio = ratio.filter(|ratio| ratio.interval.is_some() || ratio.value != 1.0);
            rows.push(Row { key, sides: [Some(a.text), b.map(|b| b.text)], ratio });
        }
        rows.extend(in_b.into_iter().map(|(key, b)| Row { key, sides: [None, Some(b.text)], ratio: None }));
        let (key, value) = a.header.split_at(a.key_columns());
        let mut header = key.to_vec();
        header.extend(["A", "B"].map(String::from));
        if rows.iter().any(|row| row.ratio.is_some()) {
            header.push("B / A".into());
        }
        let unit = if value.len() == 4 { value[0].clone() } else { String::new() };
        Self { title: a.title.clone(), unit, header, rows }
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let mut cells = row.key.clone();
        cells.extend(row.sides.iter().map(|side| side.clone().unwrap_or("not there".into())));
        if self.header.len() > cells.len() {
            cells.push(row.ratio.as_ref().map_or_else(String::new, Ratio::to_string));
        }
        cells
    }
}

/// The title, the unit, the header, then a row a line, columns two spaces apart or more.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows.iter().map(|row| self.cells(row));
        let lines: Vec<Vec<String>> = std::iter::once(self.header.clone()).chain(rows).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..self.header.len()).filter_map(width).collect();
        writeln!(f, "{}", self.title)?;
        if !self.unit.is_empty() {
            writeln!(f, "{}", self.unit)?;
        }
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
            writeln!(f, "{}", cells.collect::<String>().trim_end())?;
        }
        Ok(())
    }
}

/// How many of the ratios tell the runs apart.
fn summary(compared: &[Compared]) -> String {
    let rows = compared.iter().flat_map(|notebook| &notebook.figures).flat_map(|figure| &figure.table.rows);
    let apart: Vec<bool> = rows.filter_map(|row| row.ratio.as_ref()?.apart()).collect();
    let clear = apart.iter().filter(|&&apart| apart).count();
    format!(
        "{clear} of {} ratios with an interval lie clearly above or below 1.\n\
         Chance within the runs alone would set 1 in 20 apart. What changes on a machine from one run to the next adds \
         to that: compare two runs of one machine first.",
        apart.len()
    )
}

fn body(compared: &[Compared]) -> Markup {
    html! {
        h1 { (TITLE) }
        p {
            "Each table holds the data of one figure, as medians with 95 % intervals. "
            "B / A says how many times as much B is as A; it is bold where its interval does not hold 1. "
            "Where there is no ratio, what is not the same is bold. "
            (summary(compared))
        }
        @for notebook in compared {
            h2 { (notebook.title) }
            (table(&notebook.setting))
            h3 { (notebook.verdict.title) }
            (table(&notebook.verdict))
            @for figure in &notebook.figures {
                h3 { (figure.table.title) }
                (table(&figure.table))
                div.sides {
                    @for (side, (png, twin)) in ["A", "B"].iter().zip(&figure.sides) {
                        figure {
                            img src={ "data:image/png;base64," (png) } alt=(twin);
                            figcaption { (side) ". " (twin.split_once("\n\n").map_or("", |(_, caption)| caption)) }
                        }
                    }
                }
            }
            @for missing in &notebook.missing { p { (missing) } }
        }
    }
}

fn table(table: &Table) -> Markup {
    html! {
        @if !table.unit.is_empty() { p { (table.unit) } }
        table {
            tr { @for heading in &table.header { th { (heading) } } }
            @for row in &table.rows {
                @let cells = table.cells(row);
                @let apart = match &row.ratio {
                    Some(ratio) => ratio.apart() == Some(true),
                    None => row.sides[0] != row.sides[1],
                };
                tr {
                    @for (column, cell) in cells.iter().enumerate() {
                        @if apart && column + 1 == cells.len() { td { b { (cell) } } } @else { td { (cell) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "What does it cost?
series         threads  ns       low     high    samples
mutex          1        10.0     9.00    12.0    25
mutex          2        40.0     40.0    40.0    25
channel: slow  1  8,000  7,000  9,000  25
";

    fn table(b: &str) -> Table {
        Table::new(&Twin::parse(A), &Twin::parse(b))
    }

    #[test]
    fn rows_are_paired_by_what_they_are() {
        let b = "What does it cost?
series   threads  ns     low    high   samples
mutex    2        80.0   80.0   80.0   25
channel: slow  1  0.0  0.0  1.00  25
mutex    1        20.0   18.0   24.0   25
mutex    4        90.0   80.0   99.0   25
";
        // 20 / 10 = 2; down by the root of ln(12/10)² + ln(18/20)², up by that of ln(9/10)² + ln(24/20)².
        let shown = "What does it cost?
ns
series         threads  A                     B                  B / A
mutex          1        10.0 [9.00, 12.0]     20.0 [18.0, 24.0]  2.00 [1.62, 2.47]
mutex          2        40.0                  80.0               2.00
channel: slow  1        8,000 [7,000, 9,000]  0.0 [0.0, 1.00]
mutex          4        not there             90.0 [80.0, 99.0]
";
        assert_eq!(table(b).to_string(), shown);
    }

    /// Equal runs whose medians err log-normally, by twice as much in B: 19 in 20 intervals hold 1.
    #[test]
    fn the_interval_of_a_ratio_covers_as_often_as_it_says() {
        const STEPS: usize = 200;
        let between = |step: usize| (step as f64 + 0.5) / STEPS as f64;
        let estimate =
            |error: f64, spread: f64| [0.0, -1.96, 1.96].map(|end| 100.0 * (spread * (error + end)).exp());
        let mut held = 0;
        for step in 0..STEPS * STEPS {
            // Box and Muller: two independent normal errors from two uniform numbers, here each on a grid.
            let radius = (-2.0 * between(step / STEPS).ln()).sqrt();
            let angle = std::f64::consts::TAU * between(step % STEPS);
            let (in_a, in_b) = (radius * angle.cos(), radius * angle.sin());
            let ratio = Ratio::new(estimate(in_a, 0.05), estimate(in_b, 0.1));
            held += usize::from(ratio.apart() == Some(false));
        }
        let share = held as f64 / (STEPS * STEPS) as f64;
        assert!((0.945..0.955).contains(&share), "{share}");
    }

    #[test]
    fn a_map_and_a_stamp_are_compared_word_by_word() {
        let map = |fastest| {
            Twin::parse(&format!("Which?\nthink, ns  hold, ns  fastest  clearly\n0  200  {fastest}  yes\n"))
        };
        let shown =
            "Which?\nthink, ns  hold, ns  A           B\n0          200       mutex, yes  owner, yes\n";
        assert_eq!(Table::new(&map("mutex"), &map("owner")).to_string(), shown);
    }
}

//! Tables: Markdown for a notebook, aligned text for everything else.

use serde_json::{Value, json};
use std::fmt;

/// The type under which a notebook keeps a table or a figure for programs.
pub(crate) const MIME_TYPE: &str = "application/vnd.guard-time-weigh+json";

/// A titled table; in a notebook, a cell that ends in one shows it.
///
/// ```
/// let table = helpers::Table {
///     title: "Cost".into(),
///     header: vec!["lock".into(), "ns".into()],
///     rows: vec![vec!["std".into(), "13.1".into()]],
/// };
/// assert_eq!(table.to_string(), "Cost\nlock  ns\nstd   13.1\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What the table shows.
    pub title: String,
    /// A heading a column, with its unit.
    pub header: Vec<String>,
    /// The rows; a missing cell is left empty.
    pub rows: Vec<Vec<String>>,
}

/// The title, then the header, then a row a line, columns two spaces apart or more.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&Vec<String>> = std::iter::once(&self.header).chain(&self.rows).collect();
        let columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let cell = |line: &[String], column: usize| -> String {
            line.get(column).cloned().unwrap_or_default()
        };
        let width = |column| {
            lines
                .iter()
                .map(|line| cell(line, column).chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..columns)
            .map(|column| width(column).unwrap_or(0) + 2)
            .collect();
        writeln!(f, "{}", self.title)?;
        for line in &lines {
            let text: String = (0..columns)
                .map(|column| format!("{:1$}", cell(line, column), widths[column]))
                .collect();
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

impl Table {
    /// A table whose rows have as many cells as its header.
    ///
    /// ```
    /// let rows = [["std".to_string(), "13.1".to_string()]];
    /// let table = helpers::Table::of("Cost", ["lock", "ns"], &rows);
    /// assert_eq!(table.to_string(), "Cost\nlock  ns\nstd   13.1\n");
    /// ```
    pub fn of<const COLUMNS: usize>(
        title: &str,
        header: [&str; COLUMNS],
        rows: &[[String; COLUMNS]],
    ) -> Self {
        Self {
            title: title.into(),
            header: header.map(String::from).to_vec(),
            rows: rows.iter().map(|row| row.to_vec()).collect(),
        }
    }

    /// Shows the table in a notebook; the kernel calls this for the last expression of a cell.
    pub fn evcxr_display(&self) {
        let row = |cells: &[String]| {
            let escaped: Vec<String> = cells
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
                .collect();
            format!("| {} |\n", escaped.join(" | "))
        };
        let mut markdown = format!("**{}**\n\n{}", self.title, row(&self.header));
        markdown.push_str(&format!("|{}\n", " --- |".repeat(self.header.len())));
        markdown.extend(self.rows.iter().map(|cells| row(cells)));
        println!("EVCXR_BEGIN_CONTENT text/markdown\n{markdown}\nEVCXR_END_CONTENT");
        println!("EVCXR_BEGIN_CONTENT text/plain\n{self}\nEVCXR_END_CONTENT");
        let data = self.data();
        println!("EVCXR_BEGIN_CONTENT {MIME_TYPE}\n{data}\nEVCXR_END_CONTENT");
    }

    pub(crate) fn data(&self) -> Value {
        let Self {
            title,
            header,
            rows,
        } = self;
        json!({ "title": title, "header": header, "rows": rows })
    }
}

//! One page over the rendered notebooks of a folder.

use crate::notebook::{self, Notebook};
use crate::page;
use anyhow::Result;
use maud::{Markup, PreEscaped, html};
use std::path::Path;

/// The file's name.
pub const NAME: &str = "index.html";

const TITLE: &str = "Rendered notebooks";

/// Writes `index.html` over every executed notebook of the folder that has a page there, whichever run left it.
///
/// # Errors
/// When the folder cannot be read or the page cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    let mut entries = Vec::new();
    for file in notebook::list(folder)? {
        if !file.with_extension("html").exists() {
            continue;
        }
        match Notebook::read(&file) {
            Ok(notebook) => entries.push(entry(&notebook)),
            Err(error) => println!("{NAME} leaves one out: {error:#}"),
        }
    }
    let body = html! {
        h1 { (TITLE) }
        @for entry in &entries { (entry) }
    };
    let target = folder.join(NAME);
    page::write(&target, TITLE, &body)?;
    println!("Wrote {}", target.display());
    Ok(())
}

fn entry(notebook: &Notebook) -> Markup {
    // What a file name may hold and means something else in an address.
    let name = notebook.name.replace('%', "%25").replace('#', "%23").replace('?', "%3F");
    let address = format!("{name}.html");
    html! {
        article {
            h2 { a href=(address) { (notebook.title()) } }
            @if let Some(lead) = notebook.lead() { p { (PreEscaped(lead)) } }
            @if let Some(figure) = notebook.cover() {
                a href={ (address) "#cell-id=" (figure.cell) } {
                    img src=(format!("data:image/png;base64,{}", figure.png)) alt=(figure.title());
                }
            }
            @if let Some(verdict) = notebook.shown("verdict") {
                ul.verdict aria-label="Verdict" {
                    @for line in verdict.lines() { li { (judged(line)) } }
                }
            }
            @if let Some(stamp) = notebook.shown("stamp") { p.stamp { (measured(&stamp)) } }
        }
    }
}

/// A line of the verdict; its word, if it judges, is strong. A reason may follow in brackets.
fn judged(line: &str) -> Markup {
    let (said, reason) = line.split_at(line.find(" (").filter(|_| line.ends_with(')')).unwrap_or(line.len()));
    match said.rsplit_once(": ") {
        Some((claim, word @ ("supported" | "refuted" | "inconclusive"))) => {
            html! { (claim) ": " strong { (word) } (reason) }
        }
        _ => html! { (line) },
    }
}

/// The day and the machine, of the rows of the stamp.
fn measured(stamp: &str) -> String {
    let row = |what: &str| {
        let value =
            |line: &str| line.strip_prefix(what)?.strip_prefix("  ").map(|value| value.trim().to_owned());
        stamp.lines().find_map(value)
    };
    let cores = row("cores").map(|cores| format!("{cores} cores"));
    let known: Vec<_> = [row("date"), row("processor"), cores, row("memory")].into_iter().flatten().collect();
    format!("Measured: {}", known.join(", "))
}

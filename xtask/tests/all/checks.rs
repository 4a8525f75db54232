//! What must hold for every executed notebook. Each function returns what is wrong, in words.

use crate::workbench::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

pub fn found<const N: usize>(faults: [(bool, String); N]) -> Vec<String> {
    faults
        .into_iter()
        .filter_map(|(is_there, words)| is_there.then_some(words))
        .collect()
}

pub fn outputs(notebook: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, cell) in code_cells(notebook).into_iter().enumerate() {
        let (meant, mut failed, mut here) = (has_tag(cell, "raises-exception"), false, Vec::new());
        for output in cell["outputs"].as_array().into_iter().flatten() {
            let data = &output["data"];
            let [shown, html] = ["text/plain", "text/html"].map(|form| text(&data[form]));
            let said = [
                text(&output["text"]),
                text(&data["text/markdown"]),
                shown.clone(),
                html,
            ]
            .concat();
            let error = output["output_type"] == "error";
            failed |= error;
            let image = data.get("image/png");
            let svg = data.get("image/svg+xml").is_some() || said.contains("<svg");
            let hidden = image.is_some() && data.get("text/html").is_some();
            here.extend(found([
                (
                    error && !meant,
                    format!("an error: {}", text(&output["evalue"])),
                ),
                (
                    output["name"] == "stderr",
                    format!("text on stderr: {said}"),
                ),
                (shown.trim() == "()", "it shows ()".into()),
                (
                    svg,
                    "an SVG, which JupyterLab does not show in a notebook of someone else".into(),
                ),
                (
                    hidden,
                    "the figure has an HTML form, which would be shown in its place".into(),
                ),
            ]));
            if let Some(image) = image {
                here.extend(
                    [
                        picture(&text(image)),
                        same_numbers(&crate::workbench::data(output), &shown),
                    ]
                    .into_iter()
                    .filter_map(Result::err),
                );
            }
        }
        here.extend(found([(
            meant && !failed,
            "no error, though the cell is there to show one".into(),
        )]));
        wrong.extend(
            here.iter()
                .map(|what| format!("code cell {}: {what}", index + 1)),
        );
    }
    wrong
}

/// What a whole notebook shows, whatever came out: figures, and a verdict.
pub fn whole(notebook: &Value) -> Vec<String> {
    let outputs = code_cells(notebook)
        .into_iter()
        .flat_map(|cell| cell["outputs"].as_array().unwrap());
    let outputs: Vec<&Value> = outputs.collect();
    let figures = outputs
        .iter()
        .filter(|output| output["data"].get("image/png").is_some())
        .count();
    let shown = outputs
        .iter()
        .map(|output| text(&output["data"]["text/plain"]));
    let said: String = shown.collect();
    let verdict = ["supported", "refuted", "inconclusive"]
        .iter()
        .any(|word| said.contains(word));
    found([
        (
            figures < 2,
            format!("{figures} figures; at least 2 are wanted"),
        ),
        (
            !verdict,
            "no verdict: supported, refuted or inconclusive".into(),
        ),
    ])
}

/// A PNG of 1440 x 840 pixels, with no channel that would let anything shine through, and not
/// blank.
fn picture(encoded: &str) -> Result<(), String> {
    let bytes = STANDARD
        .decode(encoded.replace('\n', ""))
        .map_err(|error| format!("no base64: {error}"))?;
    let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    let mut reader = decoder
        .read_info()
        .map_err(|error| format!("no PNG: {error}"))?;
    let mut pixels = vec![
        0;
        reader
            .output_buffer_size()
            .ok_or("a PNG of an absurd size")?
    ];
    let info = reader
        .next_frame(&mut pixels)
        .map_err(|error| format!("no whole PNG: {error}"))?;
    let form = (info.width, info.height, info.color_type, info.bit_depth);
    if form != (1440, 840, png::ColorType::Rgb, png::BitDepth::Eight) {
        return Err(format!(
            "a figure of {form:?}, not 1440 x 840 pixels of opaque colour"
        ));
    }
    let blank = pixels.chunks_exact(3).all(|pixel| pixel == &pixels[..3]);
    if blank {
        Err("the figure is blank".into())
    } else {
        Ok(())
    }
}

/// The text and the data of a figure hold the same cells, and every point of the data stands there.
fn same_numbers(data: &Value, shown: &str) -> Result<(), String> {
    let cells = |row: &Value| {
        let cells = row.as_array().into_iter().flatten().map(text);
        let said: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
        said.join("  ")
    };
    let rows = data["rows"].as_array().cloned().unwrap_or_default();
    if rows.is_empty() || !shown.contains(" UTC on ") {
        return Err(format!("the figure has no data, or no caption: {shown:?}"));
    }
    let mut expected = vec![text(&data["title"]), cells(&data["header"])];
    expected.extend(rows.iter().map(cells));
    let table = shown.split("\n\n").next().unwrap_or_default();
    let single_spaced = |line: &str| {
        let columns = line
            .split("  ")
            .map(str::trim)
            .filter(|column| !column.is_empty());
        columns.collect::<Vec<_>>().join("  ")
    };
    let found: Vec<String> = table.lines().map(single_spaced).collect();
    if found != expected {
        return Err(format!(
            "the figure's text {found:?} is not its data {expected:?}"
        ));
    }
    let series = data["series"].as_array().into_iter().flatten();
    let points: usize = series
        .map(|one| one["points"].as_array().map_or(0, Vec::len))
        .sum();
    if data.get("series").is_some() && points != rows.len() {
        return Err(format!("{points} points have {} rows", rows.len()));
    }
    Ok(())
}

/// Everything that must hold for the page of an executed notebook.
pub fn page(notebook: &Value, html: &str) -> Vec<String> {
    let cells = notebook["cells"].as_array().unwrap();
    let mut sources = cells.iter().map(|cell| text(&cell["source"]));
    let first = sources.find(|source| source.starts_with("# ")).unwrap();
    let title = first.lines().next().unwrap().trim_start_matches("# ");
    let outputs = cells
        .iter()
        .flat_map(|cell| cell["outputs"].as_array().into_iter().flatten());
    let figures: Vec<&Value> = outputs
        .filter(|output| output["data"].get("image/png").is_some())
        .collect();
    let images = html
        .split("<img ")
        .skip(1)
        .map(|rest| &rest[..rest.find('>').unwrap()]);
    let images: Vec<&str> = images.collect();
    let listed = html.matches("href=\"#").count() >= html.matches("<h2").count();
    let titled = html.contains(&format!("<title>{}</title>", escaped(title)));
    let mut wrong = found([
        // With this no browser fetches anything for the page; what it asks for all the same is seen
        // in one.
        (
            !html.contains("content=\"default-src 'none';"),
            "the page does not forbid requests".into(),
        ),
        (!listed, "the page does not list its headings".into()),
        (!titled, format!("the title of the page is not {title:?}")),
        (
            !html.contains("<html lang=\"en\">"),
            "the page does not name its language".into(),
        ),
        (
            images.len() != figures.len(),
            format!("{} figures, but {} images", figures.len(), images.len()),
        ),
    ]);
    for (image, figure) in images.iter().zip(figures) {
        let shown = text(&figure["data"]["text/plain"]);
        let alternative = image
            .split_once("alt=\"")
            .and_then(|(_, rest)| Some(rest.split_once('"')?.0));
        wrong.extend(tells(alternative.unwrap_or_default(), &data(figure)).err());
        let caption = shown
            .split_once("\n\n")
            .map_or("", |(_, caption)| caption.trim_end());
        let below = html.contains(&format!(
            "<figcaption>{}",
            escaped(caption).replace("&quot;", "\"")
        ));
        wrong.extend(found([(
            !below,
            format!("the page does not show the caption {caption:?}"),
        )]));
        let is_there = html.contains(&format!("<pre>{}", escaped(&shown).replace("&quot;", "\"")));
        wrong.extend(found([(
            !is_there,
            format!("the page does not show the text of the figure {shown:?}"),
        )]));
    }
    wrong
}

/// An alternative text holds the figure's title and its data, or as many rows as fit and the number
/// of the others.
fn tells(alternative: &str, data: &Value) -> Result<(), String> {
    let columns = |row: &Value| {
        let cells = row.as_array().into_iter().flatten().map(text);
        let said: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
        escaped(&said.join(", "))
    };
    let title = text(&data["title"]);
    let body = data["rows"].as_array().into_iter().flatten();
    let rows: Vec<String> = std::iter::once(&data["header"])
        .chain(body)
        .map(columns)
        .collect();
    let (told, more) = match alternative.rsplit_once("; and ") {
        Some((told, more)) => (
            told,
            more.split_once(" more rows")
                .and_then(|(count, _)| count.parse().ok()),
        ),
        None => (alternative, Some(0)),
    };
    let kept = rows.len().saturating_sub(more.unwrap_or(rows.len()));
    let whole = format!("{} Data: {}", escaped(&title), rows[..kept].join("; "));
    if kept < 2 || told != whole || told.chars().count() > 1_200 {
        return Err(format!(
            "an image is described as {alternative:?}; its figure says {data}"
        ));
    }
    Ok(())
}

/// Places where a page, or a notebook as text, would run something.
pub fn scripts(text: &str) -> Vec<String> {
    let holds = ["<script", "javascript:"]
        .into_iter()
        .filter(|what| text.to_lowercase().contains(what));
    let mut wrong: Vec<String> = holds.map(|what| format!("it holds {what}")).collect();
    for tag in text
        .split('<')
        .skip(1)
        .filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()))
    {
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        // Every other piece stands between quotes.
        let names: String = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let handles = |word: &&str| word.starts_with("on") && word.ends_with('=');
        wrong.extend(
            names
                .split_whitespace()
                .filter(handles)
                .map(|name| format!("an element has {name}")),
        );
    }
    wrong
}

#[test]
fn scripts_are_found_and_words_are_not() {
    for (text, found) in [
        ("<script>alert(1)</script>", 1),
        ("<SCRIPT src=\"x.js\"></SCRIPT>", 1),
        ("<a href=\"javascript:alert(1)\">x</a>", 1),
        ("<img alt=\"\" onerror=\"alert(1)\">", 1),
        (
            "<p>1 < 2, on_threads = 3</p> <img alt=\"one onload= two\"> &lt;script&gt;",
            0,
        ),
    ] {
        assert_eq!(scripts(text).len(), found, "{text}");
    }
}

#[test]
fn a_description_that_is_not_the_data_is_found() {
    let rows = [["a", "1"], ["b <", "2"]];
    let data = json!({ "title": "How many?", "header": ["name", "value, %"], "rows": rows });
    for (told, is_the_data) in [
        ("How many? Data: name, value, %; a, 1; b &lt;, 2", true),
        (
            "How many? Data: name, value, %; a, 1; and 1 more rows in the text below",
            true,
        ),
        ("How many? Data: name, value, %; a, 1", false),
        ("How much? Data: name, value, %; a, 1; b &lt;, 2", false),
        ("", false),
    ] {
        assert_eq!(tells(told, &data).is_ok(), is_the_data, "{told}");
    }
}

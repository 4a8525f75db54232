//! What must hold for every executed notebook. Each function returns what is wrong, in words.

use crate::workbench::{code_cells, escaped, has_tag, text};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Everything that must hold for the outputs, whoever executed the notebook.
pub fn outputs(notebook: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, cell) in code_cells(notebook).into_iter().enumerate() {
        let mut complain = |what: String| wrong.push(format!("code cell {}: {what}", index + 1));
        let (meant, mut failed) = (has_tag(cell, "raises-exception"), false);
        for output in cell["outputs"].as_array().into_iter().flatten() {
            let data = &output["data"];
            let shown = text(&data["text/plain"]);
            let said = [&output["text"], &data["text/plain"], &data["text/html"], &data["text/markdown"]];
            let said: String = said.map(text).concat();
            if output["output_type"] == "error" && !meant {
                complain(format!("an error: {}", text(&output["evalue"])));
            }
            failed |= output["output_type"] == "error";
            if output["name"] == "stderr" {
                complain(format!("text on stderr: {said}"));
            }
            if shown.trim() == "()" {
                complain("it shows ()".into());
            }
            if data.get("image/svg+xml").is_some() || said.contains("<svg") {
                complain(
                    "an SVG, which JupyterLab does not show in a notebook that came from someone else".into(),
                );
            }
            if let Some(image) = data.get("image/png") {
                if let Err(what) = picture(&text(image)) {
                    complain(what);
                }
                if let Err(what) = twin(&shown) {
                    complain(what);
                }
                if data.get("text/html").is_some() {
                    complain("the figure has an HTML form, which would be shown in its place".into());
                }
            }
        }
        if meant && !failed {
            complain("no error, though the cell is there to show one".into());
        }
    }
    wrong
}

/// What a whole notebook shows, whatever came out: figures, and a verdict.
pub fn whole(notebook: &Value) -> Vec<String> {
    let outputs = code_cells(notebook).into_iter().flat_map(|cell| cell["outputs"].as_array().unwrap());
    let outputs: Vec<&Value> = outputs.collect();
    let figures = outputs.iter().filter(|output| output["data"].get("image/png").is_some()).count();
    let said: String = outputs.iter().map(|output| text(&output["text"])).collect();
    let mut wrong = Vec::new();
    if figures < 2 {
        wrong.push(format!("{figures} figures; at least 2 are wanted"));
    }
    if !["supported", "refuted", "inconclusive"].iter().any(|word| said.contains(word)) {
        wrong.push("no verdict: supported, refuted or inconclusive".into());
    }
    wrong
}

/// A PNG of 1440 x 840 pixels that is opaque and not blank.
fn picture(encoded: &str) -> Result<(), String> {
    let bytes = STANDARD.decode(encoded.replace('\n', "")).map_err(|error| format!("no base64: {error}"))?;
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|error| format!("no PNG: {error}"))?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("a PNG of an absurd size")?];
    let info = reader.next_frame(&mut pixels).map_err(|error| format!("no whole PNG: {error}"))?;
    if (info.width, info.height) != (1440, 840) {
        return Err(format!("a figure of {} x {} pixels, not 1440 x 840", info.width, info.height));
    }
    let channels = info.color_type.samples();
    let mut pixels = pixels[..info.buffer_size()].chunks_exact(channels);
    let has_alpha = channels % 2 == 0;
    if has_alpha && pixels.clone().any(|pixel| pixel[channels - 1] != 255) {
        return Err("the figure is not opaque".into());
    }
    let first = pixels.next().ok_or("a figure without pixels")?;
    if pixels.all(|pixel| pixel == first) {
        return Err("the figure is blank".into());
    }
    Ok(())
}

/// The figure's data as text: a title, a header, and rows with as many columns.
fn twin(shown: &str) -> Result<(), String> {
    let columns = |line: &str| line.trim().split("  ").filter(|column| !column.trim().is_empty()).count();
    let lines: Vec<&str> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
    let [_title, header, row, ..] = lines.as_slice() else {
        return Err(format!("the figure's text has no title, header and row: {shown:?}"));
    };
    if columns(header) < 2 || columns(row) < 2 || !row.chars().any(|c| c.is_ascii_digit()) {
        return Err(format!("the figure's text has no columns of data: {header:?}, {row:?}"));
    }
    Ok(())
}

/// Everything that must hold for the page of an executed notebook.
pub fn page(notebook: &Value, html: &str) -> Vec<String> {
    let mut wrong = scripts(html);
    // With this no browser fetches anything for the page; what a browser asks for all the same is seen in one.
    if !html.contains("content=\"default-src 'none';") {
        wrong.push("the page does not forbid requests".into());
    }
    if html.matches("href=\"#").count() < html.matches("<h2").count() {
        wrong.push("the page does not list its headings".into());
    }
    let cells = notebook["cells"].as_array().unwrap();
    let source =
        cells.iter().map(|cell| text(&cell["source"])).find(|source| source.starts_with("# ")).unwrap();
    let title = source.lines().next().unwrap().trim_start_matches("# ");
    if !html.contains(&format!("<title>{}</title>", escaped(title))) {
        wrong.push(format!("the title of the page is not {title:?}"));
    }
    if !html.contains("<html lang=\"en\">") {
        wrong.push("the page does not name its language".into());
    }
    let outputs = cells.iter().flat_map(|cell| cell["outputs"].as_array().into_iter().flatten());
    let figures = outputs.map(|output| &output["data"]).filter(|data| data.get("image/png").is_some());
    let twins: Vec<String> = figures.map(|data| text(&data["text/plain"])).collect();
    let images: Vec<&str> =
        html.split("<img ").skip(1).map(|rest| &rest[..rest.find('>').unwrap()]).collect();
    if images.len() != twins.len() {
        wrong.push(format!("{} figures in the notebook, {} images in the page", twins.len(), images.len()));
    }
    for (image, twin) in images.iter().zip(&twins) {
        let alternative = image.split_once("alt=\"").and_then(|(_, rest)| Some(rest.split_once('"')?.0));
        if let Err(what) = tells(alternative.unwrap_or_default(), twin) {
            wrong.push(what);
        }
        if !html.contains(&format!("<pre>{}", escaped(twin).replace("&quot;", "\""))) {
            wrong.push(format!("the page does not show the text of the figure {twin:?}"));
        }
    }
    wrong
}

/// An alternative text holds the figure's title and its data, or as many rows as fit and the number of the others.
fn tells(alternative: &str, twin: &str) -> Result<(), String> {
    let columns = |line: &str| {
        let columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
        escaped(&columns.collect::<Vec<_>>().join(", "))
    };
    let (title, rows) = twin.split_once('\n').unwrap_or((twin, ""));
    let rows: Vec<String> = rows.lines().map(columns).collect();
    let (told, more) = match alternative.rsplit_once("; and ") {
        Some((told, more)) => (told, more.split_once(" more rows").and_then(|(count, _)| count.parse().ok())),
        None => (alternative, Some(0)),
    };
    let kept = rows.len().saturating_sub(more.unwrap_or(rows.len()));
    let whole = format!("{} Data: {}", escaped(title), rows[..kept].join("; "));
    if kept < 2 || told != whole || told.chars().count() > 1_200 {
        return Err(format!("an image is described as {alternative:?}; its figure says {twin:?}"));
    }
    Ok(())
}

/// Places where a page, or a notebook as text, would run something.
pub fn scripts(text: &str) -> Vec<String> {
    let mut wrong: Vec<String> = ["<script", "javascript:"]
        .iter()
        .filter(|what| text.to_lowercase().contains(*what))
        .map(|what| format!("it holds {what}"))
        .collect();
    for tag in text.split('<').skip(1).filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        // Every other piece stands between quotes.
        let names: String = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let handles = |word: &&str| word.starts_with("on") && word.ends_with('=');
        wrong.extend(names.split_whitespace().filter(handles).map(|name| format!("an element has {name}")));
    }
    wrong
}

#[test]
fn scripts_are_found_and_words_are_not() {
    for runs in [
        "<script>alert(1)</script>",
        "<SCRIPT src=\"x.js\"></SCRIPT>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<img alt=\"\" onerror=\"alert(1)\">",
    ] {
        assert_eq!(scripts(runs).len(), 1, "{runs}");
    }
    for runs_not in ["<p>1 < 2, on_threads = 3</p>", "<img alt=\"one onload= two\">", "&lt;script&gt;"] {
        assert_eq!(scripts(runs_not), Vec::<String>::new(), "{runs_not}");
    }
}

#[test]
fn a_description_that_is_not_the_data_is_found() {
    let twin = "How many?\nname  value, %\na     1\nb <   2\n";
    for told in [
        "How many? Data: name, value, %; a, 1; b &lt;, 2",
        "How many? Data: name, value, %; a, 1; and 1 more rows in the text below",
    ] {
        assert_eq!(tells(told, twin), Ok(()));
    }
    for told in [
        "",
        "How many?",
        "How many? Data: name, value, %; a, 1",
        "How much? Data: name, value, %; a, 1; b &lt;, 2",
    ] {
        assert!(tells(told, twin).is_err(), "{told}");
    }
}

//! A notebook as a file: finding it, and the source of its parameter cell.

use anyhow::{Context, Result, bail};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A notebook that was read.
pub struct Notebook {
    /// Where it stands.
    pub path: PathBuf,
    /// Its file name without the extension.
    pub name: String,
    json: Value,
}

impl Notebook {
    /// Reads a notebook.
    ///
    /// # Errors
    /// When the file cannot be read or is no notebook.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let json: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is not a notebook", path.display()))?;
        if !json["cells"].is_array() {
            bail!("{} is not a notebook: it has no cells", path.display());
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = fs::canonicalize(path)?;
        Ok(Self { path, name, json })
    }

    /// The source of the code cell tagged `parameters`; empty where there is none.
    pub fn parameters(&self) -> String {
        self.cells().find(|cell| is_parameters(cell)).map(|cell| lines(&cell["source"])).unwrap_or_default()
    }

    /// Replaces the source of the cell tagged `parameters`.
    pub fn set_parameters(&mut self, text: String) {
        if let Some(cells) = self.json["cells"].as_array_mut()
            && let Some(cell) = cells.iter_mut().find(|cell| is_parameters(cell))
        {
            cell["source"] = text.into();
        }
    }

    /// The text of the first heading; the file's name where there is none.
    pub fn title(&self) -> String {
        let heading = self.first_part(|tag| matches!(tag, Tag::Heading { .. }));
        let text = |event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.into_string()),
            _ => None,
        };
        heading
            .map(|events| events.into_iter().filter_map(text).collect())
            .unwrap_or_else(|| self.name.clone())
    }

    /// The first paragraph, as HTML that holds none of the notebook's own.
    pub fn lead(&self) -> Option<String> {
        let text = |event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            event => event,
        };
        let events = self.first_part(|tag| matches!(tag, Tag::Paragraph))?;
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, events.into_iter().map(text));
        Some(html)
    }

    /// What stands in the first part of a kind among the cells of text.
    fn first_part(&self, wanted: impl Fn(&Tag) -> bool) -> Option<Vec<Event<'static>>> {
        self.cells().filter(|cell| cell["cell_type"] == "markdown").find_map(|cell| {
            let source = lines(&cell["source"]);
            let mut events = Parser::new(&source);
            events.find(|event| matches!(event, Event::Start(tag) if wanted(tag)))?;
            let inside = |event: &Event| !matches!(event, Event::End(TagEnd::Heading(_) | TagEnd::Paragraph));
            Some(events.take_while(inside).map(Event::into_static).collect())
        })
    }

    /// The figures, in order.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for cell in self.cells() {
            for output in outputs(cell) {
                let png = lines(&output["data"]["image/png"]).replace('\n', "");
                if !png.is_empty() {
                    let cell = cell["id"].as_str().unwrap_or_default().to_owned();
                    figures.push(Figure { cell, png, twin: lines(&output["data"]["text/plain"]) });
                }
            }
        }
        figures
    }

    /// The figure to share: that of the cell tagged `cover`, or the first.
    pub fn cover(&self) -> Option<Figure> {
        let tagged = self.cells().find(|cell| has_tag(cell, "cover")).map(|cell| cell["id"].as_str());
        let mut figures = self.figures();
        let place = figures.iter().position(|figure| Some(Some(figure.cell.as_str())) == tagged);
        (!figures.is_empty()).then(|| figures.swap_remove(place.unwrap_or(0)))
    }

    /// What the code cell of this id printed, and the text of what it returned; nothing where there is no such cell.
    pub fn shown(&self, cell_id: &str) -> Option<String> {
        let cell = self.cells().find(|cell| cell["cell_type"] == "code" && cell["id"] == cell_id)?;
        let text = |output: &Value| match output["name"].as_str() {
            Some("stdout") => lines(&output["text"]),
            _ => lines(&output["data"]["text/plain"]),
        };
        Some(outputs(cell).map(text).collect())
    }

    /// The notebook as text.
    pub fn text(&self) -> String {
        self.json.to_string()
    }

    fn cells(&self) -> impl Iterator<Item = &Value> {
        self.json["cells"].as_array().into_iter().flatten()
    }
}

/// A figure among a notebook's outputs.
pub struct Figure {
    /// The id of the cell that drew it.
    pub cell: String,
    /// The picture, in base64.
    pub png: String,
    /// Its data as text: a title, a header, and a row a line.
    pub twin: String,
}

impl Figure {
    /// The first line of its text.
    pub fn title(&self) -> &str {
        self.twin.lines().next().unwrap_or_default()
    }
}

fn outputs(cell: &Value) -> impl Iterator<Item = &Value> {
    cell["outputs"].as_array().into_iter().flatten()
}

fn is_parameters(cell: &Value) -> bool {
    cell["cell_type"] == "code" && has_tag(cell, "parameters")
}

fn has_tag(cell: &Value, wanted: &str) -> bool {
    cell["metadata"]["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == wanted))
}

/// The format allows one string or a list of lines.
fn lines(text: &Value) -> String {
    match text {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().unwrap_or_default().to_owned(),
    }
}

/// The notebooks that were asked for: paths, names or the beginnings of names; all of them where none was.
///
/// # Errors
/// When a name fits no notebook or several.
pub fn choose(folder: &Path, asked: &[String]) -> Result<Vec<Notebook>> {
    let all = list(folder)?;
    let mut paths = Vec::new();
    for name in asked {
        let path = if Path::new(name).is_file() { PathBuf::from(name) } else { by_name(&all, name)? };
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    if all.is_empty() && paths.is_empty() {
        bail!("there is no notebook in {}", folder.display());
    }
    let chosen = if asked.is_empty() { &all } else { &paths };
    let notebooks = chosen.iter().map(|path| Notebook::read(path)).collect::<Result<Vec<_>>>()?;
    for (index, notebook) in notebooks.iter().enumerate() {
        if notebooks[..index].iter().any(|other| other.name == notebook.name) {
            bail!("two notebooks are named {}; run them one at a time", notebook.name);
        }
    }
    Ok(notebooks)
}

/// The notebooks of a folder, in order.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = stem(&path);
        if path.extension().is_some_and(|extension| extension == "ipynb")
            && !name.starts_with('.')
            && !name.starts_with("look-")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn by_name(all: &[PathBuf], name: &str) -> Result<PathBuf> {
    let fitting: Vec<_> = all.iter().filter(|path| stem(path).starts_with(name)).collect();
    let exact = fitting.iter().find(|path| stem(path) == name);
    let names = |paths: &[&PathBuf]| paths.iter().map(|path| stem(path)).collect::<Vec<_>>().join(", ");
    match (exact, fitting.as_slice()) {
        (Some(path), _) => Ok(path.to_path_buf()),
        (None, [path]) => Ok(path.to_path_buf()),
        (None, []) if all.is_empty() => bail!("no notebook {name}, nor any other"),
        (None, []) => bail!("no notebook {name}; there are: {}", names(&all.iter().collect::<Vec<_>>())),
        (None, several) => bail!("{name} may be any of {}; write more of the name", names(several)),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notebook_is_found_by_the_beginning_of_its_name() {
        let all = ["n/01-guard.ipynb", "n/02-time.ipynb", "n/02-time-more.ipynb"].map(PathBuf::from);
        assert_eq!(by_name(&all, "01").unwrap(), all[0]);
        assert_eq!(by_name(&all, "02-time").unwrap(), all[1]);
        assert_eq!(by_name(&all, "02-time-").unwrap(), all[2]);
        for (name, said) in [
            ("02", "02 may be any of 02-time, 02-time-more; write more of the name"),
            ("03", "no notebook 03; there are: 01-guard, 02-time, 02-time-more"),
        ] {
            assert_eq!(by_name(&all, name).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn what_a_notebook_says_and_shows_is_found() {
        let json = serde_json::json!({ "cells": [
            { "cell_type": "code", "id": "note", "source": "# no heading" },
            { "cell_type": "markdown", "id": "title", "source":
                ["```\n", "# no heading\n", "```\n", "# How *much* `T`? #\n", "\n", "A & *b*:\n", "<i>.\n", "\n", "# More"] },
            { "cell_type": "markdown", "id": "verdict", "source": "## Verdict" },
            { "cell_type": "code", "id": "verdict", "outputs": [
                { "output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"] },
                { "output_type": "stream", "name": "stderr", "text": "no" },
                { "output_type": "execute_result", "data": { "image/png": ["QUJD\n", "RA==\n"], "text/plain": ["T\n", "x  y\n"] } },
            ] },
            { "cell_type": "code", "id": "shared", "metadata": { "tags": ["cover"] }, "outputs": [
                { "output_type": "execute_result", "data": { "image/png": "RUU=", "text/plain": "S\nx  y\n" } },
            ] },
        ] });
        let mut notebook = Notebook { path: PathBuf::new(), name: "file".into(), json };
        assert_eq!(notebook.title(), "How much T?");
        assert_eq!(notebook.lead().unwrap(), "A &amp; <em>b</em>:\n&lt;i&gt;.");
        assert_eq!(notebook.shown("verdict").unwrap(), "one\ntwo\nT\nx  y\n");
        assert_eq!(notebook.shown("note").unwrap(), "");
        assert!(notebook.shown("title").is_none());
        let figures = notebook.figures();
        assert_eq!(notebook.cover().map(|figure| figure.cell).as_deref(), Some("shared"));
        let [Figure { cell, png, twin }, _] = figures.as_slice() else { panic!("{} figures", figures.len()) };
        assert_eq!([cell, png, twin], ["verdict", "QUJDRA==", "T\nx  y\n"]);
        notebook.json["cells"].as_array_mut().unwrap().truncate(1);
        assert_eq!(notebook.title(), "file");
        assert!(notebook.figures().is_empty());
    }

    #[test]
    fn the_source_of_the_parameter_cell_is_read_in_both_forms() {
        for source in ["[\"const N: u8 = 1;\\n\", \"// end\"]", "\"const N: u8 = 1;\\n// end\""] {
            let text = format!(
                r#"{{"cells": [{{"cell_type": "code", "metadata": {{"tags": ["parameters"]}}, "source": {source}}}]}}"#
            );
            let json = serde_json::from_str(&text).unwrap();
            let mut notebook = Notebook { path: PathBuf::new(), name: String::new(), json };
            assert_eq!(notebook.parameters(), "const N: u8 = 1;\n// end");
            notebook.set_parameters("const N: u8 = 2;".into());
            assert_eq!(notebook.parameters(), "const N: u8 = 2;");
        }
    }
}

//! A notebook as a file: finding it, and the source of its parameter cell.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A notebook that was read.
pub struct Notebook {
    /// Where it stands.
    pub path: PathBuf,
    /// Its file name without the extension.
    pub name: String,
    /// The source of the code cell tagged `parameters`; empty where there is none.
    pub parameters: String,
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
        let Some(cells) = json["cells"].as_array() else {
            bail!("{} is not a notebook: it has no cells", path.display());
        };
        let is_tagged = |cell: &&Value| {
            let tags = cell["metadata"]["tags"].as_array();
            cell["cell_type"] == "code" && tags.is_some_and(|tags| tags.iter().any(|tag| tag == "parameters"))
        };
        let parameters = cells.iter().find(is_tagged).map(|cell| lines(&cell["source"]));
        Ok(Self {
            path: fs::canonicalize(path)?,
            name: stem(path),
            parameters: parameters.unwrap_or_default(),
        })
    }
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
    let chosen = if asked.is_empty() { &all } else { &paths };
    if chosen.is_empty() {
        bail!("there is no notebook in {}", folder.display());
    }
    let notebooks = chosen.iter().map(|path| Notebook::read(path)).collect::<Result<Vec<_>>>()?;
    for (index, notebook) in notebooks.iter().enumerate() {
        if notebooks[..index].iter().any(|other| other.name == notebook.name) {
            bail!("two notebooks are named {}; run them one at a time", notebook.name);
        }
    }
    Ok(notebooks)
}

/// The notebooks of a folder, in order.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ipynb"));
    paths.retain(|path| !stem(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn by_name(all: &[PathBuf], name: &str) -> Result<PathBuf> {
    let fitting: Vec<_> = all.iter().filter(|path| stem(path).starts_with(name)).collect();
    let exact = fitting.iter().find(|path| stem(path) == name);
    let names = |paths: &[&PathBuf]| paths.iter().map(|path| stem(path)).collect::<Vec<_>>().join(", ");
    match (exact, fitting.as_slice()) {
        (Some(path), _) | (None, [path]) => Ok(path.to_path_buf()),
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
    fn the_source_of_the_parameter_cell_is_read_in_both_forms() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for source in ["[\"const N: u8 = 1;\\n\", \"// end\"]", "\"const N: u8 = 1;\\n// end\""] {
            let text = format!(
                r#"{{"cells": [{{"cell_type": "code", "metadata": {{"tags": ["parameters"]}}, "source": {source}}}]}}"#
            );
            fs::write(file.path(), text).unwrap();
            assert_eq!(Notebook::read(file.path()).unwrap().parameters, "const N: u8 = 1;\n// end");
        }
    }
}

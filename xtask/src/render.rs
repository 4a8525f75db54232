//! Renders executed notebooks as HTML.

use crate::environment::Environment;
use crate::notebook::Notebook;
use crate::page::page;
use crate::setup::last_line;
use anyhow::{Context, Result, bail};
use maud::PreEscaped;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// Writes NAME.html beside each of these executed notebooks.
///
/// # Errors
/// When a notebook cannot be rendered or its page cannot be written.
pub fn render<'a>(environment: &Environment, files: impl Iterator<Item = &'a Path> + Clone) -> Result<()> {
    let python = environment
        .python()
        .args(["-I", "-X", "utf8", "-W", "ignore", "-c", include_str!("render.py")])
        .args(files.clone())
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .output()
        .context("the environment's Python did not start")?;
    if !python.status.success() {
        bail!("{}", last_line(&python.stderr));
    }
    for file in files {
        let path = file.with_extension("html");
        let body = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let page = page(&Notebook::read(file)?.title(), &PreEscaped(body));
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

//! The template by which this project, JupyterLab's menu and nbconvert make the same pages.

use crate::environment::{Environment, write};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Puts the template of that name, and the settings that choose it, into the environment.
///
/// # Errors
/// When the environment takes no files.
pub fn ensure(root: &Path, name: &str, environment: &Environment) -> Result<()> {
    let template = root.join("xtask/python/template");
    let settings = fs::read_to_string(template.join("config.json"))?;
    let settings: Value = serde_json::from_str(&settings)?;
    let prefix = &environment.prefix;
    write(&prefix.join("etc/jupyter/jupyter_config.json"), &settings)?;
    let link = prefix.join("share/jupyter/nbconvert/templates").join(name);
    if fs::read_link(&link).is_ok_and(|known| known == template) {
        return Ok(());
    }
    // One of another checkout.
    let _ = fs::remove_file(&link);
    let folder = link.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| symlink(&template, &link))
        .with_context(|| format!("cannot write {}", link.display()))
}

//! Executes notebooks, renders them, and publishes the results together, or none of them.

use crate::environment::Environment;
use crate::setup;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

/// What `run` is asked to do.
#[derive(clap::Args)]
pub struct Options {
    /// Paths, names, or beginnings of names such as 01; all notebooks if none is given
    notebooks: Vec<String>,
    /// Another value for a constant of the parameter cell
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Refresh the outputs in the notebooks themselves, too
    #[arg(long, conflicts_with = "parameters")]
    in_place: bool,
    /// The folder for the executed notebooks and the HTML files; target/rendered if none is given
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Executes the notebooks and writes each as a notebook and as one HTML file, and a page over all
/// that stand there.
///
/// # Errors
/// When a parameter is refused, a cell fails, or the output cannot be written; then nothing is
/// published.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let (environment, wanted) = setup::ensure(root)?;
    let asked = json!({
        "kernel": wanted.name,
        "folder": root.join("notebooks"),
        "notebooks": options.notebooks,
        "values": options.parameters,
        "in_place": options.in_place,
        "figures": false,
        "output": options.output.clone().unwrap_or_else(|| root.join("target/rendered")),
        "lock": root.join("target/run.lock"),
        "connection": root.join("target/connection"),
    });
    call(root, &environment, &asked)
}

/// What `render` is asked to do.
#[derive(clap::Args)]
pub struct RenderOptions {
    /// Paths, names, or beginnings of names such as 01; all notebooks if none is given
    notebooks: Vec<String>,
    /// Write each figure as a file of its own, too, beside its text and its samples
    #[arg(long)]
    figures: bool,
    /// The folder for the HTML files; target/rendered if none is given
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Writes the notebooks as they stand, each as one HTML file, and a page over all that stand there.
/// No cell is run.
///
/// # Errors
/// When a notebook is not there or has no page, or the output cannot be written; then nothing is
/// published.
pub fn render(root: &Path, options: &RenderOptions) -> Result<()> {
    let (environment, _) = setup::ensure(root)?;
    let asked = json!({
        "folder": root.join("notebooks"),
        "notebooks": options.notebooks,
        "values": [],
        "figures": options.figures,
        "output": options.output.clone().unwrap_or_else(|| root.join("target/rendered")),
    });
    call(root, &environment, &asked)
}

/// Becomes the Python that executes, renders and compares, which says itself what went wrong.
///
/// # Errors
/// That it does not start.
pub fn call(root: &Path, environment: &Environment, asked: &Value) -> Result<()> {
    let mut python = environment.python();
    python.args(["-I", "-X", "utf8", "-W", "ignore"]);
    python.arg(root.join("xtask/python")).arg(asked.to_string());
    Err(python.exec()).context("the environment's Python did not start")
}

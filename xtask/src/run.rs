//! Executes notebooks and publishes the results together, or none of them.

use crate::environment::Environment;
use crate::setup;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Executes, renders, compares.
const SCRIPT: &str = concat!(include_str!("guard.py"), include_str!("pages.py"), include_str!("execute.py"));

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

/// Executes the notebooks and writes each as a notebook and as one HTML file, and a page over all that stand there.
///
/// # Errors
/// When a parameter is refused, a cell fails, or the output cannot be written; then nothing is published.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let default = root.join("target/rendered");
    let output = options.output.as_deref().unwrap_or(&default);
    let (environment, wanted) = setup::ensure(root)?;
    let asked = json!({
        "kernel": wanted.name,
        "folder": root.join("notebooks"),
        "notebooks": options.notebooks,
        "values": options.parameters,
        "in_place": options.in_place,
        "output": output,
        "lock": root.join("target/run.lock"),
    });
    call(&environment, &asked)
}

/// Runs the script, and returns its complaint as an error.
///
/// # Errors
/// What the script complains of, or that it was stopped.
pub fn call(environment: &Environment, asked: &Value) -> Result<()> {
    let templates = json!({
        "page": include_str!("page.html.j2"),
        "figure": include_str!("figure.html.j2"),
        "style": include_str!("page.css"),
    });
    let mut python = environment.python();
    python.args(["-I", "-X", "utf8", "-W", "ignore", "-c", SCRIPT]);
    python.arg(asked.to_string()).arg(templates.to_string());
    let python = python.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut python = python.context("the environment's Python did not start")?;
    // The end of this pipe ends the script and its kernel: on Ctrl-C and the like, or when this process is killed.
    let mut pipe = python.stdin.take();
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = stopped.clone();
    ctrlc::set_handler(move || {
        stop.store(true, Ordering::SeqCst);
        drop(pipe.take());
    })
    .context("cannot listen for Ctrl-C")?;
    let output = python.wait_with_output().context("the environment's Python did not finish")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    match complaint.trim() {
        _ if output.status.success() => Ok(()),
        _ if stopped.load(Ordering::SeqCst) => bail!("stopped; nothing was published"),
        "" => bail!("the run was ended ({}); nothing was published", output.status),
        complaint => bail!("{complaint}"),
    }
}

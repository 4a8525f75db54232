//! Executes notebooks and publishes the results together, or none of them.

use crate::environment::Environment;
use crate::notebook::{self, Notebook};
use crate::{parameters, setup};
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
    #[arg(long)]
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
    if options.in_place && !options.parameters.is_empty() {
        bail!("--in-place refreshes the outputs of the values that stand in the notebook, so it takes no -p");
    }
    let mut notebooks = notebook::choose(&root.join("notebooks"), &options.notebooks)?;
    apply(&options.parameters, &mut notebooks)?;
    let default = root.join("target/rendered");
    let output = options.output.as_deref().unwrap_or(&default);
    if let Ok(output) = output.canonicalize()
        && notebooks.iter().any(|notebook| notebook.path.parent() == Some(&output))
    {
        bail!("--output is the folder of a notebook, which it would overwrite; name another one");
    }
    if notebooks.iter().any(|notebook| notebook.name == "index") {
        bail!("the page of a notebook named index would be overwritten by index.html; rename the notebook");
    }
    let (environment, wanted) = setup::ensure(root)?;
    let holder = "another run, which this one would disturb,";
    let _lock = setup::lock(&root.join("target/run.lock"), holder)?;
    let notebooks: Vec<[&str; 2]> = notebooks
        .iter()
        .map(|notebook| [notebook.path.to_str().unwrap_or_default(), &notebook.parameters])
        .collect();
    let asked = json!({ "kernel": wanted.name, "notebooks": notebooks, "output": output, "in_place": options.in_place });
    call(&environment, &asked)
}

/// Replaces values in every notebook that has the parameter; one at least must have it.
fn apply(arguments: &[String], notebooks: &mut [Notebook]) -> Result<()> {
    let mut names = Vec::new();
    for argument in arguments {
        let (name, value) = parameters::assignment(argument)?;
        let mut found = false;
        for notebook in notebooks.iter_mut() {
            let changed = parameters::replace(&notebook.parameters, &name, &value);
            if let Some(cell) = changed.with_context(|| notebook.name.clone())? {
                notebook.parameters = cell;
                found = true;
            }
        }
        if !found {
            let mut known = Vec::new();
            for notebook in notebooks.iter() {
                for parameters::Parameter { name, kind, value, .. } in parameters::list(&notebook.parameters)?
                {
                    known.push(format!("\n  {}: {name}: {kind} = {value}", notebook.name));
                }
            }
            bail!("there is no parameter {name}; there are:{}", known.concat());
        }
        if names.contains(&name) {
            bail!("-p gives {name} twice; give it once");
        }
        names.push(name);
    }
    Ok(())
}

/// Runs the script, and returns its complaint as an error.
///
/// # Errors
/// What the script complains of, or that it was stopped.
pub fn call(environment: &Environment, asked: &Value) -> Result<()> {
    let templates = json!({
        "page.html.j2": include_str!("page.html.j2"),
        "figure.html.j2": include_str!("figure.html.j2"),
        "page.css": include_str!("page.css"),
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

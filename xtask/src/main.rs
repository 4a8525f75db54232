//! The commands around the notebooks: set up, open, run, render, compare.
//!
//! Notebooks are files here; what they measure is the business of the `helpers` crate.

mod environment;
mod kernel;
mod run;
mod setup;
mod template;

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;
use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about, disable_help_subcommand = true)]
enum Command {
    /// Install JupyterLab and the Rust kernel in .venv; what is there already is kept
    Setup,
    /// Set up, then open the notebooks in JupyterLab
    Lab {
        /// Handed on to JupyterLab, such as --no-browser
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Set up, then execute notebooks and render each as one HTML file
    Run(run::Options),
    /// Set up, then render notebooks as they stand, each as one HTML file; no cell is run
    Render(run::RenderOptions),
    /// Print the figures' data of two runs side by side, as tables in Markdown
    Compare {
        /// A folder of executed notebooks, or one of them
        a: PathBuf,
        /// The folder or the notebook to set beside it
        b: PathBuf,
    },
}

fn main() -> ExitCode {
    match command(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(command: Command) -> Result<()> {
    // cargo says where the workspace is; a program that is started without cargo knows where it was
    // built.
    let package =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package)
        .parent()
        .context("xtask stands in no workspace")?;
    match command {
        Command::Setup => {
            println!("Ready: {}", setup::ensure(root)?.0.prefix.display());
            Ok(())
        }
        Command::Lab { arguments } => {
            let mut lab = setup::ensure(root)?.0.python();
            lab.args(["-m", "jupyterlab"]).current_dir(root);
            // JupyterLab refuses to start where an option is given twice, and as root, as in a
            // container, without this.
            for (option, value) in [("root_dir", "notebooks"), ("allow_root", "True")] {
                let option = format!("--ServerApp.{option}=");
                if !arguments
                    .iter()
                    .any(|argument| argument.starts_with(&option))
                {
                    lab.arg(option + value);
                }
            }
            // It is given already, and would be given twice.
            lab.args(
                arguments
                    .iter()
                    .filter(|argument| *argument != "--allow-root"),
            );
            Err(lab.exec()).context("JupyterLab did not start")
        }
        Command::Run(options) => run::run(root, &options),
        Command::Render(options) => run::render(root, &options),
        Command::Compare { a, b } => {
            run::call(root, &setup::ensure(root)?.0, &json!({ "compare": [a, b] }))
        }
    }
}

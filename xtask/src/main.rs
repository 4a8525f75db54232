//! The commands around the notebooks: set up, open, run, export.
//!
//! Notebooks are files here; what they measure is the business of the `helpers` crate.

mod cache;
mod compare;
mod environment;
mod index;
mod kernel;
mod lock;
mod notebook;
mod page;
mod parameters;
mod run;
mod setup;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install JupyterLab and the Rust kernel in .venv; what is there already is kept
    Setup,
    /// Set up, then open the notebooks in JupyterLab
    Lab {
        /// Handed on to JupyterLab, such as --no-browser
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Set up, then execute notebooks and render each as one HTML file
    Run(run::Options),
    /// Set the figures' data of two runs side by side, in the terminal and as one HTML page
    Compare(compare::Options),
}

fn main() -> ExitCode {
    match command(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(command: Command) -> Result<()> {
    // cargo says where the workspace is; a program that is started without cargo knows where it was built.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).parent().context("xtask stands in no workspace")?;
    match command {
        Command::Setup => {
            let environment = setup::ensure(root)?;
            println!("Ready: {}", environment.prefix.display());
            Ok(())
        }
        Command::Lab { arguments } => {
            let mut lab = setup::ensure(root)?.python();
            lab.args(["-m", "jupyterlab"]).current_dir(root);
            // JupyterLab refuses to start where an option is given twice.
            if !arguments.iter().any(|argument| argument.starts_with("--ServerApp.root_dir")) {
                lab.arg("--ServerApp.root_dir=notebooks");
            }
            lab.args(arguments);
            Err(lab.exec()).context("JupyterLab did not start")
        }
        Command::Run(options) => run::run(root, &options),
        Command::Compare(options) => compare::compare(root, &options),
    }
}

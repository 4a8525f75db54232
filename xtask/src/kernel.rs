//! The Rust kernel of Jupyter: found or built, and registered in `.venv`.

use crate::environment::{Environment, Wanted};
use crate::setup::{patiently, reason, step};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "evcxr_jupyter";

/// Registers a kernel of the version in `environment.yml`; builds one where none is found.
///
/// # Errors
/// When the kernel cannot be built or registered.
pub fn ensure(root: &Path, wanted: &Wanted, environment: &Environment, lock: &File) -> Result<()> {
    let version = wanted.version("evcxr")?;
    let build = root.join("target/kernel");
    let share = environment.prefix.join("share/jupyter");
    let receipt_file = share.join("kernels/rust/checked-version.txt");
    let known = fs::read_to_string(&receipt_file).unwrap_or_default();
    let path = known.lines().next().unwrap_or_default();
    if receipt(Path::new(path), version).is_none_or(|receipt| receipt != known) {
        clear(&environment.bin()).with_context(|| format!("cannot clear {}", environment.bin().display()))?;
        let kernel = match find(environment, version) {
            Some(kernel) => kernel,
            None => compile(root, &build, environment, version, lock)?,
        };
        println!("Using the kernel {}.", kernel.display());
        let registered = step(Command::new(&kernel).arg("--install").env("JUPYTER_PATH", &share), lock)
            .with_context(|| format!("{} did not start", kernel.display()))?;
        if !registered.status.success() {
            bail!(
                "the kernel could not be registered in {}: {}",
                share.display(),
                reason(&registered.stderr)
            );
        }
        fs::write(&receipt_file, receipt(&kernel, version).unwrap_or_default())
            .with_context(|| format!("cannot write {}", receipt_file.display()))?;
    }
    if build.exists() {
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    Ok(())
}

/// What says that this very file was asked for its version and gave the right answer.
fn receipt(kernel: &Path, version: &str) -> Option<String> {
    let file = fs::metadata(kernel).ok()?;
    let (length, modified) = (file.len(), file.modified().ok()?);
    Some(format!("{}\n{version}\n{length} bytes, {modified:?}\n", kernel.display()))
}

/// The first kernel of that version: the one that was built here, else one on the path.
fn find(environment: &Environment, version: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    [environment.bin()]
        .into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(PROGRAM))
        .filter(|kernel| kernel.is_absolute() && kernel.is_file())
        .find(|kernel| {
            // The program has no option that prints its version, so it is asked as a kernel.
            let script = concat!(include_str!("guard.py"), include_str!("kernel_version.py"));
            let answer = environment.python().args(["-I", "-c", script]).arg(kernel).output();
            answer.is_ok_and(|answer| {
                let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
                answer.trim().rsplit_once('.').is_some_and(|(minor, _)| minor == version)
            })
        })
}

fn compile(
    root: &Path,
    build: &Path,
    environment: &Environment,
    version: &str,
    lock: &File,
) -> Result<PathBuf> {
    println!("Building the kernel, {PROGRAM} {version}: about 8 minutes on 2 cores, once.");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["install", "--locked", PROGRAM, "--version", &format!("~{version}")])
        // A binary without a receipt may be there; what is built already is not built again.
        .arg("--force")
        .arg("--root")
        .arg(&environment.prefix)
        // A folder that stays: a build that was stopped goes on where it was.
        .arg("--target-dir")
        .arg(build)
        .current_dir(root)
        .stdin(lock.try_clone()?);
    // cargo names each crate when it begins; the last of them take more than a minute.
    let status = patiently("building the kernel", || cargo.status()).context("cargo did not start")?;
    if !status.success() {
        bail!(
            "cargo could not build the kernel, for the reason above; make room or check the network, and call again: the build goes on where it stopped"
        );
    }
    Ok(environment.bin().join(PROGRAM))
}

/// Removes the folders in which cargo had the kernel on its way when it was killed.
fn clear(bin: &Path) -> io::Result<()> {
    for entry in fs::read_dir(bin)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("cargo-install") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

//! Makes `.venv`: JupyterLab, and the kernel.
//!
//! Each part writes a receipt when it is complete. A part without one, or with another's, is made anew,
//! so a set-up that was stopped anywhere is finished by the next call.

use crate::environment::{Environment, Wanted, minor};
use crate::{cache, kernel, lock};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

const RECEIPT: &str = "installed-packages.txt";

/// Completes the environment, and returns it; inside an activated conda environment made from
/// `environment.yml` nothing is installed.
///
/// # Errors
/// One sentence with the remedy when something that is needed is missing.
pub fn ensure(root: &Path) -> Result<Environment> {
    let wanted = Wanted::read(root)?;
    cache::mend()?;
    if let Some(environment) = Environment::conda(&wanted.name) {
        for program in ["python", "jupyter-lab", "evcxr_jupyter"] {
            if !environment.bin().join(program).exists() {
                bail!(
                    "the conda environment {} has no {program}; complete it with `conda env update --file environment.yml`",
                    wanted.name
                );
            }
        }
        return Ok(environment);
    }
    let lock = lock::wait(&root.join("target/setup.lock"), "another set-up")?;
    rust_source()?;
    let environment = Environment { prefix: root.join(".venv") };
    packages(&wanted, &environment, &lock)?;
    kernel::ensure(root, &wanted, &environment, &lock)?;
    Ok(environment)
}

/// Runs a step of the set-up and returns what it printed.
///
/// The step inherits the lock as its standard input, which it does not read: should this process be
/// killed and the step live on, the next set-up waits for it instead of working in the same folder.
pub fn step(command: &mut Command, lock: &File) -> io::Result<Output> {
    command.stdin(lock.try_clone()?).output()
}

/// Does what takes minutes, and prints every ten seconds that it is still going on.
pub fn patiently<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let start = Instant::now();
            while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(Duration::from_secs(10)) {
                println!("  {what} since {} s", start.elapsed().as_secs());
            }
        });
        let result = work();
        drop(done);
        result
    })
}

fn rust_source() -> Result<()> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .context("rustc did not start; install Rust from https://rustup.rs")?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib/src/rust/library").exists() {
        return Ok(());
    }
    match Command::new("rustup").args(["component", "add", "rust-src"]).output() {
        Ok(output) if output.status.success() => {
            println!("Added the standard library's source (rust-src), which the kernel needs.");
            Ok(())
        }
        Ok(output) => bail!(
            "rustup could not add rust-src ({}); check the network and call again",
            reason(&output.stderr)
        ),
        Err(_) => bail!(
            "the standard library's source is missing and there is no rustup to add it; install the package rust-src of your Rust"
        ),
    }
}

fn packages(wanted: &Wanted, environment: &Environment, lock: &File) -> Result<()> {
    let venv = &environment.prefix;
    let requirements = wanted.requirements();
    // A virtual environment holds its own path: one that was moved does not work.
    let receipt = format!("{}\n{}\n", venv.display(), requirements.join("\n"));
    let receipt_file = venv.join(RECEIPT);
    if environment.bin().join("python").exists()
        && fs::read_to_string(&receipt_file).is_ok_and(|text| text == receipt)
    {
        return Ok(());
    }
    let python = find_python(wanted, &environment.bin())?;
    println!("Installing {} in .venv (about a minute).", requirements.join(", "));
    clear(venv).with_context(|| format!("cannot clear {}", venv.display()))?;
    // In two steps, since venv does not hand on why ensurepip failed.
    let mut made = step(Command::new(python).args(["-m", "venv", "--without-pip"]).arg(venv), lock)?;
    if made.status.success() {
        made = step(environment.python().args(["-m", "ensurepip", "--default-pip"]), lock)?;
    }
    if !made.status.success() {
        bail!("Python could not make {}: {}", venv.display(), reason(&made.stderr));
    }
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
    let installed =
        patiently("installing", || step(environment.python().args(pip).args(&requirements), lock))?;
    if !installed.status.success() {
        bail!(
            "pip could not install {} ({}); make room or check the network, and call again",
            requirements.join(", "),
            reason(&installed.stderr)
        );
    }
    fs::write(&receipt_file, receipt).with_context(|| format!("cannot write {}", receipt_file.display()))
}

/// The first Python 3 on the path that can make virtual environments.
fn find_python(wanted: &Wanted, own: &Path) -> Result<String> {
    let least = wanted.version("python")?;
    // The Python in .venv is about to be removed, and may be the first on the path.
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(env::split_paths(&path).filter(|folder| folder != own))?;
    for name in ["python3", "python"] {
        let script = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable); import venv, ensurepip";
        let Ok(output) = Command::new(name).env("PATH", &path).args(["-c", script]).output() else {
            continue;
        };
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = printed.lines();
        let version = lines.next().unwrap_or_default();
        if minor(version).is_none_or(|version| Some(version) < minor(least)) {
            continue;
        }
        if !output.status.success() {
            bail!(
                "{name} cannot make virtual environments: its module venv or ensurepip is missing; install it, on Debian and Ubuntu with `apt install python3-venv`"
            );
        }
        return Ok(lines.next().unwrap_or(name).to_owned());
    }
    bail!(
        "there is no Python {least} or newer on the path; install Python 3, on Debian and Ubuntu with `apt install python3 python3-venv`"
    )
}

/// Removes what Python and pip made, and keeps a kernel that has been built.
fn clear(venv: &Path) -> io::Result<()> {
    fs::create_dir_all(venv)?;
    // First, so that a half-cleared folder never has a receipt.
    match fs::remove_file(venv.join(RECEIPT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let kept = ["bin", "evcxr_jupyter", ".crates.toml", ".crates2.json"];
    for folder in [venv.to_owned(), venv.join("bin")] {
        if !folder.exists() {
            continue;
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if kept.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// The line in which a program said why it failed: the last that names an error of the system, or else the last.
pub fn reason(printed: &[u8]) -> String {
    let printed = String::from_utf8_lossy(printed);
    let lines = printed.lines().rev().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with("WARNING"));
    let system = lines.clone().find(|line| line.contains("[Errno ") || line.contains("(os error "));
    system.or_else(|| lines.next()).unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_an_error_of_the_system_or_else_the_last_line() {
        for (printed, said) in [
            (
                "Error: No space left on device (os error 28)\n\nStack backtrace:\n  0: main\n",
                "Error: No space left on device (os error 28)",
            ),
            (
                "ERROR: [Errno 28] No space left on device\nTraceback\nFailed\n",
                "ERROR: [Errno 28] No space left on device",
            ),
            (
                "WARNING: trying again: [Errno 111] Connection refused\n  ERROR: nothing found\n\n",
                "ERROR: nothing found",
            ),
            ("\n", "it did not say why"),
        ] {
            assert_eq!(reason(printed.as_bytes()), said);
        }
    }

    #[test]
    fn clearing_removes_the_packages_and_keeps_the_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let venv = folder.path();
        for kept in ["bin/evcxr_jupyter", ".crates.toml"] {
            fs::create_dir_all(venv.join("bin")).unwrap();
            fs::write(venv.join(kept), "").unwrap();
        }
        fs::create_dir_all(venv.join("lib/python3/site-packages")).unwrap();
        for removed in ["bin/python", "bin/pip", "lib/python3/site-packages/half", "pyvenv.cfg", RECEIPT] {
            fs::write(venv.join(removed), "").unwrap();
        }
        clear(venv).unwrap();
        clear(venv).unwrap();
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(venv), [".crates.toml", "bin"]);
        assert_eq!(names(&venv.join("bin")), ["evcxr_jupyter"]);
    }
}

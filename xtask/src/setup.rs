//! Makes `.venv`: JupyterLab, and the kernel.
//!
//! A receipt marks the folder as ours, and says what it holds when that is complete. A part without
//! one, or with another's, or that does not work, is made anew, so a set-up that was stopped
//! anywhere is finished by the next call.

use crate::environment::{Environment, OPTIONAL, Wanted, forget, minor};
use crate::kernel::{self, KERNEL};
use crate::template;
use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RECEIPT: &str = "installed-packages.txt";
/// Looks whether these packages are there.
const PACKAGES: &str = "import importlib.metadata, re, sys
for requirement in sys.argv[1:]: importlib.metadata.version(re.match('[-\\w]+', requirement)[0])
";
/// Looks whether every file is there as pip has installed it.
const FILES: &str = "import os, sysconfig
site = sysconfig.get_path('purelib')
folders = [name for name in os.listdir(site) if name.endswith('.dist-info')]
records = [os.path.join(site, name, 'RECORD') for name in folders]
assert records, 'no package'
for line in (line for record in records for line in open(record, encoding='utf-8')):
    path, _, size = line.rstrip('\\n').rsplit(',', 2)
    found = os.stat(os.path.join(site, path.strip('\"'))).st_size
    assert not size or found == int(size), path";

/// Completes the environment, and returns it; inside an activated conda environment made from
/// `environment.yml` only the kernel is installed.
///
/// # Errors
/// One sentence with the remedy when something that is needed is missing.
pub fn ensure(root: &Path) -> Result<(Environment, Wanted)> {
    let wanted = Wanted::read(root)?;
    let lock = lock(&root.join("target/setup.lock"))?;
    rust_source()?;
    let environment = match conda(&wanted)? {
        Some(environment) => environment,
        None => {
            let prefix = root.join(".venv");
            let environment = Environment { prefix };
            packages(&wanted, &environment, &lock)?;
            environment
        }
    };
    kernel::ensure(root, &wanted, &environment, &lock)?;
    template::ensure(root, &wanted.name, &environment)?;
    Ok((environment, wanted))
}

/// The active environment of conda, if it holds what `environment.yml` lists; says why another that
/// is active is not used.
fn conda(wanted: &Wanted) -> Result<Option<Environment>> {
    let Some(prefix) = env::var_os("CONDA_PREFIX").map(PathBuf::from) else {
        return Ok(None);
    };
    let name = prefix.file_name().unwrap_or_default().to_owned();
    let is_named_so = name == *wanted.name;
    let name = name.to_string_lossy();
    let is_there = prefix.join("conda-meta").exists();
    let environment = Environment { prefix };
    // Go is none of pip's there, and conda changes files as it installs them.
    if is_there && passes(&environment, PACKAGES, &wanted.needed_packages()) {
        return Ok(Some(environment));
    }
    if is_there && is_named_so {
        bail!(
            "conda's environment `{name}` does not hold what environment.yml lists; \
             call `conda env update --file environment.yml`, and again"
        );
    }
    println!(
        "Using .venv, since conda's environment `{name}` does not hold what environment.yml lists."
    );
    Ok(None)
}

/// Waits until no other process holds the lock, and says so if it has to wait; dropping the file
/// gives it back, and so does the system when its holder ends, however it ends.
fn lock(path: &Path) -> Result<File> {
    let cannot = || format!("cannot lock {}", path.display());
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .with_context(cannot)?;
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .with_context(cannot)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        println!("Waiting until another set-up has finished.");
    }
    file.lock().with_context(cannot)?;
    Ok(file)
}

/// Runs a step of the set-up and returns what it printed.
///
/// The step inherits the lock as its standard input, which it does not read: should this process be
/// killed and the step live on, the next set-up waits for it instead of working in the same folder.
fn step(command: &mut Command, lock: &File) -> io::Result<Output> {
    command.stdin(lock.try_clone()?).output()
}

fn rust_source() -> Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.context("rustc did not start; install Rust from https://rustup.rs")?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib/src/rust/library").exists() {
        return Ok(());
    }
    let rustup = Command::new("rustup")
        .args(["component", "add", "rust-src"])
        .output()
        .context(
            "the standard library's source is missing and there is no rustup to add it; \
         install the package rust-src of your Rust",
        )?;
    if !rustup.status.success() {
        bail!(
            "rustup could not add rust-src ({}); check the network and call again",
            reason(&rustup.stderr)
        );
    }
    println!("Added the standard library's source (rust-src), which the kernel needs.");
    Ok(())
}

fn packages(wanted: &Wanted, environment: &Environment, lock: &File) -> Result<()> {
    let venv = &environment.prefix;
    let receipt_file = venv.join(RECEIPT);
    let is_empty = || fs::read_dir(venv).is_ok_and(|mut entries| entries.next().is_none());
    match fs::symlink_metadata(venv) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(found) if found.is_dir() && (receipt_file.exists() || is_empty()) => {}
        _ => bail!(
            "{} was not made by `cargo xtask`, which leaves it as it is; move it away, \
             and call again",
            venv.display()
        ),
    }
    // A virtual environment holds its own path: one that was moved does not work.
    let known = fs::read_to_string(&receipt_file).unwrap_or_default();
    let (place, held) = known.split_once('\n').unwrap_or_default();
    let held: Vec<String> = held.lines().map(String::from).collect();
    let works = Path::new(place) == venv && is_whole(environment, &held);
    if works && wanted.packages_are(&held) {
        return Ok(());
    }
    println!("Installing JupyterLab and its tools in .venv: 500 MB on disk, about a minute.");
    // What works is brought up to date; what does not is made anew.
    if !works {
        make(wanted, environment, lock)?;
    }
    let installed = install(wanted, environment, lock)?;
    if !is_whole(environment, &installed) {
        bail!(
            "pip did not install in .venv; see `pip config list` for a setting such as target \
             or prefix, remove it, and call again"
        );
    }
    let receipt = format!("{}\n{}\n", venv.display(), installed.join("\n"));
    fs::write(&receipt_file, receipt)
        .with_context(|| format!("cannot write {}", receipt_file.display()))
}

/// Installs the packages, and returns which: where not all are to be had, those that no notebook
/// can do without.
fn install(wanted: &Wanted, environment: &Environment, lock: &File) -> Result<Vec<String>> {
    let all = wanted.packages.clone();
    let Err(why) = pip(environment, &all, lock)? else {
        return Ok(all);
    };
    let needed = wanted.needed_packages();
    if why.contains(OPTIONAL) && pip(environment, &needed, lock)?.is_ok() {
        println!(
            "Go is left out, since it could not be installed ({why}); the notebooks say where."
        );
        return Ok(needed);
    }
    bail!(
        "pip could not install {} ({why}); make room or check the network, and call again",
        all.join(", "),
    )
}

/// Calls pip; what went wrong with it is a sentence.
fn pip(
    environment: &Environment,
    packages: &[String],
    lock: &File,
) -> Result<std::result::Result<(), String>> {
    let mut pip = environment.python();
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--no-user"]);
    pip.arg("--disable-pip-version-check").args(packages);
    let output = step(&mut pip, lock)?;
    let failed = || Err(reason(&output.stderr));
    Ok(output
        .status
        .success()
        .then_some(())
        .map_or_else(failed, Ok))
}

fn is_whole(environment: &Environment, packages: &[String]) -> bool {
    passes(environment, &[PACKAGES, FILES].concat(), packages)
}

/// Whether the environment's Python ends a script well.
fn passes(environment: &Environment, script: &str, arguments: &[String]) -> bool {
    let mut python = environment.python();
    python.args(["-I", "-c", script]).args(arguments);
    python.output().is_ok_and(|output| output.status.success())
}

fn make(wanted: &Wanted, environment: &Environment, lock: &File) -> Result<()> {
    let venv = &environment.prefix;
    let python = find_python(wanted, &environment.bin())?;
    clear(venv).with_context(|| format!("cannot clear {}", venv.display()))?;
    // In two steps, since venv does not hand on why ensurepip failed.
    let mut new = Command::new(python);
    forget(&mut new, &["PYTHON"]);
    let mut made = step(new.args(["-m", "venv", "--without-pip"]).arg(venv), lock)?;
    if made.status.success() {
        made = step(
            environment
                .python()
                .args(["-m", "ensurepip", "--default-pip"]),
            lock,
        )?;
    }
    if !made.status.success() {
        bail!(
            "Python could not make {}: {}",
            venv.display(),
            reason(&made.stderr)
        );
    }
    Ok(())
}

/// A Python that can make virtual environments: on the path under any usual name, or where pyenv,
/// uv and conda keep theirs.
fn find_python(wanted: &Wanted, own: &Path) -> Result<PathBuf> {
    let least = wanted.python;
    let home = |path: &str| env::home_dir().unwrap_or_default().join(path);
    let pyenv = env::var_os("PYENV_ROOT").map_or_else(|| home(".pyenv"), PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    // The Python in .venv is about to be removed, and may be the first on the path.
    let mut folders: Vec<PathBuf> = env::split_paths(&path)
        .filter(|folder| folder != own)
        .collect();
    for versions in [pyenv.join("versions"), home(".local/share/uv/python")] {
        folders.extend(
            fs::read_dir(versions)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path().join("bin")),
        );
    }
    folders.extend(["miniconda3/bin", "miniforge3/bin", "anaconda3/bin"].map(home));
    let mut names = ["python3", "python"].map(String::from).to_vec();
    names.extend((least.1..30).rev().map(|minor| format!("python3.{minor}")));
    let programs = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mut fault = format!(
        "there is no Python {0}.{1} or newer; install one, on Debian and Ubuntu with \
         `apt install python3 python3-venv`, or where that is older with \
         `pip install uv && uv python install {0}.{1}`",
        least.0, least.1
    );
    for program in programs.filter(|program| program.is_file()) {
        let mut python = Command::new(&program);
        forget(&mut python, &["PYTHON"]);
        let script = "import sys; print('%d.%d' % sys.version_info[:2]); import venv, ensurepip";
        let Ok(output) = python.args(["-c", script]).output() else {
            continue;
        };
        if minor(&String::from_utf8_lossy(&output.stdout)).is_none_or(|version| version < least) {
            continue;
        }
        if output.status.success() {
            return Ok(program);
        }
        fault = format!(
            "{} cannot make virtual environments: its module venv or ensurepip is missing; \
             install it, on Debian and Ubuntu with `apt install python3-venv`",
            program.display()
        );
    }
    bail!(fault)
}

/// Removes what Python and pip made, and keeps a kernel that has been built, and the receipt that
/// the folder is ours.
fn clear(venv: &Path) -> io::Result<()> {
    fs::create_dir_all(venv)?;
    // First, so that a half-cleared folder is ours, and not complete.
    fs::write(venv.join(RECEIPT), "incomplete\n")?;
    for entry in fs::read_dir(venv)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            _ if [RECEIPT, KERNEL]
                .iter()
                .any(|kept| entry.file_name() == *kept) => {}
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// The line in which a program said why it failed: the last that names an error of the system, or
/// else the last.
pub fn reason(printed: &[u8]) -> String {
    let printed = String::from_utf8_lossy(printed);
    let lines = printed.lines().rev().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with("WARNING"));
    let system = lines
        .clone()
        .find(|line| line.contains("[Errno ") || line.contains("(os error "));
    system
        .or_else(|| lines.next())
        .unwrap_or("it did not say why")
        .to_owned()
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
    fn clearing_removes_the_packages_and_keeps_the_kernel_and_what_links_lead_to() {
        let folder = tempfile::tempdir().unwrap();
        let (venv, elsewhere) = (folder.path().join(".venv"), folder.path().join("elsewhere"));
        for folder in [KERNEL, "bin", "lib/python3/site-packages"] {
            fs::create_dir_all(venv.join(folder)).unwrap();
        }
        fs::write(venv.join(KERNEL).join("evcxr_jupyter"), "").unwrap();
        for removed in [
            "bin/python",
            "bin/pip",
            "lib/python3/site-packages/half",
            "pyvenv.cfg",
        ] {
            fs::write(venv.join(removed), "").unwrap();
        }
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("precious"), "").unwrap();
        std::os::unix::fs::symlink(&elsewhere, venv.join("link")).unwrap();
        clear(&venv).unwrap();
        clear(&venv).unwrap();
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&venv), [RECEIPT, KERNEL]);
        assert_eq!(names(&venv.join(KERNEL)), ["evcxr_jupyter"]);
        assert_eq!(names(&elsewhere), ["precious"]);
    }
}

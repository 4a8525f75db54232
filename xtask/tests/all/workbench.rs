//! What the tests share: notebooks made for a test, `cargo xtask` on them, and the environment that
//! it has set up.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// As which a notebook keeps the data of a figure or a table.
pub const DATA_TYPE: &str = "application/vnd.guard-time-weigh+json";

/// The data of an output, or nothing.
pub fn data(output: &Value) -> Value {
    output["data"][DATA_TYPE].clone()
}

pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Says how far a test is, past the test harness, which shows nothing of a test that succeeds.
pub fn progress(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Notes what a test does; every ten seconds the last that was noted is shown, so that the screen
/// never stands still.
pub fn doing(what: impl Into<String>) {
    static DOING: Mutex<String> = Mutex::new(String::new());
    static SHOWING: Once = Once::new();
    *DOING.lock().unwrap() = what.into();
    SHOWING.call_once(|| {
        thread::spawn(|| {
            loop {
                thread::sleep(Duration::from_secs(10));
                progress(&format!("  {}", DOING.lock().unwrap()));
            }
        });
    });
}

/// Held by a test that runs notebooks with `cargo xtask run`: none of them waits for another, or is
/// killed while it does.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The environment that `cargo xtask setup` has made, which is called once and shows what it does.
pub fn environment() -> &'static Path {
    static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
        doing("set-up");
        let mut setup = Command::new(PROGRAM);
        let setup = setup.arg("setup").stdout(io::stderr()).status().unwrap();
        assert!(
            setup.success(),
            "cargo xtask setup failed, for the reason above"
        );
        let ready = Command::new(PROGRAM).arg("setup").output().unwrap().stdout;
        let ready = String::from_utf8(ready).unwrap();
        ready
            .lines()
            .last()
            .unwrap()
            .strip_prefix("Ready: ")
            .expect("what set-up says at its end")
            .into()
    });
    &PREFIX
}

/// A program of the environment, to be started as if the environment were activated in a terminal.
pub fn tool(program: &str) -> Command {
    let bin = environment().join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.clone()].into_iter().chain(env::split_paths(&path))).unwrap();
    let mut command = Command::new(bin.join(program));
    command.env("PATH", path);
    // What cargo sets for a test, and would be in no terminal.
    command
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE");
    command
}

pub fn xtask(arguments: &[&str]) -> Outcome {
    environment();
    Outcome::of(Command::new(PROGRAM).args(arguments).output().unwrap())
}

/// Calls `cargo xtask` as each line `ARGUMENTS => COMPLAINT` says, where `{}` is a folder: it fails
/// with this complaint, and nothing in the folder has changed.
pub fn check_refusals(folder: &Path, lines: &str) {
    let before = tree(folder);
    for line in lines.trim().replace("{}", folder.to_str().unwrap()).lines() {
        let (asked, said) = line.split_once(" => ").unwrap();
        let mut outcome = xtask(&asked.split(' ').collect::<Vec<_>>());
        // As another test may do at this moment.
        outcome.stdout = outcome
            .stdout
            .replace("Waiting until another set-up has finished.\n", "");
        let said = format!("error: {}\n", said.replace("\\n", "\n"));
        assert_eq!(
            (outcome.code, outcome.stdout, outcome.stderr),
            (Some(1), String::new(), said),
            "{asked}"
        );
        assert!(tree(folder) == before, "{asked}: something is changed");
    }
}

/// All that is below a folder: files with their text, and folders.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut tree = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree.extend(self::tree(&path));
        }
        tree.insert(path.clone(), fs::read_to_string(path).unwrap_or_default());
    }
    tree
}

impl Outcome {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// A folder that looks like the project to the notebooks in its folder `notebooks`.
pub fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Programs that were built before are not built again.
    let programs = root().join("target/programs");
    for made in [&programs, &folder.path().join("notebooks")] {
        fs::create_dir_all(made).unwrap();
    }
    fs::create_dir(folder.path().join("target")).unwrap();
    for path in ["helpers", "notebooks/programs", "target/programs"] {
        symlink(root().join(path), folder.path().join(path)).unwrap();
    }
    folder
}

/// Links what the kernel needs of the project into a folder.
pub fn link_what_the_kernel_needs(folder: &Path) {
    fs::create_dir_all(folder.join("xtask")).unwrap();
    fs::create_dir_all(folder.join("notebooks")).unwrap();
    for path in [
        "helpers",
        "xtask/python",
        "notebooks/evcxr.toml",
        "Cargo.lock",
    ] {
        symlink(root().join(path), folder.join(path)).unwrap();
    }
}

pub fn cell(source: &str, tags: &[&str]) -> Value {
    json!({
        "cell_type": "code", "execution_count": null, "metadata": { "tags": tags }, "outputs": [], "source": source
    })
}

pub fn prose(source: &str) -> Value {
    json!({ "cell_type": "markdown", "metadata": {}, "source": source })
}

/// Writes a notebook of these cells; those without an id get one.
pub fn write(path: &Path, mut cells: Vec<Value>) {
    for (index, cell) in cells.iter_mut().enumerate() {
        if cell["id"].is_null() {
            cell["id"] = format!("cell-{index}").into();
        }
    }
    let kernel = json!({ "display_name": "Rust", "language": "rust", "name": "guard-time-weigh" });
    let notebook = json!({ "cells": cells, "metadata": { "kernelspec": kernel }, "nbformat": 4, "nbformat_minor": 5 });
    fs::write(path, notebook.to_string()).unwrap();
}

pub fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn notebooks() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("notebooks")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "ipynb")
    });
    paths.retain(|path| !name(path).starts_with('.'));
    paths.sort();
    assert!(
        !paths.is_empty(),
        "there is no notebook in {}",
        root().join("notebooks").display()
    );
    paths
}

pub fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

pub fn cell_named<'a>(notebook: &'a Value, id: &str) -> &'a Value {
    let cells = notebook["cells"].as_array().unwrap();
    cells
        .iter()
        .find(|cell| cell["id"] == id)
        .unwrap_or_else(|| panic!("the notebook has no cell {id}"))
}

pub fn code_cells(notebook: &Value) -> Vec<&Value> {
    let cells = notebook["cells"].as_array().unwrap();
    cells
        .iter()
        .filter(|cell| cell["cell_type"] == "code")
        .collect()
}

pub fn has_tag(cell: &Value, tag: &str) -> bool {
    cell["metadata"]["tags"]
        .as_array()
        .is_some_and(|tags| tags.iter().any(|other| other == tag))
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A string of the notebook format, which may also be a list of lines.
pub fn text(value: &Value) -> String {
    match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

/// Waits until something holds; at most two minutes, since other work may slow the machine.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(
            Instant::now() < end,
            "two minutes have passed, and this does not hold: {what}"
        );
        thread::sleep(Duration::from_millis(2));
    }
}

pub fn signal(name: &str, to: i32) {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$0\" -- \"$1\"", name, &to.to_string()])
        .status();
    assert!(status.unwrap().success(), "cannot send {name} to {to}");
}

/// Whether a process runs that was started with this path in its environment.
pub fn runs_with(path: &Path) -> bool {
    let path = path.to_str().unwrap().as_bytes();
    let environments = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path().join("environ"));
    let knows = |environment: Vec<u8>| environment.windows(path.len()).any(|part| part == path);
    environments
        .filter_map(|environment| fs::read(environment).ok())
        .any(knows)
}

/// A command in which the script's mounts are seen, and nowhere else; nothing where the machine
/// does not permit that, and then the output says that the test is skipped.
///
/// The script ends in `"$0" "$@"`, or has it where the command is to be called.
pub fn with_mounts(test: &str, script: &str) -> Option<Command> {
    for option in ["-m", "-rm"] {
        let mount = Command::new("unshare")
            .args([option, "mount", "-t", "tmpfs", "none", "/tmp"])
            .output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            let mut command = Command::new("unshare");
            command.args([option, "sh", "-c", script]);
            return Some(command);
        }
    }
    progress(&format!(
        "skipped: {test}: this machine does not permit `unshare -m`"
    ));
    None
}

/// What two threads share that hand a lock to each other, as a cell.
pub const TURNS: &str =
    "use std::{sync::{Arc, atomic::{AtomicUsize, Ordering::SeqCst}}, time::Duration};
let turns = Arc::new((parking_lot::Mutex::new(()), AtomicUsize::new(0)));";

/// The thread with the odd or the even turns, as a cell of its own: a function would be compiled in
/// the first cell alone. It holds the lock for longer than parking_lot spins, so that the other one
/// has to sleep.
pub fn turns_of(parity: &str, turns: usize) -> String {
    format!(
        "let shared = turns.clone();
std::thread::spawn(move || loop {{
    let guard = shared.0.lock();
    let turn = shared.1.load(SeqCst);
    if turn == {turns} {{ break }}
    if turn % 2 == {parity} {{ shared.1.store(turn + 1, SeqCst); }}
    std::thread::sleep(Duration::from_micros(100));
    parking_lot::MutexGuard::unlock_fair(guard);
}});"
    )
}

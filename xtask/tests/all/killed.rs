//! `cargo xtask run`, killed: what was there stays whole, no kernel lives on, and the next run works.
//!
//! Processes are found in `/proc`, which only Linux has.

use crate::workbench::{PROGRAM, cell, has_in_environment, processes, signal, wait_until, write, xtask};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A notebook whose second cell says that it runs and waits to be let go, and everything that a run touches.
struct Bench {
    _folder: TempDir,
    notebook: PathBuf,
    output: PathBuf,
    /// Where kernels build; a process that knows this path belongs to the test.
    temporary: PathBuf,
    started: PathBuf,
    go: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (notebooks, temporary) = (path("notebooks"), path("temporary"));
        fs::create_dir(&notebooks).unwrap();
        fs::create_dir(&temporary).unwrap();
        let (notebook, started, go) = (notebooks.join("held.ipynb"), path("started"), path("go"));
        let held = format!(
            "std::fs::write({started:?}, \"\")?;
while !std::path::Path::new({go:?}).exists() {{ std::thread::sleep(std::time::Duration::from_millis(10)); }}
println!(\"let go: {{}}\", std::fs::read_to_string({go:?})?);"
        );
        write(&notebook, vec![cell("1 + 1", &[]), cell(&held, &[])]);
        Self { notebook, output: path("rendered"), temporary, started, go, _folder: folder }
    }

    /// A run in a process group of its own, as a terminal starts it.
    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("run").arg(&self.notebook).arg("--in-place").arg("--output").arg(&self.output);
        command.env("TMPDIR", &self.temporary).process_group(0);
        command
    }

    fn let_go(&self, word: &str) {
        fs::write(&self.go, word).unwrap();
    }

    fn hold(&self) {
        let _ = fs::remove_file(&self.go);
        let _ = fs::remove_file(&self.started);
    }

    /// A run that waits in its second cell.
    fn held(&self, stdout: impl Into<Stdio>) -> Child {
        self.hold();
        let child = self.command().stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        wait_until("the cell has started", || self.started.exists());
        child
    }

    /// A run from start to end, after which nothing is left but what it wrote.
    fn run(&self, word: &str) -> String {
        self.let_go(word);
        let output = self.command().output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = self.files();
        let names: Vec<_> = files.keys().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["held.ipynb", "held.html", "held.ipynb", "index.html"]);
        for (path, text) in self.files() {
            let new = path.ends_with("index.html") || text.contains(&format!("let go: {word}"));
            assert!(new, "{} is not from the run {word}", path.display());
        }
        self.check_that_nothing_runs();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every file beside the notebook and in the output folder, those that are on their way included.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.notebook.parent().unwrap().to_owned(), self.output.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files.insert(path.clone(), String::new());
                    folders.push(path);
                } else {
                    files.insert(path.clone(), fs::read_to_string(path).unwrap());
                }
            }
        }
        files
    }

    /// The same without what is on its way.
    fn published(&self) -> BTreeMap<PathBuf, String> {
        let mut files = self.files();
        files.retain(|path, _| !path.to_str().unwrap().contains(".partial"));
        files
    }

    fn check_that_nothing_runs(&self) {
        wait_until("no kernel runs", || {
            processes(|process| has_in_environment(process, &self.temporary)).is_empty()
        });
    }
}

fn ended(child: Child) -> (ExitStatus, String) {
    let output = child.wait_with_output().unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

/// The Python that this process has started.
fn python(child: &Child) -> i32 {
    let children = processes(|process| {
        // PID (NAME) STATE PARENT
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        parent == Some(child.id())
    });
    children[0]
}

#[test]
fn a_run_that_is_ended_in_a_cell_changes_nothing_and_leaves_no_kernel() {
    xtask(&["setup"]);
    let bench = Bench::new();
    bench.run("before");
    let stopped = "error: stopped; nothing was published\n";
    let ended_python = "error: the run was ended (signal: 9 (SIGKILL)); nothing was published\n";
    for (name, whom, code, said) in [
        ("KILL", "xtask", None, ""),
        ("KILL", "python", Some(1), ended_python),
        // As the system does when memory runs out, or a closed terminal at last.
        ("KILL", "group", None, ""),
        ("INT", "group", Some(1), stopped),
        ("TERM", "xtask", Some(1), stopped),
        ("HUP", "group", Some(1), stopped),
    ] {
        let before = bench.published();
        let child = bench.held(Stdio::null());
        let xtask = child.id() as i32;
        match whom {
            "xtask" => signal(name, xtask),
            "python" => signal(name, python(&child)),
            _ => signal(name, -xtask),
        }
        let (status, stderr) = ended(child);
        assert_eq!((status.code(), stderr.as_str()), (code, said), "{name} to {whom}");
        bench.check_that_nothing_runs();
        assert_eq!(bench.published(), before, "{name} to {whom}");
        let builds = fs::read_dir(&bench.temporary).unwrap().count();
        assert_eq!(builds, 0, "{name} to {whom}: a kernel's folder is left");
        match code {
            Some(_) => assert_eq!(bench.files(), before, "{name} to {whom}: something is left"),
            None => drop(bench.run(&format!("after {name} to {whom}"))),
        }
    }
}

#[test]
fn a_run_that_is_killed_at_any_time_leaves_no_kernel() {
    xtask(&["setup"]);
    let bench = Bench::new();
    bench.run("before");
    let before = bench.published();
    for milliseconds in [100, 400, 700, 1000, 1500, 2000] {
        bench.hold();
        let mut child = bench.command().stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        signal("KILL", -(child.id() as i32));
        child.wait().unwrap();
        bench.check_that_nothing_runs();
        assert_eq!(bench.published(), before, "after {milliseconds} ms");
    }
    bench.run("after");
}

#[test]
fn a_run_that_is_killed_while_it_publishes_leaves_each_file_whole() {
    xtask(&["setup"]);
    let bench = Bench::new();
    let printed = bench.run("old");
    // What is printed between the last cell and the first file that is published.
    let cell = printed.find("held  cell 2").unwrap();
    let rendering = cell + printed[cell..].find('\n').unwrap() + 1..printed.find("Wrote").unwrap();

    // A pipe that is full holds the run at its next line, which is the one after the first file.
    let (reader, mut writer) = io::pipe().unwrap();
    let mut lines = BufReader::new(reader);
    let child = bench.held(writer.try_clone().unwrap());
    let mut line = String::new();
    while !line.starts_with("held  cell 2") {
        line.clear();
        lines.read_line(&mut line).unwrap();
    }
    const PIPE: usize = 65_536; // bytes that a pipe of Linux holds
    writer.write_all(&vec![b' '; PIPE - rendering.len()]).unwrap();
    bench.let_go("new");
    let is_new = |text: &String| text.contains("let go: new");
    wait_until("a file is published", || bench.published().values().any(is_new));
    signal("KILL", -(child.id() as i32));
    assert_eq!(ended(child).0.signal(), Some(9));

    let published = bench.published();
    let new = published.values().filter(|text| is_new(text)).count();
    let old = published.values().filter(|text| text.contains("let go: old")).count();
    assert_eq!((new, old), (1, 2), "{:?}", published.keys());
    for (path, text) in &published {
        match path.extension().unwrap().to_str() {
            Some("html") => assert!(text.trim_end().ends_with("</html>"), "{} is cut off", path.display()),
            _ => drop(crate::workbench::read(path)),
        }
    }
    bench.check_that_nothing_runs();
    bench.run("new");
}

#[test]
fn two_runs_at_once_take_turns() {
    xtask(&["setup"]);
    let bench = Bench::new();
    let first = bench.held(Stdio::null());
    let mut second = bench.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(second.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    assert_eq!(line, "Waiting until another run, which this one would disturb, has finished.\n");
    bench.let_go("both");
    for child in [first, second] {
        if child.stdout.is_none() {
            printed.read_to_string(&mut line).unwrap();
        }
        let (status, stderr) = ended(child);
        assert!(status.success(), "{stderr}");
    }
    assert!(line.contains("Wrote"), "{line}");
    bench.run("both");
}

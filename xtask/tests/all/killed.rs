//! `cargo xtask run`, killed: what was there stays whole, no kernel lives on, and the next run works.
//!
//! Processes are found in `/proc`, which only Linux has.

use crate::workbench::{
    PROGRAM, alone, cell, environment, has_in_environment, processes, progress, signal, wait_until, write,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

type Files = BTreeMap<PathBuf, String>;

/// A notebook whose second cell says that it runs and waits to be let go, and everything that a run touches.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        environment();
        let bench = Self(tempfile::tempdir().unwrap());
        for folder in ["notebooks", "rendered", "temporary"] {
            fs::create_dir(bench.path(folder)).unwrap();
        }
        let (started, go) = (bench.path("started"), bench.path("go"));
        let held = format!(
            "std::fs::write({started:?}, \"\")?;
while !std::path::Path::new({go:?}).exists() {{ std::thread::sleep(std::time::Duration::from_millis(10)); }}"
        );
        let cells = vec![cell("\"new\".repeat(3)", &[]), cell(&held, &[])];
        write(&bench.path("notebooks/held.ipynb"), cells);
        for file in ["rendered/held.ipynb", "rendered/held.html", "rendered/index.html"] {
            fs::write(bench.path(file), "from the previous run").unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A run in a process group of its own, as a terminal starts it; its second cell will wait.
    fn start(&self, stdout: impl Into<Stdio>) -> Child {
        let _ = fs::remove_file(self.path("go"));
        let _ = fs::remove_file(self.path("started"));
        let mut command = Command::new(PROGRAM);
        command.arg("run").arg(self.path("notebooks/held.ipynb")).arg("--in-place");
        command.arg("--output").arg(self.path("rendered"));
        // Kernels build there; a process that knows this path belongs to the test.
        command.env("TMPDIR", self.path("temporary")).process_group(0);
        command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A run that waits in its second cell.
    fn held(&self, stdout: impl Into<Stdio>) -> Child {
        let child = self.start(stdout);
        wait_until("the cell has started", || self.path("started").exists());
        child
    }

    fn let_go(&self) {
        fs::write(self.path("go"), "").unwrap();
    }

    /// Lets a run succeed, after which nothing is left but what it wrote.
    fn finish(&self, child: Child) {
        self.let_go();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = self.files();
        assert!(files.len() == 4 && files.keys().all(|path| path.is_file()), "{:?}", files.keys());
        assert_eq!(
            files.values().filter(|text| text.contains("newnewnew")).count(),
            3,
            "a file is an old one"
        );
        self.check_that_nothing_runs();
    }

    /// Every file beside the notebook and in the output folder; a folder in which something is on its way is empty.
    fn files(&self) -> Files {
        let folders = ["notebooks", "rendered"].map(|folder| fs::read_dir(self.path(folder)).unwrap());
        let paths = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
        // The index is on its way in such a file, which a kill may leave.
        let paths = paths.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with(".tmp"));
        paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap_or_default())).collect()
    }

    /// The same without what is on its way.
    fn published(&self) -> Files {
        self.files().into_iter().filter(|(path, _)| path.is_file()).collect()
    }

    /// How many published files are not those from before; these must be whole.
    fn new_files(&self, before: &Files) -> usize {
        let published = self.published();
        assert!(before.keys().eq(published.keys()), "{:?}", published.keys());
        let new: Vec<_> = published.iter().filter(|(path, text)| before[*path] != **text).collect();
        for (path, text) in &new {
            let is_whole = text.trim_end().ends_with("</html>") || text.ends_with("\n}\n");
            assert!(is_whole, "{} is cut off", path.display());
        }
        new.len()
    }

    fn check_that_nothing_runs(&self) {
        let temporary = self.path("temporary");
        let runs = || processes(|process| has_in_environment(process, &temporary));
        wait_until("no kernel runs", || runs().is_empty());
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "a kernel's folder is left");
    }

    /// Ends runs in several ways, which publishes nothing, or whole files; then one succeeds.
    fn end(&self, cases: &[Case]) {
        for &(line, times, name, whom, code, said) in cases {
            let what = format!("{name}, sent to {whom} when {times} lines began with {line:?}");
            progress(&what);
            let before = self.published();
            let mut child = self.start(Stdio::piped());
            let publishes = [RENDERING, WROTE].contains(&line);
            if publishes {
                self.let_go();
            }
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
            for _ in 0..times {
                lines.find(|printed| printed.starts_with(line)).expect(line);
            }
            if line == CELL {
                wait_until(&what, || self.path("started").exists());
            }
            let xtask = child.id() as i32;
            let to = if whom == "python" { python(xtask) } else { xtask };
            signal(name, if whom == "group" { -to } else { to });
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            // One that publishes may have ended before the signal came.
            let late = publishes && output.status.success();
            assert!(late || (output.status.code(), stderr.as_str()) == (code, said), "{what}: {stderr}");
            self.check_that_nothing_runs();
            assert!(self.new_files(&before) == 0 || publishes, "{what}");
            assert!(code.is_none() || self.files() == before, "{what}: something is left");
        }
        self.finish(self.start(Stdio::null()));
    }
}

/// The beginning of a line and how often it has been printed when a signal is sent to someone, the code with which the run
/// ends, and what it says.
type Case<'a> = (&'a str, usize, &'a str, &'a str, Option<i32>, &'a str);

const CELL: &str = "held  cell 2";
const RENDERING: &str = "held  rendering";
const WROTE: &str = "Wrote";
const STOPPED: &str = "error: stopped; nothing was published\n";

/// The Python that this process has started.
fn python(xtask: i32) -> i32 {
    let children = processes(|process| {
        // PID (NAME) STATE PARENT
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&xtask.to_string())
    });
    children[0]
}

#[test]
fn a_run_that_is_ended_in_a_cell_changes_nothing_and_leaves_no_kernel() {
    let _alone = alone();
    Bench::new().end(&[(CELL, 1, "KILL", "xtask", None, ""), (CELL, 1, "INT", "group", Some(1), STOPPED)]);
}

#[test]
#[ignore = "deep: nine more runs that are ended, about 1 minute"]
fn a_run_that_is_ended_anywhere_leaves_each_file_whole_and_no_kernel() {
    let _alone = alone();
    let ended_python = "error: the run was ended (signal: 9 (SIGKILL)); nothing was published\n";
    Bench::new().end(&[
        // As the system does when memory runs out, or a closed terminal at last.
        (CELL, 1, "KILL", "group", None, ""),
        (CELL, 1, "KILL", "python", Some(1), ended_python),
        (CELL, 1, "TERM", "xtask", Some(1), STOPPED),
        (CELL, 1, "HUP", "group", Some(1), STOPPED),
        ("held  cell 1", 1, "KILL", "group", None, ""),
        (RENDERING, 1, "KILL", "group", None, ""),
        (WROTE, 1, "KILL", "group", None, ""),
        (WROTE, 2, "KILL", "group", None, ""),
        (WROTE, 3, "KILL", "group", None, ""),
    ]);
}

#[test]
fn a_run_that_is_killed_while_it_publishes_leaves_each_file_whole() {
    let _alone = alone();
    let bench = Bench::new();
    let before = bench.published();
    // A pipe that is full holds the run at its next line but one, which is the one after the first file.
    let (reader, mut writer) = io::pipe().unwrap();
    let child = bench.held(writer.try_clone().unwrap());
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    lines.find(|line| line.starts_with("held  cell 2")).unwrap();
    const PIPE: usize = 65_536; // bytes that a pipe of Linux holds
    writer.write_all(&vec![b' '; PIPE - "held  rendering\n".len()]).unwrap();
    bench.let_go();
    wait_until("a file is published", || bench.new_files(&before) > 0);
    signal("KILL", -(child.id() as i32));
    assert_eq!(child.wait_with_output().unwrap().status.signal(), Some(9));
    assert_eq!(bench.new_files(&before), 1);
    bench.check_that_nothing_runs();
    bench.finish(bench.start(Stdio::null()));
}

#[test]
fn two_runs_at_once_take_turns() {
    let _alone = alone();
    let bench = Bench::new();
    let first = bench.held(Stdio::null());
    let mut second = bench.start(Stdio::piped());
    let mut printed = BufReader::new(second.stdout.take().unwrap());
    let mut said = String::new();
    printed.read_line(&mut said).unwrap();
    assert_eq!(said, "Waiting until another run, which this one would disturb, has finished.\n");
    bench.let_go();
    assert!(first.wait_with_output().unwrap().status.success());
    printed.read_to_string(&mut said).unwrap();
    assert!(said.contains("Wrote"), "{said}");
    bench.finish(second);
}

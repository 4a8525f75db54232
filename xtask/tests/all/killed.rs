//! `cargo xtask run`, killed: what was there stays whole, no kernel lives on, and the next run
//! works.

use crate::workbench::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

type Files = BTreeMap<PathBuf, String>;

/// A notebook whose second cell says that it runs and waits to be let go, and everything that a run
/// touches.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        environment();
        let bench = Self(tempfile::tempdir().unwrap());
        for folder in ["notebooks", "rendered", "temporary"] {
            fs::create_dir(bench.path(folder)).unwrap();
        }
        let [started, go] = ["started", "go"].map(|name| bench.path(name));
        let wait = "{ std::thread::sleep(std::time::Duration::from_millis(10)); }";
        let held = format!(
            "std::fs::write({started:?}, \"\")?;\nwhile !std::path::Path::new({go:?}).exists() {wait}"
        );
        write(
            &bench.path("notebooks/held.ipynb"),
            vec![cell("\"new\".repeat(3)", &[]), cell(&held, &[])],
        );
        for file in [
            "rendered/held.ipynb",
            "rendered/held.html",
            "rendered/held.csv",
            "rendered/index.html",
        ] {
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
        command
            .arg("run")
            .arg(self.path("notebooks/held.ipynb"))
            .arg("--in-place");
        command.arg("--output").arg(self.path("rendered"));
        // Kernels build there; a process that knows this path belongs to the test.
        command
            .env("TMPDIR", self.path("temporary"))
            .process_group(0);
        command
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn held(&self, stdout: impl Into<Stdio>) -> Child {
        let child = self.start(stdout);
        wait_until("the cell has started", || self.path("started").exists());
        child
    }

    /// Lets a run succeed, after which nothing is left but what it wrote.
    fn finish(&self, child: Child) {
        fs::write(self.path("go"), "").unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let files = self.files();
        let new = files
            .values()
            .filter(|text| text.contains("newnewnew"))
            .count();
        assert_eq!((files.len(), new), (5, 3), "{:?}", files.keys());
        self.check_that_nothing_runs();
    }

    fn files(&self) -> Files {
        ["notebooks", "rendered"]
            .into_iter()
            .flat_map(|folder| tree(&self.path(folder)))
            .collect()
    }

    fn published(&self) -> Files {
        let files = self.files().into_iter();
        files
            .filter(|(path, _)| !path.to_str().unwrap().contains(".partial"))
            .collect()
    }

    /// How many published files are not those from before; these must be whole.
    fn new_files(&self, before: &Files) -> usize {
        let published = self.published();
        assert!(before.keys().eq(published.keys()), "{:?}", published.keys());
        let changed = published
            .values()
            .zip(before.values())
            .filter(|(new, old)| new != old);
        let new: Vec<_> = changed.map(|(new, _)| new.trim_end()).collect();
        let is_whole = |text: &&str| {
            let ends = ["</html>", "\n}", ",settings"]; // without a figure, a header alone
            ends.iter().any(|end| text.ends_with(end))
        };
        assert!(new.iter().all(is_whole), "{new:?}");
        new.len()
    }

    fn check_that_nothing_runs(&self) {
        let temporary = self.path("temporary");
        wait_until("no kernel runs", || !runs_with(&temporary));
        assert_eq!(
            fs::read_dir(&temporary).unwrap().count(),
            0,
            "a kernel's folder is left"
        );
    }

    /// Ends runs in several ways, which publishes nothing; then one succeeds.
    fn end(&self, cases: &[Case]) {
        for &(line, name, whom, code, said) in cases {
            let what = format!("{name}, sent to {whom} at the line {line:?}");
            progress(&what);
            let before = self.published();
            let mut child = self.start(Stdio::piped());
            let mut lines = BufReader::new(child.stdout.take().unwrap())
                .lines()
                .map(Result::unwrap);
            match line {
                KERNEL => wait_until(&what, || {
                    fs::read_dir(self.path("temporary")).unwrap().count() > 0
                }),
                line => drop(lines.find(|printed| printed.starts_with(line)).expect(line)),
            }
            if line == CELL {
                wait_until(&what, || self.path("started").exists());
            }
            let xtask = child.id() as i32;
            signal(name, if whom == "group" { -xtask } else { xtask });
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                (output.status.code(), stderr.as_str()),
                (code, said),
                "{what}"
            );
            self.check_that_nothing_runs();
            let left = if code.is_none() {
                self.published()
            } else {
                self.files()
            };
            assert!(left == before, "{what}: something is changed or left");
        }
        self.finish(self.start(Stdio::null()));
    }

    /// Kills the first run here when it has published so many files, of which none is cut off; then
    /// one succeeds.
    fn kill_after(&self, files: usize) {
        progress(&format!(
            "a run is killed when it has published {files} files"
        ));
        let before = self.published();
        // A pipe that is full holds the run at the line after the last file, or at the rendering.
        let (reader, mut writer) = io::pipe().unwrap();
        let child = self.held(writer.try_clone().unwrap());
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        lines.find(|line| line.starts_with(CELL)).unwrap();
        const PIPE: usize = 65_536; // bytes that a pipe of Linux holds
        let wrote = format!("Wrote {}\n", self.path("notebooks/held.ipynb").display()).len();
        let room = files
            .checked_sub(1)
            .map_or(0, |more| "held  rendering\n".len() + more * wrote);
        writer.write_all(&vec![b' '; PIPE - room]).unwrap();
        fs::write(self.path("go"), "").unwrap();
        wait_until("the files are published", || {
            self.new_files(&before) == files
        });
        signal("KILL", -(child.id() as i32));
        assert_eq!(child.wait_with_output().unwrap().status.signal(), Some(9));
        assert_eq!(self.new_files(&before), files);
        self.check_that_nothing_runs();
        self.finish(self.start(Stdio::null()));
    }
}

/// The beginning of a line at which a signal is sent to someone, the code with which the run ends,
/// and what it says.
type Case<'a> = (&'a str, &'a str, &'a str, Option<i32>, &'a str);

const KERNEL: &str = "";
const CELL: &str = "held  cell 2";
const STOPPED: &str = "error: stopped; nothing was published\n";

#[test]
fn a_run_that_is_ended_in_a_cell_or_between_files_leaves_each_whole_and_no_kernel() {
    let _alone = alone();
    Bench::new().end(&[
        (CELL, "KILL", "xtask", None, ""),
        (CELL, "INT", "group", Some(1), STOPPED),
    ]);
    Bench::new().kill_after(1);
}

#[test]
#[ignore = "deep: nine more runs that are ended, about 1 minute"]
fn a_run_that_is_ended_anywhere_leaves_each_file_whole_and_no_kernel() {
    let _alone = alone();
    Bench::new().end(&[
        // As the system does when memory runs out, or a closed terminal at last.
        (CELL, "KILL", "group", None, ""),
        (CELL, "TERM", "xtask", Some(1), STOPPED),
        (CELL, "HUP", "group", Some(1), STOPPED),
        (KERNEL, "KILL", "group", None, ""),
        ("held  cell 1", "KILL", "group", None, ""),
    ]);
    [0, 2, 3, 4, 5]
        .into_iter()
        .for_each(|files| Bench::new().kill_after(files));
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
    assert_eq!(
        said,
        "Waiting until another run, which this one would disturb, has finished.\n"
    );
    fs::write(bench.path("go"), "").unwrap();
    assert!(first.wait_with_output().unwrap().status.success());
    printed.read_to_string(&mut said).unwrap();
    assert!(said.contains("Wrote"), "{said}");
    bench.finish(second);
}

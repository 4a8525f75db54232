//! One Rust kernel that stays, for tests that run cells again, change parameters and interrupt.

use crate::parameter_cells::Parts;
use crate::workbench::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use tempfile::TempDir;

const SCRIPT: &str = include_str!("session.py");

/// Seconds after which a cell counts as hung. The first set-up builds all there is.
const LIMIT: u64 = 600;

/// A kernel in a folder like that of the notebooks; it ends with the session.
pub struct Session {
    pub doing: String,
    name: String,
    driver: Child,
    requests: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    _folder: Option<TempDir>,
}

pub struct Said(pub Vec<Value>);

impl Said {
    pub fn stream(&self, name: &str) -> String {
        let of_name = self.0.iter().filter(|output| output["name"] == name);
        of_name.map(|output| text(&output["text"])).collect()
    }

    /// The messages of errors: of the compiler, or of a process that ended.
    pub fn error(&self) -> String {
        self.0
            .iter()
            .map(|output| text(&output["evalue"]))
            .collect()
    }

    pub fn shown(&self) -> String {
        self.0
            .iter()
            .map(|output| text(&output["data"]["text/plain"]))
            .collect()
    }

    pub fn wrong(&self) -> String {
        self.error() + &self.stream("stderr")
    }
}

impl Session {
    /// Starts a kernel, and runs the cells of a notebook up to its parameters.
    pub fn start(parts: &Parts) -> Self {
        // The set-up cell finds the helper crate beside the notebook's folder.
        let folder = workspace();
        let mut session = Self::start_in(&folder.path().join("notebooks"));
        session._folder = Some(folder);
        session.name.clone_from(&parts.name);
        parts
            .begin
            .iter()
            .for_each(|cell| drop(session.run_well(cell)));
        session
    }

    /// Starts a kernel in a folder.
    pub fn start_in(folder: &Path) -> Self {
        let mut python = tool("python");
        python
            .args(["-I", "-X", "utf8", "-W", "ignore", "-c", SCRIPT])
            .arg(folder);
        let mut driver = python
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = driver.stdin.take();
        let answers = BufReader::new(driver.stdout.take().unwrap()).lines();
        let mut session = Self {
            doing: "set-up".into(),
            name: "a kernel".into(),
            driver,
            requests,
            answers,
            _folder: None,
        };
        assert_eq!(session.answer(), "ready");
        session
    }

    pub fn execute(&mut self, source: &str) -> Said {
        self.execute_until(source, "", &[])
    }

    pub fn run_well(&mut self, source: &str) -> Said {
        let said = self.execute(source);
        assert!(
            said.wrong().is_empty(),
            "{}: {}: {}: {source}",
            self.name,
            self.doing,
            said.wrong()
        );
        said
    }

    /// Executes a cell and waits for this sign in what it writes, if there is one; interrupts the
    /// kernel, if the cell still runs, so many seconds after the sign or else after the request.
    pub fn execute_until(&mut self, source: &str, sign: &str, interrupts: &[f64]) -> Said {
        let request =
            json!({ "source": source, "seconds": LIMIT, "sign": sign, "interrupts": interrupts });
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
        match serde_json::from_str(&self.answer()).unwrap() {
            Value::Array(outputs) => Said(outputs),
            _ => panic!(
                "{}: {}: the kernel ended or hangs in {source}",
                self.name, self.doing
            ),
        }
    }

    fn answer(&mut self) -> String {
        doing(format!("{}: {}", self.name, self.doing));
        self.answers
            .next()
            .expect("the driver ended, for the reason above")
            .unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The end of its input makes the driver end the kernel.
        drop(self.requests.take());
        let _ = self.driver.wait();
    }
}

//! One Rust kernel that stays, for tests that run cells again, change parameters and interrupt.

use crate::parameter_cells::Parts;
use crate::workbench::{progress, text, tool, workspace};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SCRIPT: &str = concat!(include_str!("../../src/guard.py"), include_str!("session.py"));

/// Seconds that one cell may take before it counts as hung: the first set-up builds all there is.
const LIMIT: u64 = 900;

/// How often a session says what it does.
const LINE: Duration = Duration::from_secs(10);

/// A kernel in a folder like that of the notebooks; it ends with the session.
pub struct Session {
    /// What it does, for a line on the screen every 10 s.
    pub doing: String,
    name: String,
    /// Seconds that one cell may take; then it is interrupted.
    limit: u64,
    driver: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    last_line: Instant,
    _folder: TempDir,
}

/// What a cell showed and how it ended.
#[derive(Debug)]
pub struct Said {
    /// As a notebook holds them.
    pub outputs: Vec<Value>,
    /// From the request to the kernel's word that it is idle.
    pub seconds: f64,
    /// `finished`, `timed out` or `dead`.
    pub end: String,
}

impl Said {
    /// What was written to a stream.
    pub fn stream(&self, name: &str) -> String {
        let of_name = self.outputs.iter().filter(|output| output["name"] == name);
        of_name.map(|output| text(&output["text"])).collect()
    }

    /// The messages of errors, one a line: of the compiler, or of a process that ended.
    pub fn error(&self) -> String {
        let errors = self.outputs.iter().filter(|output| output["output_type"] == "error");
        errors.map(|output| text(&output["evalue"])).collect::<Vec<_>>().join("\n")
    }

    /// The last expression as text.
    pub fn shown(&self) -> String {
        self.outputs.iter().map(|output| text(&output["data"]["text/plain"])).collect()
    }

    /// Whether it ended by itself, with no error and nothing on stderr.
    pub fn is_well(&self) -> bool {
        self.end == "finished" && self.error().is_empty() && self.stream("stderr").is_empty()
    }

    /// What went wrong, for a test's message.
    pub fn complaint(&self) -> String {
        format!("{} after {:.1} s: {}{}", self.end, self.seconds, self.error(), self.stream("stderr"))
    }
}

impl Session {
    /// Starts a kernel, and runs the cells of a notebook up to its parameters.
    pub fn start(parts: &Parts) -> Self {
        // The set-up cell finds the helper crate beside the notebook's folder.
        let folder = workspace();
        let mut driver = tool("python")
            .args(["-I", "-X", "utf8", "-W", "ignore", "-c", SCRIPT])
            .arg(folder.path().join("notebooks"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = driver.stdin.take();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let (sender, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let (name, doing, last_line) = (parts.name.clone(), "set-up".into(), Instant::now());
        let mut session =
            Self { doing, name, limit: LIMIT, driver, requests, answers, last_line, _folder: folder };
        assert_eq!(session.answer(), "ready");
        parts.begin.iter().for_each(|cell| drop(session.run_well(cell)));
        session.limit = LIMIT / 3;
        session
    }

    /// Executes a cell.
    pub fn execute(&mut self, source: &str) -> Said {
        self.interrupt(source, "", &[])
    }

    /// Executes a cell, which has to be well.
    pub fn run_well(&mut self, source: &str) -> Said {
        let said = self.execute(source);
        assert!(said.is_well(), "{}: {}: {}: {source}", self.name, self.doing, said.complaint());
        said
    }

    /// Executes a cell and interrupts the kernel, if it still runs, at these moments in seconds: since the cell has
    /// printed the sign, or without a sign since its request.
    pub fn interrupt(&mut self, source: &str, sign: &str, seconds: &[f64]) -> Said {
        let request = json!({ "source": source, "seconds": self.limit, "sign": sign, "interrupts": seconds });
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
        let said: Value = serde_json::from_str(&self.answer()).unwrap();
        if std::env::var("TRACE").is_ok() {
            println!(
                "TRACE {} {:.2} {:?}",
                self.doing,
                said["seconds"].as_f64().unwrap(),
                &source[..source.len().min(50)]
            );
        }
        let outputs = said["outputs"].as_array().unwrap().clone();
        let said = Said { outputs, seconds: said["seconds"].as_f64().unwrap(), end: text(&said["end"]) };
        assert_ne!(said.end, "dead", "{}: {}: the kernel died in {source}", self.name, self.doing);
        said
    }

    fn answer(&mut self) -> String {
        loop {
            match self.answers.recv_timeout(LINE.saturating_sub(self.last_line.elapsed())) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) => progress(&format!("{}: {}", self.name, self.doing)),
                Err(RecvTimeoutError::Disconnected) => panic!("the driver ended, for the reason above"),
            }
            self.last_line = Instant::now();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The end of its input makes the driver end the kernel.
        drop(self.requests.take());
        let _ = self.driver.wait();
    }
}

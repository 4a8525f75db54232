//! One Rust kernel that stays, for tests that run cells again, change parameters and interrupt.

use crate::workbench::{text, tool, workspace};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use tempfile::TempDir;

const SCRIPT: &str = concat!(include_str!("../../src/guard.py"), include_str!("session.py"));

/// Seconds that one cell may take, unless a session is told otherwise: the first set-up builds all there is.
const LIMIT: f64 = 900.0;

/// A kernel in a folder like that of the notebooks; it ends with the session.
pub struct Session {
    /// Seconds that one cell may take; then it is interrupted.
    pub limit: f64,
    driver: Child,
    requests: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

/// What a cell showed and how it ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// As a notebook holds them.
    pub outputs: Vec<Value>,
    /// Which execution it was.
    pub execution_count: Value,
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
        let shown = self.outputs.iter().filter(|output| output["output_type"] == "execute_result");
        shown.map(|output| text(&output["data"]["text/plain"])).collect()
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
    /// Starts a kernel.
    pub fn start() -> Self {
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
        let mut answers = BufReader::new(driver.stdout.take().unwrap()).lines();
        assert_eq!(answers.next().map(Result::unwrap).as_deref(), Some("ready"));
        Self { limit: LIMIT, driver, requests, answers, _folder: folder }
    }

    /// Executes one cell.
    pub fn execute(&mut self, source: &str) -> Said {
        self.request(&[source], &[]).remove(0)
    }

    /// Executes cells one after another, which is faster than each alone: what they say is waited for once.
    pub fn execute_all(&mut self, sources: &[&str]) -> Vec<Said> {
        self.request(sources, &[])
    }

    /// Executes one cell and interrupts the kernel at these moments of it, in seconds, if it still runs.
    pub fn interrupt_after(&mut self, source: &str, seconds: &[f64]) -> Said {
        self.request(&[source], seconds).remove(0)
    }

    /// Writes a notebook with these executed cells in place of its own, in the format of JupyterLab.
    pub fn write(&mut self, path: &Path, notebook: &Value, executed: &[Value]) {
        let mut notebook = notebook.clone();
        for cell in notebook["cells"].as_array_mut().unwrap() {
            if let Some(executed) = executed.iter().find(|executed| executed["id"] == cell["id"]) {
                *cell = executed.clone();
            }
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.ask(json!({ "write": path, "notebook": notebook }));
    }

    fn ask(&mut self, request: Value) -> Value {
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
        let answer = self.answers.next().expect("the driver ended, for the reason above").unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn request(&mut self, cells: &[&str], interrupts: &[f64]) -> Vec<Said> {
        let said = self.ask(json!({ "cells": cells, "seconds": self.limit, "interrupts": interrupts }));
        let said = said.as_array().unwrap();
        let said = said.iter().map(|said| Said {
            outputs: said["outputs"].as_array().unwrap().clone(),
            execution_count: said["execution_count"].clone(),
            seconds: said["seconds"].as_f64().unwrap(),
            end: text(&said["end"]),
        });
        let said: Vec<Said> = said.collect();
        assert_eq!(said.len(), cells.len(), "the kernel died: {}", said.last().unwrap().complaint());
        said
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The end of its input makes the driver end the kernel.
        drop(self.requests.take());
        let _ = self.driver.wait();
    }
}

//! Programs that keep cores busy, for as long as they are kept.

use std::process::{Child, Command};
use std::thread::available_parallelism;

pub struct Busy(Child);

impl Busy {
    fn start() -> Self {
        let mut shell = Command::new("sh");
        Self(shell.args(["-c", "while :; do :; done"]).spawn().unwrap())
    }

    /// One for each core.
    pub fn everywhere() -> Vec<Self> {
        let cores = available_parallelism().unwrap().get();
        (0..cores).map(|_| Self::start()).collect()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait().map(drop));
    }
}

//! The commands around the notebooks, the notebooks in the real kernel, and what a reader sees of
//! them: one program.
//!
//! `cargo test` holds all that an ordinary change can break. What soaks is ignored there, each with
//! how long it takes, and runs with `cargo test -- --ignored`.
//!
//! Two tests run at the same time, so none asserts an absolute time, and none rests on what was
//! measured.

mod bad_values;
mod browser;
mod busy;
mod cells;
mod checks;
mod compare;
mod crates;
mod ends;
mod executed;
mod exercises;
mod interrupts;
mod jupyter;
#[cfg(target_os = "linux")] // processes are found in `/proc`
mod killed;
mod memory;
#[cfg(target_os = "linux")] // only there a test fills a disk of its own
mod no_room;
mod orders;
mod other_tools;
mod page;
mod parameter_cells;
mod relay;
mod run;
mod session;
#[cfg(target_os = "linux")] // processes are found in `/proc`
mod set_up;
mod shape;
mod shields;
mod top_level;
mod verdicts;
mod workbench;

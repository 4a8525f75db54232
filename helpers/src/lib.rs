//! What the notebooks load: measure what it costs to share state, summarise with intervals, draw.
//!
//! The mechanism that a notebook teaches stands in the notebook; this crate holds what would
//! distract. A tour:
//!
//! | to | see |
//! |---|---|
//! | run closures on threads, time designs | [`on_threads`], [`trials`], [`time_designs`] |
//! | make work of a known length | [`Calibration`] |
//! | measure bytes per idle task | [`MemorySeries`], [`read_memory`] |
//! | summarise with a 95 % interval | [`Estimate`], [`LinearFit`] |
//! | judge a claim, compare a guess | [`Claim`], [`verdicts`], [`compare_guess`], [`watched`] |
//! | show a figure or a table | [`chart`], [`Table`] |
//! | run a program in a fresh process | [`Program`] |
//! | say where it was measured | [`Machine`] |
//!
//! Measuring never draws and drawing never measures. Nothing here panics on bad input: every
//! refusal is an [`Error`] that says what was wrong and what is allowed.

mod check;
mod error;
mod judge;
mod machine;
mod memory;
mod number;
mod program;
mod show;
mod stats;
mod table;
mod time;

pub use check::{each_within, schedule_of, within};
pub use error::{Error, Result, or_leave_out};
pub use judge::claim::{Claim, Verdict};
pub use judge::guess::compare_guess;
pub use judge::warning::{Warning, watched};
pub use machine::allocator::release_free_memory;
pub use machine::cores::usable_cores;
pub use machine::load::Load;
pub use machine::stamp::Machine;
pub use memory::growth::MemoryGrowth;
pub use memory::reading::{MemoryReading, MemorySource, read_available_memory, read_memory};
pub use memory::series::MemorySeries;
pub use number::{counted, how_many, numbers_after, show_number};
pub use program::{Program, Source, run_command};
pub use show::canvas::{Area, Drawing};
pub use show::caption::Caption;
pub use show::chart::{Chart, IntoPoint, IntoPoints, chart};
pub use show::figure::{Axis, Figure, Mark, Point, Scale, Series, Style};
pub use show::verdicts::{Verdicts, verdicts};
pub use stats::estimate::{Estimate, round_ratios};
pub use stats::linear_fit::LinearFit;
pub use stats::modes::Modes;
pub use table::Table;
pub use time::attempt::{Ending, attempt};
pub use time::breakdown::Breakdown;
pub use time::busy_work::BusyWork;
pub use time::calibration::Calibration;
pub use time::calls::{Calls, prove_total, time_calls};
pub use time::design::{Design, Family};
pub use time::durations::Durations;
pub use time::random_gaps::random_gaps;
pub use time::run::{DesignRun, Timing, time_designs, time_settings};
pub use time::sample::{Placement, Sample};
pub use time::schedule::{ByChance, Played, Step, TwoSteps};
pub use time::setting::Setting;
pub use time::solved::solved;
pub use time::threads::{MOST_THREADS, beside_busy_threads, on_threads, thread_counts};
pub use time::trials::{Trials, trials};
pub use time::wait_behind::{calls_beside, wait_behind};
pub use time::work::{Section, SectionTimes, Work};

// A cell reaches these through this crate: a second copy would have statics of its own, and locks
// that never wake.
pub use crossbeam_channel;
pub use parking_lot;
pub use plotters;
pub use tokio;

//! What the notebooks load: measure what it costs to share state, summarise with intervals, draw.
//!
//! The mechanism that a notebook teaches stands in the notebook; this crate holds what would distract. A tour:
//!
//! | to | see |
//! |---|---|
//! | run closures on threads, time contenders | [`on_threads`], [`time_contenders`] |
//! | make work of a known length | [`Calibration`] |
//! | measure bytes per idle task | [`MemorySeries`], [`read_memory`] |
//! | summarise with a 95 % interval | [`Estimate`], [`Line`] |
//! | judge a claim, or a prediction | [`Claim`], [`Prediction`], [`Warning`] |
//! | show a figure or a table | [`Figure`], [`Drawing`], [`Table`] |
//! | say where it was measured | [`Machine`] |
//!
//! Measuring never draws and drawing never measures. Nothing here panics on bad input: every refusal is an [`Error`]
//! that says what was wrong and what is allowed.

mod canvas;
mod caption;
mod contention;
mod error;
mod figure;
mod layout;
mod machine;
mod memory;
mod stats;
mod system;
mod table;
mod threads;
mod timing;
mod warning;
mod work;

pub use canvas::{Area, Drawing};
pub use caption::Caption;
pub use contention::{
    Contender, Contention, ContentionRun, Family, Shared, Timing, time_contenders,
};
pub use error::{Error, Result, each_within, within};
pub use figure::{Axis, Figure, Mark, Point, Scale, Series, Style};
pub use machine::Machine;
pub use memory::{
    MemoryGrowth, MemoryReading, MemorySeries, read_available_memory, read_memory,
    release_free_memory,
};
pub use stats::{Claim, Estimate, Judged, Line, Prediction, Verdict, round_ratios, show_number};
pub use system::usable_cores;
pub use table::Table;
pub use threads::{MOST_THREADS, on_threads, thread_counts};
pub use timing::{BusyWork, Calibration};
pub use warning::Warning;
pub use work::{Held, Hold, Parts, Sample, Work};

// A cell reaches these through this crate: a second copy would have statics of its own, and locks that never wake.
pub use hdrhistogram;
pub use parking_lot;
pub use plotters;
pub use tokio;

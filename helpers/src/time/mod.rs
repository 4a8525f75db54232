//! Designs run on threads: samples, and where their time goes.

pub(crate) mod attempt;
pub(crate) mod breakdown;
pub(crate) mod busy_work;
pub(crate) mod calibration;
pub(crate) mod calls;
pub(crate) mod condition;
pub(crate) mod core_to_core;
pub(crate) mod design;
pub(crate) mod durations;
pub(crate) mod progress;
pub(crate) mod random_gaps;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod schedule;
pub(crate) mod setting;
pub(crate) mod solved;
pub(crate) mod threads;
pub(crate) mod trials;
pub(crate) mod wait_behind;
pub(crate) mod work;

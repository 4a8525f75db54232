//! Figures as plain data, their layout, painting and captions.

pub(crate) mod axis_layout;
pub(crate) mod canvas;
pub(crate) mod caption;
pub(crate) mod chart;
mod data;
mod draw;
pub(crate) mod figure;
pub(crate) mod layout;
pub(crate) mod shape;
mod timeline;
pub(crate) mod verdicts;

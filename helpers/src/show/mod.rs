//! Figures as plain data, their layout, painting and captions.

pub(crate) mod axis_layout;
pub(crate) mod canvas;
pub(crate) mod caption;
mod draw;
pub(crate) mod figure;
pub(crate) mod layout;
pub(crate) mod shape;

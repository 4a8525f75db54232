//! Figures as plain data, their layout, painting and captions.

pub(crate) mod canvas;
pub(crate) mod caption;
pub(crate) mod figure;
pub(crate) mod layout;

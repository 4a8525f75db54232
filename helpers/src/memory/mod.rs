//! Bytes per idle thing, as a slope.

pub(crate) mod holes;
pub(crate) mod reading;
pub(crate) mod series;

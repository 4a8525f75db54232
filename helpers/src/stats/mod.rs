//! Estimates and fits, each with how far it can be trusted.

pub(crate) mod estimate;
pub(crate) mod line;
pub(crate) mod order;

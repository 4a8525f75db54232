//! Estimates and fits, each with how far it can be trusted.

pub(crate) mod beta;
pub(crate) mod correlation;
pub(crate) mod estimate;
pub(crate) mod linear_fit;
pub(crate) mod modes;
pub(crate) mod order;

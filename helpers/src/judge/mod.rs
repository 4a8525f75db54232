//! What a result says of claims and predictions, and what weakens it.

pub(crate) mod claim;
pub(crate) mod guess;
pub(crate) mod prediction;
pub(crate) mod warning;

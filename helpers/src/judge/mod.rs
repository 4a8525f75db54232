//! What a result says of claims and guesses, and what weakens it.

pub(crate) mod claim;
pub(crate) mod guess;
pub(crate) mod warning;

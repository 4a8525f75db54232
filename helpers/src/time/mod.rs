//! Designs run on threads: samples, and where their time goes.

pub(crate) mod contention;
pub(crate) mod threads;
pub(crate) mod timing;
pub(crate) mod work;

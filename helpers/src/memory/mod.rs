//! Bytes per idle thing, as a slope.

mod bytes_each;
mod free_chunks;
mod growing;
pub(crate) mod growth;
mod huge_pages;
mod kernel_memory;
mod preparation;
pub(crate) mod reading;
pub(crate) mod refusal;
mod room;
pub(crate) mod series;

/// Held by each unit test that measures, or takes much memory of this process.
#[cfg(test)]
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

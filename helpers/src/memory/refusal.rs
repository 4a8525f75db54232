//! What a series refuses, and what is likely to be behind it.

use crate::error::Error;
use crate::judge::warning::Warning;
use crate::machine::allocator::allocator;
use crate::number::show_number;

/// What is attempted while things are added.
pub(crate) const MEASURE: &str = "measure bytes each";
/// Says what was wrong, and which of the `warnings` is likely to be behind it.
pub(crate) fn refusal(attempted: &str, mut wrong: String, warnings: &[Warning]) -> Error {
    let mut allowed = "more things, all of one size, and nothing else in this process that takes \
        memory meanwhile";
    for warning in warnings {
        match warning {
            Warning::FreeMemoryKept => {
                wrong += &format!(
                    "; free memory could not be handed back first: the allocator is not glibc's \
                    but {}",
                    allocator()
                );
                allowed = "many more things, or glibc's allocator";
            }
            Warning::HugePages { bytes } => {
                let megabytes = show_number(*bytes as f64 / 1e6);
                wrong += &format!("; {megabytes} MB of it came in huge pages");
                allowed = "huge pages switched off, as by an empty `GLIBC_TUNABLES`, or many more \
                    things";
            }
            _ => {}
        }
    }
    Error::new(attempted, wrong, allowed)
}

//! Whether an exercise is solved.

use crate::error::Result;
use crate::time::attempt::{Ending, attempt};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// Looks for a fault in what a reader wrote, and says `solved` or why it is not.
///
/// An error counts as a fault, and so does a panic, or no answer in ten seconds.
///
/// ```
/// use helpers::solved;
/// assert_eq!(solved(|| Ok(None)), "solved");
/// let fault = || Ok(Some("one is left".to_string()));
/// assert_eq!(solved(fault), "not solved yet: one is left");
/// ```
pub fn solved(find_fault: impl FnOnce() -> Result<Option<String>> + Send + 'static) -> String {
    solved_within(LIMIT, find_fault)
}

fn solved_within(
    limit: Duration,
    find_fault: impl FnOnce() -> Result<Option<String>> + Send + 'static,
) -> String {
    let fault = match attempt(limit, find_fault) {
        Ending::Returned(Ok(None)) => return "solved".into(),
        Ending::Returned(Ok(Some(fault))) => fault,
        Ending::Returned(Err(why)) => why.to_string(),
        Ending::Panicked(why) => format!("it panicked: {why}"),
        Ending::Stuck => format!("there was no answer in {} s", limit.as_secs()),
    };
    format!("not solved yet: {fault}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::panic::resume_unwind;

    #[test]
    fn an_error_a_panic_and_no_answer_are_faults() {
        let error = solved(|| Err(Error::new("count", "it is late", "mornings")));
        let expected = "not solved yet: cannot count: it is late (allowed: mornings)";
        assert_eq!(error, expected);
        let panic = solved(|| resume_unwind(Box::new("no")));
        assert_eq!(panic, "not solved yet: it panicked: no");
        let stuck = solved_within(Duration::from_millis(10), || {
            std::thread::sleep(Duration::from_secs(2));
            Ok(None)
        });
        assert_eq!(stuck, "not solved yet: there was no answer in 0 s");
    }
}

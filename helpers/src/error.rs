//! One error type: what was attempted, what was wrong, what is allowed.

use std::fmt;

/// Why a helper refused or failed, in one sentence.
///
/// A cell that ends in `?` shows nothing but this sentence, so it says all that a reader needs.
///
/// ```
/// let error = helpers::Error::new("time designs", "threads is 0", "1 to 256 threads");
/// let words = "cannot time designs: threads is 0 (allowed: 1 to 256 threads)";
/// assert_eq!(error.to_string(), words);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What was attempted, as a verb and its object.
    pub attempted: String,
    /// What was wrong, with the value that was found.
    pub wrong: String,
    /// What is allowed instead, or what to do.
    pub allowed: String,
}

/// The result of every helper that can fail. The second parameter lets a cell that imports it name
/// another error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error from its three parts; see [`Error`] for how they read together.
    pub fn new(
        attempted: impl Into<String>,
        wrong: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self {
            attempted: attempted.into(),
            wrong: wrong.into(),
            allowed: allowed.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attempted,
            wrong,
            allowed,
        } = self;
        write!(f, "cannot {attempted}: {wrong} (allowed: {allowed})")
    }
}

impl std::error::Error for Error {}

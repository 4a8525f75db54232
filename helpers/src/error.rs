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
    /// Whether a parameter lay outside its range: then it is to be changed, and nothing left out.
    pub(crate) is_of_parameter: bool,
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
            is_of_parameter: false,
        }
    }

    /// The refusal of a parameter by its name.
    pub(crate) fn of_parameter(
        name: &str,
        wrong: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self {
            is_of_parameter: true,
            ..Self::new(format!("use {name}"), wrong, allowed)
        }
    }
}

/// What was found; where it could not be, says so in a sentence, so that a notebook goes on
/// without.
///
/// # Errors
/// A parameter outside its range.
///
/// ```
/// use helpers::{Error, or_leave_out, within};
/// let missing = Error::new("build with Go", "there is no `go` here", "Go 1.22");
/// assert_eq!(or_leave_out("goroutine", Err::<f64, _>(missing))?, None);
/// assert_eq!(or_leave_out("task", Ok(320.0))?, Some(320.0));
/// assert!(or_leave_out("task", within("TASKS", 3, 6..=9)).is_err());
/// # Ok::<(), Error>(())
/// ```
pub fn or_leave_out<T>(what: &str, found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(why) if why.is_of_parameter => Err(why),
        Err(why) => {
            println!("Left out: {what}, since {}.", why.wrong);
            Ok(None)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attempted,
            wrong,
            allowed,
            ..
        } = self;
        write!(f, "cannot {attempted}: {wrong} (allowed: {allowed})")
    }
}

impl std::error::Error for Error {}

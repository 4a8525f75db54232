//! One error type: what was attempted, what was wrong, what is allowed.

use std::fmt;
use std::ops::RangeInclusive;

/// Why a helper refused or failed, in one sentence.
///
/// A cell that ends in `?` shows nothing but this sentence, so it says all that a reader needs.
///
/// ```
/// let error = helpers::Error::new("time contenders", "threads is 0", "1 to 256 threads");
/// assert_eq!(error.to_string(), "cannot time contenders: threads is 0 (allowed: 1 to 256 threads)");
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

/// The result of every helper that can fail. The second parameter lets a cell that imports it name another error.
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

/// Refuses a parameter outside `allowed`, in one sentence, and hands on one inside.
///
/// # Errors
/// `value` is not in `allowed`.
///
/// ```
/// let error = helpers::within("SAMPLES", 0, 5..=1_000).unwrap_err();
/// assert_eq!(error.to_string(), "cannot use SAMPLES: it is 0 (allowed: 5 to 1,000)");
/// ```
pub fn within<T: PartialOrd + fmt::Display>(
    name: &str,
    value: T,
    allowed: RangeInclusive<T>,
) -> Result<T> {
    if allowed.contains(&value) {
        return Ok(value);
    }
    let [value, low, high] = [&value, allowed.start(), allowed.end()].map(thousands);
    Err(Error::new(
        format!("use {name}"),
        format!("it is {value}"),
        format!("{low} to {high}"),
    ))
}

/// Refuses a list that is empty, or holds a value outside `allowed` or one twice; hands on any other.
///
/// # Errors
/// The first value of `values` that may not be there, or that there is none.
///
/// ```
/// let error = helpers::each_within("THREADS", &[1, 2, 1], 1..=256).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "cannot use THREADS: it holds 1 twice (allowed: one number or more, 1 to 256, each once)"
/// );
/// ```
pub fn each_within<'a, T: PartialOrd + fmt::Display>(
    name: &str,
    values: &'a [T],
    allowed: RangeInclusive<T>,
) -> Result<&'a [T]> {
    let refuse = |wrong: String| {
        let [low, high] = [allowed.start(), allowed.end()].map(thousands);
        let allowed = format!("one number or more, {low} to {high}, each once");
        Err(Error::new(format!("use {name}"), wrong, allowed))
    };
    if values.is_empty() {
        return refuse("it is empty".into());
    }
    for (place, value) in values.iter().enumerate() {
        if !allowed.contains(value) {
            return refuse(format!("it holds {}", thousands(value)));
        }
        if values[..place].contains(value) {
            return refuse(format!("it holds {} twice", thousands(value)));
        }
    }
    Ok(values)
}

/// A number with a comma between groups of three digits, if it is whole: `1,000,000`.
pub(crate) fn thousands(value: impl fmt::Display) -> String {
    let text = value.to_string();
    let (sign, digits) = text.split_at(text.find(|c: char| c != '-').unwrap_or(0));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text;
    }
    let mut grouped = sign.to_string();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

//! Parameters against their ranges, refused in one sentence.

use crate::error::{Error, Result};
use crate::number::thousands;
use std::fmt;
use std::ops::RangeInclusive;

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
    let wrong = format!("it is {value}");
    Err(Error::of_parameter(name, wrong, format!("{low} to {high}")))
}

/// Refuses a list that is empty, or holds a value outside `allowed` or one twice; hands on any
/// other.
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
        Err(Error::of_parameter(name, wrong, allowed))
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

/// Refuses a schedule that two threads with `steps` steps each cannot follow; hands on any other.
///
/// # Errors
/// Another thread than 0 and 1, or other than `steps` of each.
///
/// ```
/// let error = helpers::schedule_of("SCHEDULE", &[0, 0, 0, 1], 2).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "cannot use SCHEDULE: steps of thread 0: 3, of thread 1: 1 (allowed: 0 and 1, each 2 times)"
/// );
/// ```
pub fn schedule_of<'a>(name: &str, schedule: &'a [usize], steps: usize) -> Result<&'a [usize]> {
    let wrong = match steps_of_two(schedule) {
        Ok(counts) if counts == [steps; 2] => return Ok(schedule),
        Ok([zeros, ones]) => format!("steps of thread 0: {zeros}, of thread 1: {ones}"),
        Err(wrong) => wrong,
    };
    let allowed = format!("0 and 1, each {steps} times");
    Err(Error::of_parameter(name, wrong, allowed))
}

/// How many steps of a schedule threads 0 and 1 take, or why it is none of two threads.
pub(crate) fn steps_of_two(schedule: &[usize]) -> std::result::Result<[usize; 2], String> {
    let count = |thread| schedule.iter().filter(|&&step| step == thread).count();
    match schedule.iter().find(|&&thread| thread > 1) {
        Some(thread) => Err(format!("it holds {}", thousands(thread))),
        None if schedule.is_empty() => Err("it is empty".into()),
        None => Ok([0, 1].map(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_inside_is_handed_on() {
        assert_eq!(within("N", 5, 5..=7).ok(), Some(5));
        assert_eq!(within("N", 7, 5..=7).ok(), Some(7));
        let error = within("N", 8, 5..=7).unwrap_err().to_string();
        assert_eq!(error, "cannot use N: it is 8 (allowed: 5 to 7)");
    }

    #[test]
    fn lists_are_refused_for_what_is_wrong_with_them() {
        let allowed = "(allowed: one number or more, 1 to 1,000, each once)";
        let refused = |values: &[i32], wrong: &str| {
            let error = each_within("N", values, 1..=1_000).unwrap_err().to_string();
            assert_eq!(error, format!("cannot use N: it {wrong} {allowed}"));
        };
        assert_eq!(
            each_within("N", &[3, 1, 1_000], 1..=1_000).ok(),
            Some(&[3, 1, 1_000][..])
        );
        refused(&[], "is empty");
        refused(&[1, 2_000], "holds 2,000");
        refused(&[7, 1, 7], "holds 7 twice");
    }

    #[test]
    fn schedules_are_refused_for_what_is_wrong_with_them() {
        let refused = |schedule: &[usize]| schedule_of("S", schedule, 2).unwrap_err().wrong;
        assert_eq!(refused(&[]), "it is empty");
        assert_eq!(refused(&[0, 1, 2_000, 1]), "it holds 2,000");
        assert_eq!(refused(&[0, 1]), "steps of thread 0: 1, of thread 1: 1");
        assert_eq!(
            schedule_of("S", &[1, 0, 0, 1], 2).ok(),
            Some(&[1, 0, 0, 1][..])
        );
    }
}

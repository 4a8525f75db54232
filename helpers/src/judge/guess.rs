//! What a reader guessed, beside what came out, in a sentence.

use crate::number::{show_exact, show_number, thousands};
use crate::stats::estimate::Estimate;

/// A sentence that compares what was guessed with what was found. `unit` follows the numbers.
///
/// Close is a guess inside of the interval, or no more than a tenth off.
///
/// ```
/// use helpers::{Estimate, compare_guess};
/// let lost = Estimate { value: 40.0, low: 36.0, high: 44.0, ..Estimate::default() };
/// let words = |guess| compare_guess(guess, lost, "% of the updates");
/// assert_eq!(words(Some(43.0)), "You guessed 43 % of the updates; it is 40.0: close.");
/// assert_eq!(words(Some(4.0)), "You guessed 4 % of the updates; it is 40.0: 10 times as much.");
/// let far = "You guessed 400 % of the updates; it is 40.0: a tenth of that.";
/// assert_eq!(words(Some(400.0)), far);
/// assert_eq!(words(None), "You made no guess; it is 40.0 % of the updates.");
/// ```
pub fn compare_guess(guess: Option<f64>, found: impl Into<Estimate>, unit: &str) -> String {
    let found = found.into();
    let is = found.in_words();
    match guess {
        None => format!("You made no guess; it is {is} {unit}."),
        Some(guess) if !guess.is_finite() => {
            format!("Your guess, {guess}, is no number; it is {is} {unit}.")
        }
        Some(guess) => {
            let guessed = show_guess(guess);
            let distance = distance(guess, found);
            format!("You guessed {guessed} {unit}; it is {is}: {distance}.")
        }
    }
}

/// As it was typed, but for commas.
fn show_guess(guess: f64) -> String {
    match guess.abs() {
        0.0..1e12 => thousands(guess),
        _ => format!("{guess:e}"),
    }
}

/// How far off a guess is.
fn distance(guess: f64, found: Estimate) -> String {
    let [low, high] = found.reach();
    let near = (guess - found.value).abs() <= found.value.abs() / 10.0;
    if guess == found.value && low == high {
        return "right".into();
    }
    if near || (low..=high).contains(&guess) {
        return "close".into();
    }
    let times = found.value / guess;
    if guess == 0.0 || found.value == 0.0 || times < 0.0 {
        let more = if found.value > guess { "more" } else { "less" };
        return format!("{more} than that");
    }
    match times.abs() {
        times if times >= 9.95 => format!("{} times as much", show_exact(times.round())),
        times if (1.95..2.05).contains(&times) => "twice as much".into(),
        times if times > 2.0 && times.fract() == 0.0 => format!("{times} times as much"),
        times if times > 2.0 => format!("{times:.1} times as much"),
        times if times > 1.0 => format!("{:.0} % more", 100.0 * (times - 1.0)),
        times if times > 0.5 => format!("{:.0} % less", 100.0 * (1.0 - times)),
        times => part(times),
    }
}

/// A share below a half.
fn part(share: f64) -> String {
    match (1.0 / share).round() {
        2.0 => "half of that".into(),
        3.0 => "a third of that".into(),
        4.0 => "a quarter of that".into(),
        10.0 => "a tenth of that".into(),
        100.0 => "a hundredth of that".into(),
        parts if parts > 1_000.0 => "less than a thousandth of that".into(),
        _ => format!("{} % of that", show_number(100.0 * share)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exact_is_right_or_not() {
        let words = |guess| compare_guess(Some(guess), 1.0, "threads");
        assert_eq!(words(1.0), "You guessed 1 threads; it is 1: right.");
        assert_eq!(words(2.0), "You guessed 2 threads; it is 1: half of that.");
        assert_eq!(words(1.25), "You guessed 1.25 threads; it is 1: 20 % less.");
        assert_eq!(words(0.8), "You guessed 0.8 threads; it is 1: 25 % more.");
        assert_eq!(
            words(0.0),
            "You guessed 0 threads; it is 1: more than that."
        );
        assert_eq!(
            words(-1.0),
            "You guessed -1 threads; it is 1: more than that."
        );
    }

    #[test]
    fn an_absurd_guess_is_compared_all_the_same() {
        let words = |guess| compare_guess(Some(guess), 0.0, "%");
        assert_eq!(words(1e300).matches("it is 0: less than that").count(), 1);
        assert_eq!(words(f64::NAN), "Your guess, NaN, is no number; it is 0 %.");
        assert_eq!(
            words(f64::INFINITY),
            "Your guess, inf, is no number; it is 0 %."
        );
        for far in [1e9, 1e300] {
            let words = compare_guess(Some(far), 1.0, "ns");
            assert!(
                words.ends_with("it is 1: less than a thousandth of that."),
                "{words}"
            );
        }
        assert!(compare_guess(Some(50.0), 1.0, "ns").ends_with("it is 1: 2.00 % of that."));
    }
}

//! What a reader guessed, beside what came out, in a sentence.

use crate::number::{thousands, to_digits};
use crate::stats::estimate::Estimate;

/// A sentence that compares what was guessed with what was found. `unit` follows what was found.
///
/// Close is a guess that is no more than a tenth off. One that is farther off and still lies inside
/// of the interval may be right: the samples do not tell. Of two modes that are far from each other
/// it may be neither.
///
/// ```
/// use helpers::{Estimate, compare_guess};
/// let lost = Estimate { value: 40.0, low: 31.0, high: 49.0, ..Estimate::default() };
/// let words = |guess| compare_guess(guess, lost, "% of the updates");
/// assert_eq!(words(Some(43.0)), "You guessed 43; it is 40 % of the updates: close.");
/// assert_eq!(words(Some(4.0)), "You guessed 4; it is 40 % of the updates: 10 times as much.");
/// let far = "You guessed 400; it is 40 % of the updates: a tenth of that.";
/// assert_eq!(words(Some(400.0)), far);
/// let open = "You guessed 48; it is 40 % of the updates, or anything from 31 to 49.";
/// assert_eq!(words(Some(48.0)), open);
/// assert_eq!(words(None), "You made no guess; it is 40 % of the updates.");
/// ```
pub fn compare_guess(guess: Option<f64>, found: impl Into<Estimate>, unit: &str) -> String {
    let found = found.into();
    let is = format!("it is {} {unit}", found.in_words());
    match guess {
        None => format!("You made no guess; {is}."),
        Some(guess) if !guess.is_finite() => format!("Your guess, {guess}, is no number; {is}."),
        Some(guess) => format!(
            "You guessed {}; {is}{}.",
            show_guess(guess),
            beside(guess, found)
        ),
    }
}

/// As it was typed, but for commas.
fn show_guess(guess: f64) -> String {
    match guess.abs() {
        0.0..1e12 => thousands(guess),
        _ => format!("{guess:e}"),
    }
}

/// What follows the number that was found.
fn beside(guess: f64, found: Estimate) -> String {
    let [low, high] = found.reach();
    if low == high && guess == found.value {
        return ": right".into();
    }
    let is_near = |value: f64| (guess - value).abs() <= value.abs() / 10.0;
    if found.typical().into_iter().any(is_near) {
        return ": close".into();
    }
    if (low..=high).contains(&guess) {
        let [low, high] = found.reach_in_words();
        return format!(", or anything from {low} to {high}");
    }
    let [lower, upper] = found.typical();
    if upper - lower > lower.abs() / 4.0 {
        return ": neither".into();
    }
    let (value, digits) = found.said();
    format!(": {}", distance(guess, value, digits.clamp(1, 3)))
}

/// How far off a guess is, in so many digits.
fn distance(guess: f64, value: f64, digits: i32) -> String {
    let times = value / guess;
    if guess == 0.0 || value == 0.0 || times < 0.0 {
        let more = if value > guess { "more" } else { "less" };
        return format!("{more} than that");
    }
    match times {
        times if (1.95..2.05).contains(&times) => "twice as much".into(),
        times if times > 2.0 && times.fract() == 0.0 && times < 100.0 => {
            format!("{times} times as much")
        }
        times if times > 9.95 => format!("{} times as much", to_digits(times, digits)),
        times if times > 2.0 => format!("{} times as much", to_digits(times, digits.min(2))),
        times if times > 1.0 => format!("{:.0} % more", 100.0 * (times - 1.0)),
        times if times > 0.5 => format!("{:.0} % less", 100.0 * (1.0 - times)),
        times => part(times, digits),
    }
}

/// A share below a half.
fn part(share: f64, digits: i32) -> String {
    const WORDS: [(f64, &str); 5] = [
        (2.0, "half"),
        (3.0, "a third"),
        (4.0, "a quarter"),
        (10.0, "a tenth"),
        (100.0, "a hundredth"),
    ];
    if share < 0.001 {
        return "less than a thousandth of that".into();
    }
    // Right to a twentieth.
    let fits = |(parts, _): &&(f64, &str)| (parts * share - 1.0).abs() < 0.05;
    match WORDS.iter().find(fits) {
        Some((_, word)) => format!("{word} of that"),
        None => format!("{} % of that", to_digits(100.0 * share, digits.min(2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exact_is_right_or_not() {
        let words = |guess| compare_guess(Some(guess), 1.0, "threads");
        assert_eq!(words(1.0), "You guessed 1; it is 1 threads: right.");
        assert_eq!(words(2.0), "You guessed 2; it is 1 threads: half of that.");
        assert_eq!(words(1.25), "You guessed 1.25; it is 1 threads: 20 % less.");
        assert_eq!(words(0.8), "You guessed 0.8; it is 1 threads: 25 % more.");
        assert_eq!(
            words(0.0),
            "You guessed 0; it is 1 threads: more than that."
        );
        assert_eq!(
            words(-1.0),
            "You guessed -1; it is 1 threads: more than that."
        );
    }

    #[test]
    fn a_distance_has_the_digits_of_what_was_found() {
        let found = |value: f64, low: f64, high: f64| Estimate {
            value,
            low,
            high,
            ..Estimate::default()
        };
        let words = |guess, found| compare_guess(Some(guess), found, "ns");
        let one_digit = found(4_010_000.0, 3_990_000.0, 8_020_000.0);
        let said = words(10_000.0, one_digit);
        assert_eq!(
            said,
            "You guessed 10,000; it is 4,000,000 ns: 400 times as much."
        );
        let said = words(1.0, found(74.0, 13.0, 190.0));
        assert_eq!(said, "You guessed 1; it is 70 ns: 70 times as much.");
        let said = words(10.0, found(0.552, 0.53, 0.58));
        assert_eq!(said, "You guessed 10; it is 0.552 ns: 5.5 % of that.");
        let far_apart = Estimate::median(&[-0.4, 2.1].map(|mode| [mode; 10]).concat()).unwrap();
        let said = words(5.0, far_apart);
        assert!(said.starts_with("You guessed 5; it is -0.4"), "{said}");
        assert!(said.ends_with(" or 2.1 ns: neither."), "{said}");
        // Far from the middle, and not refuted.
        let said = words(1.0, found(9.1, 0.9, 11.0));
        assert_eq!(said, "You guessed 1; it is 9 ns, or anything from 1 to 11.");
    }

    #[test]
    fn an_absurd_guess_is_compared_all_the_same() {
        let words = |guess| compare_guess(Some(guess), 0.0, "%");
        assert_eq!(words(1e300).matches("it is 0 %: less than that").count(), 1);
        assert_eq!(words(f64::NAN), "Your guess, NaN, is no number; it is 0 %.");
        assert_eq!(
            words(f64::INFINITY),
            "Your guess, inf, is no number; it is 0 %."
        );
        for far in [1e9, 1e300] {
            let words = compare_guess(Some(far), 1.0, "ns");
            assert!(
                words.ends_with("it is 1 ns: less than a thousandth of that."),
                "{words}"
            );
        }
        assert!(compare_guess(Some(50.0), 1.0, "ns").ends_with("it is 1 ns: 2.0 % of that."));
    }
}

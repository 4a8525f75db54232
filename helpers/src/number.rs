//! Numbers as a reader wants them.

use std::fmt::Display;

/// A number with a comma between groups of three digits, if it is whole: `1,000,000`.
pub(crate) fn thousands(value: impl Display) -> String {
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

/// With commas in what stands before the point.
pub(crate) fn with_decimals(number: f64, decimals: usize) -> String {
    let plain = format!("{number:.decimals$}");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    format!("{}.{part}", thousands(whole))
}

/// The power of ten of a number's first digit.
pub(crate) fn first_digit(number: f64) -> i32 {
    number.abs().log10().floor() as i32
}

pub(crate) fn round_to(number: f64, place: i32) -> f64 {
    let unit = 10_f64.powi(place);
    // Rounded to nothing, a number has no sign.
    (number / unit).round() * unit + 0.0
}

/// A number to a power of ten.
pub(crate) fn write_to(number: f64, place: i32) -> String {
    let rounded = round_to(number, place);
    match place {
        ..0 => with_decimals(rounded, place.unsigned_abs() as usize),
        _ => thousands(rounded),
    }
}

/// A number above 0 in so many digits.
pub(crate) fn to_digits(number: f64, digits: i32) -> String {
    write_to(number, first_digit(number) - digits + 1)
}

/// A number as a reader wants it: three significant digits below 1,000, whole with commas above.
///
/// ```
/// assert_eq!(helpers::show_number(0.012345), "0.0123");
/// assert_eq!(helpers::show_number(12.0), "12.0");
/// assert_eq!(helpers::show_number(1234567.8), "1,234,568");
/// ```
pub fn show_number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size >= 999.5 {
        return thousands(value.round());
    }
    let decimals = match size {
        0.0 => 0,
        _ => (2 - first_digit(size)).clamp(0, 9) as usize,
    };
    format!("{value:.decimals$}")
}

/// So many of something, in words.
///
/// ```
/// use helpers::counted;
/// assert_eq!([1, 2].map(|count| counted(count, "thread")), ["1 thread", "2 threads"]);
/// assert_eq!(counted(20_000, "seat"), "20,000 seats");
/// ```
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// How many of these are true, in words.
///
/// ```
/// let found = [true, false, false];
/// assert_eq!(helpers::how_many(&found, "trial"), "1 of 3 trials");
/// ```
pub fn how_many(found: &[bool], noun: &str) -> String {
    let count = found.iter().filter(|found| **found).count();
    format!("{} of {}", thousands(count), counted(found.len(), noun))
}

/// The numbers in those lines of a text that begin with a word, in their order.
///
/// ```
/// let said = "alive 10 of 12\nreading 1\nalive 3";
/// assert_eq!(helpers::numbers_after(said, "alive"), [10.0, 12.0, 3.0]);
/// ```
pub fn numbers_after(text: &str, word: &str) -> Vec<f64> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(word));
    let words = lines.flat_map(str::split_whitespace);
    words.filter_map(|word| word.parse().ok()).collect()
}

/// A number that nothing blurs: whole if it is.
pub(crate) fn show_exact(value: f64) -> String {
    if value.fract() == 0.0 {
        thousands(value)
    } else {
        show_number(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_or_commas() {
        let shown = [
            (0.0, "0"),
            (0.000_123_4, "0.000123"),
            (1e-12, "0.000000000"),
            (0.1, "0.100"),
            (9.999, "10.00"),
            (10.0, "10.0"),
            (100.0, "100"),
            (-12.34, "-12.3"),
            (999.4, "999"),
            (999.5, "1,000"),
            (-1_234_567.0, "-1,234,567"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, words) in shown {
            assert_eq!(show_number(value), words);
        }
        let exact = [2.0, 1_000.0, -3.0, 2.5, 1_000.5].map(show_exact);
        assert_eq!(exact, ["2", "1,000", "-3", "2.50", "1,001"]);
    }

    #[test]
    fn commas_stand_between_threes_of_whole_numbers() {
        let shown = [1, 12, 123, 1_234, 123_456, -1_234_567, -123].map(thousands);
        let wanted = ["1", "12", "123", "1,234", "123,456", "-1,234,567", "-123"];
        assert_eq!(shown, wanted);
        assert_eq!(thousands("1.5"), "1.5");
        assert_eq!(thousands("-"), "-");
        assert_eq!(with_decimals(-1_234.567, 2), "-1,234.57");
    }
}

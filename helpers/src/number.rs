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
        _ => (2 - size.log10().floor() as i32).clamp(0, 9) as usize,
    };
    format!("{value:.decimals$}")
}

/// A number that nothing blurs: whole if it is.
pub(crate) fn show_exact(value: f64) -> String {
    if value.fract() == 0.0 {
        thousands(value)
    } else {
        show_number(value)
    }
}

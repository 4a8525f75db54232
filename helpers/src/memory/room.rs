//! Whether memory holds what is about to be added.

use crate::error::{Error, Result};
use crate::memory::refusal::MEASURE;
use crate::number::thousands;

/// Refuses `more` things of about `each` bytes, beside the `counted` ones that are there, where
/// they need more than four fifths of the bytes that are `available`: a fifth stays free for the
/// growth of tables, and for everyone else.
pub(crate) fn check_room(available: u64, each: f64, more: u64, counted: u64) -> Result<()> {
    let usable = available / 5 * 4;
    let needed = each * more as f64;
    if needed <= usable as f64 {
        return Ok(());
    }
    let megabytes = |bytes: f64| thousands((bytes / 1e6).ceil() as u64);
    let wrong = format!(
        "{} more at about {each:.0} bytes each need {} MB, and {} MB may be taken",
        thousands(more),
        megabytes(needed),
        megabytes(usable as f64),
    );
    let most = counted + (usable as f64 / each) as u64;
    let allowed = format!("a count up to about {}", thousands(most));
    Err(Error::new(MEASURE, wrong, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_four_fifths_fits_and_one_more_does_not() {
        assert_eq!(check_room(10_000_000, 2_000.0, 4_000, 0), Ok(()));
        let refused = check_room(10_000_000, 2_000.0, 4_001, 500).unwrap_err();
        let words = "cannot measure bytes each: 4,001 more at about 2000 bytes each need 9 MB, \
            and 8 MB may be taken (allowed: a count up to about 4,500)";
        assert_eq!(refused.to_string(), words);
    }

    #[test]
    fn what_costs_nothing_as_yet_fits() {
        assert_eq!(check_room(0, 0.0, 4_000, 0), Ok(()));
    }
}

//! Claims and what became of them, each with its control, as a table.

use crate::judge::claim::Verdict;
use crate::table::Table;

/// Begins a table of claims; see [`Verdicts`].
pub fn verdicts() -> Verdicts {
    Verdicts::default()
}

/// Claims with their verdicts, controls, and what was shown by force, a row each.
///
/// A control is the same judgement where the claim is known to be false. A claim whose control is
/// not caught is not shown, and the table says so.
///
/// ```
/// use helpers::{Verdict, verdicts};
/// let table = verdicts()
///     .claim("A call of a guarded counter is atomic", Verdict::Supported)
///     .control("a counter without a lock in its place", Verdict::Refuted)
///     .demonstrated("Two increments can make one", "by the schedule 0, 1, 0, 1")
///     .table();
/// let outcomes: Vec<&str> = table.rows.iter().map(|row| row[1].as_str()).collect();
/// assert_eq!(outcomes[..2], ["supported", "caught, as it must be"]);
/// assert_eq!(outcomes[2], "demonstrated by the schedule 0, 1, 0, 1");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    rows: Vec<Vec<String>>,
}

impl Verdicts {
    /// A claim about what was measured.
    pub fn claim(self, claim: &str, verdict: Verdict) -> Self {
        self.row(claim.into(), verdict.to_string())
    }

    /// The same judgement of something for which the claim is known to be false.
    pub fn control(self, of: &str, verdict: Verdict) -> Self {
        let outcome = match verdict {
            Verdict::Refuted => "caught, as it must be".into(),
            Verdict::Supported => "NOT caught: the claim above is not shown".into(),
            Verdict::Inconclusive(why) => format!("open: {why}"),
        };
        self.row(format!("control: {of}"), outcome)
    }

    /// What was shown by force, which is no finding: it says `how`.
    pub fn demonstrated(self, what: &str, how: &str) -> Self {
        self.row(what.into(), format!("demonstrated {how}"))
    }

    /// The table, with which a cell may end.
    pub fn table(self) -> Table {
        Table {
            title: "What this run says".into(),
            header: vec!["claim, or control".into(), "outcome".into()],
            rows: self.rows,
        }
    }

    fn row(mut self, what: String, outcome: String) -> Self {
        self.rows.push(vec![what, outcome]);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_that_is_not_caught_says_that_its_claim_is_not_shown() {
        let open = Verdict::Inconclusive("there is one core".into());
        let table = verdicts()
            .control("one", Verdict::Supported)
            .control("other", open)
            .table();
        assert!(table.rows[0][1].starts_with("NOT caught"));
        assert_eq!(table.rows[1][1], "open: there is one core");
        assert_eq!(table.rows[1][0], "control: other");
    }
}

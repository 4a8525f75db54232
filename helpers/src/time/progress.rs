//! How long a run takes, said before it starts, and how far it is.

use std::time::{Duration, Instant};

/// A run that is shorter says nothing of its length.
const LONG_S: f64 = 5.0;

/// The lines of one run: few, and whole, since a notebook keeps each.
pub(crate) struct Progress {
    began: Instant,
    expected_s: f64,
}

impl Progress {
    /// Says how long `what` will take, when that is more than five seconds.
    pub(crate) fn announce(what: &str, expected: Duration) -> Self {
        let expected_s = expected.as_secs_f64();
        if expected_s > LONG_S {
            println!("{what}: about {expected_s:.0} s");
        }
        Self {
            began: Instant::now(),
            expected_s,
        }
    }

    /// Says it once more where the warm-up shows that the rounds take another time by more than a
    /// quarter.
    pub(crate) fn correct(self, rounds: Duration) -> Self {
        let shown_s = self.began.elapsed().as_secs_f64() + rounds.as_secs_f64();
        match corrected_forecast(self.expected_s, shown_s) {
            None => self,
            Some(line) => {
                println!("{line}");
                Self {
                    expected_s: shown_s,
                    ..self
                }
            }
        }
    }

    /// Says after each quarter of the rounds but the last how long is left, where it is long or has
    /// become so.
    pub(crate) fn tell(&self, done: usize, rounds: usize) {
        if let Some(line) = self.line(done, rounds) {
            println!("{line}");
        }
    }

    fn line(&self, done: usize, rounds: usize) -> Option<String> {
        let elapsed = self.began.elapsed();
        let is_long = self.expected_s.max(elapsed.as_secs_f64()) > LONG_S;
        line_after(done, rounds, elapsed).filter(|_| is_long)
    }
}

/// What the warm-up tells of the time that all will take, where that is news.
fn corrected_forecast(expected_s: f64, shown_s: f64) -> Option<String> {
    let other = shown_s > 1.25 * expected_s || shown_s < 0.75 * expected_s;
    let long = shown_s.max(expected_s) > LONG_S;
    (other && long).then(|| format!("by the first round, about {shown_s:.0} s in all"))
}

fn line_after(done: usize, rounds: usize, elapsed: Duration) -> Option<String> {
    let quarter = |done: usize| 4 * done / rounds;
    if quarter(done) == quarter(done - 1) || done == rounds {
        return None;
    }
    let left_s = elapsed.as_secs_f64() / done as f64 * (rounds - done) as f64;
    let percent = 100 * done / rounds;
    Some(format!("{percent} % done, {left_s:.0} s left"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_corrected_where_it_is_off_by_more_than_a_quarter() {
        assert_eq!(corrected_forecast(10.0, 12.4), None);
        assert_eq!(corrected_forecast(10.0, 7.6), None);
        let more = corrected_forecast(10.0, 12.6);
        assert_eq!(more.unwrap(), "by the first round, about 13 s in all");
        assert!(corrected_forecast(10.0, 1.0).is_some());
        assert!(corrected_forecast(1.0, 60.0).is_some());
        assert_eq!(corrected_forecast(0.5, 4.9), None);
    }

    #[test]
    fn progress_is_told_at_each_quarter() {
        let lines: Vec<_> = (1..=16)
            .filter_map(|done| line_after(done, 16, Duration::from_secs(done as u64)))
            .collect();
        let expected = [
            "25 % done, 12 s left",
            "50 % done, 8 s left",
            "75 % done, 4 s left",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_the_warm_up_shows_takes_the_place_of_what_was_expected() {
        let progress = Progress::announce("run", Duration::from_secs(6));
        let same = progress.correct(Duration::from_secs(6));
        assert_eq!(same.expected_s, 6.0);
        assert!(same.line(1, 4).unwrap().starts_with("25 % done, "));
        let short = Progress::announce("run", Duration::from_secs(1));
        assert_eq!(short.line(1, 4), None);
        let became_long = Progress {
            began: Instant::now() - Duration::from_secs(6),
            expected_s: 1.0,
        };
        assert_eq!(became_long.line(1, 4).unwrap(), "25 % done, 18 s left");
        let longer = same.correct(Duration::from_secs(30));
        assert!((30.0..31.0).contains(&longer.expected_s));
    }
}

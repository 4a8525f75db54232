//! What is timed, and how often.

use crate::check::{each_within, within};
use crate::error::{Error, Result};
use crate::machine::cores;
use crate::stats::estimate::FEWEST_SAMPLES;
use crate::time::threads::MOST_THREADS;
use std::path::Path;
use std::time::Duration;

/// What is timed, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Numbers of threads that share the counter, each 1 to 256, none twice.
    pub threads: Vec<usize>,
    /// Nanoseconds of work inside the critical section, 0 to 1,000,000.
    pub hold_ns: u64,
    /// Nanoseconds of work between two critical sections of a thread, its think time, 0 to
    /// 1,000,000.
    pub think_ns: u64,
    /// Samples of each design at each number of threads, 6 to 1,000.
    pub samples: usize,
    /// Milliseconds that one sample lasts, 1 to 10,000.
    pub sample_ms: u64,
    /// The seed of the order in which samples are taken.
    pub seed: u64,
    /// Whether operations are split into their [`Breakdown`](super::breakdown::Breakdown). Some
    /// are, drawn at random: so few that the clock, read five times for each, takes 0.3 % of the
    /// time; all, where an operation takes long.
    pub breakdown: bool,
    /// The cores on which the threads of a sample stay, by the system's numbers, in turns; none:
    /// wherever the system puts them.
    pub pinned_to: Vec<usize>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            threads: vec![1],
            hold_ns: 0,
            think_ns: 0,
            samples: 15,
            sample_ms: 10,
            seed: 1,
            breakdown: false,
            pinned_to: vec![],
        }
    }
}

impl Setting {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field that is outside.
    ///
    /// ```
    /// assert!(helpers::Setting::default().check().is_ok());
    /// ```
    pub fn check(&self) -> Result<()> {
        each_within("threads", &self.threads, 1..=MOST_THREADS)?;
        within("hold_ns", self.hold_ns, 0..=1_000_000)?;
        within("think_ns", self.think_ns, 0..=1_000_000)?;
        within("samples", self.samples, FEWEST_SAMPLES..=1_000)?;
        within("sample_ms", self.sample_ms, 1..=10_000)?;
        self.check_cores()
    }

    fn check_cores(&self) -> Result<()> {
        if self.pinned_to.is_empty() {
            return Ok(());
        }
        let refuse =
            |wrong: String, allowed: &str| Err(Error::new("use pinned_to", wrong, allowed));
        let Some(allowed) = cores::allowed_cores(Path::new(cores::ROOT)) else {
            return refuse("this system does not pin threads".into(), "an empty list");
        };
        match self.pinned_to.iter().find(|core| !allowed.contains(core)) {
            None => Ok(()),
            Some(core) => {
                let allowed: Vec<String> = allowed.iter().map(usize::to_string).collect();
                let allowed = format!("of the cores of this process: {}", allowed.join(", "));
                refuse(format!("it holds {core}"), &allowed)
            }
        }
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_millis(self.sample_ms)
    }

    /// How long [`time_designs`](super::run::time_designs) will take for so many designs, as far as
    /// can be told before one was run.
    ///
    /// ```
    /// let setting = helpers::Setting { samples: 19, sample_ms: 10, ..Default::default() };
    /// assert_eq!(setting.expected_time(5).as_millis(), 1_090);
    /// ```
    pub fn expected_time(&self, designs: usize) -> Duration {
        let sample_ns = |&threads: &usize| self.sample_ns(threads, 0.0);
        let samples_ns: f64 = self.threads.iter().map(sample_ns).sum();
        let round_ns = designs as f64 * samples_ns + self.calibration_ns();
        self.in_all(round_ns)
    }

    /// A sample of so many threads whose operations take one thread so long.
    ///
    /// Each thread does one operation at least, and the sections of all come one after another.
    pub(crate) fn sample_ns(&self, threads: usize, operation_ns: f64) -> f64 {
        // A sample ends with the batch in which its time is up.
        const LAST_BATCH: f64 = 1.05;
        let least_ns = threads as f64 * self.hold_ns as f64 + self.think_ns as f64;
        let sample_ns = LAST_BATCH * self.duration().as_nanos() as f64;
        sample_ns.max(least_ns).max(operation_ns)
    }

    /// Each round is calibrated, and the lengths of its work are looked at.
    pub(crate) fn calibration_ns(&self) -> f64 {
        const CALIBRATION_NS: f64 = 2e6;
        const LOOKS: u64 = 5;
        let work_ns = |ns: u64| {
            if ns == 0 {
                0.0
            } else {
                2.0 * (LOOKS * ns).max(1_000_000) as f64
            }
        };
        CALIBRATION_NS + work_ns(self.hold_ns) + work_ns(self.think_ns)
    }

    /// So many rounds and the warm-up.
    pub(crate) fn in_all(&self, round_ns: f64) -> Duration {
        Duration::from_secs_f64(round_ns * (self.samples + 1) as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_lasts_as_long_as_its_longest_part() {
        let setting = Setting {
            hold_ns: 1_000_000,
            think_ns: 500_000,
            sample_ms: 4,
            ..Setting::default()
        };
        assert_eq!(setting.sample_ns(1, 0.0), 4.2e6);
        assert_eq!(setting.sample_ns(8, 0.0), 8.5e6);
        assert_eq!(setting.sample_ns(1, 9e6), 9e6);
        assert_eq!(setting.calibration_ns(), 2e6 + 10e6 + 5e6);
        assert_eq!(Setting::default().calibration_ns(), 2e6);
        assert_eq!(setting.in_all(1e9).as_secs(), 16);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn cores_that_are_not_there_are_refused() {
        let setting = |core| Setting {
            pinned_to: vec![core],
            ..Setting::default()
        };
        let allowed = cores::allowed_cores(Path::new(cores::ROOT)).unwrap();
        for core in allowed {
            assert_eq!(setting(core).check(), Ok(()));
        }
        let refusal = setting(4_000).check().unwrap_err();
        assert_eq!(refusal.wrong, "it holds 4000");
        assert!(
            refusal
                .allowed
                .starts_with("of the cores of this process: "),
            "{refusal}"
        );
    }
}

//! What weakens a result: warnings that belong to it, each with its remedy.

use crate::machine::{cores, limits};
use crate::number::show_number;
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// Something about the machine that weakens a result. In words: what was seen, and what to do.
///
/// ```
/// use helpers::Warning;
/// let words = Warning::BusyCores { cores: 1.04 }.to_string();
/// assert_eq!(words, "other programs kept 1.04 cores busy; close them and run again");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warning {
    /// Other programs, or the host, used cores that this process may use.
    BusyCores {
        /// Cores' worth of time, on average.
        cores: f64,
    },
    /// A quota kept the process from running.
    Throttled {
        /// Periods of the quota in which it did.
        periods: u64,
        /// Periods in all.
        of: u64,
    },
    /// The busy loop did not take the same time throughout.
    Drift {
        /// The slowest third of the run over the fastest, less 1.
        share: f64,
    },
    /// Cores were nearer to each other, or farther apart, at the end than at the start.
    CoresMoved {
        /// Nanoseconds that a value took from core to core at the start.
        before_ns: f64,
        /// The same at the end.
        after_ns: f64,
    },
    /// There is one core: threads take turns, and nothing overlaps.
    OneCore,
    /// The clock ticks so coarsely that single operations cannot be timed.
    CoarseClock {
        /// The shortest time between two different readings.
        resolution_ns: f64,
    },
    /// More threads than whole cores: some share one.
    SiblingCores {
        /// Whole cores.
        whole: usize,
    },
    /// Cores of different kinds: threads are not alike.
    KindsOfCores {
        /// How many kinds.
        kinds: usize,
    },
    /// More threads than cores, on a system that does not say how long a thread had none.
    CoreTimeUnknown,
    /// The system does not say what other programs do.
    LoadUnknown,
    /// The kernel's own sum of resident memory is missing, and another source was read.
    CoarseResident,
    /// What the allocator has in use is not known.
    HeapUnknown,
    /// Free memory could not be handed back before a series.
    FreeMemoryKept,
    /// Memory came in huge pages, although they were switched off.
    HugePages {
        /// By how much the process grew in them.
        bytes: u64,
    },
}

impl Warning {
    /// Whether a verdict may come out otherwise for that reason; then it is inconclusive.
    pub fn turns_verdicts(&self) -> bool {
        matches!(
            self,
            Warning::BusyCores { .. } | Warning::Throttled { .. } | Warning::OneCore
        )
    }

    /// The share by which a median may be off for that reason, so that an interval is widened by it.
    pub(crate) fn drift(&self) -> f64 {
        if let Warning::Drift { share } = self {
            *share
        } else {
            0.0
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: &f64| show_number(*value);
        match self {
            Warning::BusyCores { cores } => {
                write!(f, "other programs kept {} cores busy; close them and run again", number(cores))
            }
            Warning::Throttled { periods, of } => {
                write!(
                    f,
                    "a quota stopped the process in {periods} of {of} periods; raise it, or use fewer threads"
                )
            }
            Warning::Drift { share } => {
                write!(
                    f,
                    "the machine's speed changed by {} % meanwhile; run again, or longer",
                    number(&(100.0 * share))
                )
            }
            Warning::CoresMoved { before_ns, after_ns } => {
                let [before, after] = [before_ns, after_ns].map(number);
                write!(f, "a value took {before} ns from core to core at first, {after} at last; run again")
            }
            Warning::OneCore => {
                f.write_str("there is one core, so threads take turns; use a machine with more")
            }
            Warning::CoarseClock { resolution_ns } => {
                write!(f, "the clock's step is {} ns; trust no part that is shorter", number(resolution_ns))
            }
            Warning::SiblingCores { whole } => {
                write!(
                    f,
                    "threads share {whole} whole cores; use no more threads, or expect each to be slower"
                )
            }
            Warning::KindsOfCores { kinds } => {
                write!(f, "there are {kinds} kinds of cores; bind the process to one kind, as with `taskset`")
            }
            Warning::CoreTimeUnknown => f.write_str(
                "time without a core is unknown here and counts as waiting; use no more threads than cores",
            ),
            Warning::LoadUnknown => f.write_str("what other programs do is unknown here; close them"),
            Warning::CoarseResident => f.write_str(
                "the kernel's own sum in `/proc/self/smaps_rollup` is missing, so resident memory \
                is the coarser figure of `memory-stats`; use Linux 4.14 or later, with `/proc`",
            ),
            Warning::HeapUnknown => f.write_str(
                "the heap in use is unknown, so things on pages that were resident before may go \
                unnoticed; use glibc 2.33 or later with its own allocator",
            ),
            Warning::FreeMemoryKept => f.write_str(
                "free memory could not be handed back first, so trust the first points less; \
                take many more things, or glibc's allocator",
            ),
            Warning::HugePages { bytes } => {
                let megabytes = show_number(*bytes as f64 / 1e6);
                write!(
                    f,
                    "{megabytes} MB came in huge pages, although they were switched off; empty \
                    `GLIBC_TUNABLES`, or take many more things"
                )
            }
        }
    }
}

/// Watches the machine while something is measured.
pub(crate) struct Watch {
    began: Instant,
    /// Ticks of the cores and of this process.
    ticks: Option<(u64, u64)>,
    throttled: Option<(u64, u64)>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let busy = cores::busy_ticks().map(|cores| cores.iter().map(|(_, ticks)| ticks).sum());
        let throttled =
            limits::quota(Path::new("/")).map(|(_, periods, throttled)| (periods, throttled));
        Self {
            began: Instant::now(),
            ticks: busy.zip(cores::own_ticks()),
            throttled,
        }
    }

    /// Cores that others kept busy since, and warnings.
    pub(crate) fn end(self) -> (Option<f64>, Vec<Warning>) {
        let (now, seconds) = (Self::begin(), self.began.elapsed().as_secs_f64());
        let mut warnings = Vec::new();
        let cores = self
            .ticks
            .zip(now.ticks)
            .map(|((busy, own), (busy_now, own_now))| {
                let others = (busy_now - busy).saturating_sub(own_now - own) as f64 / 100.0;
                // Three ticks may be an accident of rounding.
                if others > 0.1 * seconds + 0.03 {
                    warnings.push(Warning::BusyCores {
                        cores: others / seconds,
                    });
                }
                others / seconds
            });
        if cores.is_none() {
            warnings.push(Warning::LoadUnknown);
        }
        if let Some(((periods, throttled), (periods_now, throttled_now))) =
            self.throttled.zip(now.throttled)
            && throttled_now > throttled
        {
            let (periods, of) = (throttled_now - throttled, periods_now - periods);
            warnings.push(Warning::Throttled { periods, of });
        }
        (cores, warnings)
    }
}

#[cfg(test)]
mod memory_tests {
    use super::*;

    #[test]
    fn warnings_of_memory_say_what_to_do() {
        let words = [
            (
                Warning::CoarseResident,
                "use Linux 4.14 or later, with `/proc`",
            ),
            (
                Warning::HeapUnknown,
                "use glibc 2.33 or later with its own allocator",
            ),
            (
                Warning::FreeMemoryKept,
                "take many more things, or glibc's allocator",
            ),
            (
                Warning::HugePages { bytes: 2_097_152 },
                "2.10 MB came in huge pages, although they were switched off; empty \
                `GLIBC_TUNABLES`, or take many more things",
            ),
        ];
        for (warning, end) in words {
            assert!(warning.to_string().ends_with(end), "{warning}");
        }
    }
}

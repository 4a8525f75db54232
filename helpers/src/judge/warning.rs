//! What weakens a result: warnings that belong to it, each with its remedy.

use crate::machine::cores::Cores;
use crate::machine::load::{Load, LoadMonitor};
use crate::number::show_number;
use std::fmt;

/// Something that weakens a result. In words: what was seen, and what to do.
///
/// ```
/// use helpers::Warning;
/// let words = Warning::OtherPrograms { cores: 1.04, free: -0.9 }.to_string();
/// assert_eq!(words, "other programs kept 1.04 cores busy; close them and run again");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warning {
    /// Other programs, or the host, used cores that this process may use.
    OtherPrograms {
        /// Cores' worth of time, on average.
        cores: f64,
        /// Cores that were left free, below 0 where some were wanted twice.
        free: f64,
    },
    /// Threads of this process that are no part of what was measured used cores.
    OtherThreads {
        /// Cores' worth of time, on average.
        cores: f64,
        /// Cores that were left free, below 0 where some were wanted twice.
        free: f64,
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
    /// Work of a known length was longer, or shorter, than it was asked to be.
    OtherLength {
        /// Nanoseconds that it was asked to take.
        asked_ns: u64,
        /// Nanoseconds that it took.
        found_ns: f64,
    },
    /// What operations had left under way was still being worked off when the last had returned.
    WorkedOff {
        /// The share of a sample that passed after its last operation.
        share: f64,
    },
    /// Threads did so few operations in a sample that when they ended decides what each cost.
    FewOperations {
        /// Operations of a thread in a sample, the median.
        operations: f64,
    },
    /// Threads ran on one core by turns, though there were as many cores as threads.
    SharedCore {
        /// Samples in which two threads began or ended on one core.
        samples: usize,
        /// Samples in all.
        of: usize,
    },
    /// Operations that were timed took longer than the others, since the clock was read.
    TimedSlower {
        /// So many times as long as there was time for, entering, waiting and releasing together.
        times: f64,
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
    /// The clock goes in steps so long that single operations cannot be timed.
    CoarseClock {
        /// The step.
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

/// A clock with a longer step is said to be coarse: two readings of it take as long on most
/// machines.
pub(crate) const COARSE_CLOCK_NS: f64 = 25.0;
/// What others take below this share of a core, and cores that lie idle above it, do not matter.
const BUSY: f64 = 0.1;
/// So many cores must lie idle for what others do to go unnoticed.
const SPARE: f64 = 0.5;
/// Entries, waits and releases that were timed are taken for all when they fit to this share.
pub(crate) const TIMED_ALIKE: f64 = 0.8;
/// With so many operations of each thread or more, how their ends lie moves a cost by 2 % at most.
pub(crate) const FEW_OPERATIONS: f64 = 25.0;
/// A sample may pass by this share after its last operation.
pub(crate) const WORKED_OFF: f64 = 0.1;

impl Warning {
    /// Whether a verdict may come out otherwise for that reason; then it is inconclusive.
    pub fn turns_verdicts(&self) -> bool {
        match self {
            Warning::OtherPrograms { free, .. } | Warning::OtherThreads { free, .. } => {
                *free < SPARE
            }
            Warning::SharedCore { samples, of } => 2 * samples > *of,
            Warning::Throttled { .. }
            | Warning::OneCore
            | Warning::WorkedOff { .. }
            | Warning::FewOperations { .. } => true,
            _ => false,
        }
    }

    /// The share by which a median may be off for that reason, so that an interval is widened by
    /// it.
    pub(crate) fn drift(&self) -> f64 {
        match self {
            Warning::Drift { share } => *share,
            _ => 0.0,
        }
    }

    /// Whether it says more than another of its kind.
    pub(crate) fn is_worse_than(&self, other: &Warning) -> bool {
        match (self, other) {
            (Warning::OtherPrograms { free, .. }, Warning::OtherPrograms { free: other, .. })
            | (Warning::OtherThreads { free, .. }, Warning::OtherThreads { free: other, .. }) => {
                free < other
            }
            (Warning::WorkedOff { share }, Warning::WorkedOff { share: other }) => share > other,
            (Warning::TimedSlower { times }, Warning::TimedSlower { times: other }) => {
                times > other
            }
            (
                Warning::FewOperations { operations },
                Warning::FewOperations { operations: other },
            ) => operations < other,
            (Warning::SharedCore { samples, .. }, Warning::SharedCore { samples: other, .. }) => {
                samples > other
            }
            _ => false,
        }
    }

    /// What `load` did to a measurement that kept `demanded` of `cores` busy; nothing is said of
    /// what had cores of its own.
    pub(crate) fn of_load(load: &Load, demanded: f64, cores: usize) -> Vec<Warning> {
        // Three ticks of a hundredth of a second may be an accident of rounding.
        const ROUNDING_S: f64 = 0.03;
        let programs = load.other_programs.unwrap_or(0.0);
        let threads = load.other_threads.unwrap_or(0.0);
        let cores = cores as f64;
        // Threads of a design that are not those of the sample, such as an owner, want a core, too.
        let demanded = load.own.unwrap_or(0.0).max(demanded).min(cores);
        let free = cores - demanded - programs - threads;
        let mut warnings = Vec::new();
        if programs > BUSY + ROUNDING_S / load.elapsed_s && free < SPARE {
            warnings.push(Warning::OtherPrograms {
                cores: programs,
                free,
            });
        }
        if threads > BUSY && free < SPARE {
            warnings.push(Warning::OtherThreads {
                cores: threads,
                free,
            });
        }
        if load.other_programs.is_none() {
            warnings.push(Warning::LoadUnknown);
        }
        // One of a hundred moves no median.
        let throttled = load.throttled.filter(|(periods, of)| 100 * periods > *of);
        if let Some((periods, of)) = throttled {
            warnings.push(Warning::Throttled { periods, of });
        }
        warnings
    }
}

/// Measures something that keeps so many threads busy, and says what disturbed it.
///
/// Threads that `measure` starts belong to it; those that were there before do not, nor do programs
/// that run beside it.
///
/// ```
/// let (sum, warnings) = helpers::watched(1, || (0..1_000_u64).sum::<u64>());
/// assert_eq!(sum, 499_500);
/// # let _ = warnings;
/// ```
pub fn watched<T>(threads: usize, measure: impl FnOnce() -> T) -> (T, Vec<Warning>) {
    let cores = Cores::of(&[]);
    let monitor = LoadMonitor::begin(&cores);
    let result = measure();
    let load = monitor.end();
    let mut warnings = Warning::of_load(&load, threads as f64, cores.whole());
    if cores.count() == 1 && threads > 1 {
        warnings.push(Warning::OneCore);
    }
    (result, warnings)
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: &f64| show_number(*value);
        match self {
            Warning::OtherPrograms { cores, .. } => write!(
                f,
                "other programs kept {} cores busy; close them and run again",
                number(cores)
            ),
            Warning::OtherThreads { cores, .. } => write!(
                f,
                "other threads of this process kept {} cores busy; end them, or restart the \
                 kernel, and run again",
                number(cores)
            ),
            Warning::Throttled { periods, of } => write!(
                f,
                "a quota stopped the process in {periods} of {of} periods; raise it, or use fewer \
                 threads"
            ),
            Warning::Drift { share } => write!(
                f,
                "the machine's speed changed by {} % meanwhile; run again, or longer",
                number(&(100.0 * share))
            ),
            Warning::OtherLength { asked_ns, found_ns } => write!(
                f,
                "work of {} ns took {} ns; take the second for its length",
                number(&(*asked_ns as f64)),
                number(found_ns)
            ),
            Warning::WorkedOff { share } => write!(
                f,
                "the queue was still being worked off for {:.0} % of a sample; ask for less than \
                 it can do",
                100.0 * share
            ),
            Warning::FewOperations { operations } => write!(
                f,
                "a thread did {} operations in a sample, too few to tell what one costs; take \
                 longer samples",
                number(operations)
            ),
            Warning::SharedCore { samples, of } => write!(
                f,
                "threads shared a core in {samples} of {of} samples; run again, or pin them"
            ),
            Warning::TimedSlower { times } => write!(
                f,
                "operations that were timed took {} times as long to enter, wait and release as \
                 there was time for; trust only the proportions of these parts",
                number(times)
            ),
            Warning::CoresMoved {
                before_ns,
                after_ns,
            } => write!(
                f,
                "a value took {} ns from core to core at first, {} at last; run again",
                number(before_ns),
                number(after_ns)
            ),
            Warning::OneCore => {
                f.write_str("there is one core, so threads take turns; use a machine with more")
            }
            Warning::CoarseClock { resolution_ns } => write!(
                f,
                "the clock's step is {} ns; trust no part that is shorter",
                number(resolution_ns)
            ),
            Warning::SiblingCores { whole } => write!(
                f,
                "threads share {whole} whole cores; use no more threads, or expect each to be \
                 slower"
            ),
            Warning::KindsOfCores { kinds } => write!(
                f,
                "there are {kinds} kinds of cores; bind the process to one kind, as with `taskset`"
            ),
            Warning::CoreTimeUnknown => f.write_str(
                "time without a core is unknown here and counts as waiting; use no more threads \
                 than cores",
            ),
            Warning::LoadUnknown => {
                f.write_str("what other programs do is unknown here; close them")
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn load(programs: f64, threads: f64) -> Load {
        Load {
            elapsed_s: 10.0,
            other_programs: Some(programs),
            other_threads: Some(threads),
            own: Some(1.0),
            throttled: Some((0, 900)),
        }
    }

    fn of(load: Load, demanded: f64, cores: usize) -> Vec<Warning> {
        Warning::of_load(&load, demanded, cores)
    }

    #[test]
    fn others_are_named_where_they_take_what_was_wanted() {
        let free = 2.0 - 2.0 - 1.0;
        assert_eq!(
            of(load(0.0, 1.0), 2.0, 2),
            [Warning::OtherThreads { cores: 1.0, free }]
        );
        let both = of(load(0.5, 0.5), 2.0, 2);
        let expected = [
            Warning::OtherPrograms { cores: 0.5, free },
            Warning::OtherThreads { cores: 0.5, free },
        ];
        assert_eq!(both, expected);
        assert!(both.iter().all(Warning::turns_verdicts));
        // More threads than cores want all cores, not more.
        assert_eq!(
            of(load(0.0, 1.0), 8.0, 2)[0],
            Warning::OtherThreads { cores: 1.0, free }
        );
        // One thread, one busy program, two cores: nothing is left for the rest of the system.
        assert_eq!(of(load(1.0, 0.0), 1.0, 2).len(), 1);
    }

    #[test]
    fn others_that_have_cores_of_their_own_disturb_nobody() {
        assert_eq!(of(load(2.0, 0.0), 2.0, 64), []);
        assert_eq!(of(load(1.0, 1.0), 32.0, 64), []);
        assert_eq!(of(load(2.0, 0.0), 64.0, 64).len(), 1);
        assert_eq!(of(load(0.1, 0.1), 2.0, 2), []);
        assert_eq!(of(load(0.102, 0.0), 2.0, 2), []);
        assert_eq!(of(load(0.105, 0.0), 2.0, 2).len(), 1);
        let owner = Load {
            own: Some(3.0),
            ..load(0.0, 1.0)
        };
        assert_eq!(of(owner, 2.0, 8), []);
        assert_eq!(of(owner, 2.0, 4).len(), 1);
        assert_eq!(of(load(0.0, 0.5), 1.0, 2), []);
        assert_eq!(of(load(0.0, 0.51), 1.0, 2).len(), 1);
    }

    #[test]
    fn a_quota_and_a_silent_system_are_named() {
        let throttled = Load {
            throttled: Some((10, 900)),
            ..load(0.0, 0.0)
        };
        let seldom = Load {
            throttled: Some((9, 900)),
            ..throttled
        };
        assert_eq!(of(seldom, 1.0, 2), []);
        assert_eq!(
            of(throttled, 1.0, 2),
            [Warning::Throttled {
                periods: 10,
                of: 900
            }]
        );
        assert_eq!(of(Load::default(), 1.0, 2), [Warning::LoadUnknown]);
    }

    #[test]
    fn what_can_turn_a_verdict_does() {
        let programs = |free| Warning::OtherPrograms { cores: 1.0, free };
        assert!(programs(0.49).turns_verdicts() && !programs(0.5).turns_verdicts());
        let shared = |samples| Warning::SharedCore { samples, of: 20 };
        assert!(shared(11).turns_verdicts() && !shared(10).turns_verdicts());
        assert!(Warning::OneCore.turns_verdicts());
        assert!(Warning::WorkedOff { share: 0.2 }.turns_verdicts());
        assert!(Warning::Throttled { periods: 1, of: 9 }.turns_verdicts());
        let drift = Warning::Drift { share: 0.1 };
        assert!(!drift.turns_verdicts());
        assert_eq!((drift.drift(), Warning::OneCore.drift()), (0.1, 0.0));
    }

    #[test]
    fn each_says_what_was_seen_and_what_to_do() {
        let words = [
            Warning::OtherThreads {
                cores: 1.0,
                free: 0.0,
            },
            Warning::Throttled { periods: 3, of: 90 },
            Warning::Drift { share: 0.05 },
            Warning::OtherLength {
                asked_ns: 6_000,
                found_ns: 6_230.0,
            },
            Warning::WorkedOff { share: 0.718 },
            Warning::FewOperations { operations: 4.0 },
            Warning::SharedCore { samples: 3, of: 15 },
            Warning::TimedSlower { times: 8.17 },
            Warning::CoarseClock {
                resolution_ns: 41.7,
            },
        ]
        .map(|warning| warning.to_string());
        let expected = [
            "other threads of this process kept 1.00 cores busy; end them, or restart the kernel, \
             and run again",
            "a quota stopped the process in 3 of 90 periods; raise it, or use fewer threads",
            "the machine's speed changed by 5.00 % meanwhile; run again, or longer",
            "work of 6,000 ns took 6,230 ns; take the second for its length",
            "the queue was still being worked off for 72 % of a sample; ask for less than it can \
             do",
            "a thread did 4.00 operations in a sample, too few to tell what one costs; take longer \
             samples",
            "threads shared a core in 3 of 15 samples; run again, or pin them",
            "operations that were timed took 8.17 times as long to enter, wait and release as there \
             was time for; trust only the proportions of these parts",
            "the clock's step is 41.7 ns; trust no part that is shorter",
        ];
        assert_eq!(words, expected);
    }

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

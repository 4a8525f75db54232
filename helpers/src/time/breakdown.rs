//! Where the time of operations went.

use crate::time::busy_work::{mean, undisturbed};
use crate::time::work::{READINGS, Record};

/// Where the time of operations went, in nanoseconds, summed over operations and threads.
///
/// Each part is what the operations that were timed took, less the clock's own share, for all
/// operations; none is what the others leave over. What they do not add up to stands beside them as
/// *not accounted for*.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Breakdown {
    /// Entering the section where nobody else wants in: what the same threads needed, each with a
    /// state of its own, or one thread alone, whichever was less.
    pub enter_ns: f64,
    /// From the wish to enter the critical section to the entry, beyond that.
    pub wait_ns: f64,
    /// Waits that are shorter cannot be told from none: by so much the entries differed where
    /// nobody else wanted in.
    pub wait_floor_ns: f64,
    /// Inside the critical section.
    pub hold_ns: f64,
    /// From the end of the section until the thread goes on.
    pub release_ns: f64,
    /// Between two operations, which is what the field calls think time.
    pub think_ns: f64,
    /// Ready to run, and no core free, or the core was interrupted; `None` where the system does
    /// not tell, and then it counts as waiting.
    pub without_core_ns: Option<f64>,
    /// Taken by the instrument, the gate included, and part of no operation.
    pub instrument_ns: f64,
    /// What is left of the threads' time, in no part.
    pub unaccounted_ns: f64,
    /// By so much entering, waiting and releasing were multiplied for all parts to fit into the
    /// time: below 1 where operations that were timed took longer than the others, since the clock
    /// was read.
    pub fitted: f64,
}

/// What entering takes where nobody else wants in, in nanoseconds an operation, a reading of the
/// clock included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub(crate) ns: f64,
    /// By how much it differs from sample to sample.
    pub(crate) spread_ns: f64,
}

/// What is known of a sample beside the operations that were timed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) operations: u64,
    /// The time of all threads together.
    pub(crate) thread_ns: f64,
    pub(crate) without_core_ns: Option<f64>,
    pub(crate) instrument_ns: f64,
    pub(crate) clock_ns: f64,
    /// Whether there is any work inside the section, and between two.
    pub(crate) works: [bool; 2],
    /// What entering takes, where that is known already.
    pub(crate) entry: Option<Entry>,
}

impl Known {
    /// What entering takes all operations where nobody else wants in.
    fn enter_ns(&self) -> f64 {
        let entry_ns = self.entry.map_or(0.0, |entry| entry.ns - self.clock_ns);
        entry_ns.max(0.0) * self.operations as f64
    }
}

/// Waits, less the time without a core that they hide: they were longer than what is left of the
/// time, by so much at most.
fn with_a_core(waits_ns: f64, left_ns: f64, hidden_ns: f64) -> f64 {
    waits_ns - (waits_ns - left_ns).clamp(0.0, hidden_ns.min(waits_ns))
}

/// A part of the operations that were timed, each in its order.
struct Part {
    sorted_ns: Vec<u64>,
    /// From the mean of those that were timed to all operations.
    clock_ns: f64,
    operations: f64,
}

impl Part {
    fn all_ns(&self) -> f64 {
        self.of_all(&self.sorted_ns)
    }

    /// As if none had been interrupted. Where more than a tenth took longer than the others, they
    /// are of more than one length, and nobody interrupted them.
    fn undisturbed_ns(&self) -> f64 {
        let undisturbed = undisturbed(&self.sorted_ns);
        if 10 * undisturbed.len() < 9 * self.sorted_ns.len() {
            return self.all_ns();
        }
        self.of_all(undisturbed)
    }

    fn of_all(&self, some_ns: &[u64]) -> f64 {
        (mean(some_ns) - self.clock_ns).max(0.0) * self.operations
    }
}

/// The parts of the operations that were timed.
struct Timed {
    waits: Part,
    holds: Part,
    releases: Part,
    thinks: Part,
    /// Whether each hold is work of one length, which takes longer only where it is interrupted.
    of_one_length: bool,
}

impl Timed {
    fn of(records: &[Record], known: &Known) -> Self {
        let part = |part: fn(&Record) -> u64| {
            let mut sorted_ns: Vec<u64> = records.iter().map(part).collect();
            sorted_ns.sort_unstable();
            Part {
                sorted_ns,
                clock_ns: known.clock_ns,
                operations: known.operations as f64,
            }
        };
        Self {
            waits: part(|it| it.wait),
            holds: part(|it| it.hold),
            releases: part(|it| it.release),
            thinks: part(|it| it.think),
            of_one_length: records.iter().all(|it| it.of_one_length),
        }
    }

    /// What the clock finds for no work at all is its own noise, times all operations.
    fn hold_ns(&self, is_work: bool) -> f64 {
        match (self.of_one_length, is_work) {
            (true, true) => self.holds.undisturbed_ns(),
            (true, false) => 0.0,
            (false, _) => self.holds.all_ns(),
        }
    }

    fn think_ns(&self, is_work: bool) -> f64 {
        if is_work {
            self.thinks.undisturbed_ns()
        } else {
            0.0
        }
    }
}

impl Breakdown {
    pub(crate) fn of(records: &[Record], known: Known) -> Self {
        let timed = Timed::of(records, &known);
        let hold_ns = timed.hold_ns(known.works[0]);
        let think_ns = timed.think_ns(known.works[1]);
        let release_ns = timed.releases.all_ns();

        // Work that took longer than that was interrupted.
        let longer_ns = |part: &Part, ns: f64| if ns > 0.0 { part.all_ns() - ns } else { 0.0 };
        let off_ns = longer_ns(&timed.holds, hold_ns) + longer_ns(&timed.thinks, think_ns);
        let off_ns = off_ns.max(0.0);
        let without_core_ns = known.without_core_ns.map(|ns| ns.max(off_ns));

        let instrument_ns = known.instrument_ns + records.len() as f64 * READINGS * known.clock_ns;
        let others_ns = instrument_ns + hold_ns + think_ns + release_ns;
        let left_ns = known.thread_ns - others_ns - without_core_ns.unwrap_or(0.0);
        let hidden_ns = without_core_ns.map_or(0.0, |ns| ns - off_ns);
        let waits_ns = with_a_core(timed.waits.all_ns(), left_ns, hidden_ns);
        let enter_ns = known.enter_ns().min(waits_ns);

        let found = Self {
            enter_ns,
            wait_ns: waits_ns - enter_ns,
            wait_floor_ns: known.entry.map_or(0.0, |entry| entry.spread_ns)
                * known.operations as f64,
            hold_ns,
            release_ns,
            think_ns,
            without_core_ns,
            instrument_ns,
            unaccounted_ns: 0.0,
            fitted: 1.0,
        };
        found.fitted(known.thread_ns).with_rest(known.thread_ns)
    }

    /// Time in all parts of operations.
    pub fn parts_ns(&self) -> f64 {
        self.enter_ns
            + self.wait_ns
            + self.hold_ns
            + self.release_ns
            + self.think_ns
            + self.without_core_ns.unwrap_or(0.0)
    }

    /// Has entries, waits and releases share what is left, where those that were timed took longer:
    /// short ones since the core does one while the other is not yet done, contended ones since the
    /// reading of the clock lets others in.
    fn fitted(self, thread_ns: f64) -> Self {
        let short_ns = self.enter_ns + self.wait_ns + self.release_ns;
        let left_ns = self.with_rest(thread_ns).unaccounted_ns + short_ns;
        let left_ns = left_ns.max(0.0);
        if short_ns <= left_ns {
            return self;
        }
        let fitted = left_ns / short_ns;
        Self {
            enter_ns: self.enter_ns * fitted,
            wait_ns: self.wait_ns * fitted,
            wait_floor_ns: self.wait_floor_ns * fitted,
            release_ns: self.release_ns * fitted,
            fitted,
            ..self
        }
    }

    fn with_rest(self, thread_ns: f64) -> Self {
        Self {
            unaccounted_ns: thread_ns - self.instrument_ns - self.parts_ns(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK_NS: u64 = 20;

    /// An operation whose parts take so long, a reading of the clock beside each.
    fn record(wait: u64, hold: u64, release: u64, think: u64) -> Record {
        Record {
            wait: wait + CLOCK_NS,
            hold: hold + CLOCK_NS,
            release: release + CLOCK_NS,
            think: think + CLOCK_NS,
            of_one_length: true,
        }
    }

    fn known(operations: u64, thread_ns: f64) -> Known {
        Known {
            operations,
            thread_ns,
            without_core_ns: Some(0.0),
            instrument_ns: 0.0,
            clock_ns: CLOCK_NS as f64,
            works: [true; 2],
            entry: None,
        }
    }

    #[test]
    fn each_part_is_what_was_timed_for_all_operations() {
        let records = [record(100, 1_000, 40, 500); 10];
        let found = Breakdown::of(&records, known(1_000, 1_700_000.0));
        let expected = Breakdown {
            wait_ns: 100_000.0,
            hold_ns: 1_000_000.0,
            release_ns: 40_000.0,
            think_ns: 500_000.0,
            without_core_ns: Some(0.0),
            instrument_ns: 10.0 * 5.0 * 20.0,
            unaccounted_ns: 59_000.0,
            fitted: 1.0,
            ..Breakdown::default()
        };
        assert_eq!(found, expected);
        assert_eq!(found.parts_ns(), 1_640_000.0);
    }

    #[test]
    fn what_nobody_waits_for_is_no_wait() {
        let records = [record(35, 1_000, 10, 0); 10];
        let entry = Entry {
            ns: 50.0,
            spread_ns: 2.0,
        };
        let with_entry = Known {
            entry: Some(entry),
            ..known(100, 200_000.0)
        };
        let found = Breakdown::of(&records, with_entry);
        assert_eq!((found.enter_ns, found.wait_ns), (3_000.0, 500.0));
        assert_eq!(found.wait_floor_ns, 200.0);
        let longer = Known {
            entry: Some(Entry { ns: 90.0, ..entry }),
            ..with_entry
        };
        let found = Breakdown::of(&records, longer);
        assert_eq!((found.enter_ns, found.wait_ns), (3_500.0, 0.0));
    }

    #[test]
    fn an_interrupted_hold_is_time_without_a_core_and_no_wait() {
        let mut records = vec![record(0, 1_000, 0, 0); 99];
        records.push(record(0, 101_000, 0, 0));
        let found = Breakdown::of(&records, known(100, 200_000.0));
        assert!((found.hold_ns - 100_000.0).abs() < 1e-6, "{found:?}");
        assert!(
            (found.without_core_ns.unwrap() - 100_000.0).abs() < 1e-6,
            "{found:?}"
        );
        assert_eq!(found.wait_ns, 0.0);
    }

    #[test]
    fn work_that_is_none_takes_no_time() {
        let records = [record(5, 1, 5, 1); 10];
        let none = Known {
            works: [false; 2],
            ..known(100, 5_000.0)
        };
        let found = Breakdown::of(&records, none);
        assert_eq!((found.hold_ns, found.think_ns), (0.0, 0.0));
        assert_eq!(found.without_core_ns, Some(0.0));
    }

    #[test]
    fn holds_of_more_than_one_length_and_releases_keep_their_long_ones() {
        let mut records = vec![record(0, 1_000, 0, 0); 60];
        records.extend([record(0, 1_600, 0, 0); 40]);
        let found = Breakdown::of(&records, known(100, 300_000.0));
        assert_eq!(
            (found.hold_ns, found.without_core_ns),
            (124_000.0, Some(0.0))
        );
        let mut records = vec![record(0, 1_000, 0, 0); 99];
        records.push(record(0, 11_000, 0, 0));
        records.iter_mut().for_each(|it| it.of_one_length = false);
        let found = Breakdown::of(&records, known(100, 300_000.0));
        assert!((found.hold_ns - 110_000.0).abs() < 1e-6, "{found:?}");
        let mut records = vec![record(0, 0, 10, 0); 99];
        records.push(record(0, 0, 5_000, 0));
        let found = Breakdown::of(&records, known(100, 300_000.0));
        assert!((found.release_ns - 5_990.0).abs() < 1e-6, "{found:?}");
        assert_eq!(found.without_core_ns, Some(0.0));
    }

    #[test]
    fn waits_leave_room_for_the_time_without_a_core() {
        let records = [record(1_000, 1_000, 0, 0); 10];
        let of = |thread_ns, without_core_ns| {
            let known = Known {
                without_core_ns,
                ..known(100, thread_ns)
            };
            Breakdown::of(&records, known)
        };
        // 100,000 ns of holds, as many of waits, and the instrument's 1,000.
        let found = of(230_000.0, Some(70_000.0));
        assert_eq!(
            (found.wait_ns, found.without_core_ns),
            (59_000.0, Some(70_000.0))
        );
        assert_eq!(found.unaccounted_ns, 0.0);
        let found = of(300_000.0, Some(70_000.0));
        assert_eq!((found.wait_ns, found.unaccounted_ns), (100_000.0, 29_000.0));
        // Waits that were timed longer than there was time are no time without a core.
        let found = of(180_000.0, Some(5_000.0));
        assert_eq!(
            (found.wait_ns, found.without_core_ns),
            (74_000.0, Some(5_000.0))
        );
        assert!((found.fitted - 74.0 / 95.0).abs() < 1e-9, "{found:?}");
        let found = of(150_000.0, Some(170_000.0));
        assert_eq!(found.wait_ns, 0.0);
        let found = of(280_000.0, None);
        assert_eq!((found.wait_ns, found.without_core_ns), (100_000.0, None));
    }

    #[test]
    fn waits_hide_no_more_than_what_no_hold_showed() {
        let mut records = vec![record(1_000, 1_000, 0, 0); 99];
        records.push(record(1_000, 101_000, 0, 0));
        let known = Known {
            without_core_ns: Some(150_000.0),
            ..known(100, 300_000.0)
        };
        // Holds of 100,000 ns and the instrument's 10,000 leave 40,000 for waits of 100,000. Of the
        // time without a core 100,000 fell on a hold, so waits hide 50,000 of it.
        let found = Breakdown::of(&records, known);
        assert!((found.fitted - 0.8).abs() < 1e-9, "{found:?}");
        assert!((found.wait_ns - 40_000.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn timed_operations_that_took_longer_share_what_is_left() {
        // Eight and eight nanoseconds of an operation that takes four in all.
        let records = [record(8, 0, 8, 0); 10];
        let found = Breakdown::of(&records, known(1_000, 5_000.0));
        assert_eq!((found.wait_ns, found.release_ns), (2_000.0, 2_000.0));
        assert_eq!((found.unaccounted_ns, found.fitted), (0.0, 0.25));
        let records = [record(90, 0, 10, 0); 10];
        let found = Breakdown::of(&records, known(1_000, 51_000.0));
        assert_eq!((found.wait_ns, found.release_ns), (45_000.0, 5_000.0));
        assert_eq!((found.unaccounted_ns, found.fitted), (0.0, 0.5));
    }
}

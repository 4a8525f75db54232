//! One sample of a design: what its threads did, on which cores, and for how long.

use crate::time::breakdown::{Breakdown, Entry, Known};
use crate::time::work::{Record, SamplePlan, Work};
use hdrhistogram::Histogram;
use std::time::Instant;

/// What one sample measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Operations done by each thread; the design's total grew by their sum.
    pub operations: Vec<u64>,
    /// Nanoseconds from the first thread's start to the end of a thread, the mean over the threads:
    /// when the first has ended, the others no longer compete with it.
    pub wall_ns: f64,
    /// Of those, the nanoseconds that passed after a thread's last operation had returned, until
    /// what operations had left under way was worked off.
    pub worked_off_ns: f64,
    /// The core on which each thread began, and that on which it ended, where the system tells.
    pub cores: Vec<[usize; 2]>,
    /// Where the threads' time went; all zero unless
    /// [`Setting::breakdown`](super::setting::Setting::breakdown) is set.
    pub breakdown: Breakdown,
    /// The nanoseconds that the operations waited which were timed, from the wish to enter to the
    /// entry, less one reading of the clock, to two digits; taken where
    /// [`Setting::breakdown`](super::setting::Setting::breakdown) is set.
    pub waits: Option<Histogram<u64>>,
    /// Whether operations left their section to other threads.
    pub delegated: bool,
}

/// What the operations of a sample that were timed waited on average, a reading of the clock
/// included, in nanoseconds.
pub(crate) fn mean_wait_ns(works: &[Work]) -> Option<f64> {
    let records = || works.iter().flat_map(|work| &work.records);
    let sum: u64 = records().map(|record| record.wait).sum();
    let count = records().count();
    (count > 0).then(|| sum as f64 / count as f64)
}

/// How a sample's threads were placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Samples in which two threads began, or ended, on one core.
    pub shared: usize,
    /// Samples in which a thread ended on another core than it began on.
    pub moved: usize,
    /// Samples of which the system told.
    pub of: usize,
}

impl Placement {
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let told = || samples.iter().filter(|sample| !sample.cores.is_empty());
        let moved = |sample: &&Sample| sample.cores.iter().any(|[began, ended]| began != ended);
        Self {
            shared: told().filter(|sample| sample.shared_a_core()).count(),
            moved: told().filter(moved).count(),
            of: told().count(),
        }
    }
}

impl Sample {
    fn shared_a_core(&self) -> bool {
        [0, 1].into_iter().any(|moment| {
            let mut cores: Vec<usize> = self.cores.iter().map(|cores| cores[moment]).collect();
            cores.sort_unstable();
            cores.windows(2).any(|two| two[0] == two[1])
        })
    }

    /// What the threads did; an error in words if one of them did not repeat its work, or did
    /// twice.
    ///
    /// `oversubscribed` is whether there are fewer cores than threads.
    pub(crate) fn of(
        plan: &SamplePlan,
        works: Vec<Work>,
        oversubscribed: bool,
        clock_ns: f64,
        entry: Option<Entry>,
    ) -> Result<Self, String> {
        let times = Times::of(plan, &works)?;
        let operations: Vec<u64> = works.iter().map(|work| work.operations).collect();
        let cores = works.iter().filter_map(cores_of).collect();
        let delegated = works.iter().any(|work| work.delegated);
        let records: Vec<Record> = works.into_iter().flat_map(|work| work.records).collect();
        let threads = operations.len() as f64;
        let mut sample = Self {
            operations,
            wall_ns: times.thread_ns / threads,
            worked_off_ns: times.worked_off_ns / threads,
            cores,
            breakdown: Breakdown::default(),
            waits: None,
            delegated,
        };
        if plan.sampling_period.is_some() {
            let known = times.known(
                plan,
                sample.operations.iter().sum(),
                oversubscribed,
                clock_ns,
                entry,
            );
            sample.breakdown = Breakdown::of(&records, known);
            sample.waits = Some(waits(&records, clock_ns));
        }
        Ok(sample)
    }
}

fn cores_of(work: &Work) -> Option<[usize; 2]> {
    Some([work.began?.core?, work.ended?.core?])
}

fn waits(records: &[Record], clock_ns: f64) -> Histogram<u64> {
    // From 1 ns to a minute.
    let bounds = Histogram::new_with_bounds(1, 60_000_000_000, 2);
    let mut histogram = bounds.expect("bounds that are valid");
    let reading_ns = clock_ns.round() as u64;
    for record in records {
        histogram.saturating_record(record.wait.saturating_sub(reading_ns));
    }
    histogram
}

/// Sums over the threads of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    /// From the first thread's start to the end of each.
    thread_ns: f64,
    worked_off_ns: f64,
    /// From the first thread's start to that of each.
    late_ns: f64,
    without_core_ns: Option<f64>,
}

impl Times {
    fn of(plan: &SamplePlan, works: &[Work]) -> Result<Self, String> {
        let mut sums = Self {
            thread_ns: 0.0,
            worked_off_ns: 0.0,
            late_ns: 0.0,
            without_core_ns: Some(0.0),
        };
        for work in works {
            if work.repeated > 1 {
                return Err(format!(
                    "repeated its work {} times in one thread",
                    work.repeated
                ));
            }
            let moments = work
                .began
                .zip(work.returned)
                .zip(work.ended)
                .zip(plan.first.get());
            let Some((((began, returned), ended), first)) = moments else {
                return Err("did not repeat its work".into());
            };
            let ns = |from: Instant, to: Instant| to.saturating_duration_since(from).as_nanos();
            sums.thread_ns += ns(*first, ended.at) as f64;
            sums.worked_off_ns += ns(returned.at, ended.at) as f64;
            sums.late_ns += ns(*first, began.at) as f64;
            let grown = began.without_core_ns.zip(ended.without_core_ns);
            let own = grown.map(|(before, after)| after.saturating_sub(before) as f64);
            sums.without_core_ns = sums.without_core_ns.zip(own).map(|(all, own)| all + own);
        }
        Ok(sums)
    }

    fn known(
        self,
        plan: &SamplePlan,
        operations: u64,
        oversubscribed: bool,
        clock_ns: f64,
        entry: Option<Entry>,
    ) -> Known {
        // A thread that began late had no core, or was still on its way from the gate.
        let no_core = oversubscribed && self.without_core_ns.is_some();
        let (late_without_core_ns, late_at_gate_ns) = if no_core {
            (self.late_ns, 0.0)
        } else {
            (0.0, self.late_ns)
        };
        Known {
            operations,
            thread_ns: self.thread_ns,
            without_core_ns: self.without_core_ns.map(|ns| ns + late_without_core_ns),
            instrument_ns: late_at_gate_ns,
            clock_ns,
            works: [plan.section.is_work(), plan.think.is_work()],
            entry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::busy_work::BusyWork;
    use crate::time::work::{Moment, Section};
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    fn plan(start: Instant) -> Arc<SamplePlan> {
        Arc::new(SamplePlan {
            duration: Duration::from_millis(1),
            batch: 1,
            most_operations: u64::MAX,
            sampling_period: Some(1),
            section: Section::new(BusyWork::NONE),
            think: BusyWork::NONE,
            first: OnceLock::from(start),
        })
    }

    /// A thread that began, returned and ended so many nanoseconds after the first.
    fn thread(
        plan: &Arc<SamplePlan>,
        start: Instant,
        moments: [u64; 3],
        cores: [usize; 2],
    ) -> Work {
        let moment = |ns, core, without_core_ns| {
            let at = start + Duration::from_nanos(ns);
            Some(Moment {
                at,
                core: Some(core),
                without_core_ns: Some(without_core_ns),
            })
        };
        let mut work = Work::new(plan);
        work.began = moment(moments[0], cores[0], 1_000);
        work.returned = moment(moments[1], cores[1], 1_000);
        work.ended = moment(moments[2], cores[1], 1_300);
        work.operations = 10;
        work.repeated = 1;
        work.records = vec![Record {
            wait: 120,
            hold: 60,
            release: 30,
            think: 20,
            of_one_length: true,
        }];
        work
    }

    #[test]
    fn a_sample_lasts_from_the_first_start_to_the_mean_end() {
        let start = Instant::now();
        let plan = plan(start);
        let works = vec![
            thread(&plan, start, [0, 1_000, 4_000], [0, 0]),
            thread(&plan, start, [100, 2_000, 3_000], [1, 1]),
        ];
        assert_eq!(mean_wait_ns(&works), Some(120.0));
        let times = Times::of(&plan, &works).unwrap();
        let expected = Times {
            thread_ns: 7_000.0,
            worked_off_ns: 4_000.0,
            late_ns: 100.0,
            without_core_ns: Some(600.0),
        };
        assert_eq!(times, expected);
        let crowd = times.known(&plan, 20, true, 20.0, None);
        assert_eq!(
            (crowd.without_core_ns, crowd.instrument_ns),
            (Some(700.0), 0.0)
        );
        let alone = times.known(&plan, 20, false, 20.0, None);
        assert_eq!(
            (alone.without_core_ns, alone.instrument_ns),
            (Some(600.0), 100.0)
        );

        let sample = Sample::of(&plan, works, false, 20.0, None).unwrap();
        assert_eq!((sample.wall_ns, sample.worked_off_ns), (3_500.0, 2_000.0));
        assert_eq!(sample.operations, [10, 10]);
        let waits = sample.waits.unwrap();
        assert_eq!((waits.len(), waits.min(), waits.max()), (2, 100, 100));
    }

    #[test]
    fn work_is_repeated_once_or_the_sample_is_refused() {
        let start = Instant::now();
        let plan = plan(start);
        let refused = |repeated| {
            let mut work = thread(&plan, start, [0, 1, 2], [0, 0]);
            work.repeated = repeated;
            work.began = work.began.filter(|_| repeated > 0);
            Times::of(&plan, &[work]).unwrap_err()
        };
        assert_eq!(refused(0), "did not repeat its work");
        assert_eq!(refused(3), "repeated its work 3 times in one thread");
    }

    #[test]
    fn a_second_call_of_repeat_does_nothing() {
        let start = Instant::now();
        let plan = plan(start);
        let mut work = Work::new(&plan);
        work.repeat(|section| section.work());
        let operations = work.operations;
        assert!(operations > 0);
        work.repeat(|_| panic!("a second time"));
        assert_eq!((work.operations, work.repeated), (operations, 2));
    }

    #[test]
    fn placement_tells_what_threads_shared_and_which_moved() {
        let sample = |cores: &[[usize; 2]]| {
            let start = Instant::now();
            let plan = plan(start);
            let works = cores
                .iter()
                .map(|&cores| thread(&plan, start, [0, 1, 2], cores));
            Sample::of(&plan, works.collect(), false, 20.0, None).unwrap()
        };
        let mut samples = vec![
            sample(&[[0, 0], [1, 1]]),
            sample(&[[0, 1], [1, 0]]),
            sample(&[[0, 0], [0, 1]]),
            sample(&[[0, 1], [1, 1]]),
        ];
        let expected = Placement {
            shared: 2,
            moved: 3,
            of: 4,
        };
        assert_eq!(Placement::of(&samples), expected);
        samples.iter_mut().for_each(|sample| sample.cores.clear());
        assert_eq!(Placement::of(&samples).of, 0);
    }
}

//! One thread's share of a sample: operations again and again, some of them timed.

use crate::machine::cores;
use crate::time::busy_work::BusyWork;
use crate::time::calibration::Calibration;
use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The work inside a critical section; a design calls [`Section::work`] once an operation, while it
/// holds its lock.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    work: BusyWork,
    timed: bool,
}

impl Section {
    pub(crate) fn new(work: BusyWork) -> Self {
        Self { work, timed: false }
    }

    pub(crate) fn is_work(&self) -> bool {
        self.work.is_work()
    }

    /// Keeps the critical section busy and, where this operation is timed, says from when to when
    /// it was held.
    #[inline]
    pub fn work(self) -> SectionTimes {
        self.times(true, || self.work.run())
    }

    /// The same, after one change in each cache line of the state that the lock guards: what real
    /// work does, so that these lines travel from core to core with the lock.
    ///
    /// ```
    /// use helpers::{Design, Family, Setting, parking_lot::Mutex};
    /// let table = Design::new("table", Family::Lock, || Mutex::new((0, [0_u64; 512])),
    ///     |state, work| work.repeat(|section| {
    ///         let (total, table) = &mut *state.lock();
    ///         *total += 1;
    ///         section.work_on(table)
    ///     }),
    ///     |state| state.lock().0);
    /// let setting = Setting { sample_ms: 1, ..Default::default() };
    /// assert!(helpers::time_designs(&[table], &setting)?.timing("table", 1)?.cost()?.value > 0.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    #[inline]
    pub fn work_on(self, state: &mut [u64]) -> SectionTimes {
        const LINE: usize = 64 / size_of::<u64>();
        self.times(false, || {
            let change = |word: &mut u64| *word = black_box(word.wrapping_add(1));
            state.iter_mut().step_by(LINE).for_each(change);
            // The last line begins before the last step, where the first one is not whole.
            state.last_mut().into_iter().for_each(change);
            self.work.run();
        })
    }

    /// Does work of the caller's own in the section's place.
    ///
    /// ```
    /// use helpers::{Design, Family, Setting, parking_lot::Mutex};
    /// let sorting = Design::new("sorting", Family::Lock, || Mutex::new((0, vec![3, 1, 2])),
    ///     |state, work| work.repeat(|section| {
    ///         let (total, list) = &mut *state.lock();
    ///         *total += 1;
    ///         section.work_of(|| list.sort())
    ///     }),
    ///     |state| state.lock().0);
    /// let setting = Setting { sample_ms: 1, ..Default::default() };
    /// let run = helpers::time_designs(&[sorting], &setting)?;
    /// assert!(run.timing("sorting", 1)?.cost()?.value > 0.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    #[inline]
    pub fn work_of(self, work: impl FnOnce()) -> SectionTimes {
        self.times(false, work)
    }

    #[inline]
    fn times(self, of_one_length: bool, work: impl FnOnce()) -> SectionTimes {
        let entered = self.timed.then(Instant::now);
        work();
        let between = entered.map(|entered| (entered, Instant::now()));
        SectionTimes {
            between,
            of_one_length,
            delegated: false,
        }
    }

    /// For an operation that leaves the section to another thread and does not wait for it.
    pub fn delegated(self) -> SectionTimes {
        SectionTimes {
            between: None,
            of_one_length: true,
            delegated: true,
        }
    }
}

/// When a critical section was entered and left: the receipt that [`Section::work`] gives and an
/// operation returns.
#[derive(Debug, Clone, Copy)]
pub struct SectionTimes {
    between: Option<(Instant, Instant)>,
    of_one_length: bool,
    delegated: bool,
}

/// One operation that was timed, in nanoseconds, each with one reading of the clock in it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) wait: u64,
    pub(crate) hold: u64,
    pub(crate) release: u64,
    pub(crate) think: u64,
    /// Whether the hold is work of one length, which takes longer only where it is interrupted.
    pub(crate) of_one_length: bool,
}

/// Readings of the clock for a [`Record`].
pub(crate) const READINGS: f64 = 5.0;

/// Looks at the clock in a sample.
pub(crate) const BATCHES: f64 = 50.0;

/// What all threads of a sample do.
pub(crate) struct SamplePlan {
    pub(crate) duration: Duration,
    /// Operations between two looks at the clock.
    pub(crate) batch: u64,
    /// A thread stops after so many operations though its time is not up: what it has left under
    /// way takes the rest of it.
    pub(crate) most_operations: u64,
    /// One operation of so many is timed, if any.
    pub(crate) sampling_period: Option<u64>,
    pub(crate) section: Section,
    pub(crate) think: BusyWork,
    /// When the first thread began.
    pub(crate) first: OnceLock<Instant>,
}

impl SamplePlan {
    /// Of how many operations, which take so long, one may be timed.
    pub(crate) fn sampling_period(operation_ns: f64, calibration: &Calibration) -> u64 {
        // The clock may take this share of the time. More would change what is timed: with a
        // hundredth, an operation of 4.6 ns took 5 % longer.
        const TIMED: f64 = 0.003;
        let period = READINGS * calibration.clock_ns / operation_ns / TIMED;
        period.ceil().clamp(1.0, 1e9) as u64
    }
}

/// One thread's share of a sample: the operations that it repeats until the time is up.
pub struct Work {
    plan: Arc<SamplePlan>,
    pub(crate) operations: u64,
    pub(crate) records: Vec<Record>,
    pub(crate) began: Option<Moment>,
    /// When the last operation had returned.
    pub(crate) returned: Option<Moment>,
    /// When what operations had left under way was done, too.
    pub(crate) ended: Option<Moment>,
    pub(crate) repeated: usize,
    /// Whether operations leave their section to other threads.
    pub(crate) delegated: bool,
}

/// A moment in a thread's share of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) core: Option<usize>,
    /// Nanoseconds that the thread had been without a core until then, where they are looked up.
    pub(crate) without_core_ns: Option<u64>,
}

/// The loop of `repeat` and `repeat_async`, which differ in one `.await`. The clock is read once a
/// batch, so that it costs a short operation next to nothing.
macro_rules! repeat {
    ($work:ident, $operation:ident $(, $dot_await:tt)?) => {{
        $work.repeated += 1;
        if $work.repeated > 1 {
            return;
        }
        let plan = Arc::clone(&$work.plan);
        let section = plan.section;
        let think = plan.think;
        let batch = plan.batch.min(plan.most_operations);
        let mut operations = 0;
        let mut delegated = false;
        let mut records = $work.room_for_records();
        let mut gaps = Gaps::new(plan.sampling_period);
        let mut untimed = gaps.next();
        $work.began = Some($work.moment_before());
        let first = *plan.first.get_or_init(Instant::now);
        let end = first + plan.duration;
        loop {
            let mut left = batch;
            while left > 0 {
                let now = left.min(untimed);
                for _ in 0..now {
                    delegated = $operation(section)$(.$dot_await)?.delegated;
                    think.run();
                }
                left -= now;
                untimed -= now;
                if left == 0 {
                    break;
                }
                let timed = Section { timed: true, ..section };
                let wished = Instant::now();
                let times = $operation(timed)$(.$dot_await)?;
                delegated = times.delegated;
                let free = Instant::now();
                think.run();
                records.push(Record::new(wished, times, free, Instant::now()));
                left -= 1;
                untimed = gaps.next();
            }
            operations += batch;
            if Instant::now() >= end || operations >= plan.most_operations {
                break;
            }
        }
        $work.operations = operations;
        $work.delegated = delegated;
        $work.records = records;
        $work.returned = Some($work.moment_after());
        $work.ended = $work.returned;
    }};
}

impl Work {
    pub(crate) fn new(plan: &Arc<SamplePlan>) -> Self {
        Self {
            plan: Arc::clone(plan),
            operations: 0,
            records: Vec::new(),
            began: None,
            returned: None,
            ended: None,
            repeated: 0,
            delegated: false,
        }
    }

    /// Repeats `operation` until the time is up; it adds one and calls [`Section::work`] where it
    /// holds the lock.
    ///
    /// A thread calls this once in a sample; a second call does nothing but spoil the sample.
    #[inline]
    pub fn repeat(&mut self, mut operation: impl FnMut(Section) -> SectionTimes) {
        repeat!(self, operation);
    }

    /// The same for an operation that waits with `.await`.
    #[inline]
    pub async fn repeat_async(&mut self, mut operation: impl AsyncFnMut(Section) -> SectionTimes) {
        repeat!(self, operation, await);
    }

    /// Waits for what the operations left under way, such as messages: it belongs to the time of
    /// the sample, which says how much of it passed here.
    pub fn finish(&mut self, wait: impl FnOnce()) {
        wait();
        self.ended = Some(self.moment_after());
    }

    /// In memory that is there already: fresh memory is slow, the first time.
    fn room_for_records(&self) -> Vec<Record> {
        const MOST: u64 = 1 << 16;
        let expected = |period| (2.0 * BATCHES) as u64 * self.plan.batch / period + 100;
        let records = self.plan.sampling_period.map_or(0, expected).min(MOST);
        let mut room = vec![Record::default(); records as usize];
        room.clear();
        room
    }

    /// What the system tells takes some microseconds, which are no part of the time: the clock is
    /// read last where it begins, and first where it ends.
    fn moment_before(&self) -> Moment {
        let core = cores::current_core();
        let without_core_ns = self.without_core_ns();
        let at = Instant::now();
        Moment {
            at,
            core,
            without_core_ns,
        }
    }

    fn moment_after(&self) -> Moment {
        let at = Instant::now();
        let core = cores::current_core();
        let without_core_ns = self.without_core_ns();
        Moment {
            at,
            core,
            without_core_ns,
        }
    }

    fn without_core_ns(&self) -> Option<u64> {
        self.plan.sampling_period?;
        cores::without_core_ns()
    }
}

/// Operations between two that are timed: at random, or a rhythm of the threads would be taken for
/// the whole.
struct Gaps {
    period: Option<u64>,
    random: fastrand::Rng,
}

impl Gaps {
    fn new(period: Option<u64>) -> Self {
        let random = fastrand::Rng::new();
        Self { period, random }
    }

    fn next(&mut self) -> u64 {
        match self.period {
            Some(period) => self.random.u64(0..2 * period - 1),
            None => u64::MAX,
        }
    }
}

impl Record {
    #[inline]
    fn new(wished: Instant, times: SectionTimes, free: Instant, next: Instant) -> Self {
        let (entered, left) = times.between.unwrap_or((free, free));
        let ns = |from: Instant, to: Instant| to.duration_since(from).as_nanos() as u64;
        Self {
            wait: ns(wished, entered),
            hold: ns(entered, left),
            release: ns(left, free),
            think: ns(free, next),
            of_one_length: times.of_one_length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_of_the_period_on_average_and_differ() {
        let mut gaps = Gaps::new(Some(10));
        let drawn: Vec<u64> = (0..10_000).map(|_| gaps.next()).collect();
        // An operation that is timed follows each gap.
        let mean = drawn.iter().sum::<u64>() as f64 / drawn.len() as f64 + 1.0;
        assert!((9.7..10.3).contains(&mean), "{mean}");
        assert_eq!(drawn.iter().max(), Some(&18));
        assert_eq!(drawn.iter().min(), Some(&0));
        assert_eq!(Gaps::new(Some(1)).next(), 0);
        assert_eq!(Gaps::new(None).next(), u64::MAX);
    }

    #[test]
    fn the_clock_takes_three_thousandths_of_the_time() {
        let calibration = Calibration {
            clock_ns: 20.0,
            turn_ns: 1.0,
            call_ns: 1.0,
        };
        let period = |operation_ns| SamplePlan::sampling_period(operation_ns, &calibration);
        assert_eq!(period(1_000.0), 34);
        assert_eq!(period(100_000.0), 1);
    }

    #[test]
    fn a_record_splits_an_operation_at_its_readings() {
        let start = Instant::now();
        let after = |ns| start + Duration::from_nanos(ns);
        let times = SectionTimes {
            between: Some((after(5), after(12))),
            of_one_length: true,
            delegated: false,
        };
        let record = Record::new(start, times, after(14), after(30));
        let expected = Record {
            wait: 5,
            hold: 7,
            release: 2,
            think: 16,
            of_one_length: true,
        };
        assert_eq!(record, expected);
        let delegated = Section::new(BusyWork::NONE).delegated();
        let record = Record::new(start, delegated, after(14), after(30));
        let expected = Record {
            wait: 14,
            hold: 0,
            release: 0,
            ..expected
        };
        assert_eq!(record, expected);
    }
}

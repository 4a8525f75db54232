//! One design at one number of threads, and how its samples are taken.

use crate::error::{Error, Result};
use crate::machine::cores;
use crate::stats::order::{middle, sorted};
use crate::time::breakdown::Entry;
use crate::time::busy_work::BusyWork;
use crate::time::calibration::Calibration;
use crate::time::design::{Design, Shared};
use crate::time::sample::{Sample, mean_wait_ns};
use crate::time::setting::Setting;
use crate::time::threads::on_prepared_threads;
use crate::time::work::{BATCHES, SamplePlan, Section, Work};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How many places in memory the states of samples are spread over.
const PLACES: usize = 32;
/// A design that lets more of a sample pass after its last operation than this gets fewer
/// operations.
const DELEGATES: f64 = 0.1;
/// A queue may hold so many operations: more would fill memory.
const LONGEST_QUEUE: f64 = 1e6;
/// So many samples tell what entering takes, alone and apart.
const ENTRY_SAMPLES: usize = 5;
/// So many milliseconds each lasts, at most.
const ENTRY_MS: u64 = 5;

/// What all samples of a round have in common.
pub(crate) struct Round<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) calibration: Calibration,
    pub(crate) hold: BusyWork,
    pub(crate) think: BusyWork,
}

impl<'a> Round<'a> {
    pub(crate) fn first(setting: &'a Setting) -> Self {
        let calibration = Calibration::measure();
        Self {
            setting,
            calibration,
            hold: calibration.busy_work(setting.hold_ns),
            think: calibration.busy_work(setting.think_ns),
        }
    }

    /// The next one: everything is looked at again.
    pub(crate) fn calibrate(&mut self) {
        self.calibration = Calibration::measure();
        self.hold = self.hold.found_again(self.calibration.pace());
        self.think = self.think.found_again(self.calibration.pace());
    }
}

pub(crate) struct Condition<'a> {
    pub(crate) design: &'a Design,
    pub(crate) threads: usize,
    /// Whether there are fewer cores than threads.
    oversubscribed: bool,
    pub(crate) batch: u64,
    /// The most operations of a thread in a sample.
    most_operations: u64,
    sampling_period: u64,
    /// Whether operations are timed, as they are not until it is known how many may be.
    timed: bool,
    entry: Option<Entry>,
    pub(crate) samples: Vec<Sample>,
    /// What a sample of one thread takes besides its own time.
    set_up: Duration,
    /// What an operation takes one thread, until all is done.
    operation_ns: f64,
}

impl<'a> Condition<'a> {
    /// Finds out, by one thread alone, how the samples of a design are to be taken.
    pub(crate) fn of_design(design: &'a Design, round: &Round) -> Result<Self> {
        let mut one = Self {
            design,
            threads: 1,
            oversubscribed: false,
            batch: 1,
            most_operations: u64::MAX,
            sampling_period: 1,
            timed: false,
            entry: None,
            samples: Vec::new(),
            set_up: Duration::ZERO,
            operation_ns: 0.0,
        };
        let wanted_ns = round.setting.duration().as_nanos() as f64 / BATCHES;
        loop {
            let fastest = one.fastest_batch(round)?;
            one.operation_ns = fastest.wall_ns / one.batch as f64;
            if fastest.wall_ns > wanted_ns || one.batch == 1 << 20 {
                one.batch = round_batch(wanted_ns / one.operation_ns);
                if fastest.delegated {
                    let whole_ns = wanted_ns * BATCHES;
                    one.most_operations = operations_in(whole_ns, one.operation_ns);
                }
                return Ok(one);
            }
            one.batch *= 2;
        }
    }

    /// The fastest of three samples of one batch: with several threads, how far apart they start
    /// would count.
    fn fastest_batch(&mut self, round: &Round) -> Result<Sample> {
        let mut fastest: Option<Sample> = None;
        self.set_up = Duration::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            let sample = self.sample_for(Duration::ZERO, round, 0)?;
            let own = Duration::from_nanos(sample.wall_ns as u64);
            self.set_up = self.set_up.min(began.elapsed().saturating_sub(own));
            if fastest
                .as_ref()
                .is_none_or(|fastest| sample.wall_ns < fastest.wall_ns)
            {
                fastest = Some(sample);
            }
        }
        Ok(fastest.expect("one of three"))
    }

    /// The same design with so many threads, of which each has its part of what may be left under
    /// way.
    pub(crate) fn with_threads(&self, threads: usize, cores: usize) -> Self {
        Self {
            threads,
            oversubscribed: threads > cores,
            most_operations: match self.most_operations {
                u64::MAX => u64::MAX,
                all => (all / threads as u64).max(1),
            },
            samples: Vec::new(),
            ..*self
        }
    }

    /// What all samples take and, where there is to be a breakdown, what entering is found by; the
    /// start of their threads included, of which one takes so long.
    pub(crate) fn expected_ns(&self, setting: &Setting, thread_ns: f64) -> f64 {
        let threads = self.threads as f64;
        let set_up_ns = self.set_up.as_nanos() as f64 + (threads - 1.0) * thread_ns;
        let sample_ns = set_up_ns + setting.sample_ns(self.threads, self.operation_ns);
        let samples_ns = (setting.samples + 1) as f64 * sample_ns;
        if !setting.breakdown {
            return samples_ns;
        }
        let short = Setting {
            sample_ms: setting.sample_ms.min(ENTRY_MS),
            ..setting.clone()
        };
        let alone_ns = self.set_up.as_nanos() as f64 + short.sample_ns(1, self.operation_ns);
        let apart_ns = threads * self.set_up.as_nanos() as f64
            + short.sample_ns(1, self.operation_ns * threads.min(2.0));
        samples_ns + ENTRY_SAMPLES as f64 * (alone_ns + apart_ns)
    }

    /// Takes a sample that does not count, and has those that follow look at the clock as often as
    /// they should.
    pub(crate) fn warm_up(&mut self, round: &Round) -> Result<()> {
        let sample = self.sample(round, 0)?;
        let threads = self.threads as f64;
        let each = sample.operations.iter().sum::<u64>() as f64 / threads;
        self.batch = self.batch.min(round_batch(each / BATCHES));
        let operation_ns = (sample.wall_ns - sample.worked_off_ns) / each;
        self.sampling_period = SamplePlan::sampling_period(operation_ns, &round.calibration);
        self.timed = round.setting.breakdown;
        self.adapt(&sample, round);
        Ok(())
    }

    /// Takes a sample that counts.
    pub(crate) fn add_sample(&mut self, round: &Round, place: usize) -> Result<()> {
        let sample = self.sample(round, place)?;
        self.adapt(&sample, round);
        self.samples.push(sample);
        Ok(())
    }

    /// Has threads that leave work to others do as much in the next sample as is done within it;
    /// others may do more and more.
    fn adapt(&mut self, sample: &Sample, round: &Round) {
        const MORE: u64 = 4;
        let each = sample.operations.iter().sum::<u64>() as f64 / self.threads as f64;
        let whole_ns = round.setting.duration().as_nanos() as f64;
        self.most_operations = match sample.worked_off_ns > DELEGATES * sample.wall_ns {
            true => operations_in(whole_ns, sample.wall_ns / each),
            false => self.most_operations.saturating_mul(MORE),
        };
    }

    /// Finds what entering takes where nobody else wants in: one thread alone, and all with a state
    /// each, which share nothing but the machine.
    pub(crate) fn find_entry(&mut self, round: &Round) -> Result<()> {
        let alone = self.entries_apart(1, round)?;
        let apart = self.entries_apart(self.threads, round)?;
        self.entry = entry(alone, apart);
        Ok(())
    }

    /// The mean nanoseconds of an entry in each of some samples without contention.
    fn entries_apart(&self, threads: usize, round: &Round) -> Result<Vec<f64>> {
        let longest = Duration::from_millis(ENTRY_MS);
        let mut each_ns = Vec::new();
        for place in 0..ENTRY_SAMPLES {
            let plan = self.plan(round.setting.duration().min(longest), round);
            let states = (0..threads).map(|_| self.design.build_at(place));
            let states: Vec<Shared> = states.collect::<Result<_>>()?;
            let works = self.run(&states, threads, &plan, round.setting)?;
            each_ns.extend(mean_wait_ns(&works));
        }
        Ok(each_ns)
    }

    /// Takes a sample with a state of its own, at one of many places in memory.
    fn sample(&self, round: &Round, place: usize) -> Result<Sample> {
        self.sample_for(round.setting.duration(), round, place % PLACES)
    }

    fn sample_for(&self, duration: Duration, round: &Round, place: usize) -> Result<Sample> {
        let plan = self.plan(duration, round);
        let state = self.design.build_at(place)?;
        let works = self.run(&[state], self.threads, &plan, round.setting)?;
        let clock_ns = round.calibration.clock_ns;
        let sample = Sample::of(&plan, works, self.oversubscribed, clock_ns, self.entry);
        sample.map_err(|wrong| self.not_repeated(&wrong))
    }

    fn not_repeated(&self, wrong: &str) -> Error {
        let wrong = format!("`{}` {wrong}", self.design.label);
        Error::new(
            "time a sample",
            wrong,
            "one call of `Work::repeat` in each thread",
        )
    }

    fn plan(&self, duration: Duration, round: &Round) -> Arc<SamplePlan> {
        Arc::new(SamplePlan {
            duration,
            batch: self.batch,
            most_operations: self.most_operations,
            sampling_period: self.timed.then_some(self.sampling_period),
            section: Section::new(round.hold),
            think: round.think,
            first: OnceLock::new(),
        })
    }

    fn total_of(&self, states: &[Shared]) -> Result<u64> {
        let total = || {
            states
                .iter()
                .fold(0_u64, |sum, state| sum.wrapping_add((state.total)()))
        };
        std::panic::catch_unwind(AssertUnwindSafe(total)).map_err(|_| {
            let wrong = format!("the total of `{}` panicked", self.design.label);
            Error::new(
                "trust a sample",
                wrong,
                "one that can be read after each sample",
            )
        })
    }

    /// Runs threads on `states` in turns, and has the totals prove that they did what they say.
    fn run(
        &self,
        states: &[Shared],
        threads: usize,
        plan: &Arc<SamplePlan>,
        setting: &Setting,
    ) -> Result<Vec<Work>> {
        let before = self.total_of(states)?;
        let runs: Vec<_> = states.iter().map(|state| &state.run).collect();
        let pin = |thread: usize| {
            let pinned_to = &setting.pinned_to;
            if !pinned_to.is_empty() {
                cores::pin_to(pinned_to[thread % pinned_to.len()]);
            }
        };
        let works = on_prepared_threads(threads, pin, |thread| {
            let mut work = Work::new(plan);
            runs[thread % runs.len()](&mut work);
            work
        })?;
        let done: u64 = works.iter().map(|work| work.operations).sum();
        let added = self.total_of(states)?.wrapping_sub(before);
        if done > 0 && added != done {
            let wrong = format!("the total of `{}` grew by {added}", self.design.label);
            let allowed = format!("{done}, one an operation");
            return Err(Error::new("trust a sample", wrong, allowed));
        }
        Ok(works)
    }
}

/// The operations that take so long, at least one; no more than a queue may hold.
fn operations_in(whole_ns: f64, operation_ns: f64) -> u64 {
    (whole_ns / operation_ns).clamp(1.0, LONGEST_QUEUE) as u64
}

/// The nearest power of two: a batch that is a little shorter would tell a design from itself,
/// since the last one of a sample goes beyond its end.
fn round_batch(operations: f64) -> u64 {
    1 << operations.log2().round().max(0.0) as u32
}

/// What entering takes where nobody else wants in: the quicker one of alone and apart. Both tell
/// how finely, the longest time left out, which may have been interrupted.
fn entry(alone_ns: Vec<f64>, apart_ns: Vec<f64>) -> Option<Entry> {
    if alone_ns.is_empty() || apart_ns.is_empty() {
        return None;
    }
    let both_ns = sorted(&[&alone_ns[..], &apart_ns[..]].concat());
    let quicker_ns = f64::min(middle(&sorted(&alone_ns)), middle(&sorted(&apart_ns)));
    Some(Entry {
        ns: quicker_ns,
        spread_ns: both_ns[both_ns.len() - 2] - both_ns[0],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::design::Family;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    fn counter() -> Design {
        Design::new(
            "counter",
            Family::Atomic,
            AtomicU64::default,
            |value: &AtomicU64, work| {
                work.repeat(|section| {
                    value.fetch_add(1, Relaxed);
                    section.work()
                });
            },
            |value| value.load(Relaxed),
        )
    }

    /// Counts when its work is finished, which takes so long for each operation.
    fn delegating(each: Duration) -> Design {
        Design::new(
            "delegating",
            Family::Channel,
            || Mutex::new(0),
            move |total: &Mutex<u64>, work| {
                let mut left = 0;
                work.repeat(|section| {
                    left += 1;
                    section.delegated()
                });
                work.finish(|| {
                    let until = Instant::now() + each * left;
                    while Instant::now() < until {}
                    *total.lock().unwrap() += u64::from(left);
                });
            },
            |total| *total.lock().unwrap(),
        )
    }

    fn setting(sample_ms: u64, hold_ns: u64) -> Setting {
        Setting {
            sample_ms,
            hold_ns,
            ..Setting::default()
        }
    }

    #[test]
    fn a_batch_is_the_nearest_power_of_two() {
        let rounded = [0.1, 1.0, 1.4, 1.5, 3.0, 5.0, 100.0].map(round_batch);
        assert_eq!(rounded, [1, 1, 1, 2, 4, 4, 128]);
        assert_eq!(operations_in(10.0, 3.0), 3);
        assert_eq!(operations_in(1.0, 3.0), 1);
        assert_eq!(operations_in(1e9, 2.0), 1_000_000);
    }

    #[test]
    fn a_batch_lasts_about_a_fiftieth_of_a_sample() {
        for (sample_ms, hold_ns) in [(2, 1_000), (4, 500)] {
            let setting = setting(sample_ms, hold_ns);
            let design = counter();
            let condition = Condition::of_design(&design, &Round::first(&setting));
            let batch = condition.unwrap().batch;
            // As many as fit, by the nearest power of two; an interrupt may make them seem longer.
            let fit = sample_ms as f64 * 1e6 / BATCHES / hold_ns as f64;
            let share = batch as f64 / fit;
            assert!((0.34..1.45).contains(&share), "{batch} where {fit} fit");
        }
    }

    #[test]
    fn a_queue_gets_as_much_as_is_worked_off_within_a_sample() {
        let setting = setting(4, 0);
        let design = delegating(Duration::from_micros(20));
        let mut round = Round::first(&setting);
        let alone = Condition::of_design(&design, &round).unwrap();
        // 200 of 20 µs; fewer where the core was taken away meanwhile.
        let most = alone.most_operations;
        assert!((20..=400).contains(&most), "{most} operations");
        for threads in [1, 2] {
            let mut condition = alone.with_threads(threads, 2);
            condition.warm_up(&round).unwrap();
            round.calibrate();
            let sample = condition.sample(&round, 1).unwrap();
            let most = condition.most_operations;
            assert!(most <= 400, "{most} operations");
            assert!(sample.operations.iter().all(|&done| done < 2 * most + 64));
            assert!(sample.worked_off_ns > 0.0, "{sample:?}");
        }
        let plain = counter();
        let plain = Condition::of_design(&plain, &round).unwrap();
        assert_eq!(plain.most_operations, u64::MAX);
    }

    #[test]
    fn what_samples_take_is_foretold_from_one_thread() {
        let mut setting = setting(10, 0);
        setting.samples = 9;
        let design = counter();
        let round = Round::first(&setting);
        let mut one = Condition::of_design(&design, &round).unwrap();
        one.set_up = Duration::from_millis(1);
        one.operation_ns = 0.0;
        let three = one.with_threads(3, 2);
        assert!(three.oversubscribed && !one.with_threads(2, 2).oversubscribed);
        // A sample of 10.5 ms and three starts of 1 ms, ten times.
        assert_eq!(three.expected_ns(&setting, 1e6), 135e6);
        // Besides, five times: 6.25 ms of one thread alone and 8.25 of three apart.
        setting.breakdown = true;
        assert_eq!(three.expected_ns(&setting, 1e6), 207.5e6);
    }

    #[test]
    fn a_warm_up_sets_batches_and_finds_what_entering_takes() {
        let mut setting = setting(4, 100);
        setting.breakdown = true;
        let design = counter();
        let round = Round::first(&setting);
        let alone = Condition::of_design(&design, &round).unwrap();
        let mut condition = alone.with_threads(1, 2);
        condition.batch = 1 << 12;
        condition.warm_up(&round).unwrap();
        // 40,000 operations in fifty batches, or fewer.
        assert!(
            (64..=1_024).contains(&condition.batch),
            "{}",
            condition.batch
        );
        assert!(condition.timed && condition.sampling_period > 1);
        condition.find_entry(&round).unwrap();
        let entry = condition.entry.unwrap();
        assert!(entry.ns > 0.0 && entry.spread_ns >= 0.0, "{entry:?}");
    }

    #[test]
    fn entries_are_told_by_the_quicker_kind_and_by_how_much_all_differ() {
        let found = entry(vec![31.0, 30.0, 33.0], vec![36.0, 90.0, 35.0]).unwrap();
        assert_eq!((found.ns, found.spread_ns), (31.0, 6.0));
        let found = entry(vec![36.0, 90.0, 35.0], vec![31.0, 30.0, 33.0]).unwrap();
        assert_eq!((found.ns, found.spread_ns), (31.0, 6.0));
        assert_eq!(entry(vec![], vec![1.0]), None);
        assert_eq!(entry(vec![1.0], vec![]), None);
    }

    #[test]
    fn a_total_that_is_wrong_is_refused() {
        let lossy = Design::new(
            "lossy",
            Family::Reference,
            || (),
            |_, work| work.repeat(|section| section.work()),
            |_| 0,
        );
        let setting = setting(1, 0);
        let refusal = Condition::of_design(&lossy, &Round::first(&setting))
            .err()
            .unwrap();
        assert_eq!(refusal.wrong, "the total of `lossy` grew by 0");
    }
}

//! Designs timed at numbers of threads, interleaved, and the result.

use crate::error::{Error, Result};
use crate::judge::claim::Claim;
use crate::judge::warning::{COARSE_CLOCK_NS, FEW_OPERATIONS, TIMED_ALIKE, WORKED_OFF, Warning};
use crate::machine::cores::{self, Cores};
use crate::machine::load::{Load, LoadMonitor};
use crate::machine::{clock, stamp};
use crate::number::counted;
use crate::stats::estimate::{Estimate, round_ratios};
use crate::stats::order::{middle, sorted};
use crate::time::busy_work::BusyWork;
use crate::time::calibration::Calibration;
use crate::time::condition::{Condition, Round};
use crate::time::core_to_core::core_to_core_ns;
use crate::time::design::{Design, Family};
use crate::time::progress::Progress;
use crate::time::sample::{Placement, Sample};
use crate::time::setting::Setting;
use crate::time::threads::on_threads;
use hdrhistogram::Histogram;
use std::ops::RangeBounds;
use std::path::Path;
use std::time::{Duration, Instant};

/// A longer run is taken for a mistake.
const LONGEST: Duration = Duration::from_secs(3_600);
const ATTEMPTED: &str = "time designs";

/// The samples of one design at one number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The design's label.
    pub label: String,
    /// The design's kind.
    pub family: Family,
    /// How many threads shared the counter.
    pub threads: usize,
    /// Operations between two looks of a thread at the clock.
    pub batch: u64,
    /// Every sample, in the order of the rounds.
    pub samples: Vec<Sample>,
    /// The step in which the clock goes, in nanoseconds: no single time is told more finely.
    pub clock_step_ns: f64,
    /// What weakens these samples.
    pub warnings: Vec<Warning>,
}

impl Timing {
    /// Wall time for each operation of all threads together, in nanoseconds, a value a sample.
    ///
    /// Its inverse is the throughput: two threads that do not disturb each other halve it.
    pub fn ns_per_operation(&self) -> Vec<f64> {
        let each = |sample: &Sample| sample.wall_ns / sample.operations.iter().sum::<u64>() as f64;
        self.samples.iter().map(each).collect()
    }

    /// The median of [`Timing::ns_per_operation`] with its interval, which holds within this run.
    ///
    /// # Errors
    /// Fewer than 6 samples.
    pub fn cost(&self) -> Result<Estimate> {
        Estimate::median(&self.ns_per_operation())
    }

    /// How many times as long this took as `other` did in the same round, a value a round.
    ///
    /// # Errors
    /// As [`round_ratios`].
    pub fn times(&self, other: &Timing) -> Result<Vec<f64>> {
        round_ratios(&self.ns_per_operation(), &other.ns_per_operation())
    }

    /// The claim that [`Timing::times`] lie in `range`, weakened by what weakens either.
    ///
    /// # Errors
    /// As [`round_ratios`].
    pub fn claim_times(
        &self,
        name: impl Into<String>,
        other: &Timing,
        range: impl RangeBounds<f64>,
    ) -> Result<Claim> {
        let warnings = [&self.warnings[..], &other.warnings].concat();
        Ok(Claim::new(name, self.times(other)?, range, &warnings))
    }

    /// The share of the threads' time below which waits cannot be told from none: the median of
    /// [`Breakdown::wait_floor_ns`](super::breakdown::Breakdown::wait_floor_ns) over the samples.
    pub fn wait_floor(&self) -> f64 {
        self.median(|sample| {
            let thread_ns = sample.wall_ns * sample.operations.len() as f64;
            sample.breakdown.wait_floor_ns / thread_ns
        })
    }

    /// What operations waited that were timed, in nanoseconds, a value a sample: so many of a
    /// hundred waited no longer. Of the histogram's bucket in which that lies, the middle.
    pub fn waits_at_ns(&self, percentile: f64) -> Vec<f64> {
        let waits = self
            .samples
            .iter()
            .filter_map(|sample| sample.waits.as_ref());
        let middle = |waits: &Histogram<u64>| {
            let bucket = waits.value_at_percentile(percentile);
            waits.median_equivalent(bucket) as f64
        };
        waits.map(middle).collect()
    }

    /// The median of [`Timing::waits_at_ns`], told as finely as the histogram's bucket and the
    /// clock's step allow.
    ///
    /// # Errors
    /// As [`Estimate::median`]; there are none where
    /// [`Setting::breakdown`](super::setting::Setting::breakdown) was not set.
    pub fn wait_at_ns(&self, percentile: f64) -> Result<Estimate> {
        let estimate = Estimate::median(&self.waits_at_ns(percentile))?;
        let waits = self.samples.iter().find_map(|sample| sample.waits.as_ref());
        let bucket = |waits: &Histogram<u64>| waits.equivalent_range(estimate.value as u64);
        let bucket_ns = waits.map_or(0, bucket) as f64;
        Ok(estimate.told_to(bucket_ns.max(self.clock_step_ns)))
    }

    /// The label, with what has to be said wherever it stands: that its queue grew, that there were
    /// more threads than cores.
    pub fn named(&self) -> String {
        let mut name = self.label.clone();
        let grew = |warning: &Warning| matches!(warning, Warning::WorkedOff { .. });
        if self.warnings.iter().any(grew) {
            name += "; its queue grew";
        }
        let cores = cores::usable_cores();
        if self.threads > cores {
            name += &format!("; {} on {}", self.threads, counted(cores, "core"));
        }
        name
    }

    /// For how many per cent of their time threads waited, a value a sample.
    ///
    /// All 0 where [`Setting::breakdown`](super::setting::Setting::breakdown) was not set.
    pub fn wait_percent(&self) -> Vec<f64> {
        let percent = |sample: &Sample| {
            let thread_ns = sample.wall_ns * sample.operations.len() as f64;
            100.0 * sample.breakdown.wait_ns / thread_ns
        };
        self.samples.iter().map(percent).collect()
    }

    /// For how many nanoseconds an operation held the section, a value a sample.
    ///
    /// All 0 where [`Setting::breakdown`](super::setting::Setting::breakdown) was not set.
    pub fn hold_ns(&self) -> Vec<f64> {
        let each = |sample: &Sample| {
            let operations: u64 = sample.operations.iter().sum();
            sample.breakdown.hold_ns / operations as f64
        };
        self.samples.iter().map(each).collect()
    }

    /// In how many samples threads shared a core, or moved to another.
    pub fn placement(&self) -> Placement {
        Placement::of(&self.samples)
    }

    /// How long a sample lasted, in milliseconds: the median.
    pub fn wall_ms(&self) -> f64 {
        self.median(|sample| sample.wall_ns / 1e6)
    }

    /// The share of a sample that passed after its last operation: the median.
    pub fn worked_off(&self) -> f64 {
        self.median(|sample| sample.worked_off_ns / sample.wall_ns)
    }

    fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        let each: Vec<f64> = self.samples.iter().map(of).collect();
        middle(&sorted(&each))
    }
}

/// What [`time_designs`] measured, and how.
#[derive(Debug, Clone)]
pub struct DesignRun {
    /// What was timed, and how often.
    pub setting: Setting,
    /// The clock and the busy loop at the start of each round.
    pub calibrations: Vec<Calibration>,
    /// The work inside the critical section in each round, as long as it was found to be.
    pub holds: Vec<BusyWork>,
    /// The work between two critical sections, likewise.
    pub thinks: Vec<BusyWork>,
    /// Nanoseconds that a value took from core to core at the start and at the end, where threads
    /// were to share it: runs in which it differs found the cores at other distances, and other
    /// costs of sharing.
    pub core_to_core_ns: Option<[f64; 2]>,
    /// How long it was said to take before it started.
    pub forecast: Duration,
    /// How long it took.
    pub took: Duration,
    /// What ran beside the samples.
    pub load: Load,
    /// What weakens the result, as a whole or in some timings.
    pub warnings: Vec<Warning>,
    /// When, and on what machine.
    pub measured: String,
    /// One entry for each design and number of threads, in the order in which they were given.
    pub timings: Vec<Timing>,
}

impl DesignRun {
    /// The samples of one design at one number of threads.
    ///
    /// # Errors
    /// Nothing of that label and number was measured.
    pub fn timing(&self, label: &str, threads: usize) -> Result<&Timing> {
        let wanted = |timing: &&Timing| timing.label == label && timing.threads == threads;
        self.timings.iter().find(wanted).ok_or_else(|| {
            let measured = |timing: &Timing| format!("`{}` on {}", timing.label, timing.threads);
            let allowed: Vec<String> = self.timings.iter().map(measured).collect();
            let wrong = format!("`{label}` on {threads} threads was not measured");
            Error::new("find a timing", wrong, allowed.join(", "))
        })
    }

    /// By how much the busy loop changed: of the first, the middle and the last third of the
    /// rounds, the slowest over the fastest, less 1.
    pub fn drift(&self) -> f64 {
        drift(
            &self
                .calibrations
                .iter()
                .map(|it| it.turn_ns)
                .collect::<Vec<_>>(),
        )
    }
}

fn drift(turns_ns: &[f64]) -> f64 {
    let rounds = turns_ns.len();
    if rounds < 3 {
        return 0.0;
    }
    let typical = |third: usize| {
        let part = &turns_ns[third * rounds / 3..(third + 1) * rounds / 3];
        middle(&sorted(part))
    };
    let thirds = sorted(&[0, 1, 2].map(typical));
    thirds[2] / thirds[0] - 1.0
}

/// Times every design at every number of threads, interleaved in a seeded random order.
///
/// Each is warmed up first, with one sample that does not count. After every sample the design's
/// total must have grown by the number of operations. Each round the work inside and between the
/// sections is timed anew and corrected to the length that was asked.
///
/// # Errors
/// A field of `setting` outside its range, two designs with one label, more than an hour of
/// samples, a thread that panics, or a total that is wrong.
pub fn time_designs(designs: &[Design], setting: &Setting) -> Result<DesignRun> {
    setting.check()?;
    check_labels(designs)?;
    check_time(setting.expected_time(designs.len()))?;
    let cores = Cores::of(&setting.pinned_to);
    let usable = cores.count().min(cores::usable_cores());
    let mut round = Round::first(setting);
    let mut conditions = Vec::new();
    for design in designs {
        let alone = Condition::of_design(design, &round)?;
        let threads = setting.threads.iter();
        conditions.extend(threads.map(|&threads| alone.with_threads(threads, usable)));
    }
    let forecast = expected_time(&conditions, setting)?;
    check_time(forecast)?;
    let progress = Progress::announce(&described(designs.len(), setting), forecast);

    let began = Instant::now();
    let before_ns = core_to_core(setting, usable)?;
    let mut monitor = LoadMonitor::begin(&cores);
    let one_round = warm_up(&mut conditions, &mut round)?;
    let rounds = one_round * setting.samples as u32;
    check_time(rounds)?;
    let progress = progress.correct(rounds);
    let lengths = take_samples(&mut conditions, &mut round, &mut monitor, &progress)?;
    let load = monitor.end();
    let after_ns = core_to_core(setting, usable)?;
    let took = began.elapsed();

    let clock_step_ns = clock::clock_resolution_ns();
    let timings = conditions.into_iter();
    let mut run = DesignRun {
        setting: setting.clone(),
        calibrations: lengths.calibrations,
        holds: lengths.holds,
        thinks: lengths.thinks,
        core_to_core_ns: before_ns
            .zip(after_ns)
            .map(|(before, after)| [before, after]),
        forecast,
        took,
        load,
        warnings: vec![],
        measured: stamp::measured_now(),
        timings: timings
            .map(|condition| timing(condition, clock_step_ns))
            .collect(),
    };
    run.warn(&cores);
    Ok(run)
}

/// Times the same designs at one setting after the other, and says first how long all of it takes.
///
/// # Errors
/// As [`time_designs`], at whichever setting; or more than an hour in all.
///
/// ```
/// use helpers::{Design, Family, Setting, parking_lot::Mutex, time_settings};
/// let run = |total: &Mutex<u64>, work: &mut helpers::Work| {
///     work.repeat(|section| {
///         *total.lock() += 1;
///         section.work()
///     })
/// };
/// let mutex = Design::new("mutex", Family::Lock, Mutex::default, run, |total| *total.lock());
/// let setting = |hold_ns| Setting { hold_ns, samples: 6, sample_ms: 1, ..Setting::default() };
/// let runs = time_settings(&[mutex], &[100, 1_000].map(setting))?;
/// assert_eq!(runs.iter().map(|run| run.setting.hold_ns).collect::<Vec<_>>(), [100, 1_000]);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn time_settings(designs: &[Design], settings: &[Setting]) -> Result<Vec<DesignRun>> {
    settings.iter().try_for_each(Setting::check)?;
    let expected = settings.iter().map(|one| one.expected_time(designs.len()));
    let expected = expected.sum();
    check_time(expected)?;
    let what = format!(
        "{}, one after the other",
        counted(settings.len(), "setting")
    );
    let progress = Progress::announce(&what, expected);
    let mut runs = Vec::with_capacity(settings.len());
    for setting in settings {
        runs.push(time_designs(designs, setting)?);
        progress.tell(runs.len(), settings.len());
    }
    Ok(runs)
}

/// What was found of the clock and of work in each round.
#[derive(Default)]
struct Lengths {
    calibrations: Vec<Calibration>,
    holds: Vec<BusyWork>,
    thinks: Vec<BusyWork>,
}

/// Takes the samples that count, each round in a new random order: a drift of the machine then
/// falls on all conditions alike.
fn take_samples(
    conditions: &mut [Condition],
    round: &mut Round,
    monitor: &mut LoadMonitor,
    progress: &Progress,
) -> Result<Lengths> {
    let setting = round.setting;
    let mut lengths = Lengths::default();
    let mut random = fastrand::Rng::with_seed(setting.seed);
    let mut order: Vec<usize> = (0..conditions.len()).collect();
    for done in 0..setting.samples {
        round.calibrate();
        lengths.calibrations.push(round.calibration);
        lengths.holds.push(round.hold);
        lengths.thinks.push(round.think);
        monitor.look_again();
        random.shuffle(&mut order);
        for &index in &order {
            conditions[index].add_sample(round, random.usize(..))?;
        }
        progress.tell(done + 1, setting.samples);
    }
    Ok(lengths)
}

/// How far apart the cores are, where threads are to share something.
fn core_to_core(setting: &Setting, cores: usize) -> Result<Option<f64>> {
    let most = setting.threads.iter().copied().max().unwrap_or(1);
    if most.min(cores) == 1 {
        return Ok(None);
    }
    core_to_core_ns()
}

fn check_labels(designs: &[Design]) -> Result<()> {
    for (place, design) in designs.iter().enumerate() {
        if designs[..place]
            .iter()
            .any(|other| other.label == design.label)
        {
            let wrong = format!("two are called `{}`", design.label);
            return Err(Error::new(ATTEMPTED, wrong, "labels that differ"));
        }
    }
    Ok(())
}

fn check_time(expected: Duration) -> Result<()> {
    if expected <= LONGEST {
        return Ok(());
    }
    let wrong = format!("it would take {:.1} hours", expected.as_secs_f64() / 3600.0);
    Err(Error::new(
        ATTEMPTED,
        wrong,
        "up to 1 hour: fewer or shorter samples",
    ))
}

fn described(designs: usize, setting: &Setting) -> String {
    let Setting {
        threads,
        samples,
        sample_ms,
        seed,
        ..
    } = setting;
    format!(
        "{designs} designs, threads {threads:?}, {samples} samples of {sample_ms} ms each, seed \
         {seed}"
    )
}

fn expected_time(conditions: &[Condition], setting: &Setting) -> Result<Duration> {
    let thread_ns = thread_start_ns()?;
    let samples = conditions
        .iter()
        .map(|it| it.expected_ns(setting, thread_ns));
    let calibrations_ns = setting.samples as f64 * setting.calibration_ns();
    Ok(Duration::from_nanos(
        (samples.sum::<f64>() + calibrations_ns) as u64,
    ))
}

/// What it takes to start a thread and to see it end.
fn thread_start_ns() -> Result<f64> {
    const THREADS: usize = 8;
    let began = Instant::now();
    on_threads(THREADS, |_| ())?;
    Ok(began.elapsed().as_nanos() as f64 / THREADS as f64)
}

/// Takes one sample of each that does not count, and says how long a round takes.
fn warm_up(conditions: &mut [Condition], round: &mut Round) -> Result<Duration> {
    let began = Instant::now();
    round.calibrate();
    for condition in &mut *conditions {
        condition.warm_up(round)?;
    }
    let one_round = began.elapsed();
    if round.setting.breakdown {
        for condition in conditions {
            condition.find_entry(round)?;
        }
    }
    Ok(one_round)
}

fn timing(condition: Condition, clock_step_ns: f64) -> Timing {
    Timing {
        label: condition.design.label.clone(),
        family: condition.design.family,
        threads: condition.threads,
        batch: condition.batch,
        samples: condition.samples,
        clock_step_ns,
        warnings: vec![],
    }
}

impl DesignRun {
    /// Gives each timing the warnings of the run and its own, and the run all of them.
    fn warn(&mut self, cores: &Cores) {
        let of_all = self.warnings_of_all();
        let whole = cores.whole();
        let mut all = of_all.clone();
        for timing in &mut self.timings {
            let threads = timing.threads;
            timing.warnings = of_all.clone();
            timing.warnings.extend(warnings_of_threads(threads, cores));
            timing
                .warnings
                .extend(Warning::of_load(&self.load, threads as f64, whole));
            timing
                .warnings
                .extend(warnings_of_samples(timing, cores.count()));
            for warning in &timing.warnings {
                keep_worst(&mut all, *warning);
            }
        }
        self.warnings = all;
    }

    fn warnings_of_all(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let drift = self.drift();
        if drift > 0.02 {
            warnings.push(Warning::Drift { share: drift });
        }
        warnings.extend(other_length(&self.holds));
        warnings.extend(other_length(&self.thinks));
        warnings.extend(self.core_to_core_ns.and_then(cores_moved));
        warnings
    }
}

/// Work of another length than was asked, by the median of the rounds.
fn other_length(works: &[BusyWork]) -> Option<Warning> {
    let found: Vec<f64> = works.iter().map(|work| work.found_ns).collect();
    let mut typical = *works.first()?;
    typical.found_ns = middle(&sorted(&found));
    typical.off_ns().map(|_| Warning::OtherLength {
        asked_ns: typical.asked_ns,
        found_ns: typical.found_ns,
    })
}

fn cores_moved([before_ns, after_ns]: [f64; 2]) -> Option<Warning> {
    let moved = before_ns.max(after_ns) > 1.5 * before_ns.min(after_ns);
    moved.then_some(Warning::CoresMoved {
        before_ns,
        after_ns,
    })
}

/// What the cores mean for so many threads.
fn warnings_of_threads(threads: usize, cores: &Cores) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if cores.count() == 1 && threads > 1 {
        warnings.push(Warning::OneCore);
    }
    let told = cores
        .whole_and_kinds(Path::new(cores::ROOT))
        .filter(|_| threads > 1);
    if let Some((whole, kinds)) = told {
        if whole < threads.min(cores.count()) {
            warnings.push(Warning::SiblingCores { whole });
        }
        if kinds > 1 {
            warnings.push(Warning::KindsOfCores { kinds });
        }
    }
    warnings
}

/// What the samples of one timing tell against themselves.
fn warnings_of_samples(timing: &Timing, cores: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let share = timing.worked_off();
    if share > WORKED_OFF {
        warnings.push(Warning::WorkedOff { share });
    }
    let operations = timing.median(|sample| {
        let done: u64 = sample.operations.iter().sum();
        done as f64 / sample.operations.len() as f64
    });
    if operations < FEW_OPERATIONS {
        warnings.push(Warning::FewOperations { operations });
    }
    let Placement { shared, of, .. } = timing.placement();
    if shared > 0 && timing.threads <= cores {
        warnings.push(Warning::SharedCore {
            samples: shared,
            of,
        });
    }
    let fitted = timing.median(|sample| sample.breakdown.fitted);
    if timing.samples.iter().any(|sample| sample.waits.is_some()) && fitted < TIMED_ALIKE {
        warnings.push(Warning::TimedSlower {
            times: 1.0 / fitted.max(0.01),
        });
    }
    let coarse = timing.clock_step_ns > COARSE_CLOCK_NS;
    if coarse && timing.samples.iter().any(|sample| sample.waits.is_some()) {
        warnings.push(Warning::CoarseClock {
            resolution_ns: timing.clock_step_ns,
        });
    }
    let unknown =
        |sample: &Sample| sample.waits.is_some() && sample.breakdown.without_core_ns.is_none();
    if timing.threads > cores && timing.samples.iter().any(unknown) {
        warnings.push(Warning::CoreTimeUnknown);
    }
    warnings
}

/// Adds a warning, or puts it in place of one of its kind that says less.
fn keep_worst(all: &mut Vec<Warning>, warning: Warning) {
    let same =
        |other: &&mut Warning| std::mem::discriminant(&**other) == std::mem::discriminant(&warning);
    match all.iter_mut().find(same) {
        None => all.push(warning),
        Some(known) if warning.is_worse_than(known) => *known = warning,
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::breakdown::Breakdown;

    #[test]
    fn drift_is_the_slowest_third_over_the_fastest() {
        assert_eq!(drift(&[1.0; 9]), 0.0);
        // A middle that is slow is seen as well as an end.
        let slow_middle = [1.0, 1.0, 9.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0];
        assert_eq!(drift(&slow_middle), 1.0);
        let faster = [3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0];
        assert_eq!(drift(&faster), 0.5);
        assert_eq!(drift(&[1.0, 5.0]), 0.0);
        assert_eq!(drift(&[1.0, 2.0, 4.0]), 3.0);
    }

    fn sample(wall_ns: f64, worked_off_ns: f64, cores: &[[usize; 2]]) -> Sample {
        Sample {
            operations: vec![60, 40],
            wall_ns,
            worked_off_ns,
            cores: cores.to_vec(),
            breakdown: Breakdown {
                fitted: 1.0,
                ..Breakdown::default()
            },
            waits: None,
            delegated: false,
        }
    }

    fn timing_of(samples: Vec<Sample>) -> Timing {
        Timing {
            label: "it".into(),
            family: Family::Lock,
            threads: 2,
            batch: 1,
            samples,
            clock_step_ns: 10.0,
            warnings: vec![],
        }
    }

    #[test]
    fn a_timing_tells_its_costs_and_how_long_its_samples_were() {
        let samples = [1e6, 2e6, 3e6].map(|wall_ns| sample(wall_ns, 0.25 * wall_ns, &[]));
        let timing = timing_of(samples.to_vec());
        assert_eq!(timing.ns_per_operation(), [1e4, 2e4, 3e4]);
        assert_eq!((timing.wall_ms(), timing.worked_off()), (2.0, 0.25));
        let mut floored = timing.clone();
        for sample in &mut floored.samples {
            sample.breakdown.wait_floor_ns = 0.004 * sample.wall_ns;
        }
        assert_eq!(floored.wait_floor(), 0.002);
        assert_eq!(timing.times(&timing).unwrap(), [1.0, 1.0, 1.0]);
    }

    #[test]
    fn waits_are_told_as_finely_as_the_clock_and_the_histogram() {
        let waits_of = |waits: [u64; 4]| {
            let mut sample = sample(1e6, 0.0, &[]);
            let mut histogram = Histogram::new_with_bounds(1, 1_000_000, 2).unwrap();
            waits.iter().for_each(|&ns| histogram.record(ns).unwrap());
            sample.waits = Some(histogram);
            sample
        };
        let timing = timing_of(vec![waits_of([20, 30, 40, 100_001]); 6]);
        assert_eq!(timing.waits_at_ns(50.0), [30.0; 6]);
        let median = timing.wait_at_ns(50.0).unwrap();
        assert_eq!((median.value, median.low, median.high), (30.0, 25.0, 35.0));
        // There a bucket holds 512 numbers, from 99,840 on.
        assert_eq!(timing.waits_at_ns(99.0), [100_096.0; 6]);
        assert_eq!(timing.wait_at_ns(99.0).unwrap().step, 512.0);
        assert!(
            timing_of(vec![sample(1e6, 0.0, &[]); 6])
                .wait_at_ns(50.0)
                .is_err()
        );
    }

    #[test]
    fn samples_tell_what_weakens_them() {
        let apart = [[0, 0], [1, 1]];
        let together = [[0, 0], [0, 1]];
        let of = |worked_off_ns, cores: &[[usize; 2]]| {
            let timing = timing_of(vec![sample(100.0, worked_off_ns, cores); 3]);
            warnings_of_samples(&timing, 2)
        };
        assert_eq!(of(0.0, &apart), []);
        assert_eq!(of(10.0, &apart), []);
        assert_eq!(of(11.0, &apart), [Warning::WorkedOff { share: 0.11 }]);
        let shared = Warning::SharedCore { samples: 3, of: 3 };
        assert_eq!(of(0.0, &together), [shared]);
        let mut few = timing_of(vec![sample(100.0, 0.0, &apart); 3]);
        few.samples
            .iter_mut()
            .for_each(|sample| sample.operations = vec![30, 18]);
        let warning = Warning::FewOperations { operations: 24.0 };
        assert_eq!(warnings_of_samples(&few, 2), [warning]);
        let crowded = timing_of(vec![sample(100.0, 0.0, &together); 3]);
        assert_eq!(warnings_of_samples(&crowded, 1), []);
        let mut unknown = crowded.clone();
        unknown.samples[0].waits = Some(hdrhistogram::Histogram::new(2).unwrap());
        assert_eq!(warnings_of_samples(&unknown, 1), [Warning::CoreTimeUnknown]);
        assert_eq!(warnings_of_samples(&unknown, 2), [shared]);
        let mut coarse = unknown.clone();
        coarse.clock_step_ns = 41.7;
        let warning = Warning::CoarseClock {
            resolution_ns: 41.7,
        };
        assert_eq!(warnings_of_samples(&coarse, 2), [shared, warning]);
        let slower = |fitted| {
            let mut timing = unknown.clone();
            timing
                .samples
                .iter_mut()
                .for_each(|it| it.breakdown.fitted = fitted);
            warnings_of_samples(&timing, 2)
        };
        assert_eq!(slower(0.8), [shared]);
        assert_eq!(slower(0.5), [shared, Warning::TimedSlower { times: 2.0 }]);
    }

    #[test]
    fn work_of_another_length_is_said_by_the_median_round() {
        let works = |found: &[f64]| -> Vec<BusyWork> {
            let work = |&found_ns| {
                let mut work = BusyWork::NONE;
                work.asked_ns = 1_000;
                work.found_ns = found_ns;
                work
            };
            found.iter().map(work).collect()
        };
        assert_eq!(other_length(&works(&[1_000.0, 1_001.0, 1_500.0])), None);
        let warning = Warning::OtherLength {
            asked_ns: 1_000,
            found_ns: 1_074.0,
        };
        assert_eq!(
            other_length(&works(&[1_000.0, 1_074.0, 1_500.0])),
            Some(warning)
        );
        assert_eq!(other_length(&[]), None);
    }

    #[test]
    fn a_run_and_its_timings_carry_what_weakens_them() {
        let mut off = BusyWork::NONE;
        off.asked_ns = 1_000;
        off.found_ns = 1_074.0;
        let calibration = |turn_ns| Calibration {
            clock_ns: 20.0,
            turn_ns,
            call_ns: 8.0,
        };
        let mut queue = timing_of(vec![sample(100.0, 50.0, &[]); 3]);
        queue.label = "queue".into();
        let mut run = DesignRun {
            setting: Setting::default(),
            calibrations: [0.5, 0.5, 0.6].map(calibration).to_vec(),
            holds: vec![off],
            thinks: vec![BusyWork::NONE],
            core_to_core_ns: Some([50.0, 130.0]),
            forecast: Duration::ZERO,
            took: Duration::ZERO,
            load: Load {
                other_programs: Some(0.0),
                ..Load::default()
            },
            warnings: vec![],
            measured: String::new(),
            timings: vec![timing_of(vec![sample(100.0, 0.0, &[]); 3]), queue],
        };
        let cores = Cores {
            numbers: Some([0, 1].into()),
        };
        run.warn(&cores);
        let of_all = [
            Warning::Drift {
                share: 0.6 / 0.5 - 1.0,
            },
            Warning::OtherLength {
                asked_ns: 1_000,
                found_ns: 1_074.0,
            },
            Warning::CoresMoved {
                before_ns: 50.0,
                after_ns: 130.0,
            },
        ];
        assert_eq!(run.warnings[..3], of_all);
        assert_eq!(run.timings[0].warnings[..3], of_all);
        let worked_off = Warning::WorkedOff { share: 0.5 };
        assert!(run.warnings.contains(&worked_off));
        assert!(run.timings[1].warnings.contains(&worked_off));
        assert!(!run.timings[0].warnings.contains(&worked_off));
        run.holds = vec![BusyWork::NONE];
        run.thinks = vec![off];
        assert_eq!(run.warnings_of_all()[1], of_all[1]);
    }

    #[test]
    fn cores_that_moved_are_said_beyond_half() {
        assert_eq!(cores_moved([100.0, 150.0]), None);
        assert_eq!(cores_moved([150.0, 100.0]), None);
        assert!(cores_moved([100.0, 151.0]).is_some());
        assert!(cores_moved([151.0, 100.0]).is_some());
    }

    #[test]
    fn of_one_kind_of_warning_the_worst_stays() {
        let mut all = vec![];
        for share in [0.2, 0.7, 0.5] {
            keep_worst(&mut all, Warning::WorkedOff { share });
        }
        keep_worst(&mut all, Warning::OneCore);
        keep_worst(&mut all, Warning::OneCore);
        assert_eq!(all, [Warning::WorkedOff { share: 0.7 }, Warning::OneCore]);
    }

    #[test]
    fn more_than_an_hour_is_refused() {
        assert!(check_time(Duration::from_secs(3_600)).is_ok());
        let refusal = check_time(Duration::from_secs(5_400)).unwrap_err();
        assert_eq!(refusal.wrong, "it would take 1.5 hours");
    }
}

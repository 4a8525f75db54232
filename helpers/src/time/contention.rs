//! Contenders: build what threads share, run them on it, time the whole, and prove the total.

use crate::check::{each_within, within};
use crate::error::{Error, Result};
use crate::judge::warning::{Warning, Watch};
use crate::machine::{clock, cores, stamp};
use crate::stats::estimate::{Estimate, FEWEST_SAMPLES};
use crate::stats::order::{middle, sorted};
use crate::time::threads::{MOST_THREADS, on_threads};
use crate::time::timing::{Calibration, interleave, transfer_ns};
use crate::time::work::{BATCHES, Hold, Orders, Sample, Work};
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A longer run is taken for a mistake.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The kind of a design, which a figure shows as its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A lock around the data.
    Lock,
    /// An atomic instruction.
    Atomic,
    /// An owner of the data, reached through a channel.
    Channel,
    /// A task of a runtime.
    Task,
    /// What the others are compared with.
    Reference,
}

/// A counter shared by threads, in a design that is to be timed.
///
/// ```
/// use helpers::{Contender, Contention, Family, parking_lot::Mutex};
/// let locked = Contender::new("parking_lot", Family::Lock, || Mutex::new(0),
///     |value, work| work.repeat(|hold| { let mut value = value.lock(); *value += 1; hold.spin() }),
///     |value| *value.lock());
/// let config = Contention { threads: vec![1, 2], sample_ms: 1, ..Default::default() };
/// let run = helpers::time_contenders(&[locked], &config)?;
/// assert!(run.timing("parking_lot", 2)?.cost()?.value > 0.0);
/// # Ok::<(), helpers::Error>(())
/// ```
pub struct Contender {
    /// The name in figures and tables.
    pub label: String,
    /// The kind of the design.
    pub family: Family,
    build: Box<dyn Fn(usize) -> Shared>,
}

/// What the threads of one sample share: the state of a [`Contender`], built once.
pub struct Shared {
    run: Box<dyn Fn(&mut Work) + Sync>,
    total: Box<dyn Fn() -> u64>,
}

impl Contender {
    /// A contender from a way to build the state that threads share, what each of them does with it, and how much was
    /// added to it so far.
    ///
    /// Every sample gets a state of its own, threads that own it included: where a lock happens to lie in memory moves
    /// what it costs. `run` adds one again and again, by one call of [`Work::repeat`] or [`Work::repeat_async`].
    pub fn new<S: Send + Sync + 'static>(
        label: impl Into<String>,
        family: Family,
        state: impl Fn() -> S + 'static,
        run: impl Fn(&S, &mut Work) + Send + Sync + 'static,
        total: impl Fn(&S) -> u64 + 'static,
    ) -> Self {
        let (run, total) = (Arc::new(run), Arc::new(total));
        let build = move |place: usize| {
            // The allocator would hand out the same place again and again, if others were not taken first.
            let _taken: Vec<Arc<MaybeUninit<S>>> = (0..place)
                .map(|_| Arc::new(MaybeUninit::uninit()))
                .collect();
            let state = Arc::new(state());
            let (shared, run, total) = (Arc::clone(&state), Arc::clone(&run), Arc::clone(&total));
            Shared {
                run: Box::new(move |work| run(&shared, work)),
                total: Box::new(move || total(&state)),
            }
        };
        Self {
            label: label.into(),
            family,
            build: Box::new(build),
        }
    }

    /// Builds the state, as for a sample.
    ///
    /// # Errors
    /// It panics, as when a thread that should own it does not start.
    ///
    /// ```
    /// use helpers::{Contender, Family};
    /// let design = Contender::new("seven", Family::Reference, || 7, |_, work| work.repeat(|hold| hold.spin()), |&it| it);
    /// assert_eq!(design.build()?.total(), 7);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn build(&self) -> Result<Shared> {
        self.build_at(0)
    }

    fn build_at(&self, place: usize) -> Result<Shared> {
        std::panic::catch_unwind(AssertUnwindSafe(|| (self.build)(place))).map_err(|_| {
            let wrong = format!("that of `{}` panicked", self.label);
            Error::new(
                "build a state",
                wrong,
                "one that can be built as often as there are samples",
            )
        })
    }
}

impl Shared {
    /// How much has been added so far, by all threads.
    pub fn total(&self) -> u64 {
        (self.total)()
    }
}

/// What is timed, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Contention {
    /// Numbers of threads that share the counter, each 1 to 256, none twice.
    pub threads: Vec<usize>,
    /// Nanoseconds of work inside the critical section, 0 to 1,000,000.
    pub hold_ns: u64,
    /// Nanoseconds of work between two operations of a thread, 0 to 1,000,000.
    pub think_ns: u64,
    /// Samples of each contender at each number of threads, 6 to 1,000.
    pub samples: usize,
    /// Milliseconds that one sample lasts, 1 to 10,000.
    pub sample_ms: u64,
    /// The seed of the order in which samples are taken.
    pub seed: u64,
    /// Whether operations are split into their [`Parts`]. Some are, drawn at random: so few that the clock, read five
    /// times for each, takes 0.3 % of the time; all, where an operation takes long.
    pub parts: bool,
}

impl Default for Contention {
    fn default() -> Self {
        Self {
            threads: vec![1],
            hold_ns: 0,
            think_ns: 0,
            samples: 15,
            sample_ms: 10,
            seed: 1,
            parts: false,
        }
    }
}

impl Contention {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field that is outside.
    ///
    /// ```
    /// assert!(helpers::Contention::default().check().is_ok());
    /// ```
    pub fn check(&self) -> Result<()> {
        each_within("threads", &self.threads, 1..=MOST_THREADS)?;
        within("hold_ns", self.hold_ns, 0..=1_000_000)?;
        within("think_ns", self.think_ns, 0..=1_000_000)?;
        within("samples", self.samples, FEWEST_SAMPLES..=1_000)?;
        within("sample_ms", self.sample_ms, 1..=10_000)?;
        Ok(())
    }

    /// How long [`time_contenders`] will take for so many contenders.
    ///
    /// ```
    /// let config = helpers::Contention { samples: 19, sample_ms: 10, ..Default::default() };
    /// assert_eq!(config.expected_time(5).as_millis(), 1_090);
    /// ```
    pub fn expected_time(&self, contenders: usize) -> Duration {
        let sample_ns = |&threads: &usize| {
            // Each thread does one operation at least, and the sections of all come one after another.
            let least_ns = threads as u64 * self.hold_ns + self.think_ns;
            // A sample ends with the batch in which its time is up, and its threads have to start: a twentieth more.
            (self.sample_ms * 1_050_000).max(least_ns) as f64
        };
        let round_ns: f64 = self.threads.iter().map(sample_ns).sum();
        // Each round is calibrated, for 2 ms.
        let seconds = (round_ns * contenders as f64 + 2e6) * (self.samples + 1) as f64 / 1e9;
        Duration::from_secs_f64(seconds)
    }
}

/// The samples of one contender at one number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The contender's label.
    pub label: String,
    /// The contender's kind.
    pub family: Family,
    /// How many threads shared the counter.
    pub threads: usize,
    /// Operations between two looks of a thread at the clock.
    pub batch: u64,
    /// Every sample, in the order of the rounds.
    pub samples: Vec<Sample>,
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
}

/// What [`time_contenders`] measured, and how.
#[derive(Debug, Clone)]
pub struct ContentionRun {
    /// The configuration.
    pub config: Contention,
    /// The clock and the busy loop at the start of each round, that of the warm-up first.
    pub calibrations: Vec<Calibration>,
    /// Nanoseconds that a value took from core to core at the start and at the end, where threads were to share it:
    /// runs in which it differs found the cores at other distances, and other costs of sharing.
    pub transfer_ns: Option<[f64; 2]>,
    /// Cores' worth of time that other programs took of those that this process may use, where the system tells.
    pub other_load: Option<f64>,
    /// What weakens the result.
    pub warnings: Vec<Warning>,
    /// When, and on what machine.
    pub measured: String,
    /// One entry for each contender and number of threads, in the order in which they were given.
    pub timings: Vec<Timing>,
}

impl ContentionRun {
    /// The samples of one contender at one number of threads.
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

    /// By how much the busy loop changed: of the first, the middle and the last third of the rounds, the slowest over
    /// the fastest, less 1.
    ///
    /// ```
    /// use helpers::{Contender, Contention, Family};
    /// let nothing = Contender::new("nothing", Family::Reference, || std::sync::atomic::AtomicU64::new(0),
    ///     |value, work| { let mut own = 0; work.repeat(|hold| { own += 1; hold.spin() }); value.store(own, std::sync::atomic::Ordering::Relaxed) },
    ///     |value| value.load(std::sync::atomic::Ordering::Relaxed));
    /// let run = helpers::time_contenders(&[nothing], &Contention { sample_ms: 1, ..Default::default() })?;
    /// assert!(run.drift() >= 0.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn drift(&self) -> f64 {
        let rounds = self.calibrations.len();
        if rounds < 3 {
            return 0.0;
        }
        let typical = |third: usize| {
            let part = &self.calibrations[third * rounds / 3..(third + 1) * rounds / 3];
            middle(&sorted(
                &part
                    .iter()
                    .map(|calibration| calibration.turn_ns)
                    .collect::<Vec<_>>(),
            ))
        };
        let thirds = sorted(&[0, 1, 2].map(typical));
        thirds[2] / thirds[0] - 1.0
    }
}

/// Times every contender at every number of threads, interleaved in a seeded random order.
///
/// Each is warmed up first, with one sample that does not count. After every sample the contender's total must have
/// grown by the number of operations.
///
/// # Errors
/// A field of `config` outside its range, two contenders with one label, more than an hour of
/// samples, a thread that panics, or a total that is wrong.
pub fn time_contenders(contenders: &[Contender], config: &Contention) -> Result<ContentionRun> {
    let attempted = "time contenders";
    config.check()?;
    for (place, contender) in contenders.iter().enumerate() {
        if contenders[..place]
            .iter()
            .any(|other| other.label == contender.label)
        {
            let wrong = format!("two are called `{}`", contender.label);
            return Err(Error::new(attempted, wrong, "labels that differ"));
        }
    }
    let expected = config.expected_time(contenders.len());
    if expected > LONGEST {
        let wrong = format!("it would take {:.1} hours", expected.as_secs_f64() / 3600.0);
        return Err(Error::new(
            attempted,
            wrong,
            "up to 1 hour: fewer or shorter samples",
        ));
    }
    let what = format!(
        "{} contenders, threads {:?}, {} samples of {} ms each, seed {}",
        contenders.len(),
        config.threads,
        config.samples,
        config.sample_ms,
        config.seed,
    );
    let cores = cores::usable_cores();
    let mut calibration = Calibration::measure();
    let mut cells = Vec::new();
    for contender in contenders {
        let batch = find_batch(contender, config, &calibration)?;
        let cell = |&threads: &usize| {
            let crowded = threads > cores;
            Cell {
                contender,
                threads,
                crowded,
                batch,
                stride: batch,
                samples: Vec::new(),
            }
        };
        cells.extend(config.threads.iter().map(cell));
    }
    let mut places = fastrand::Rng::with_seed(config.seed);
    let mut calibrations: Vec<Calibration> = Vec::new();
    let most = config.threads.iter().copied().max().unwrap_or(1).min(cores);
    let transfer = || if most > 1 { transfer_ns() } else { Ok(None) };
    let transfer_before = transfer()?;
    let watch = Watch::begin();
    interleave(
        &what,
        cells.len(),
        config.samples + 1,
        config.seed,
        expected,
        |round, cell| {
            if round == calibrations.len() {
                calibration = Calibration::measure();
                calibrations.push(calibration);
            }
            let cell = &mut cells[cell];
            let sample = cell.run(config, &calibration, places.usize(..PLACES))?;
            if round == 0 {
                cell.adapt(&sample, &calibration);
            }
            cell.samples.push(sample);
            Ok(())
        },
    )?;
    let (other_load, warnings) = watch.end();
    let transfer_ns = transfer_before
        .zip(transfer()?)
        .map(|(before, after)| [before, after]);
    let timings = cells.into_iter().map(|cell| Timing {
        label: cell.contender.label.clone(),
        family: cell.contender.family,
        threads: cell.threads,
        batch: cell.batch,
        // The first round was the warm-up.
        samples: cell.samples[1..].to_vec(),
    });
    let timings = timings.collect();
    let measured = stamp::measured_now();
    let mut run = ContentionRun {
        config: config.clone(),
        calibrations,
        transfer_ns,
        other_load,
        warnings,
        measured,
        timings,
    };
    run.warn(cores);
    Ok(run)
}

impl ContentionRun {
    fn warn(&mut self, cores: usize) {
        let most = self.config.threads.iter().copied().max().unwrap_or(1);
        let drift = self.drift();
        if drift > 0.02 {
            self.warnings.push(Warning::Drift { share: drift });
        }
        if let Some([before_ns, after_ns]) = self.transfer_ns
            && before_ns.max(after_ns) > 1.5 * before_ns.min(after_ns)
        {
            self.warnings.push(Warning::CoresMoved {
                before_ns,
                after_ns,
            });
        }
        if cores == 1 {
            self.warnings.push(Warning::OneCore);
        }
        if most > 1
            && let Some((whole, kinds)) = cores::whole_cores_and_kinds()
        {
            if whole < most.min(cores) {
                self.warnings.push(Warning::SiblingCores { whole });
            }
            if kinds > 1 {
                self.warnings.push(Warning::KindsOfCores { kinds });
            }
        }
        if self.config.parts {
            let resolution_ns = clock::clock_resolution_ns();
            if resolution_ns > 100.0 {
                self.warnings.push(Warning::CoarseClock { resolution_ns });
            }
            let unknown = |timing: &Timing| {
                timing
                    .samples
                    .iter()
                    .any(|it| it.parts.without_core_ns.is_none())
            };
            if most > cores && self.timings.iter().any(unknown) {
                self.warnings.push(Warning::CoreTimeUnknown);
            }
        }
    }
}

/// How many places in memory the states of samples are spread over.
const PLACES: usize = 32;

/// Operations that last about a fiftieth of a sample, found by one thread alone from the fastest of three tries: with
/// several, how far apart they start would count.
fn find_batch(
    contender: &Contender,
    config: &Contention,
    calibration: &Calibration,
) -> Result<u64> {
    let wanted_ns = config.sample_ms as f64 * 1e6 / BATCHES;
    let short = Contention {
        sample_ms: 0,
        parts: false,
        ..config.clone()
    };
    let mut batch = 1;
    loop {
        let one = Cell {
            contender,
            threads: 1,
            crowded: false,
            batch,
            stride: 1,
            samples: Vec::new(),
        };
        let tries = (0..3)
            .map(|_| Ok(one.run(&short, calibration, 0)?.wall_ns))
            .collect::<Result<Vec<f64>>>()?;
        let fastest_ns = tries.into_iter().fold(f64::MAX, f64::min);
        if fastest_ns > wanted_ns || batch == 1 << 20 {
            return Ok(round_batch(batch as f64 * wanted_ns / fastest_ns));
        }
        batch *= 2;
    }
}

/// The nearest power of two: a batch that is a little shorter would tell a design from itself, since the last one of a
/// sample goes beyond its end.
fn round_batch(operations: f64) -> u64 {
    1 << operations.log2().round().max(0.0) as u32
}

struct Cell<'a> {
    contender: &'a Contender,
    threads: usize,
    /// Whether there are fewer cores than threads.
    crowded: bool,
    batch: u64,
    stride: u64,
    samples: Vec<Sample>,
}

impl Cell<'_> {
    /// Makes batches shorter where threads slow each other down, and times as many operations as may be.
    fn adapt(&mut self, sample: &Sample, calibration: &Calibration) {
        let each = sample.operations.iter().sum::<u64>() as f64 / self.threads as f64;
        self.batch = self.batch.min(round_batch(each / BATCHES));
        self.stride = Orders::stride(sample.wall_ns / each, calibration);
    }

    fn run(&self, config: &Contention, calibration: &Calibration, place: usize) -> Result<Sample> {
        let shared = self.contender.build_at(place)?;
        let (before, run) = (shared.total(), &shared.run);
        let orders = Arc::new(Orders {
            crowded: self.crowded,
            duration: Duration::from_millis(config.sample_ms),
            batch: self.batch,
            stride: config.parts.then_some(self.stride),
            hold: Hold::new(calibration.busy_work(config.hold_ns)),
            think: calibration.busy_work(config.think_ns),
            first: OnceLock::new(),
        });
        let works = on_threads(self.threads, |_| {
            let mut work = Work::new(&orders);
            run(&mut work);
            work
        })?;
        let label = &self.contender.label;
        let Some(sample) = Sample::of(&orders, works, calibration.clock_ns) else {
            let wrong = format!("`{label}` did not repeat its work");
            return Err(Error::new(
                "time a sample",
                wrong,
                "one call of `Work::repeat`",
            ));
        };
        let (done, added) = (
            sample.operations.iter().sum::<u64>(),
            shared.total().wrapping_sub(before),
        );
        if added != done || done == 0 {
            let wrong = format!("the total of `{label}` grew by {added}");
            let allowed = format!("{done}, one an operation, and at least 1");
            return Err(Error::new("trust a sample", wrong, allowed));
        }
        Ok(sample)
    }
}

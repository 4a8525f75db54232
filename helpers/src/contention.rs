//! Threads that share: run them from one gate, time the whole and its parts, and prove the total.

use crate::machine::OtherLoad;
use crate::stats::FEWEST_SAMPLES;
use crate::timing::{BusyWork, Calibration, interleave};
use crate::{Error, Result, each_within, within};
use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The most threads that one run may start.
pub const MOST_THREADS: usize = 256;

/// A longer run is taken for a mistake.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Runs `work(0)` to `work(threads - 1)` on a thread each, all let go at once, and returns what each returned.
///
/// # Errors
/// `threads` is not 1 to 256, a thread could not be started, or one panicked.
///
/// ```
/// let total = std::sync::Mutex::new(0);
/// let turns = helpers::on_threads(4, |thread| { *total.lock().unwrap() += 1; thread })?;
/// assert_eq!((turns, *total.lock().unwrap()), (vec![0, 1, 2, 3], 4));
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn on_threads<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>> {
    const WAIT: usize = 0;
    const GO: usize = 1;
    const GIVE_UP: usize = 2;
    let attempted = "run on threads";
    within("threads", threads, 1..=MOST_THREADS)?;
    // Not std's `Barrier`: threads that spin leave it together, and it lets them go when one of them cannot start.
    let (gate, arrived, work) = (&AtomicUsize::new(WAIT), &AtomicUsize::new(0), &work);
    std::thread::scope(|scope| {
        let mut handles = Vec::with_capacity(threads);
        for thread in 0..threads {
            let body = move || {
                arrived.fetch_add(1, Ordering::Release);
                while gate.load(Ordering::Acquire) == WAIT {
                    std::thread::yield_now();
                }
                (gate.load(Ordering::Acquire) == GO).then(|| work(thread))
            };
            match std::thread::Builder::new().spawn_scoped(scope, body) {
                Ok(handle) => handles.push(handle),
                Err(why) => {
                    gate.store(GIVE_UP, Ordering::Release);
                    let wrong = format!("thread {} of {threads} did not start: {why}", thread + 1);
                    return Err(Error::new(attempted, wrong, "fewer threads"));
                }
            }
        }
        while arrived.load(Ordering::Acquire) < threads {
            std::thread::yield_now();
        }
        gate.store(GO, Ordering::Release);
        // Every handle is joined before the first panic is reported: an unjoined panic would end the scope in another.
        let joined: Vec<_> = handles.into_iter().map(|handle| handle.join()).collect();
        joined
            .into_iter()
            .enumerate()
            .map(|(thread, outcome)| {
                outcome.ok().flatten().ok_or_else(|| {
                    Error::new(attempted, format!("thread {thread} panicked"), "work that returns")
                })
            })
            .collect()
    })
}

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
/// let locked = Contender::new("parking_lot", Family::Lock, Mutex::new(0),
///     |value, work| work.repeat(|hold| { let mut value = value.lock(); *value += 1; hold.spin() }),
///     |value| *value.lock());
/// let config = Contention { threads: vec![1, 2], sample_ms: 1, ..Default::default() };
/// let run = helpers::time_contenders(&[locked], &config)?;
/// assert!(run.timing("parking_lot", 2)?.cost()?.value > 0.0);
/// # Ok::<(), helpers::Error>(())
/// ```
pub struct Contender {
    /// The name in figures and tables.
    pub label: &'static str,
    /// The kind of the design.
    pub family: Family,
    run: Box<dyn Fn(&mut Work) + Sync>,
    total: Box<dyn Fn() -> u64 + Sync>,
}

impl Contender {
    /// A contender from the state that threads share, what each of them does with it, and how much was added so far.
    ///
    /// `run` adds one again and again, by one call of [`Work::repeat`] or [`Work::repeat_async`].
    pub fn new<S: Send + Sync + 'static>(
        label: &'static str,
        family: Family,
        state: S,
        run: impl Fn(&S, &mut Work) + Sync + 'static,
        total: impl Fn(&S) -> u64 + Sync + 'static,
    ) -> Self {
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        Self {
            label,
            family,
            run: Box::new(move |work| run(&shared, work)),
            total: Box::new(move || total(&state)),
        }
    }

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
    /// Samples of each contender at each number of threads, 5 to 1,000.
    pub samples: usize,
    /// Milliseconds that one sample lasts, 1 to 10,000.
    pub sample_ms: u64,
    /// The seed of the order in which samples are taken.
    pub seed: u64,
    /// Whether each operation is split into its [`Parts`], which costs four readings of the clock an operation.
    pub parts: bool,
}

impl Default for Contention {
    fn default() -> Self {
        Self { threads: vec![1], hold_ns: 0, think_ns: 0, samples: 15, sample_ms: 10, seed: 1, parts: false }
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
    /// assert_eq!(config.expected_time(5).as_millis(), 1_050);
    /// ```
    pub fn expected_time(&self, contenders: usize) -> Duration {
        let sample_ns = |&threads: &usize| {
            // Each thread does one operation at least, and the sections of all come one after another.
            let least_ns = threads as u64 * self.hold_ns + self.think_ns;
            // A sample ends with the batch in which its time is up, and its threads have to start: a twentieth more.
            (self.sample_ms * 1_050_000).max(least_ns) as f64
        };
        let round_ns: f64 = self.threads.iter().map(sample_ns).sum();
        Duration::from_secs_f64(round_ns * (contenders * (self.samples + 1)) as f64 / 1e9)
    }
}

/// The work inside a critical section; a contender calls [`Hold::spin`] once an operation, while it holds its lock.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    work: BusyWork,
    /// A moment before the sample, where each operation is timed.
    timed_from: Option<Instant>,
}

impl Hold {
    /// Keeps the critical section busy and says from when to when it was held.
    #[inline]
    pub fn spin(self) -> Held {
        let Some(before) = self.timed_from else {
            self.work.spin();
            return Held(None);
        };
        let entered = Instant::now();
        self.work.spin_after(entered.duration_since(before).as_nanos() as u64);
        Held(Some((entered, Instant::now())))
    }

    /// For an operation that leaves the section to another thread and does not wait for it.
    pub fn elsewhere(self) -> Held {
        Held(None)
    }
}

/// When a critical section was entered and left: the receipt that [`Hold::spin`] gives and an operation returns.
#[derive(Debug, Clone, Copy)]
pub struct Held(Option<(Instant, Instant)>);

/// Where the time of operations went, in nanoseconds, summed over operations and threads.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// From the wish to enter the critical section to the entry.
    pub wait_ns: f64,
    /// Inside the critical section.
    pub hold_ns: f64,
    /// From the end of the section until the thread goes on.
    pub release_ns: f64,
    /// Between two operations.
    pub think_ns: f64,
}

/// One thread's share of a sample: the operations that it repeats until the time is up.
pub struct Work {
    /// Shared by the threads of a sample: when the first of them began.
    began: Arc<OnceLock<Instant>>,
    duration: Duration,
    batch: u64,
    hold: Hold,
    think: BusyWork,
    operations: u64,
    parts: Parts,
    waits: Option<Histogram<u64>>,
    ended: Option<Instant>,
}

/// The loop of `repeat` and `repeat_async`, which differ in one `.await`. The clock is read once a batch, so that it
/// costs a short operation next to nothing.
macro_rules! repeat {
    ($work:ident, $operation:ident $(, $dot_await:tt)?) => {{
        // A thread that had to wait for a core before its first operation was waiting, too.
        let mut wished = *$work.began.get_or_init(Instant::now);
        let end = wished + $work.duration;
        let (batch, hold, think) = ($work.batch, $work.hold, $work.think);
        let (mut operations, mut parts) = (0, Parts::default());
        loop {
            if hold.timed_from.is_some() {
                for _ in 0..batch {
                    let held = $operation(hold)$(.$dot_await)?;
                    let free = Instant::now();
                    // The record is counted as thinking.
                    if let (Some((entered, _)), Some(waits)) = (held.0, &mut $work.waits) {
                        waits.saturating_record(entered.duration_since(wished).as_nanos() as u64);
                    }
                    think.spin();
                    let next = Instant::now();
                    parts.add(wished, held, free, next);
                    wished = next;
                }
            } else {
                for _ in 0..batch {
                    $operation(hold)$(.$dot_await)?;
                    think.spin();
                }
            }
            operations += batch;
            let now = Instant::now();
            if now >= end {
                $work.ended = Some(now);
                break;
            }
        }
        $work.operations += operations;
        $work.parts = parts;
    }};
}

impl Work {
    /// Repeats `operation` until the time is up; it adds one and calls [`Hold::spin`] where it holds the lock.
    #[inline]
    pub fn repeat(&mut self, mut operation: impl FnMut(Hold) -> Held) {
        repeat!(self, operation);
    }

    /// The same for an operation that waits with `.await`.
    #[inline]
    pub async fn repeat_async(&mut self, mut operation: impl AsyncFnMut(Hold) -> Held) {
        repeat!(self, operation, await);
    }

    /// Waits for what the operations left under way, such as messages: it belongs to the time of the sample.
    pub fn finish(&mut self, wait: impl FnOnce()) {
        wait();
        self.ended = Some(Instant::now());
    }
}

impl Parts {
    #[inline]
    fn add(&mut self, wished: Instant, held: Held, free: Instant, next: Instant) {
        let (entered, left) = held.0.unwrap_or((free, free));
        let ns = |from: Instant, to: Instant| to.duration_since(from).as_nanos() as f64;
        self.wait_ns += ns(wished, entered);
        self.hold_ns += ns(entered, left);
        self.release_ns += ns(left, free);
        self.think_ns += ns(free, next);
    }
}

/// What one sample measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Operations done by each thread; the contender's total grew by their sum.
    pub operations: Vec<u64>,
    /// Nanoseconds from the first thread's start to the end of a thread, the mean over the threads: when the first
    /// has ended, the others no longer compete with it.
    pub wall_ns: f64,
    /// Where the threads' time went; all zero unless [`Contention::parts`] is set.
    pub parts: Parts,
    /// The nanoseconds that each operation waited, to two digits; taken where [`Contention::parts`] is set.
    pub waits: Option<Histogram<u64>>,
}

/// The samples of one contender at one number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The contender's label.
    pub label: &'static str,
    /// The contender's kind.
    pub family: Family,
    /// How many threads shared the counter.
    pub threads: usize,
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

    /// The median of [`Timing::ns_per_operation`] with its interval.
    ///
    /// # Errors
    /// Fewer than 5 samples.
    pub fn cost(&self) -> Result<crate::Estimate> {
        crate::median(&self.ns_per_operation())
    }
}

/// What [`time_contenders`] measured, and how.
#[derive(Debug, Clone)]
pub struct ContentionRun {
    /// The configuration.
    pub config: Contention,
    /// The clock and the busy loop of this run.
    pub calibration: Calibration,
    /// Cores that other programs kept busy meanwhile, where the system tells and the run took longer than
    /// 200 ms; more than 0.1 is reported as noise.
    pub other_load: Option<f64>,
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
        if contenders[..place].iter().any(|other| other.label == contender.label) {
            let wrong = format!("two are called `{}`", contender.label);
            return Err(Error::new(attempted, wrong, "labels that differ"));
        }
    }
    let expected = config.expected_time(contenders.len());
    if expected > LONGEST {
        let wrong = format!("it would take {:.1} hours", expected.as_secs_f64() / 3600.0);
        return Err(Error::new(attempted, wrong, "up to 1 hour: fewer or shorter samples"));
    }
    let calibration = Calibration::measure();
    let mut cells = Vec::new();
    for contender in contenders {
        for &threads in &config.threads {
            cells.push(Cell { contender, threads, batch: 1, samples: Vec::new() });
        }
    }
    let what = format!(
        "{} contenders, threads {:?}, {} samples of {} ms each, seed {}",
        contenders.len(),
        config.threads,
        config.samples,
        config.sample_ms,
        config.seed,
    );
    let rounds = config.samples + 1;
    let others = OtherLoad::watch();
    interleave(&what, cells.len(), rounds, config.seed, expected, |cell| {
        cells[cell].sample(config, &calibration)
    })?;
    // Over a shorter time the system's figures mean little.
    let other_load = others.cores().filter(|_| expected > Duration::from_millis(200));
    if let Some(cores) = other_load.filter(|cores| *cores > 0.1) {
        println!(
            "Other programs kept {cores:.1} cores busy meanwhile: expect noise, or run again when they are quiet."
        );
    }
    let timings = cells.into_iter().map(|cell| Timing {
        label: cell.contender.label,
        family: cell.contender.family,
        threads: cell.threads,
        // The first round was the warm-up.
        samples: cell.samples[1..].to_vec(),
    });
    Ok(ContentionRun { config: config.clone(), calibration, other_load, timings: timings.collect() })
}

struct Cell<'a> {
    contender: &'a Contender,
    threads: usize,
    batch: u64,
    samples: Vec<Sample>,
}

impl Cell<'_> {
    fn sample(&mut self, config: &Contention, calibration: &Calibration) -> Result<()> {
        let duration = Duration::from_millis(config.sample_ms);
        // The first time round, find the batch: operations that last about a fiftieth of a sample.
        while self.samples.is_empty() && self.batch < 1 << 20 {
            let probe = self.run(Duration::ZERO, config, calibration)?;
            if probe.wall_ns > duration.as_nanos() as f64 / 50.0 {
                break;
            }
            self.batch *= 2;
        }
        let sample = self.run(duration, config, calibration)?;
        self.samples.push(sample);
        Ok(())
    }

    fn run(&self, duration: Duration, config: &Contention, calibration: &Calibration) -> Result<Sample> {
        let began = Arc::new(OnceLock::new());
        let total_before = self.contender.total();
        let works = on_threads(self.threads, |_| {
            let mut work = Work {
                began: Arc::clone(&began),
                duration,
                batch: self.batch,
                hold: Hold {
                    work: calibration.busy_work(config.hold_ns),
                    timed_from: config.parts.then_some(calibration.measured),
                },
                think: calibration.busy_work(config.think_ns),
                operations: 0,
                parts: Parts::default(),
                waits: config.parts.then(no_waits),
                ended: None,
            };
            (self.contender.run)(&mut work);
            work
        })?;
        let operations: Vec<u64> = works.iter().map(|work| work.operations).collect();
        let (done, added) = (operations.iter().sum(), self.contender.total().wrapping_sub(total_before));
        if added != done || done == 0 {
            let wrong = format!("the total of `{}` grew by {added}", self.contender.label);
            let allowed = format!("{done}, one an operation, and at least 1");
            return Err(Error::new("trust a sample", wrong, allowed));
        }
        let mut thread_ns = 0.0;
        for work in &works {
            let (Some(began), Some(ended)) = (began.get(), work.ended) else {
                let wrong = format!("`{}` did not repeat its work", self.contender.label);
                return Err(Error::new("time a sample", wrong, "one call of `Work::repeat`"));
            };
            thread_ns += ended.duration_since(*began).as_nanos() as f64;
        }
        let (mut parts, mut waits) = (Parts::default(), config.parts.then(no_waits));
        for work in &works {
            if let (Some(all), Some(own)) = (&mut waits, &work.waits) {
                *all += own;
            }
            parts.wait_ns += work.parts.wait_ns;
            parts.hold_ns += work.parts.hold_ns;
            parts.release_ns += work.parts.release_ns;
            parts.think_ns += work.parts.think_ns;
        }
        Ok(Sample { operations, wall_ns: thread_ns / self.threads as f64, parts, waits })
    }
}

fn no_waits() -> Histogram<u64> {
    // From 1 ns to a minute; more digits would cost memory that the caches would miss.
    Histogram::new_with_bounds(1, 60_000_000_000, 2).expect("bounds that are valid")
}

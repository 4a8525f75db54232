//! Threads that share: run them from one gate, time the whole and its parts, and prove the total.

use crate::stats::FEWEST_SAMPLES;
use crate::system;
use crate::timing::{BusyWork, Calibration, interleave};
use crate::warning::{Warning, Watch};
use crate::{Error, Estimate, Result, each_within, within};
use hdrhistogram::Histogram;
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;
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
            let _taken: Vec<Arc<MaybeUninit<S>>> =
                (0..place).map(|_| Arc::new(MaybeUninit::uninit())).collect();
            let state = Arc::new(state());
            let (shared, run, total) = (Arc::clone(&state), Arc::clone(&run), Arc::clone(&total));
            Shared { run: Box::new(move |work| run(&shared, work)), total: Box::new(move || total(&state)) }
        };
        Self { label: label.into(), family, build: Box::new(build) }
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
            Error::new("build a state", wrong, "one that can be built as often as there are samples")
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

/// The work inside a critical section; a contender calls [`Hold::spin`] once an operation, while it holds its lock.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    work: BusyWork,
    timed: bool,
}

impl Hold {
    /// Keeps the critical section busy and, where this operation is timed, says from when to when it was held.
    #[inline]
    pub fn spin(self) -> Held {
        if !self.timed {
            self.work.spin();
            return Held(None);
        }
        let entered = Instant::now();
        self.work.spin();
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
///
/// Hold, release and think are what the operations that were timed took, less the clock's own share; those that were
/// interrupted are left out: holds and thinks far above their median, and the longest hundredth of the releases. Wait is
/// what is left of the threads' time; only where those operations waited less is it less, by a hundredth of the time at
/// most, which interrupts take, and two hundredths for a thread alone, which has nobody to wait for.
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
    /// Ready to run, and no core free; `None` where the system does not tell, and then it counts as waiting.
    pub without_core_ns: Option<f64>,
    /// Taken by the instrument, the gate included, and part of no operation.
    pub instrument_ns: f64,
}

/// Threads are interrupted for about this share of their time without the system counting it.
const INTERRUPTED: f64 = 0.01;

/// One operation that was timed, in nanoseconds, each with one reading of the clock in it.
#[derive(Clone, Default)]
struct Record {
    wait: u64,
    hold: u64,
    release: u64,
    think: u64,
}

/// The clock may take this share of the time to time operations. More would change what is timed: with a hundredth, an
/// operation of 4.6 ns took 5 % longer.
const TIMED: f64 = 0.003;

/// Readings of the clock for a [`Record`].
const READINGS: f64 = 5.0;

/// Shared by the threads of a sample: how many have come, and when the first of them began.
#[derive(Default)]
struct Start {
    come: AtomicUsize,
    first: OnceLock<Instant>,
}

impl Start {
    /// Waits until `threads` have come, each with all that it prepares. One that never comes is not waited for long.
    fn wait(&self, threads: usize) {
        self.come.fetch_add(1, Ordering::AcqRel);
        let late = Instant::now() + Duration::from_secs(1);
        while self.come.load(Ordering::Acquire) < threads && Instant::now() < late {
            std::thread::yield_now();
        }
    }
}

/// One thread's share of a sample: the operations that it repeats until the time is up.
pub struct Work {
    start: Arc<Start>,
    threads: usize,
    duration: Duration,
    batch: u64,
    hold: Hold,
    think: BusyWork,
    /// One operation of so many is timed, if any.
    stride: Option<u64>,
    operations: u64,
    records: Vec<Record>,
    began: Option<(Instant, Option<u64>)>,
    ended: Option<(Instant, Option<u64>)>,
}

/// The loop of `repeat` and `repeat_async`, which differ in one `.await`. The clock is read once a batch, so that it
/// costs a short operation next to nothing.
macro_rules! repeat {
    ($work:ident, $operation:ident $(, $dot_await:tt)?) => {{
        let (batch, hold, think) = ($work.batch, $work.hold, $work.think);
        let (mut operations, mut records, mut random) = (0, $work.room_for_records(), fastrand::Rng::new());
        // At random, or a rhythm of the threads would be taken for the whole.
        let mut gap = || $work.stride.map_or(u64::MAX, |stride| random.u64(0..2 * stride - 1));
        let mut untimed = gap();
        $work.start.wait($work.threads);
        let without_core = $work.core_time();
        let began = Instant::now();
        let end = *$work.start.first.get_or_init(|| began) + $work.duration;
        $work.began = Some((began, without_core));
        loop {
            let mut left: u64 = batch;
            while left > 0 {
                let now = left.min(untimed);
                for _ in 0..now {
                    $operation(hold)$(.$dot_await)?;
                    think.spin();
                }
                (left, untimed) = (left - now, untimed - now);
                if left == 0 {
                    break;
                }
                let wished = Instant::now();
                let held = $operation(Hold { timed: true, ..hold })$(.$dot_await)?;
                let free = Instant::now();
                think.spin();
                records.push(Record::new(wished, held, free, Instant::now()));
                left -= 1;
                untimed = gap();
            }
            operations += batch;
            if Instant::now() >= end {
                break;
            }
        }
        ($work.operations, $work.records) = ($work.operations + operations, records);
        $work.ended = Some((Instant::now(), $work.core_time()));
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
        self.ended = Some((Instant::now(), self.core_time()));
    }

    /// In memory that is there already: fresh memory is slow, the first time.
    fn room_for_records(&self) -> Vec<Record> {
        let expected = |stride| (2.0 * BATCHES) as u64 * self.batch / stride + 100;
        let mut room = Vec::new();
        room.resize(self.stride.map_or(0, expected).min(1 << 16) as usize, Record::default());
        room.clear();
        room
    }

    /// Looked up only where parts are wanted: it takes some microseconds.
    fn core_time(&self) -> Option<u64> {
        self.stride.and_then(|_| system::without_core_ns())
    }
}

impl Record {
    #[inline]
    fn new(wished: Instant, held: Held, free: Instant, next: Instant) -> Self {
        let (entered, left) = held.0.unwrap_or((free, free));
        let ns = |from: Instant, to: Instant| to.duration_since(from).as_nanos() as u64;
        let (wait, hold) = (ns(wished, entered), ns(entered, left));
        Self { wait, hold, release: ns(left, free), think: ns(free, next) }
    }
}

impl Parts {
    /// The parts of so many operations that took `thread_ns` in all, of which `records` were timed. `self` holds what is
    /// known already: the time without a core, and the instrument's.
    fn of(
        self,
        records: &[Record],
        operations: &[u64],
        thread_ns: f64,
        work: [BusyWork; 2],
        clock_ns: f64,
    ) -> Self {
        let interrupted = if operations.len() == 1 { 2.0 * INTERRUPTED } else { INTERRUPTED };
        let operations = operations.iter().sum::<u64>() as f64;
        let sorted = |part: fn(&Record) -> u64| {
            let mut each: Vec<u64> = records.iter().map(part).collect();
            each.sort_unstable();
            each
        };
        let mean = |each: &[u64]| each.iter().sum::<u64>() as f64 / each.len().max(1) as f64;
        let all = |each: &[u64]| (mean(each) - clock_ns).max(0.0) * operations;
        let constant = |part, work: BusyWork| {
            // Not the median: the clock may go in steps as long as a short hold.
            let each = sorted(part);
            let most = each.get(each.len() / 2).map_or(0, |median| median + median / 20 + 50);
            if work.is_none() { 0.0 } else { all(&each[..each.partition_point(|ns| *ns <= most)]) }
        };
        let (hold_ns, think_ns) = (constant(|it| it.hold, work[0]), constant(|it| it.think, work[1]));
        let instrument_ns = self.instrument_ns + records.len() as f64 * READINGS * clock_ns;
        let left_ns = thread_ns - hold_ns - think_ns - instrument_ns - self.without_core_ns.unwrap_or(0.0);
        let left_ns = left_ns.max(0.0);

        let releases = sorted(|it| it.release);
        let release_ns = all(&releases[..releases.len() - releases.len() / 100]).min(left_ns);
        let wait_ns = all(&sorted(|it| it.wait));
        let both_ns = wait_ns + release_ns;
        let (wait_ns, release_ns) = if (left_ns..clock_ns * operations).contains(&both_ns) {
            // Too short to be told apart: the core does one while the other is not yet done.
            (wait_ns * left_ns / both_ns, release_ns * left_ns / both_ns)
        } else {
            let most_ns = left_ns - release_ns;
            (wait_ns.clamp((most_ns - interrupted * thread_ns).max(0.0), most_ns), release_ns)
        };
        Self { wait_ns, hold_ns, release_ns, think_ns, instrument_ns, ..self }
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
    /// The nanoseconds that the operations waited which were timed, less one reading of the clock, to two digits;
    /// taken where [`Contention::parts`] is set.
    pub waits: Option<Histogram<u64>>,
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
    /// Cores' worth of time that other programs took of those that this process may use, where the system tells.
    pub other_load: Option<f64>,
    /// What weakens the result.
    pub warnings: Vec<Warning>,
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
        let third = self.calibrations.len().div_ceil(3);
        let typical = |part: &[Calibration]| {
            let mut turns: Vec<f64> = part.iter().map(|calibration| calibration.turn_ns).collect();
            turns.sort_by(f64::total_cmp);
            turns[turns.len() / 2]
        };
        let thirds: Vec<f64> = self.calibrations.chunks(third.max(1)).map(typical).collect();
        let slowest = thirds.iter().copied().fold(f64::MIN, f64::max);
        slowest / thirds.iter().copied().fold(f64::MAX, f64::min) - 1.0
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
    let what = format!(
        "{} contenders, threads {:?}, {} samples of {} ms each, seed {}",
        contenders.len(),
        config.threads,
        config.samples,
        config.sample_ms,
        config.seed,
    );
    let cores = system::usable_cores();
    let mut calibration = Calibration::measure();
    let mut cells = Vec::new();
    for contender in contenders {
        let batch = find_batch(contender, config, &calibration)?;
        let cell = |&threads: &usize| Cell { contender, threads, batch, stride: batch, samples: Vec::new() };
        cells.extend(config.threads.iter().map(cell));
    }
    let (mut random, mut places) =
        (fastrand::Rng::with_seed(config.seed), fastrand::Rng::with_seed(config.seed));
    let mut calibrations: Vec<Calibration> = Vec::new();
    let watch = Watch::begin();
    interleave(&what, cells.len(), config.samples + 1, &mut random, expected, |round, cell| {
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
    })?;
    let (other_load, warnings) = watch.end();
    let timings = cells.into_iter().map(|cell| Timing {
        label: cell.contender.label.clone(),
        family: cell.contender.family,
        threads: cell.threads,
        batch: cell.batch,
        // The first round was the warm-up.
        samples: cell.samples[1..].to_vec(),
    });
    let timings = timings.collect();
    let mut run = ContentionRun { config: config.clone(), calibrations, other_load, warnings, timings };
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
        if cores == 1 {
            self.warnings.push(Warning::OneCore);
        }
        if let Some((whole, kinds)) = system::whole_cores_and_kinds().filter(|_| most > 1) {
            if whole < most.min(cores) {
                self.warnings.push(Warning::SiblingCores { whole });
            }
            if kinds > 1 {
                self.warnings.push(Warning::KindsOfCores { kinds });
            }
        }
        if self.config.parts {
            let resolution_ns = system::clock_resolution_ns();
            if resolution_ns > 100.0 {
                self.warnings.push(Warning::CoarseClock { resolution_ns });
            }
            let unknown =
                |timing: &Timing| timing.samples.iter().any(|it| it.parts.without_core_ns.is_none());
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
fn find_batch(contender: &Contender, config: &Contention, calibration: &Calibration) -> Result<u64> {
    let wanted_ns = config.sample_ms as f64 * 1e6 / BATCHES;
    let short = Contention { sample_ms: 0, parts: false, ..config.clone() };
    let mut batch = 1;
    loop {
        let one = Cell { contender, threads: 1, batch, stride: 1, samples: Vec::new() };
        let tries =
            (0..3).map(|_| Ok(one.run(&short, calibration, 0)?.wall_ns)).collect::<Result<Vec<f64>>>()?;
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

/// Looks at the clock in a sample.
const BATCHES: f64 = 50.0;

struct Cell<'a> {
    contender: &'a Contender,
    threads: usize,
    batch: u64,
    stride: u64,
    samples: Vec<Sample>,
}

impl Cell<'_> {
    /// Makes batches shorter where threads slow each other down, and times so many operations as [`TIMED`] allows.
    fn adapt(&mut self, sample: &Sample, calibration: &Calibration) {
        let each = sample.operations.iter().sum::<u64>() as f64 / self.threads as f64;
        self.batch = self.batch.min(round_batch(each / BATCHES));
        let clock_share = READINGS * calibration.clock_ns * each / sample.wall_ns;
        self.stride = (clock_share / TIMED).ceil() as u64;
    }

    fn run(&self, config: &Contention, calibration: &Calibration, place: usize) -> Result<Sample> {
        let start = Arc::<Start>::default();
        let counter = self.contender.build_at(place)?;
        let (before, run) = (counter.total(), &counter.run);
        let (threads, batch, stride) = (self.threads, self.batch, config.parts.then_some(self.stride));
        let hold = Hold { work: calibration.busy_work(config.hold_ns), timed: false };
        let think = calibration.busy_work(config.think_ns);
        let works = on_threads(threads, |_| {
            let mut work = Work {
                start: Arc::clone(&start),
                threads,
                duration: Duration::from_millis(config.sample_ms),
                batch,
                hold,
                think,
                stride,
                operations: 0,
                records: Vec::new(),
                began: None,
                ended: None,
            };
            run(&mut work);
            work
        })?;
        let operations: Vec<u64> = works.iter().map(|work| work.operations).collect();
        let (done, added) = (operations.iter().sum::<u64>(), counter.total().wrapping_sub(before));
        if added != done || done == 0 {
            let wrong = format!("the total of `{}` grew by {added}", self.contender.label);
            let allowed = format!("{done}, one an operation, and at least 1");
            return Err(Error::new("trust a sample", wrong, allowed));
        }
        let ns = |from: Instant, to: Instant| to.duration_since(from).as_nanos() as f64;
        let (mut thread_ns, mut late_ns, mut without_core_ns) = (0.0, 0.0, Some(0.0));
        for work in &works {
            let (Some(first), Some(began), Some(ended)) = (start.first.get(), work.began, work.ended) else {
                let wrong = format!("`{}` did not repeat its work", self.contender.label);
                return Err(Error::new("time a sample", wrong, "one call of `Work::repeat`"));
            };
            thread_ns += ns(*first, ended.0);
            late_ns += ns(*first, began.0);
            let own = ended.1.zip(began.1).map(|(ended, began)| (ended - began) as f64);
            without_core_ns = without_core_ns.zip(own).map(|(all, own)| all + own);
        }
        let records: Vec<Record> = works.into_iter().flat_map(|work| work.records).collect();
        let (mut parts, mut waits) = (Parts::default(), None);
        if config.parts {
            // A thread that began late had no core, or was still on its way from the gate.
            let crowded = self.threads > system::usable_cores();
            let known = match without_core_ns {
                Some(ns) if crowded => Parts { without_core_ns: Some(ns + late_ns), ..Parts::default() },
                _ => Parts { without_core_ns, instrument_ns: late_ns, ..Parts::default() },
            };
            parts = known.of(&records, &operations, thread_ns, [hold.work, think], calibration.clock_ns);
            let mut histogram = no_waits();
            for record in &records {
                histogram.saturating_record(record.wait.saturating_sub(calibration.clock_ns.round() as u64));
            }
            waits = Some(histogram);
        }
        Ok(Sample { operations, wall_ns: thread_ns / self.threads as f64, parts, waits })
    }
}

fn no_waits() -> Histogram<u64> {
    // From 1 ns to a minute.
    Histogram::new_with_bounds(1, 60_000_000_000, 2).expect("bounds that are valid")
}

//! One thread's share of a sample: operations again and again, and where their time goes.

use crate::machine::cores;
use crate::time::timing::{BusyWork, Calibration, mean, undisturbed};
use hdrhistogram::Histogram;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The work inside a critical section; a contender calls [`Hold::spin`] once an operation, while it holds its lock.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    work: BusyWork,
    timed: bool,
}

impl Hold {
    pub(crate) fn new(work: BusyWork) -> Self {
        Self { work, timed: false }
    }

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
    /// Ready to run, and no core free, or the core was interrupted, which a thread alone sees; `None` where the system
    /// does not tell, and then it counts as waiting.
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

/// Looks at the clock in a sample.
pub(crate) const BATCHES: f64 = 50.0;

/// What all threads of a sample do.
pub(crate) struct Orders {
    /// Whether there are fewer cores than threads.
    pub(crate) crowded: bool,
    pub(crate) duration: Duration,
    pub(crate) batch: u64,
    /// One operation of so many is timed, if any.
    pub(crate) stride: Option<u64>,
    pub(crate) hold: Hold,
    pub(crate) think: BusyWork,
    /// When the first thread began.
    pub(crate) first: OnceLock<Instant>,
}

impl Orders {
    /// Of how many operations, which take so long, one may be timed.
    pub(crate) fn stride(operation_ns: f64, calibration: &Calibration) -> u64 {
        (READINGS * calibration.clock_ns / operation_ns / TIMED).ceil() as u64
    }
}

/// One thread's share of a sample: the operations that it repeats until the time is up.
pub struct Work {
    orders: Arc<Orders>,
    operations: u64,
    records: Vec<Record>,
    /// When, and how long it had been without a core until then.
    began: Option<(Instant, Option<u64>)>,
    ended: Option<(Instant, Option<u64>)>,
}

/// The loop of `repeat` and `repeat_async`, which differ in one `.await`. The clock is read once a batch, so that it
/// costs a short operation next to nothing.
macro_rules! repeat {
    ($work:ident, $operation:ident $(, $dot_await:tt)?) => {{
        let Orders { duration, batch, stride, hold, think, ref first, .. } = *Arc::clone(&$work.orders);
        let (mut operations, mut records, mut random) = (0, $work.room_for_records(), fastrand::Rng::new());
        // At random, or a rhythm of the threads would be taken for the whole.
        let mut gap = || stride.map_or(u64::MAX, |stride| random.u64(0..2 * stride - 1));
        let mut untimed = gap();
        let without_core = $work.core_time();
        let began = Instant::now();
        let end = *first.get_or_init(|| began) + duration;
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
    pub(crate) fn new(orders: &Arc<Orders>) -> Self {
        let orders = Arc::clone(orders);
        Self {
            orders,
            operations: 0,
            records: Vec::new(),
            began: None,
            ended: None,
        }
    }

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
        let expected = |stride| (2.0 * BATCHES) as u64 * self.orders.batch / stride + 100;
        let mut room = Vec::new();
        room.resize(
            self.orders.stride.map_or(0, expected).min(1 << 16) as usize,
            Record::default(),
        );
        room.clear();
        room
    }

    /// Looked up only where parts are wanted: it takes some microseconds.
    fn core_time(&self) -> Option<u64> {
        self.orders.stride.and_then(|_| cores::without_core_ns())
    }
}

impl Record {
    #[inline]
    fn new(wished: Instant, held: Held, free: Instant, next: Instant) -> Self {
        let (entered, left) = held.0.unwrap_or((free, free));
        let ns = |from: Instant, to: Instant| to.duration_since(from).as_nanos() as u64;
        let (wait, hold) = (ns(wished, entered), ns(entered, left));
        Self {
            wait,
            hold,
            release: ns(left, free),
            think: ns(free, next),
        }
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
        let alone = operations.len() == 1;
        let interrupted = if alone {
            2.0 * INTERRUPTED
        } else {
            INTERRUPTED
        };
        let operations = operations.iter().sum::<u64>() as f64;
        let sorted = |part: fn(&Record) -> u64| {
            let mut each: Vec<u64> = records.iter().map(part).collect();
            each.sort_unstable();
            each
        };
        let all = |each: &[u64]| (mean(each) - clock_ns).max(0.0) * operations;
        // What those that went on undisturbed took, and by how much the others took longer.
        let constant = |part, work: BusyWork| {
            let each = sorted(part);
            let ns = all(undisturbed(&each));
            if work.is_none() {
                (0.0, 0.0)
            } else {
                (ns, all(&each) - ns)
            }
        };
        let (hold_ns, hold_off_ns) = constant(|it| it.hold, work[0]);
        let (think_ns, think_off_ns) = constant(|it| it.think, work[1]);
        let without_core_ns = match self.without_core_ns {
            // Nobody else could make it slower.
            Some(ns) if alone => Some(ns.max(hold_off_ns + think_off_ns)),
            other => other,
        };
        let instrument_ns = self.instrument_ns + records.len() as f64 * READINGS * clock_ns;
        let left_ns =
            thread_ns - hold_ns - think_ns - instrument_ns - without_core_ns.unwrap_or(0.0);
        let left_ns = left_ns.max(0.0);

        let releases = sorted(|it| it.release);
        let release_ns = all(&releases[..releases.len() - releases.len() / 100]).min(left_ns);
        let wait_ns = all(&sorted(|it| it.wait));
        let both_ns = wait_ns + release_ns;
        let (wait_ns, release_ns) = if left_ns < both_ns && both_ns < clock_ns * operations {
            // Too short to be told apart: the core does one while the other is not yet done.
            (wait_ns * left_ns / both_ns, release_ns * left_ns / both_ns)
        } else {
            let most_ns = left_ns - release_ns;
            (
                wait_ns.clamp((most_ns - interrupted * thread_ns).max(0.0), most_ns),
                release_ns,
            )
        };
        Self {
            wait_ns,
            hold_ns,
            release_ns,
            think_ns,
            without_core_ns,
            instrument_ns,
        }
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
    /// Where the threads' time went; all zero unless [`Contention::parts`](crate::Contention::parts) is set.
    pub parts: Parts,
    /// The nanoseconds that the operations waited which were timed, less one reading of the clock, to two digits;
    /// taken where [`Contention::parts`](crate::Contention::parts) is set.
    pub waits: Option<Histogram<u64>>,
}

impl Sample {
    /// What the threads did; nothing if one of them did not repeat its work.
    pub(crate) fn of(orders: &Orders, works: Vec<Work>, clock_ns: f64) -> Option<Self> {
        let ns = |from: Instant, to: Instant| to.duration_since(from).as_nanos() as f64;
        let (mut thread_ns, mut late_ns, mut without_core_ns) = (0.0, 0.0, Some(0.0));
        let first = orders.first.get()?;
        for work in &works {
            let ((began, core_before), (ended, core_after)) = work.began.zip(work.ended)?;
            thread_ns += ns(*first, ended);
            late_ns += ns(*first, began);
            let own = core_after
                .zip(core_before)
                .map(|(after, before)| (after - before) as f64);
            without_core_ns = without_core_ns.zip(own).map(|(all, own)| all + own);
        }
        let operations: Vec<u64> = works.iter().map(|work| work.operations).collect();
        let records: Vec<Record> = works.into_iter().flat_map(|work| work.records).collect();
        let (mut parts, mut waits) = (Parts::default(), None);
        if orders.stride.is_some() {
            // A thread that began late had no core, or was still on its way from the gate.
            let known = match without_core_ns {
                Some(ns) if orders.crowded => Parts {
                    without_core_ns: Some(ns + late_ns),
                    ..Parts::default()
                },
                _ => Parts {
                    without_core_ns,
                    instrument_ns: late_ns,
                    ..Parts::default()
                },
            };
            parts = known.of(
                &records,
                &operations,
                thread_ns,
                [orders.hold.work, orders.think],
                clock_ns,
            );
            // From 1 ns to a minute.
            let mut histogram =
                Histogram::new_with_bounds(1, 60_000_000_000, 2).expect("bounds that are valid");
            let net = |record: &Record| record.wait.saturating_sub(clock_ns.round() as u64);
            records
                .iter()
                .for_each(|record| histogram.saturating_record(net(record)));
            waits = Some(histogram);
        }
        let wall_ns = thread_ns / operations.len() as f64;
        Some(Self {
            operations,
            wall_ns,
            parts,
            waits,
        })
    }
}

//! An operation of two steps that two threads do: in an order that is chosen, or by chance.

use crate::check::{steps_of_two, within};
use crate::error::{Error, Result};
use crate::machine::stamp;
use crate::time::attempt::{Ending, attempt};
use crate::time::threads::on_threads;
use parking_lot::Mutex;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The most steps of a schedule: more have no room in a figure.
const MOST_STEPS: usize = 12;
/// A thread waits no longer for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// Nothing that is played or left to chance takes longer.
const LONGEST: Duration = Duration::from_secs(10);

/// An operation of two steps on something that threads share, such as a read and a write.
///
/// ```
/// use helpers::TwoSteps;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// let adding = TwoSteps::<AtomicU64> {
///     state: || AtomicU64::new(0),
///     names: ["reads", "writes"],
///     first: |number| number.load(Relaxed),
///     second: |number, seen| {
///         number.store(seen + 1, Relaxed);
///         seen + 1
///     },
///     total: |number| number.load(Relaxed),
/// };
/// assert_eq!(adding.play(&[0, 0, 1, 1])?.total, 2);
/// assert_eq!(adding.play(&[0, 1, 0, 1])?.total, 1);
/// # Ok::<(), helpers::Error>(())
/// ```
#[derive(Debug)]
pub struct TwoSteps<T> {
    /// What threads share, built anew for each run.
    pub state: fn() -> T,
    /// What a thread does in the first step, and in the second: `reads`, `writes`.
    pub names: [&'static str; 2],
    /// The first step, and the number that the thread remembers of it.
    pub first: fn(&T) -> u64,
    /// The second step, which is given that number, and the number that it is told by.
    pub second: fn(&T, u64) -> u64,
    /// What came of all operations so far.
    pub total: fn(&T) -> u64,
}

impl<T> Clone for TwoSteps<T> {
    fn clone(&self) -> Self {
        *self
    }
}

// Not derived, since that asks for a state that can be copied.
impl<T> Copy for TwoSteps<T> {}

/// A step of one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which thread, 0 or 1.
    pub thread: usize,
    /// Whether it was the second step of an operation.
    pub second: bool,
    /// The number that the step is told by.
    pub number: u64,
    /// What came of all operations so far.
    pub total: u64,
}

/// What became of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Played {
    /// What a thread does in the first step, and in the second.
    pub names: [&'static str; 2],
    /// Every step, in the order of the schedule.
    pub steps: Vec<Step>,
    /// What came of all operations.
    pub total: u64,
    /// When, and on what machine.
    pub measured: String,
}

/// What became of operations that two threads did at once, as their time would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByChance {
    /// Operations of each thread in a trial.
    pub each: u64,
    /// What came of as many operations that one thread did, one after the other.
    pub alone: u64,
    /// What came of those of two threads, a number a trial.
    pub totals: Vec<u64>,
}

/// The order in which threads took their steps, and where that ended.
///
/// ```
/// use helpers::{Played, Step};
/// let step = |second| Step { thread: 0, second, number: 7, total: 8 };
/// let steps = vec![step(false), step(true)];
/// let played = Played { steps, total: 8, ..Played::default() };
/// assert_eq!(played.to_string(), "the schedule 0, 0, which ends at 8");
/// ```
impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = self.steps.iter().map(|step| step.thread.to_string());
        let order: Vec<String> = threads.collect();
        write!(
            f,
            "the schedule {}, which ends at {}",
            order.join(", "),
            self.total
        )
    }
}

impl ByChance {
    /// In how many trials two threads came to another total than one.
    ///
    /// ```
    /// let found = helpers::ByChance { each: 5, alone: 10, totals: vec![10, 7, 10] };
    /// assert_eq!(found.wrong(), 1);
    /// ```
    pub fn wrong(&self) -> usize {
        let other = |total: &&u64| **total != self.alone;
        self.totals.iter().filter(other).count()
    }
}

impl<T: Send + Sync + 'static> TwoSteps<T> {
    /// Has two threads take their steps in the order of `schedule`, which names for each step the
    /// thread that takes it.
    ///
    /// Each thread waits for its turn, so the order is the same every time.
    ///
    /// # Errors
    /// A schedule that cannot be, or steps that panic or do not return in ten seconds.
    pub fn play(&self, schedule: &[usize]) -> Result<Played> {
        check(schedule)?;
        let operation = *self;
        let schedule = schedule.to_vec();
        in_time("play SCHEDULE", move || operation.take_turns(&schedule))
    }

    fn take_turns(&self, schedule: &[usize]) -> Result<Played> {
        let shared = (self.state)();
        let turn = AtomicUsize::new(0);
        let steps = Mutex::new(Vec::with_capacity(schedule.len()));
        let last = Instant::now() + PATIENCE;
        on_threads(2, |thread| {
            let places = (0..schedule.len()).filter(|&place| schedule[place] == thread);
            let mut remembered = 0;
            for (nth, place) in places.enumerate() {
                // What the other thread did before it handed the turn on is seen with it.
                while turn.load(Ordering::Acquire) < place {
                    if Instant::now() > last {
                        return;
                    }
                    std::thread::yield_now();
                }
                let second = nth % 2 == 1;
                let number = match second {
                    true => (self.second)(&shared, remembered),
                    false => (self.first)(&shared),
                };
                remembered = number;
                let total = (self.total)(&shared);
                steps.lock().push(Step {
                    thread,
                    second,
                    number,
                    total,
                });
                turn.store(place + 1, Ordering::Release);
            }
        })?;
        let steps = steps.into_inner();
        if steps.len() < schedule.len() {
            let wrong = format!("step {} did not end in 2 s", steps.len() + 1);
            return Err(Error::new("play SCHEDULE", wrong, "steps that return"));
        }
        Ok(Played {
            names: self.names,
            steps,
            total: (self.total)(&shared),
            measured: stamp::measured_now(),
        })
    }

    /// Has two threads do the operation again and again, both from one moment on, in so many
    /// trials.
    ///
    /// # Errors
    /// No trials, or more than 1,000; steps that panic, or all that does not return in ten seconds.
    ///
    /// ```
    /// use helpers::{TwoSteps, parking_lot::Mutex};
    /// let adding = TwoSteps::<Mutex<u64>> {
    ///     state: || Mutex::new(0),
    ///     names: ["waits", "adds"],
    ///     first: |_| 0,
    ///     second: |total, _| {
    ///         *total.lock() += 1;
    ///         1
    ///     },
    ///     total: |total| *total.lock(),
    /// };
    /// let found = adding.by_chance(6)?;
    /// assert_eq!((found.wrong(), found.alone), (0, 2 * found.each));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn by_chance(&self, trials: usize) -> Result<ByChance> {
        within("trials", trials, 1..=1_000)?;
        let operation = *self;
        in_time("leave it to chance", move || operation.at_once(trials))
    }

    fn at_once(&self, trials: usize) -> Result<ByChance> {
        let each = self.count_in(Duration::from_millis(1));
        let alone = (self.state)();
        self.repeat(&alone, 2 * each);
        let mut totals = Vec::with_capacity(trials);
        for _ in 0..trials {
            let shared = (self.state)();
            let start = OnceLock::new();
            on_threads(2, |_| {
                let soon = || Instant::now() + Duration::from_micros(50);
                let start = *start.get_or_init(soon);
                while Instant::now() < start {}
                self.repeat(&shared, each);
            })?;
            totals.push((self.total)(&shared));
        }
        Ok(ByChance {
            each,
            alone: (self.total)(&alone),
            totals,
        })
    }

    fn repeat(&self, shared: &T, times: u64) {
        for _ in 0..times {
            let seen = (self.first)(shared);
            (self.second)(shared, seen);
        }
    }

    /// How many operations one thread does in so long: 1 to 10,000.
    fn count_in(&self, time: Duration) -> u64 {
        let shared = (self.state)();
        let began = Instant::now();
        let mut count = 0;
        while count == 0 || (began.elapsed() < time && count < 10_000) {
            self.repeat(&shared, 1);
            count += 1;
        }
        count
    }
}

fn in_time<R: Send + 'static>(
    attempted: &str,
    work: impl FnOnce() -> Result<R> + Send + 'static,
) -> Result<R> {
    let wrong = match attempt(LONGEST, work) {
        Ending::Returned(found) => return found,
        Ending::Panicked(why) => format!("it panicked: {why}"),
        Ending::Stuck => format!("there was no answer in {} s", LONGEST.as_secs()),
    };
    Err(Error::new(attempted, wrong, "steps that return"))
}

/// Refuses a schedule that no two threads can follow.
fn check(schedule: &[usize]) -> Result<()> {
    let wrong = match steps_of_two(schedule) {
        Ok(_) if schedule.len() > MOST_STEPS => format!("it has {} steps", schedule.len()),
        Ok([zeros, ones]) if zeros % 2 == 0 && ones % 2 == 0 => return Ok(()),
        Ok([zeros, ones]) => format!("steps of thread 0: {zeros}, of thread 1: {ones}"),
        Err(wrong) => wrong,
    };
    let allowed = "2 to 12 steps, each 0 or 1, and of each an even number";
    Err(Error::of_parameter("SCHEDULE", wrong, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    const ADDING: TwoSteps<AtomicU64> = TwoSteps {
        state: || AtomicU64::new(0),
        names: ["reads", "writes"],
        first: |number| number.load(Relaxed),
        second: |number, seen| {
            number.store(seen + 1, Relaxed);
            seen + 1
        },
        total: |number| number.load(Relaxed),
    };

    #[test]
    fn steps_are_taken_in_the_order_of_the_schedule_every_time() {
        for _ in 0..100 {
            let played = ADDING.play(&[0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1]).unwrap();
            let numbers: Vec<u64> = played.steps.iter().map(|step| step.number).collect();
            assert_eq!(numbers, [0, 0, 1, 1, 2, 1, 1, 1, 2, 2, 3, 2]);
            assert_eq!(played.total, 2);
        }
    }

    #[test]
    fn a_schedule_that_cannot_be_is_refused() {
        let refused = |schedule: &[usize]| ADDING.play(schedule).unwrap_err().wrong;
        assert_eq!(refused(&[]), "it is empty");
        assert_eq!(refused(&[0, 2]), "it holds 2");
        assert_eq!(refused(&[0; 14]), "it has 14 steps");
        assert_eq!(
            refused(&[0, 0, 0, 1]),
            "steps of thread 0: 3, of thread 1: 1"
        );
    }

    #[test]
    fn by_chance_one_operation_alone_is_right() {
        let found = ADDING.by_chance(6).unwrap();
        assert_eq!((found.alone, found.totals.len()), (2 * found.each, 6));
        assert!(found.totals.iter().all(|&total| total <= found.alone));
    }

    #[test]
    fn steps_that_panic_or_never_end_are_errors() {
        let panics = TwoSteps {
            second: |_, _| panic!("no"),
            ..ADDING
        };
        let error = panics.play(&[0, 1, 0, 1]).unwrap_err().to_string();
        assert!(error.contains("thread 0 panicked"), "{error}");
        let error = panics.by_chance(6).unwrap_err().to_string();
        assert!(error.contains("panicked"), "{error}");
        let stuck = TwoSteps::<Mutex<u64>> {
            state: || Mutex::new(0),
            names: ["looks", "acts"],
            first: |lock| {
                let _held = lock.lock();
                *lock.lock()
            },
            second: |_, _| 0,
            total: |_| 0,
        };
        let error = stuck.play(&[0, 0]).unwrap_err().to_string();
        assert!(error.contains("no answer in 10 s"), "{error}");
    }
}

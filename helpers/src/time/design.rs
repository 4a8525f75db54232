//! Designs: what threads share, what each of them does with it, and the total that proves it.

use crate::error::{Error, Result};
use crate::time::work::{Section, SectionTimes, Work};
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

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
/// use helpers::{Design, Family, Setting, parking_lot::Mutex};
/// let locked = Design::new("parking_lot", Family::Lock, || Mutex::new(0),
///     |value, work| work.repeat(|section| {
///         let mut value = value.lock();
///         *value += 1;
///         section.work()
///     }),
///     |value| *value.lock());
/// let setting = Setting { threads: vec![1, 2], sample_ms: 1, ..Default::default() };
/// let run = helpers::time_designs(&[locked], &setting)?;
/// assert!(run.timing("parking_lot", 2)?.cost()?.value > 0.0);
/// # Ok::<(), helpers::Error>(())
/// ```
pub struct Design {
    /// The name in figures and tables.
    pub label: String,
    /// The kind of the design.
    pub family: Family,
    build: Box<dyn Fn(usize) -> Shared>,
}

/// What the threads of one sample share: the state of a [`Design`], built once.
pub(crate) struct Shared {
    pub(crate) run: Box<dyn Fn(&mut Work) + Sync>,
    pub(crate) total: Box<dyn Fn() -> u64>,
}

impl Design {
    /// A design from a way to build the state that threads share, what each of them does with it,
    /// and how much was added to it so far.
    ///
    /// Every sample gets a state of its own, threads that own it included: where a lock happens to
    /// lie in memory moves what it costs. `run` adds one again and again, by one call of
    /// [`Work::repeat`] or [`Work::repeat_async`].
    pub fn new<S: Send + Sync + 'static>(
        label: impl Into<String>,
        family: Family,
        state: impl Fn() -> S + 'static,
        run: impl Fn(&S, &mut Work) + Send + Sync + 'static,
        total: impl Fn(&S) -> u64 + 'static,
    ) -> Self {
        let run = Arc::new(run);
        let total = Arc::new(total);
        let build = move |place: usize| {
            // The allocator would hand out the same place again, if others were not taken first.
            let taken = (0..place).map(|_| Arc::new(MaybeUninit::uninit()));
            let _taken: Vec<Arc<MaybeUninit<S>>> = taken.collect();
            let state = Arc::new(state());
            let shared = Arc::clone(&state);
            let run = Arc::clone(&run);
            let total = Arc::clone(&total);
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

    /// The same where an addition is one call of `add`, which calls [`Section::work`] while it
    /// holds its lock.
    ///
    /// ```
    /// use helpers::{Design, Family, Section, Setting, parking_lot::Mutex};
    /// let add = |value: &Mutex<u64>, section: Section| {
    ///     let mut value = value.lock();
    ///     *value += 1;
    ///     section.work()
    /// };
    /// let start = || Mutex::new(0);
    /// let design = Design::of_calls("mutex", Family::Lock, start, add, |value| *value.lock());
    /// let setting = Setting { sample_ms: 1, ..Default::default() };
    /// let run = helpers::time_designs(&[design], &setting)?;
    /// assert!(run.timing("mutex", 1)?.cost()?.value > 0.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn of_calls<S: Send + Sync + 'static>(
        label: impl Into<String>,
        family: Family,
        state: impl Fn() -> S + 'static,
        add: impl Fn(&S, Section) -> SectionTimes + Send + Sync + 'static,
        total: impl Fn(&S) -> u64 + 'static,
    ) -> Self {
        let run = move |state: &S, work: &mut Work| work.repeat(|section| add(state, section));
        Self::new(label, family, state, run, total)
    }

    /// Builds the state, with so many pieces of its size taken before it.
    ///
    /// # Errors
    /// It panics, as when a thread that should own it does not start.
    pub(crate) fn build_at(&self, place: usize) -> Result<Shared> {
        std::panic::catch_unwind(AssertUnwindSafe(|| (self.build)(place))).map_err(|_| {
            let wrong = format!("that of `{}` panicked", self.label);
            let allowed = "one that can be built as often as there are samples";
            Error::new("build a state", wrong, allowed)
        })
    }
}

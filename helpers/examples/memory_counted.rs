//! Counts the bytes that an idle task asks for, holds them against the rule of the notebook, and
//! measures in a fresh process what it costs resident.
//!
//! A notebook cell cannot count: it links the standard library dynamically, and that keeps its own
//! allocator. The functions between the two lines are those of notebook 06; a test holds them
//! against these.
//!
//! ```sh
//! cargo run --release --package helpers --example memory_counted
//! ```

use helpers::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

// ---------------------------------------------------------------- in the notebook, word for word
use std::future::pending;
use tokio::runtime::{Builder, Runtime};
fn new_runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
}
fn holding<const BYTES: usize>() -> impl Future<Output = ()> + Send {
    let kept = [0_u8; BYTES];
    async move {
        pending::<()>().await;
        std::hint::black_box(&kept);
    }
}
fn start_many(runtime: &Runtime, count: u64, mut start_one: impl FnMut()) {
    runtime.block_on(async {
        for started in 1..=count {
            start_one();
            if started % 16 == 0 || started == count {
                tokio::task::yield_now().await;
            }
        }
    });
}
// ---------------------------------------------------------------- so far

thread_local! {
    /// Bytes that this thread asked for, less those that it gave back.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: hands every call to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get().wrapping_add(layout.size()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        ASKED.set(ASKED.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What tasks of one kind cost.
pub struct Weighed {
    /// The kind's name.
    pub kind: &'static str,
    /// The size of its future.
    pub future: usize,
    /// The bytes that each task asks for.
    pub asked: usize,
    /// Memory over tasks.
    pub grown: MemorySeries,
}

/// What a task asks for, in the words of tokio's layout: header, core, trailer, padding. A large
/// future is boxed.
fn asked_bytes(future: usize) -> usize {
    const LARGEST_UNBOXED: usize = if cfg!(debug_assertions) {
        2_048
    } else {
        16_384
    };
    let cell = |future: usize| (104 + future.max(24).next_multiple_of(8)).next_multiple_of(128);
    if future > LARGEST_UNBOXED {
        cell(8) + future
    } else {
        cell(future)
    }
}

fn weigh<F: Future<Output = ()> + Send + 'static>(
    kind: &'static str,
    tasks: u64,
    task: impl Fn() -> F,
) -> Result<Weighed> {
    const COUNTED: usize = 1_000;
    let runtime = new_runtime();
    let start = || drop(tokio::spawn(task()));
    start_many(&runtime, 1_000, start); // the runtime's own queues grow once
    let before = ASKED.get();
    start_many(&runtime, COUNTED as u64, start);
    let (future, asked) = (size_of::<F>(), ASKED.get() - before);
    if asked != COUNTED * asked_bytes(future) {
        let wrong = format!("{kind}: {COUNTED} tasks of {future} bytes asked for {asked}");
        return Err(Error::new(
            "count",
            wrong,
            format!("{} each, by the rule", asked_bytes(future)),
        ));
    }
    drop(runtime);

    let runtime = new_runtime();
    let config = MemoryGrowth {
        count: tasks,
        ..MemoryGrowth::default()
    };
    let grown = MemorySeries::measure(&config, |more| {
        start_many(&runtime, more, start);
        Ok(())
    })?;
    Ok(Weighed {
        kind,
        future,
        asked: asked / COUNTED,
        grown,
    })
}

/// Weighs tasks that do nothing, with so many alive in a series.
///
/// # Errors
/// They do not ask for the bytes of the rule.
pub fn weigh_pending(tasks: u64) -> Result<Weighed> {
    weigh("pending", tasks, pending)
}

/// Weighs tasks of every kind, with so many alive in a series, and ten times as many of the
/// smallest kind.
///
/// # Errors
/// Tasks of a kind do not ask for the bytes of the rule.
pub fn weigh_all(tasks: u64) -> Result<Vec<Weighed>> {
    const DAY: Duration = Duration::from_secs(86_400);
    let mut all = vec![weigh_pending(10 * tasks)?];
    macro_rules! captured { ($($bytes:literal)*) => {
        $(all.push(weigh(concat!("captured-", $bytes), tasks, holding::<$bytes>)?);)*
    } }
    captured!(0 23 24 151 152 279 280 407 408 535 536 663 664 791 792 919 920 1024);
    captured!(200 700 2047 2048 3000 16383 16384 20000);
    all.push(weigh("timer", tasks, || tokio::time::sleep(DAY))?);
    all.push(weigh("timer-captured-200", tasks, || async {
        let kept = [0_u8; 200];
        tokio::time::sleep(DAY).await;
        black_box(&kept);
    })?);
    let bell = Arc::new(tokio::sync::Notify::new());
    all.push(weigh("notify", tasks, || {
        let bell = bell.clone();
        async move { bell.notified().await }
    })?);
    Ok(all)
}

/// Prints a line a kind: its name, the size of its future, the bytes asked for, resident bytes, R².
pub fn main() -> Result<()> {
    for Weighed {
        kind,
        future,
        asked,
        grown,
    } in weigh_all(10_000)?
    {
        let (resident, r_squared) = (grown.resident_bytes_each()?.value, grown.resident.r_squared);
        println!("{kind} {future} {asked} {resident:.2} {r_squared:.6}");
    }
    Ok(())
}

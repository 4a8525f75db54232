//! Counts the bytes that an idle task asks for, exactly, and measures in a fresh process what it costs resident.
//!
//! A notebook cell cannot count: it links the standard library dynamically, and that keeps its own allocator. The
//! functions between the two lines are those of `notebooks/03-memory-per-idle-task.ipynb`; a test holds them against it.
//!
//! ```sh
//! cargo run --release --package helpers --example memory_counted
//! ```

use helpers::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

// ---------------------------------------------------------------- in the notebook, word for word
use std::future::{Future, pending};
use tokio::runtime::{Builder, Runtime};
trait Idle: Future<Output = ()> + Send + 'static {}
impl<F: Future<Output = ()> + Send + 'static> Idle for F {}
fn new_runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}
#[rustfmt::skip]
fn start_many(runtime: &Runtime, count: u64, mut start_one: impl FnMut()) {
    runtime.block_on(async {
        for started in 1..=count {
            start_one();
            if started % 16 == 0 || started == count { tokio::task::yield_now().await; }
        }
    });
}
#[rustfmt::skip]
fn holding<const BYTES: usize>() -> impl Idle {
    let kept = [0_u8; BYTES];
    async move { pending::<()>().await; std::hint::black_box(&kept); }
}
// ---------------------------------------------------------------- so far

/// Bytes that were asked for and not given back.
static ASKED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: hands every call to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        ASKED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Prints a line: the kind, the size of its future, the bytes that each task asks for, resident bytes, R².
fn weigh<F: Idle>(kind: &str, tasks: u64, task: impl Fn() -> F) -> Result<()> {
    const COUNTED: usize = 1_000;
    let runtime = new_runtime();
    let start = || drop(tokio::spawn(task()));
    start_many(&runtime, 1_000, start); // the runtime's own queues grow once
    let before = ASKED.load(Relaxed);
    start_many(&runtime, COUNTED as u64, start);
    let asked = ASKED.load(Relaxed) - before;
    if !asked.is_multiple_of(COUNTED) {
        let wrong = format!("{COUNTED} tasks asked for {asked} bytes");
        return Err(Error::new("count", wrong, "as many for each task"));
    }
    drop(runtime);

    let runtime = new_runtime();
    let config = MemoryGrowth { count: tasks, ..MemoryGrowth::default() };
    let grown = bytes_each(&config, |more| {
        start_many(&runtime, more, start);
        Ok(())
    })?;
    let (resident, r_squared) = (grown.resident_bytes_each()?.value, grown.resident.r_squared);
    println!("{kind} {} {} {resident:.2} {r_squared:.6}", size_of::<F>(), asked / COUNTED);
    Ok(())
}

fn main() -> Result<()> {
    const DAY: Duration = Duration::from_secs(86_400);
    weigh("pending", 100_000, pending)?;
    macro_rules! captured { ($($bytes:literal)*) => {
        $(weigh(concat!("captured-", $bytes), 10_000, holding::<$bytes>)?;)*
    } }
    captured!(0 23 24 151 152 279 280 407 408 535 536 663 664 791 792 919 920 1024);
    captured!(200 700 3000 16383 16384 20000);
    weigh("timer", 10_000, || tokio::time::sleep(DAY))?;
    weigh("timer-captured-200", 10_000, || async {
        let kept = [0_u8; 200];
        tokio::time::sleep(DAY).await;
        black_box(&kept);
    })?;
    let bell = Arc::new(tokio::sync::Notify::new());
    weigh("notify", 10_000, || {
        let bell = bell.clone();
        async move { bell.notified().await }
    })
}

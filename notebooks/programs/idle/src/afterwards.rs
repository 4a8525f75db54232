//! What comes back when tasks have ended.
//!
//! `idle COUNT STEPS SECONDS STAY TRICKLE` starts so many tasks in each of the steps, then ends
//! all but one of each STAY; with STAY 0 none stays. It reads the memory for so many seconds, in
//! which TRICKLE tasks at once come and go every 50 ms, since some allocators give back only when
//! they are called. Last it asks the C library's allocator to give back what is free, where that is
//! in use.

use crate::new_runtime;
use crate::resident::resident_bytes;
use std::future::pending;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PAUSE: Duration = Duration::from_millis(50);
const BETWEEN_READINGS: Duration = Duration::from_millis(500);

pub fn watch([count, steps]: [u64; 2], seconds: u64, stay: u64, trickle: u64) {
    let [ending, staying] = [new_runtime(), new_runtime()];
    let stays = |nth: u64| stay > 0 && nth % stay == 0;
    resident_bytes(); // the first look takes memory itself
    println!("reading 0 {}", resident_bytes());
    for step in 1..=steps {
        let tasks = count * (step - 1) + 1..=count * step;
        ending.block_on(async {
            for nth in tasks {
                let runtime = if stays(nth) { &staying } else { &ending };
                runtime.spawn(pending::<()>());
                if nth % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            tokio::task::yield_now().await;
        });
        println!("reading {} {}", count * step, resident_bytes());
    }

    drop(ending);
    let ended = Instant::now();
    let print = |word| {
        println!(
            "{word} {:.2} {}",
            ended.elapsed().as_secs_f64(),
            resident_bytes()
        )
    };
    print("ended");
    let until = Duration::from_secs(seconds);
    let mut next = BETWEEN_READINGS;
    while ended.elapsed() < until {
        std::thread::sleep(PAUSE);
        come_and_go(&staying, trickle);
        if ended.elapsed() >= next {
            print("ended");
            next += BETWEEN_READINGS;
        }
    }
    if trim() {
        print("trimmed");
    }
}

/// So many tasks that are alive at once, and then end.
fn come_and_go(runtime: &Runtime, count: u64) {
    runtime.block_on(async {
        let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(async {})).collect();
        for task in tasks {
            task.await.expect("a task that ends");
        }
    });
}

/// Whether the C library's allocator is in use, and has given back something.
fn trim() -> bool {
    #[cfg(all(
        target_env = "gnu",
        not(any(feature = "mimalloc", feature = "jemalloc"))
    ))]
    {
        // SAFETY: it takes a number, and touches only what is free.
        return unsafe { libc::malloc_trim(0) } != 0;
    }
    #[allow(unreachable_code)]
    false
}

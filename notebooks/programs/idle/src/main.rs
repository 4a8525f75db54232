//! The page's program in Rust: ten thousand tasks of tokio that wait for ever.
//!
//! `idle COUNT` prints what the page's program prints, of so many tasks. `idle COUNT STEPS` starts
//! as many again in each of the steps that follow, and reads the memory after each. What five
//! numbers do, says `afterwards.rs`.

mod afterwards;
mod allocator;
mod resident;

use resident::resident_bytes;
use std::future::pending;
use tokio::runtime::{Builder, Runtime};

fn new_runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

fn start_many(runtime: &Runtime, count: u64) {
    runtime.block_on(async {
        for started in 1..=count {
            tokio::spawn(pending::<()>());
            if started % 16 == 0 || started == count {
                tokio::task::yield_now().await; // lets the runtime look at the new ones
            }
        }
    });
}

fn main() {
    let words = std::env::args().skip(1);
    let numbers: Vec<u64> = words.map(|word| word.parse().expect("a number")).collect();
    if let [count, steps, seconds, stay, trickle] = numbers[..] {
        return afterwards::watch([count, steps], seconds, stay, trickle);
    }
    let count = numbers.first().copied().unwrap_or(10_000);
    let steps = numbers.get(1).copied().unwrap_or(0);

    let runtime = new_runtime();
    resident_bytes(); // the first look takes memory itself
    let before = resident_bytes();
    start_many(&runtime, count);
    let after = resident_bytes();
    println!("kilobytes {:.3}", (after - before) / count as f64 / 1000.0);

    println!("reading {count} {after}");
    let asked = allocator::bytes_asked_for();
    for step in 1..=steps {
        start_many(&runtime, count);
        println!("reading {} {}", (1 + step) * count, resident_bytes());
    }
    let more = (allocator::bytes_asked_for() - asked) as f64;
    println!("asked {:.0}", more / (steps * count).max(1) as f64);
    println!("alive {}", runtime.metrics().num_alive_tasks());
}

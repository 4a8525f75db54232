//! Uncontended costs twice, in turns: by criterion, and by the instrument that the notebooks use.
//!
//! `cargo bench -p helpers` prints the ratio of the two for each design. On a quiet machine it lies
//! between 0.95 and 1.05; on a busy one, look at its interval.

use criterion::Criterion;
use helpers::{Design, Estimate, Family, Setting, parking_lot, time_designs};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const ROUNDS: usize = 9;

/// Criterion's own median, in nanoseconds.
fn by_criterion(folder: &Path, operation: &mut dyn FnMut(&mut criterion::Bencher)) -> f64 {
    let mut criterion = Criterion::default()
        .output_directory(folder)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(25)
        .without_plots();
    criterion.bench_function("operation", operation);
    let file = std::fs::File::open(folder.join("operation/new/estimates.json"))
        .expect("criterion's estimates");
    let estimates: serde_json::Value = serde_json::from_reader(file).expect("estimates as JSON");
    estimates["median"]["point_estimate"]
        .as_f64()
        .expect("a median")
}

/// The same with the notebooks' instrument.
fn by_instrument(design: &[Design]) -> f64 {
    let config = Setting {
        samples: 25,
        sample_ms: 15,
        ..Default::default()
    };
    let run = time_designs(design, &config).expect("a sound design");
    run.timings[0].cost().expect("25 samples").value
}

fn compare(design: Design, operation: &mut dyn FnMut(&mut criterion::Bencher)) {
    let design = [design];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut instrument, mut criterion) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        criterion.push(by_criterion(folder.path(), operation));
        instrument.push(by_instrument(&design));
    }
    let [ours, theirs] =
        [&instrument, &criterion].map(|times| Estimate::median(times).expect("all rounds"));
    let ratio = Estimate::ratio(&instrument, &criterion).expect("rounds of both");
    println!(
        "{}: instrument {ours} ns, criterion {theirs} ns, ratio {ratio}",
        design[0].label
    );
}

fn main() {
    let parking_lot_mutex = Design::new(
        "parking_lot mutex",
        Family::Lock,
        || parking_lot::Mutex::new(0),
        |value, work| {
            work.repeat(|section| {
                *value.lock() += 1;
                section.work()
            })
        },
        |value| *value.lock(),
    );
    let lock = parking_lot::Mutex::new(0_u64);
    compare(parking_lot_mutex, &mut |bencher| {
        bencher.iter(|| *lock.lock() += 1)
    });

    let std_mutex = Design::new(
        "std mutex",
        Family::Lock,
        || Mutex::new(0),
        |value, work| {
            work.repeat(|section| {
                *value.lock().unwrap() += 1;
                section.work()
            })
        },
        |value| *value.lock().unwrap(),
    );
    let lock = Mutex::new(0_u64);
    compare(std_mutex, &mut |bencher| {
        bencher.iter(|| *lock.lock().unwrap() += 1)
    });

    let atomic_add = Design::new(
        "atomic add",
        Family::Atomic,
        || AtomicU64::new(0),
        |value, work| {
            work.repeat(|section| {
                value.fetch_add(1, Relaxed);
                section.work()
            })
        },
        |value| value.load(Relaxed),
    );
    let value = AtomicU64::new(0);
    compare(atomic_add, &mut |bencher| {
        bencher.iter(|| value.fetch_add(1, Relaxed))
    });
}

//! Parameters that make no sense: each refusal in its exact words, and nothing measured.

use helpers::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter that adds `adds` for every operation that it reports.
fn adding(adds: u64) -> Contender {
    let run = move |total: &AtomicU64, work: &mut Work| {
        work.repeat(|hold| {
            total.fetch_add(adds, Relaxed);
            hold.spin()
        })
    };
    Contender::new("adding", Family::Atomic, AtomicU64::new(0), run, |total| total.load(Relaxed))
}

fn refusal(config: Contention) -> String {
    let contenders = [adding(1)];
    let refused = time_contenders(&contenders, &config).unwrap_err().to_string();
    assert_eq!(contenders[0].total(), 0, "it ran");
    refused
}

#[test]
fn contention_refuses_parameters_outside_their_range() {
    let config = Contention::default;
    for (refused, words) in [
        (
            Contention { threads: vec![], ..config() },
            "cannot use threads: it is empty (allowed: one number or more, 1 to 256, each once)",
        ),
        (
            Contention { threads: vec![1, 0], ..config() },
            "cannot use threads: it holds 0 (allowed: one number or more, 1 to 256, each once)",
        ),
        (
            Contention { threads: vec![257], ..config() },
            "cannot use threads: it holds 257 (allowed: one number or more, 1 to 256, each once)",
        ),
        (
            Contention { threads: vec![2, 1, 2], ..config() },
            "cannot use threads: it holds 2 twice (allowed: one number or more, 1 to 256, each once)",
        ),
        (
            Contention { hold_ns: 1_000_001, ..config() },
            "cannot use hold_ns: it is 1,000,001 (allowed: 0 to 1,000,000)",
        ),
        (
            Contention { think_ns: u64::MAX, ..config() },
            "cannot use think_ns: it is 18,446,744,073,709,551,615 (allowed: 0 to 1,000,000)",
        ),
        (Contention { samples: 4, ..config() }, "cannot use samples: it is 4 (allowed: 5 to 1,000)"),
        (Contention { sample_ms: 0, ..config() }, "cannot use sample_ms: it is 0 (allowed: 1 to 10,000)"),
        (
            Contention { samples: 1_000, sample_ms: 10_000, ..config() },
            "cannot time contenders: it would take 2.9 hours (allowed: up to 1 hour: fewer or shorter samples)",
        ),
    ] {
        assert_eq!(refusal(refused), words);
    }
}

#[test]
fn a_run_on_no_or_too_many_threads_is_refused() {
    let words = |threads| on_threads(threads, |_| ()).unwrap_err().to_string();
    assert_eq!(words(0), "cannot use threads: it is 0 (allowed: 1 to 256)");
    assert_eq!(words(1_000), "cannot use threads: it is 1,000 (allowed: 1 to 256)");
}

#[test]
fn a_panic_in_a_thread_is_an_error_and_the_others_finish() {
    let finished = AtomicU64::new(0);
    let outcome = on_threads(4, |thread| {
        assert_ne!(thread, 2);
        finished.fetch_add(1, Relaxed);
    });
    let words = "cannot run on threads: thread 2 panicked (allowed: work that returns)";
    assert_eq!(outcome.unwrap_err().to_string(), words);
    assert_eq!(finished.into_inner(), 3);
}

#[test]
fn a_sample_with_a_wrong_total_is_not_counted() {
    let config = Contention { sample_ms: 1, ..Contention::default() };
    for (adds, found) in
        [(2, "the total of `adding` grew by "), (0, "the total of `adding` grew by 0 (allowed: ")]
    {
        let words = time_contenders(&[adding(adds)], &config).unwrap_err().to_string();
        assert!(words.starts_with(&format!("cannot trust a sample: {found}")), "{words}");
    }
}

#[test]
fn contenders_with_one_label_are_refused() {
    let words = time_contenders(&[adding(1), adding(1)], &Contention::default()).unwrap_err().to_string();
    assert_eq!(words, "cannot time contenders: two are called `adding` (allowed: labels that differ)");
}

#[test]
fn a_timing_that_was_not_taken_is_named_with_those_that_were() {
    let config = Contention { threads: vec![1, 2], sample_ms: 1, samples: 5, ..Contention::default() };
    let run = time_contenders(&[adding(1)], &config).unwrap();
    let words = run.timing("std", 1).unwrap_err().to_string();
    let known = "`adding` on 1, `adding` on 2";
    assert_eq!(
        words,
        format!("cannot find a timing: `std` on 1 threads was not measured (allowed: {known})")
    );
}

#[test]
fn memory_refuses_parameters_outside_their_range_and_more_than_fits() {
    let words = |count, steps| {
        let add = |_| -> Result<()> { panic!("it ran") };
        bytes_each(&MemoryGrowth { count, steps }, add).unwrap_err().to_string()
    };
    assert_eq!(words(99, 20), "cannot use count: it is 99 (allowed: 100 to 10,000,000,000)");
    assert_eq!(words(100_000, 4), "cannot use steps: it is 4 (allowed: 5 to 1,000)");

    let mut kept = Vec::new();
    let everything = MemoryGrowth { count: 10_000_000_000, steps: 20 };
    let refused = bytes_each(&everything, |more| {
        kept.extend((0..more).map(|_| [7_u64; 16]));
        Ok(())
    });
    let words = refused.unwrap_err().to_string();
    let start = "cannot measure bytes each: 10,000,000,000 more at about ";
    assert!(
        words.starts_with(start) && words.contains(" MB may be taken (allowed: a count up to about "),
        "{words}"
    );
    // A hundred, then twenty thousand, tell that the rest does not fit.
    assert_eq!(kept.len(), 20_100);
}

#[test]
fn an_error_of_the_thing_added_ends_the_series() {
    let refused =
        bytes_each(&MemoryGrowth::default(), |_| Err(Error::new("start a thread", "none left", "fewer")));
    assert_eq!(refused.unwrap_err().to_string(), "cannot start a thread: none left (allowed: fewer)");
}

#[test]
fn statistics_refuse_what_has_no_answer() {
    let words = |outcome: Result<Estimate>| outcome.unwrap_err().to_string();
    let few = "there are 1 samples (allowed: 5 or more, since fewer have no interval)";
    assert_eq!(words(median(&[1.0])), format!("cannot take a median: {few}"));
    let samples = [1.0, 2.0, 3.0, 4.0, f64::NAN];
    assert_eq!(words(median(&samples)), "cannot take a median: a sample is NaN (allowed: finite samples)");
    let five = [1.0; 5];
    assert_eq!(
        words(ratio(&five, &[1.0; 6])),
        "cannot take a ratio: 5 samples against 6 (allowed: as many of each)"
    );
    assert_eq!(
        words(ratio(&five, &[0.0; 5])),
        "cannot take a ratio: a denominator is 0 (allowed: samples above 0)"
    );
    let vertical = Line::fit(&[(1.0, 2.0); 5]).unwrap_err().to_string();
    assert_eq!(vertical, "cannot fit a line: every x is the same (allowed: x that differ)");
}

#[test]
fn a_figure_refuses_what_it_cannot_show() {
    let figure = |value: Axis, points: Vec<Point>| Figure {
        title: "T".into(),
        position: Axis::linear("x"),
        value,
        series: vec![Series::joined("s", Family::Lock, points)],
        marks: vec![],
        rows: false,
    };
    let words = |value, points| figure(value, points).draw().unwrap_err().to_string();
    assert_eq!(
        words(Axis::linear("y"), vec![]),
        "cannot draw `T`: there are no points (allowed: 1 point or more)"
    );
    let zero = vec![Point::reading(1.0, 0.0)];
    assert_eq!(
        words(Axis::log("y"), zero),
        "cannot draw `T`: `y` holds 0 on a log axis (allowed: numbers above 0)"
    );
    let endless = vec![Point::reading(1.0, f64::INFINITY)];
    assert_eq!(words(Axis::linear("y"), endless), "cannot draw `T`: `y` holds inf (allowed: finite numbers)");
}

//! The instrument against what is known, and what it refuses, in exact words. Nothing here asserts an absolute time.
//! Other programs disturb a measurement, so one that came out wrong is taken again; a wrong instrument stays wrong.

use helpers::*;
use std::io::{Write, stderr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Mutex, mpsc};

/// Held by a test that uses the cores: another would disturb what it measures.
static ALONE: Mutex<()> = Mutex::new(());

/// A counter that adds `adds` an operation, works for so many nanoseconds before it locks, and for others after.
fn adding(label: impl Into<String>, adds: u64, outside_ns: [u64; 2]) -> Contender {
    let [before, after] = outside_ns.map(|ns| Calibration::measure().busy_work(ns));
    let add = move |value: &Mutex<u64>, hold: Hold| {
        before.spin();
        let mut value = value.lock().unwrap();
        *value += adds;
        let held = hold.spin();
        drop(value);
        after.spin();
        held
    };
    let run = move |value: &Mutex<u64>, work: &mut Work| work.repeat(|hold| add(value, hold));
    Contender::new(
        label,
        Family::Lock,
        || Mutex::new(0),
        run,
        |value| *value.lock().unwrap(),
    )
}

fn lock(label: &str) -> Contender {
    let add = |value: &parking_lot::Mutex<u64>, hold: Hold| {
        let mut value = value.lock();
        *value += 1;
        hold.spin()
    };
    let run = move |value: &_, work: &mut Work| work.repeat(|hold| add(value, hold));
    Contender::new(
        label,
        Family::Lock,
        || parking_lot::Mutex::new(0),
        run,
        |value| *value.lock(),
    )
}

fn atomic(label: &str) -> Contender {
    let add = |value: &AtomicU64, hold: Hold| {
        value.fetch_add(1, Relaxed);
        hold.spin()
    };
    let run = move |value: &AtomicU64, work: &mut Work| work.repeat(|hold| add(value, hold));
    Contender::new(label, Family::Atomic, AtomicU64::default, run, |value| {
        value.load(Relaxed)
    })
}

type Request = (Option<Hold>, mpsc::Sender<(Option<Held>, u64)>);

fn channel(label: &str) -> Contender {
    let start_owner = || {
        let (requests, inbox) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            let mut value = 0;
            for (hold, reply) in inbox {
                value += u64::from(hold.is_some());
                _ = reply.send((hold.map(Hold::spin), value));
            }
        });
        requests
    };
    let ask = |owner: &mpsc::Sender<Request>, hold: Option<Hold>| {
        let (reply, answer) = mpsc::channel();
        owner.send((hold, reply)).unwrap();
        answer.recv().unwrap()
    };
    let run =
        move |owner: &_, work: &mut Work| work.repeat(|hold| ask(owner, Some(hold)).0.unwrap());
    Contender::new(label, Family::Channel, start_owner, run, move |owner| {
        ask(owner, None).1
    })
}

/// Measures until the result is right, five times at most. Where other programs kept the cores busy to the end, it may
/// be right by wider bounds, for which `right` gets `true`.
fn settles<T: std::fmt::Debug>(measure: impl Fn() -> T, right: impl Fn(&T, bool) -> bool) {
    let _alone = ALONE.lock();
    for time in 1..=5 {
        let found = measure();
        if right(&found, false) {
            return;
        }
        let config = Contention {
            samples: 24,
            ..Default::default()
        };
        let others = time_contenders(&[lock("look")], &config)
            .unwrap()
            .other_load
            .unwrap_or(0.0);
        _ = writeln!(
            stderr(),
            "measured {found:.3?} while other programs kept {others:.1} cores busy"
        );
        assert!(
            time < 5 || (others > 0.1 && right(&found, true)),
            "wrong five times, now {found:?}"
        );
    }
}

fn typical(timing: &Timing, of: impl Fn(&Sample) -> f64) -> f64 {
    Estimate::median(&timing.samples.iter().map(of).collect::<Vec<_>>())
        .unwrap()
        .value
}

fn operations(sample: &Sample) -> f64 {
    sample.operations.iter().sum::<u64>() as f64
}

/// The time of all parts of an operation.
fn whole(Sample { parts, .. }: &Sample) -> f64 {
    let Parts {
        wait_ns,
        hold_ns,
        release_ns,
        think_ns,
        without_core_ns,
        instrument_ns: _,
    } = *parts;
    wait_ns + hold_ns + release_ns + think_ns + without_core_ns.unwrap_or(0.0)
}

#[test]
fn the_parts_of_an_operation_are_found_in_their_lengths_and_are_the_whole() {
    const PARTS: [u64; 4] = [20_000, 25_000, 30_000, 35_000];
    let [before, hold_ns, after, think_ns] = PARTS;
    // Samples so short that most fit between two turns of other programs.
    let short = Contention {
        threads: vec![1, 2, 4],
        samples: 25,
        sample_ms: 1,
        ..Default::default()
    };
    let config = Contention {
        hold_ns,
        think_ns,
        parts: true,
        ..short
    };
    let whole_ns = PARTS.iter().sum::<u64>() as f64;
    let parts = |it: &Sample| {
        [
            it.parts.wait_ns,
            it.parts.hold_ns,
            it.parts.release_ns,
            it.parts.think_ns,
        ]
    };
    let shares = || {
        let timings = time_contenders(&[adding("known", 1, [before, after])], &config)
            .unwrap()
            .timings;
        for Timing {
            threads, samples, ..
        } in &timings
        {
            assert!(
                samples
                    .iter()
                    .all(|it| it.operations.len() == *threads && it.wall_ns >= 1e6)
            );
            // Operations so long are all timed.
            assert!(
                samples
                    .iter()
                    .all(|it| it.waits.as_ref().unwrap().len() as f64 == operations(it))
            );
        }
        // The time of the threads, less what the parts leave out.
        let of_all = |it: &Timing| {
            typical(it, |sample| {
                whole(sample) / (sample.wall_ns * it.threads as f64)
            })
        };
        // A core that becomes slower makes all parts longer: each is a share of the whole.
        let of_part = |at| {
            typical(&timings[0], |it| {
                parts(it)[at] / whole(it) * whole_ns / PARTS[at] as f64
            })
        };
        let long = timings[0].cost().unwrap().value / whole_ns;
        (
            timings.iter().map(of_all).collect::<Vec<_>>(),
            [0, 1, 2, 3].map(of_part),
            long,
        )
    };
    settles(shares, |(of_all, of_parts, long), loaded| {
        let (least, most) = if loaded { (0.9, 0.3) } else { (0.97, 0.05) };
        of_all.iter().all(|share| (least..=1.0).contains(share))
            && of_parts.iter().all(|share| (share - 1.0).abs() < 0.05)
            && (long - 1.0).abs() < most
    });
}

/// What a hold of one thread is found to take, as a share of what it should: the median of five runs.
fn found_hold(hold_ns: u64) -> f64 {
    let config = Contention {
        hold_ns,
        parts: true,
        sample_ms: 2,
        ..Default::default()
    };
    let run = |_| {
        let run = time_contenders(&[lock("mutex")], &config).unwrap();
        typical(&run.timings[0], |it| it.parts.hold_ns / operations(it)) / hold_ns as f64
    };
    let mut found: Vec<f64> = (0..5).map(run).collect();
    found.sort_by(f64::total_cmp);
    found[2]
}

fn holds_are_found(holds: impl Iterator<Item = u64>) {
    for hold_ns in holds {
        settles(
            || found_hold(hold_ns),
            |found, loaded| (found - 1.0).abs() < if loaded { 0.06 } else { 0.02 },
        );
    }
}

#[test]
fn known_holds_are_found() {
    holds_are_found([50, 137, 2_000, 20_000].into_iter());
}

#[test]
#[ignore = "deep: 40 holds, about 1 minute"]
fn holds_drawn_at_random_are_found() {
    let mut random = fastrand::Rng::new();
    holds_are_found((0..40).map(|_| (50.0 * 400_f64.powf(random.f64())) as u64));
}

/// The parts of operations that are timed now and then, against the same loop where none is, in turns.
fn parts_against_the_loop(threads: usize, hold_ns: u64, think_ns: u64) -> [f64; 3] {
    let plain = Contention {
        threads: vec![threads],
        hold_ns,
        think_ns,
        ..Default::default()
    };
    let timed = Contention {
        parts: true,
        ..plain.clone()
    };
    let turns = (0..5).map(|_| {
        let [timed, plain] =
            [&timed, &plain].map(|config| time_contenders(&[lock("mutex")], config).unwrap());
        let (timed, plain) = (&timed.timings[0], plain.timings[0].cost().unwrap().value);
        let each = |of: fn(&Parts) -> f64| typical(timed, |it| of(&it.parts) / operations(it));
        let whole = typical(timed, |it| whole(it) / operations(it));
        [
            whole / (plain * threads as f64),
            each(|it| it.wait_ns),
            each(|it| it.release_ns),
        ]
    });
    let turns: Vec<_> = turns.collect();
    [0, 1, 2].map(|which| {
        let mut each: Vec<f64> = turns.iter().map(|turn| turn[which]).collect();
        each.sort_by(f64::total_cmp);
        each[2]
    })
}

fn parts_are_the_loop(settings: &[(usize, u64, u64)]) {
    let clock_ns = Calibration::measure().clock_ns;
    let uncontended = Contention {
        sample_ms: 2,
        ..Default::default()
    };
    let lock_ns = time_contenders(&[lock("mutex")], &uncontended)
        .unwrap()
        .timings[0]
        .cost()
        .unwrap()
        .value;
    for &(threads, hold_ns, think_ns) in settings
        .iter()
        .filter(|(threads, ..)| *threads <= usable_cores())
    {
        let found = || parts_against_the_loop(threads, hold_ns, think_ns);
        settles(found, |&[whole, wait, release], loaded| {
            let far = (whole - 1.0).abs() > if loaded { 0.3 } else { 0.03 };
            !far && (threads > 1
                || loaded
                || (wait <= lock_ns + clock_ns && release <= lock_ns + clock_ns))
        });
    }
}

#[test]
fn parts_add_up_to_the_loop_and_a_thread_alone_waits_no_longer_than_a_lock_takes() {
    parts_are_the_loop(&[(1, 0, 0), (1, 50, 50), (1, 2_000, 2_000), (2, 200, 500)]);
}

#[test]
#[ignore = "deep: 12 settings, about 1 minute"]
fn parts_add_up_to_the_loop_in_many_settings() {
    let works = [
        (0, 0),
        (50, 50),
        (200, 0),
        (0, 200),
        (500, 5_000),
        (20_000, 20_000),
    ];
    // Two threads that hold so long that they put each other to sleep take turns otherwise in each run.
    let settings = works
        .iter()
        .flat_map(|&(hold, think)| [(1, hold, think), (2, hold, think)]);
    parts_are_the_loop(
        &settings
            .filter(|&(threads, hold, _)| threads == 1 || hold < 5_000)
            .collect::<Vec<_>>(),
    );
}

/// Cores are one thing to wait for, the lock is another.
#[test]
#[cfg(target_os = "linux")]
fn threads_without_a_core_do_not_wait_for_the_lock() {
    let config = Contention {
        threads: vec![4 * usable_cores()],
        think_ns: 1_000,
        parts: true,
        ..Default::default()
    };
    let shares = || {
        let run = time_contenders(&[atomic("atomic")], &config).unwrap();
        let of =
            |part: fn(&Parts) -> f64| typical(&run.timings[0], |it| part(&it.parts) / whole(it));
        [of(|it| it.without_core_ns.unwrap()), of(|it| it.wait_ns)]
    };
    settles(shares, |[without_core, wait], _| {
        *without_core > 0.6 && *wait < 0.1
    });
}

/// How many of so many pairs of a design and itself differ by their intervals.
fn told_apart(design: fn(&str) -> Contender, pairs: u64, threads: usize, hold_ns: u64) -> usize {
    let told_apart = |&seed: &u64| {
        let config = Contention {
            threads: vec![threads],
            hold_ns,
            seed,
            samples: 25,
            sample_ms: 1,
            ..Default::default()
        };
        let run = time_contenders(&["one", "other"].map(design), &config).unwrap();
        let times = |at: usize| run.timings[at].ns_per_operation();
        let ratio = Estimate::ratio(&times(0), &times(1)).unwrap();
        ratio.low > 1.0 || ratio.high < 1.0
    };
    (0..pairs).filter(told_apart).count()
}

// By chance 2 of 40; more than 7 less than once in a thousand times.
#[test]
fn a_design_is_seldom_told_apart_from_itself() {
    for (design, threads) in [(lock as fn(&str) -> Contender, 1), (lock, 2), (channel, 1)] {
        settles(
            || told_apart(design, 40, threads, 0),
            |&apart, loaded| apart <= if loaded { 14 } else { 7 },
        );
    }
}

#[test]
#[ignore = "deep: 200 pairs in each of 27 settings, about 10 minutes"]
fn no_design_is_told_apart_from_itself_more_often_than_by_chance() {
    for (name, design) in [
        ("lock", lock as fn(&str) -> Contender),
        ("atomic", atomic),
        ("channel", channel),
    ] {
        for (threads, hold_ns) in [1, 2, 4]
            .into_iter()
            .flat_map(|threads| [0, 200, 5_000].map(|hold| (threads, hold)))
        {
            let apart = || {
                let apart = told_apart(design, 200, threads, hold_ns);
                _ = writeln!(
                    stderr(),
                    "{name}, threads {threads}, hold {hold_ns} ns: {apart} of 200 told apart"
                );
                apart
            };
            settles(apart, |&apart, loaded| {
                apart <= if loaded { 60 } else { 16 }
            });
        }
    }
}

/// How many of so many pairs of holds of 1,000 and of 1,050 ns are told apart the right way round.
///
/// The lock is one whose waiting thread looks all the time. One that looks at growing intervals, as `parking_lot`'s does,
/// has two threads pay for the interval: seen, 1,611 ns an operation with 1,050 held, and 1,587 with 1,100.
fn power(pairs: u64, threads: usize) -> usize {
    let pair = |&seed: &u64| {
        let config = Contention {
            threads: vec![threads],
            seed,
            samples: 25,
            sample_ms: 4,
            ..Default::default()
        };
        let calibration = Calibration::measure();
        let holding = |ns| {
            let work = calibration.busy_work(ns);
            let add = move |(locked, value): &(AtomicBool, AtomicU64), hold: Hold| {
                while locked.swap(true, Acquire) {
                    while locked.load(Relaxed) {
                        std::hint::spin_loop();
                    }
                }
                value.store(value.load(Relaxed) + 1, Relaxed);
                work.spin();
                let held = hold.spin();
                locked.store(false, Release);
                held
            };
            let run = move |state: &_, work: &mut Work| work.repeat(|hold| add(state, hold));
            let total = |(_, value): &(AtomicBool, AtomicU64)| value.load(Relaxed);
            Contender::new(
                format!("{ns} ns"),
                Family::Lock,
                Default::default,
                run,
                total,
            )
        };
        let run = time_contenders(&[holding(1_000), holding(1_050)], &config).unwrap();
        let times = |at: usize| run.timings[at].ns_per_operation();
        Estimate::ratio(&times(1), &times(0)).unwrap().low > 1.0
    };
    (0..pairs).filter(pair).count()
}

#[test]
fn five_per_cent_are_seen() {
    settles(
        || [1, 2].map(|threads| power(10, threads)),
        |found, loaded| found.iter().all(|&of| of >= 8 || loaded),
    );
}

#[test]
#[ignore = "deep: 200 pairs, about 1 minute"]
fn five_per_cent_are_seen_in_nine_of_ten_pairs() {
    settles(
        || [1, 2].map(|threads| power(100, threads)),
        |found, loaded| found.iter().all(|&of| of >= 90 || loaded),
    );
}

/// 27 of 30 would be what the interval says. It covers the run and not what the machine does from one second to the
/// next: seen, 24 with one thread. A host that moves its virtual cores makes a lock cost 280 ns or 460; the run's own
/// reference tells these apart, and runs are compared with their like.
#[test]
#[ignore = "deep: 30 runs of two settings, spread over 10 minutes"]
fn the_interval_of_a_ratio_mostly_holds_what_ten_minutes_find() {
    const SETTINGS: [(usize, u64); 2] = [(1, 0), (2, 200)];
    let run = |(threads, ns): (usize, u64)| {
        let (hold_ns, think_ns) = (ns, ns);
        let config = Contention {
            threads: vec![threads],
            hold_ns,
            think_ns,
            samples: 25,
            ..Default::default()
        };
        let run = time_contenders(&[lock("lock"), atomic("atomic")], &config).unwrap();
        let times = |at: usize| run.timings[at].ns_per_operation();
        (
            Estimate::ratio(&times(0), &times(1)).unwrap(),
            run.transfer_ns.unwrap_or([1.0; 2]),
        )
    };
    let held = || {
        let mut runs = [vec![], vec![]];
        for _ in 0..30 {
            std::thread::sleep(std::time::Duration::from_secs(18));
            runs.iter_mut()
                .zip(SETTINGS)
                .for_each(|(runs, setting)| runs.push(run(setting)));
        }
        runs.map(|runs| {
            let holds = |(ratio, [start, end]): &&(Estimate, [f64; 2])| {
                let like = |&&(_, [other, other_end]): &&(Estimate, [f64; 2])| {
                    (start + end) / (other + other_end) < 1.4
                        && (other + other_end) / (start + end) < 1.4
                };
                let mut values: Vec<f64> = runs
                    .iter()
                    .filter(like)
                    .map(|(ratio, _)| ratio.value)
                    .collect();
                values.sort_by(f64::total_cmp);
                (ratio.low..=ratio.high).contains(&values[values.len() / 2])
            };
            let held = runs.iter().filter(holds).count();
            _ = writeln!(stderr(), "{held} of 30 intervals hold the grand median");
            held
        })
    };
    settles(held, |held, _| held.iter().all(|&runs| runs >= 19));
}

#[test]
#[cfg(target_os = "linux")]
fn what_weakens_a_result_is_said_with_it() {
    let run = |threads| {
        let config = Contention {
            samples: 24,
            threads: vec![threads],
            ..Default::default()
        };
        time_contenders(&[lock("lock")], &config).unwrap()
    };
    // The more threads of its own, the less for others: were its own time taken for theirs, it would rise by a core each.
    let rise = || run(usable_cores()).other_load.unwrap() - run(1).other_load.unwrap();
    settles(rise, |rise, _| usable_cores() == 1 || *rise < 0.4);
    let warnings = || run(1).warnings;
    let busy = |warnings: &[Warning]| {
        warnings
            .iter()
            .any(|it| matches!(it, Warning::BusyCores { .. }))
    };
    settles(warnings, |warnings, loaded| !busy(warnings) || loaded);
    // A program that is not this one keeps a core busy.
    let mut other = std::process::Command::new("sh")
        .args(["-c", "while :; do :; done"])
        .spawn()
        .unwrap();
    let disturbed = {
        let _alone = ALONE.lock();
        warnings()
    };
    other.kill().and_then(|()| other.wait()).unwrap();
    assert!(busy(&disturbed), "{disturbed:?}");
}

fn refused<T>(outcome: Result<T>, words: &str) {
    assert_eq!(
        outcome.err().unwrap().to_string(),
        format!("cannot {words}")
    );
}

#[test]
fn contention_refuses_parameters_outside_their_range_and_contenders_that_make_no_sense() {
    let _alone = ALONE.lock();
    const LIST: &str = "one number or more, 1 to 256, each once";
    const WORK: &str = "0 to 1,000,000";
    const HOUR: &str = "up to 1 hour: fewer or shorter samples";
    type Change = fn(&mut Contention);
    let changes: [(Change, &str, &str); 8] = [
        (|it| it.threads = vec![], "use threads: it is empty", LIST),
        (
            |it| it.threads = vec![1, 0],
            "use threads: it holds 0",
            LIST,
        ),
        (
            |it| it.threads = vec![257],
            "use threads: it holds 257",
            LIST,
        ),
        (
            |it| it.hold_ns = 1_000_001,
            "use hold_ns: it is 1,000,001",
            WORK,
        ),
        (
            |it| it.think_ns = u64::MAX,
            "use think_ns: it is 18,446,744,073,709,551,615",
            WORK,
        ),
        (|it| it.samples = 5, "use samples: it is 5", "6 to 1,000"),
        (
            |it| it.sample_ms = 0,
            "use sample_ms: it is 0",
            "1 to 10,000",
        ),
        (
            |it| (it.samples, it.sample_ms) = (1_000, 10_000),
            "time contenders: it would take 2.9 hours",
            HOUR,
        ),
    ];
    for (change, wrong, allowed) in changes {
        let (contender, mut config) = ([adding("sum", 1, [0; 2])], Contention::default());
        change(&mut config);
        refused(
            time_contenders(&contender, &config),
            &format!("{wrong} (allowed: {allowed})"),
        );
    }

    let config = Contention {
        threads: vec![1, 2],
        sample_ms: 1,
        samples: 6,
        ..Contention::default()
    };
    let time = |adds: &[u64]| {
        let contenders: Vec<_> = adds
            .iter()
            .map(|adds| adding("sum", *adds, [0; 2]))
            .collect();
        time_contenders(&contenders, &config)
    };
    for (adds, grew) in [(0, "grew by 0 (allowed: "), (2, "grew by ")] {
        let said = time(&[adds]).unwrap_err().to_string();
        assert!(
            said.starts_with(&format!("cannot trust a sample: the total of `sum` {grew}")),
            "{said}"
        );
        assert!(
            said.ends_with(", one an operation, and at least 1)"),
            "{said}"
        );
    }
    refused(
        time(&[1, 1]),
        "time contenders: two are called `sum` (allowed: labels that differ)",
    );
    let words =
        "find a timing: `std` on 1 threads was not measured (allowed: `sum` on 1, `sum` on 2)";
    refused(time(&[1]).unwrap().timing("std", 1), words);
    refused(
        on_threads(0, |_| ()),
        "use threads: it is 0 (allowed: 1 to 256)",
    );
    let nobody = || -> Mutex<u64> { std::panic::resume_unwind(Box::new("no thread left")) };
    let broken = Contender::new("broken", Family::Lock, nobody, |_, _| (), |_| 0);
    let words = "build a state: that of `broken` panicked (allowed: one that can be built as often as there are samples)";
    refused(time_contenders(&[broken], &config), words);
}

#[test]
fn memory_refuses_what_has_no_answer() {
    let add = |_| Err(Error::new("start a thread", "none left", "fewer"));
    let grow = |count, steps| MemorySeries::measure(&MemoryGrowth { count, steps }, add);
    refused(
        grow(99, 20),
        "use count: it is 99 (allowed: 100 to 10,000,000,000)",
    );
    refused(grow(100_000, 4), "use steps: it is 4 (allowed: 5 to 1,000)");
    refused(
        grow(100_000, 20),
        "start a thread: none left (allowed: fewer)",
    );
}

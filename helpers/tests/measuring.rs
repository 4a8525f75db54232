//! The instrument against what is known: work of a known length, totals, slopes and intervals.
//! Nothing here asserts an absolute time; ratios are taken within one run.

use helpers::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by each test that measures: another one at the same time would take its cores and its memory.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn locked(label: &'static str) -> Contender {
    let run = |value: &Mutex<u64>, work: &mut Work| {
        work.repeat(|hold| {
            let mut value = value.lock().unwrap();
            *value += 1;
            hold.spin()
        })
    };
    Contender::new(label, Family::Lock, Mutex::new(0), run, |value| *value.lock().unwrap())
}

fn run(config: Contention) -> ContentionRun {
    time_contenders(&[locked("mutex")], &config).unwrap()
}

#[test]
fn the_parts_of_an_operation_sum_to_the_time_of_its_threads() {
    let _alone = alone();
    let config = Contention {
        threads: vec![1, 2, 4],
        hold_ns: 500,
        think_ns: 2_000,
        samples: 9,
        ..Default::default()
    };
    for timing in run(Contention { parts: true, ..config }).timings {
        let shares = timing.samples.iter().map(|sample| {
            let Parts { wait_ns, hold_ns, release_ns, think_ns } = sample.parts;
            (wait_ns + hold_ns + release_ns + think_ns) / (sample.wall_ns * timing.threads as f64)
        });
        let share = median(&shares.collect::<Vec<_>>()).unwrap().value;
        assert!(
            (0.97..=1.0).contains(&share),
            "{} threads: the parts are {share} of the whole",
            timing.threads
        );
    }
}

#[test]
fn work_inside_the_section_is_found_there() {
    let _alone = alone();
    let config = |hold_ns| Contention { hold_ns, samples: 15, parts: true, ..Default::default() };
    let hold_of = |hold_ns| {
        let run = run(config(hold_ns));
        let each = |sample: &Sample| sample.parts.hold_ns / sample.operations[0] as f64;
        median(&run.timings[0].samples.iter().map(each).collect::<Vec<_>>()).unwrap().value
    };
    // As a ratio: whatever else runs on the machine of a test makes both longer alike.
    let ratio = (hold_of(60_000) - hold_of(0)) / (hold_of(20_000) - hold_of(0));
    assert!((2.0..4.5).contains(&ratio), "three times the work came out {ratio} times as long");
}

#[test]
fn every_sample_lasts_as_long_as_it_should() {
    let _alone = alone();
    let run = run(Contention { threads: vec![1, 3], samples: 5, sample_ms: 2, ..Default::default() });
    assert_eq!(run.timings.len(), 2);
    for timing in &run.timings {
        assert_eq!(timing.samples.len(), 5);
        assert!(
            timing
                .samples
                .iter()
                .all(|sample| sample.operations.len() == timing.threads && sample.wall_ns >= 2e6)
        );
    }
}

#[test]
fn a_contender_is_seldom_told_apart_from_itself() {
    let _alone = alone();
    let told_apart = |seed: &u64| {
        let config = Contention { seed: *seed, samples: 25, sample_ms: 1, ..Default::default() };
        let run = time_contenders(&[locked("one"), locked("other")], &config).unwrap();
        let ratio = ratio(&run.timings[0].ns_per_operation(), &run.timings[1].ns_per_operation()).unwrap();
        ratio.low > 1.0 || ratio.high < 1.0
    };
    // 5 of 100 by chance; more than 13 of them once in a thousand runs.
    let apart = (0..100).filter(told_apart).count();
    assert!(apart <= 13, "{apart} of 100");
}

#[test]
fn an_interval_covers_the_true_median_about_as_often_as_it_says() {
    let _alone = alone();
    let mut random = 1_u64;
    let mut uniform = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 11) as f64 / (1_u64 << 53) as f64
    };
    let covered = (0..400).filter(|_| {
        let samples: Vec<f64> = (0..25).map(|_| uniform()).collect();
        let Estimate { low, high, .. } = median(&samples).unwrap();
        (low..=high).contains(&0.5)
    });
    // 95 % of 400 is 380, with a standard deviation of about 4.4.
    let covered = covered.count();
    assert!((360..=396).contains(&covered), "{covered} of 400");
}

#[test]
fn the_slope_is_the_same_after_other_work_has_left_memory_free() {
    let _alone = alone();
    let slope = |count| {
        // Touched first, so that the table that keeps the things is no part of what they cost.
        let mut kept: Vec<Option<Box<[u8; 500]>>> = (0..2 * count).map(|_| None).collect();
        let mut free = kept.iter_mut();
        let config = MemoryGrowth { count, steps: 20 };
        let series = bytes_each(&config, |more| {
            free.by_ref().take(more as usize).for_each(|place| *place = Some(Box::new([1_u8; 500])));
            Ok(())
        });
        series.unwrap().resident.slope.value
    };
    let slopes: Vec<f64> = [40_000, 100_000, 20_000, 60_000, 40_000].map(slope).to_vec();
    let middle = median(&slopes).unwrap().value;
    assert!(slopes.iter().all(|slope| (slope / middle - 1.0).abs() < 0.01), "{slopes:?}");
}

#[test]
fn a_figure_is_an_opaque_picture_of_the_size_it_says() {
    let _alone = alone();
    let points = (1..=30).map(|at| Point::reading(f64::from(at), f64::from(at * at))).collect();
    let drawing = Figure {
        title: "A title so long that it has to be set in smaller letters to fit into the width of the figure at all?"
            .into(),
        position: Axis::linear("x"),
        value: Axis::log("y"),
        series: vec![Series::joined("squares", Family::Lock, points)],
        marks: vec![Mark::Value(100.0, "hundred".into())],
        rows: false,
    }
    .draw()
    .unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&drawing.png)).read_info().unwrap();
    let info = reader.info();
    assert_eq!((info.width, info.height, info.color_type), (1440, 840, png::ColorType::Rgb));
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    // No ink at the very edge: nothing is cut.
    let row = 1440 * 3;
    let edges = pixels.chunks(row).flat_map(|line| line[..24].iter().chain(&line[row - 24..]));
    assert!(edges.copied().chain(pixels[..24 * row].iter().copied()).all(|value| value == 255));
    assert!(pixels.contains(&0xB2), "the series is missing");
    assert_eq!(drawing.text.lines().count(), 32);
}

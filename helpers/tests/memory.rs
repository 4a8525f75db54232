//! Memory against what is known: the bytes that tasks ask for, a slope, and what a series refuses.

#[allow(dead_code)] // its `main`, and what that prints
#[path = "../examples/memory_counted.rs"]
mod memory_counted;

use helpers::*;
use std::process::Command;
use std::sync::Mutex;

/// Held by each test that measures: another would take memory of the same process meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn tasks_ask_for_the_bytes_of_the_rule() {
    let _alone = ALONE.lock();
    assert_eq!(memory_counted::weigh_all(2_000).unwrap().len(), 30);
}

/// A series of `count` boxes, and how many were made.
fn boxes(count: u64, mut size: impl FnMut() -> usize) -> (Result<MemorySeries>, usize) {
    // Touched first, so that the table that keeps the boxes is no part of what they cost.
    let mut kept: Vec<Vec<u8>> = vec![Vec::new(); 2 * count.min(100_000) as usize];
    let mut made = 0;
    let series = bytes_each(&MemoryGrowth { count, steps: 20 }, |more| {
        kept[made..][..more as usize].fill_with(|| vec![1; size()]);
        made += more as usize;
        Ok(())
    });
    (series, made)
}

#[test]
fn the_slope_is_the_same_after_other_work_has_left_memory_free() {
    let _alone = ALONE.lock();
    let slope = |count| boxes(count, || 500).0.unwrap().resident.slope.value;
    let slopes = [40_000, 100_000, 20_000, 60_000, 40_000].map(slope);
    let middle = median(&slopes).unwrap().value;
    assert!((500.0..530.0).contains(&middle), "{middle}");
    assert!(slopes.iter().all(|slope| (slope / middle - 1.0).abs() < 0.01), "{slopes:?}");
}

/// The figures of a refusal, in MB: what is needed, and what may be taken.
fn figures(refusal: &str) -> Vec<u64> {
    let words: Vec<&str> = refusal.split([' ', '\n']).collect();
    let figures = words.windows(2).filter(|pair| pair[1].starts_with("MB"));
    figures.map(|pair| pair[0].replace(',', "").parse().unwrap()).collect()
}

#[test]
fn a_slope_without_a_line_and_more_than_memory_holds_are_refused() {
    let _alone = ALONE.lock();
    let mut sizes = 1..;
    let growing = boxes(2_000, || sizes.next().unwrap()).0.unwrap();
    let said = growing.resident_bytes_each().unwrap_err().to_string();
    assert!(said.contains("bytes each: the points do not lie on a line: R² is 0.9"), "{said}");
    assert!(boxes(20_000, || 1_000).0.unwrap().resident_bytes_each().is_ok());

    let (refused, made) = boxes(10_000_000_000, || 1_000);
    let said = refused.unwrap_err().to_string();
    assert!(said.starts_with("cannot measure bytes each: 10,000,000,000 more at about "), "{said}");
    assert!(said.contains(" MB may be taken (allowed: a count up to about "), "{said}");
    assert!(matches!(figures(&said)[..], [need, free] if need > free && need >= 10_000_000), "{said}");
    // A hundred, then twenty thousand, tell that the rest does not fit.
    assert_eq!(made, 20_100);
}

/// In a process of its own, which has half a gigabyte of address space left.
#[test]
#[cfg(target_os = "linux")]
fn a_limit_on_address_space_is_refused_and_not_run_into() {
    let _alone = ALONE.lock();
    if std::env::var_os("INSIDE_LIMIT").is_some() {
        println!("{}", boxes(10_000_000, || 1_000).0.unwrap_err());
        assert!(boxes(1_000, || 1_000).0.is_ok(), "what fits is refused, too");
        return;
    }
    let limited = "ulimit -v 524288 && exec \"$0\" address_space --nocapture --test-threads 1";
    let mut inside = Command::new("sh");
    inside.args(["-c", limited]).arg(std::env::current_exe().unwrap()).env("INSIDE_LIMIT", "1");
    let output = inside.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(matches!(figures(&said)[..], [10_000..=u64::MAX, 100..537]), "{said}");
}

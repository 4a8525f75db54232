//! Memory against what is known: the bytes that tasks ask for, a slope, and what a series refuses.

#[allow(dead_code)] // its `main`, and what that prints
#[path = "../examples/memory_counted.rs"]
mod memory_counted;

use helpers::*;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Held by each test that measures: another would take memory of the same process
/// meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn tasks_ask_for_the_bytes_of_the_rule() {
    let _alone = ALONE.lock();
    assert_eq!(memory_counted::weigh_all(2_000).unwrap().len(), 30);
}

/// A series of `count` boxes, and how many were made; `size` gets the number of the box.
fn boxes(count: u64, mut size: impl FnMut(usize) -> usize) -> (Result<MemorySeries>, usize) {
    // Touched first, so that the table that keeps the boxes is no part of what they cost.
    let mut kept: Vec<Vec<u8>> = vec![Vec::new(); 2 * count.min(100_000) as usize];
    let mut made = 0;
    let series = MemorySeries::measure(&MemoryGrowth { count, steps: 20 }, |more| {
        for place in &mut kept[made..][..more as usize] {
            *place = vec![1; size(made)];
            made += 1;
        }
        Ok(())
    });
    (series, made)
}

fn bytes_each(count: u64, size: impl FnMut(usize) -> usize) -> Result<f64> {
    Ok(boxes(count, size).0?.resident_bytes_each()?.value)
}

/// Leaves `holes` free pieces between as many that are kept.
fn riddle(holes: usize, size: impl Fn(usize) -> usize) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = (0..2 * holes).map(|at| vec![1; size(at)]).collect();
    let mut at = 0;
    pieces.retain(|_| {
        at += 1;
        at % 2 == 0
    });
    pieces
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn the_slope_is_the_same_whatever_was_freed_before() {
    let _alone = ALONE.lock();
    let fresh = bytes_each(40_000, |_| 500).unwrap();
    assert!((500.0..530.0).contains(&fresh), "{fresh}");
    let near = |slope: f64| (slope / fresh - 1.0).abs() < 0.01;
    let again: Vec<f64> = [100_000, 20_000, 60_000]
        .map(|count| bytes_each(count, |_| 500).unwrap())
        .to_vec();
    assert!(
        again.iter().all(|&slope| near(slope)),
        "{again:?} after {fresh}"
    );
    let heaps: [&dyn Fn(usize) -> usize; 4] =
        [&|_| 2_048, &|_| 500, &|at| 40 + at * 37 % 5_000, &|_| 100];
    for size in heaps {
        let _kept = riddle(50_000, size);
        let start = Instant::now();
        let riddled = bytes_each(40_000, |_| 500);
        println!(
            "a riddled heap: {riddled:?} bytes each after {:?}",
            start.elapsed()
        );
        assert!(
            riddled.as_ref().is_ok_and(|&slope| near(slope)),
            "{riddled:?}, {fresh} before"
        );
    }
}

#[test]
#[ignore = "deep: 80 series, about 1 minute"]
fn the_slope_of_twenty_runs_is_one_figure() {
    let _alone = ALONE.lock();
    for count in [10_000, 30_000, 100_000, 1_000_000] {
        let slope = |_| {
            let grown = memory_counted::weigh_pending(count).unwrap().grown;
            grown.resident_bytes_each().unwrap().value
        };
        let slopes: Vec<f64> = (0..20).map(slope).collect();
        let (least, most) = slopes
            .iter()
            .fold((f64::MAX, 0.0_f64), |(a, b), &it| (a.min(it), b.max(it)));
        println!("{count} tasks: {least:.2} to {most:.2} bytes each");
        assert!(most / least - 1.0 <= 0.0025, "{count} tasks: {slopes:?}");
    }
}

/// The figures of a refusal, in MB: what is needed, and what may be taken.
fn figures(refusal: &str) -> Vec<u64> {
    let words: Vec<&str> = refusal.split([' ', '\n']).collect();
    let figures = words.windows(2).filter(|pair| pair[1].starts_with("MB"));
    figures
        .map(|pair| pair[0].replace(',', "").parse().unwrap())
        .collect()
}

#[test]
fn a_cost_that_is_not_one_is_refused_for_its_reason() {
    let _alone = ALONE.lock();
    let refused = |size: &dyn Fn(usize) -> usize| bytes_each(20_000, size).unwrap_err().to_string();
    // 10,111 boxes before the series at most, 1,111 at least.
    let rising = refused(&|at| 1_000 + at / 100);
    assert!(
        rising.contains("bytes in the first half of the series, "),
        "{rising}"
    );
    let falling = refused(&|at| 1_300 - at / 100);
    assert!(
        falling.contains("bytes in the first half of the series, "),
        "{falling}"
    );
    let stepped = refused(&|at| if at < 12_000 { 1_000 } else { 1_200 });
    assert!(
        stepped.contains("bytes in the first half of the series, "),
        "{stepped}"
    );
    let for_a_while = refused(&|at| {
        if (7_000..17_000).contains(&at) {
            1_100
        } else {
            1_000
        }
    });
    assert!(
        for_a_while.contains("off the line") || for_a_while.contains("half of the series"),
        "{for_a_while}"
    );
    let noisy = refused(&|at| 800 + (at / 1_000 * 7_919) % 400);
    assert!(
        noisy.contains(" more took ") || noisy.contains("half of the series"),
        "{noisy}"
    );
    let nothing = refused(&|_| 0);
    assert!(nothing.contains("resident memory grew by "), "{nothing}");
    bytes_each(20_000, |_| 1_000).unwrap();
}

#[test]
fn more_than_memory_holds_is_refused() {
    let _alone = ALONE.lock();
    let (refused, made) = boxes(10_000_000_000, |_| 1_000);
    let said = refused.unwrap_err().to_string();
    assert!(
        said.starts_with("cannot measure bytes each: 10,000,000,000 more at about "),
        "{said}"
    );
    assert!(
        said.contains(" MB may be taken (allowed: a count up to about "),
        "{said}"
    );
    assert!(
        matches!(figures(&said)[..], [need, free] if need > free && need >= 10_000_000),
        "{said}"
    );
    // A few, then twenty thousand, tell that the rest does not fit.
    assert_eq!(made, 20_111);
}

/// Runs a test of this program again, under `shell`, with `INSIDE` set, and returns what it
/// printed.
fn inside(test: &str, shell: &str) -> String {
    let again =
        format!("{shell} exec \"$0\" {test} --nocapture --include-ignored --test-threads 1");
    let mut inside = Command::new("sh");
    inside
        .args(["-c", &again])
        .arg(std::env::current_exe().unwrap())
        .env("INSIDE", "1");
    let output = inside.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn is_inside() -> bool {
    std::env::var_os("INSIDE").is_some()
}

/// In processes of their own, which have half a gigabyte left, of address space or of data.
#[test]
#[cfg(target_os = "linux")]
fn a_limit_is_refused_and_not_run_into() {
    let _alone = ALONE.lock();
    if is_inside() {
        println!("{}", boxes(10_000_000, |_| 1_000).0.unwrap_err());
        println!("{}", boxes(100_000, |_| 10_000_000).0.unwrap_err());
        assert!(
            boxes(1_000, |_| 1_000).0.is_ok(),
            "what fits is refused, too"
        );
        return;
    }
    for limit in ["-v", "-d"] {
        let said = inside("a_limit_is_refused", &format!("ulimit {limit} 524288 &&"));
        let found = figures(&said);
        // The second kind is refused before the first hundred.
        assert!(
            matches!(
                found[..],
                [10_000..=u64::MAX, 50..537, 100..=u64::MAX, 50..537]
            ),
            "{limit}: {said}"
        );
    }
}

/// Whether the system may give this process huge pages, where it tells.
fn huge_pages_allowed() -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("THP_enabled:"))?;
    Some(allowed.trim() == "1")
}

#[test]
#[cfg(target_os = "linux")]
fn huge_pages_are_off_while_a_series_is_measured_and_only_then() {
    let _alone = ALONE.lock();
    let before = huge_pages_allowed();
    let off = before.map(|_| false);
    let mut meanwhile = Vec::new();
    // A system that takes pages of files back meanwhile bends the line, which is no matter here.
    let _ = boxes(20_000, |_| {
        if meanwhile.is_empty() {
            meanwhile.push(huge_pages_allowed());
        }
        1_000
    });
    assert_eq!(meanwhile, [off]);
    assert_eq!(huge_pages_allowed(), before);
    let refused = MemorySeries::measure(&MemoryGrowth::default(), |_| {
        assert_eq!(huge_pages_allowed(), off);
        Err(Error::new("start a thread", "none left", "fewer"))
    });
    refused.unwrap_err();
    assert_eq!(huge_pages_allowed(), before);
}

/// Huge pages for every program, until it is dropped.
#[cfg(target_os = "linux")]
struct Always {
    before: String,
}

#[cfg(target_os = "linux")]
impl Always {
    const FILE: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

    /// None where this program may not switch them on.
    fn switch_on() -> Option<Self> {
        let choices = std::fs::read_to_string(Self::FILE).ok()?;
        let before = choices.split(['[', ']']).nth(1)?.to_string();
        std::fs::write(Self::FILE, "always").ok()?;
        Some(Self { before })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Always {
    fn drop(&mut self) {
        std::fs::write(Self::FILE, &self.before).unwrap();
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_slope_is_right_where_huge_pages_are_asked_for() {
    let _alone = ALONE.lock();
    if is_inside() {
        println!(" found {}", bytes_each(100_000, |_| 500).unwrap());
        return;
    }
    let measure = |shell: &str| {
        // Where the heap happens to begin decides whether the system makes any.
        for _ in 0..3 {
            let said = inside("a_slope_is_right", shell);
            let found = said.split(" found ").nth(1).unwrap();
            let each: f64 = found.split_whitespace().next().unwrap().parse().unwrap();
            assert!((510.0..515.0).contains(&each), "{shell}: {said}");
        }
    };
    measure("GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1");
    if let Some(_always) = Always::switch_on() {
        measure("");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_thread_takes_page_tables_and_a_stack_of_the_kernel() {
    let _alone = ALONE.lock();
    let closed = std::sync::RwLock::new(());
    let gate = closed.write().unwrap();
    let started = AtomicU64::new(0);
    let mut expected = 0;
    std::thread::scope(|scope| {
        let series = MemorySeries::measure(
            &MemoryGrowth {
                count: 400,
                steps: 20,
            },
            |more| {
                for _ in 0..more {
                    scope.spawn(|| {
                        started.fetch_add(1, Ordering::Relaxed);
                        drop(closed.read());
                    });
                }
                expected += more;
                while started.load(Ordering::Relaxed) < expected {
                    std::thread::yield_now();
                }
                Ok(())
            },
        );
        drop(gate);
        let series = series.unwrap();
        let stack = series.kernel_stacks.unwrap().slope.value;
        assert!(
            (8_192.0..20_480.0).contains(&stack),
            "{stack} bytes of stack"
        );
        let tables = series.page_tables.unwrap().slope.value;
        assert!(
            (1_024.0..20_480.0).contains(&tables),
            "{tables} bytes of tables"
        );
        println!("a thread: {stack:.0} bytes of stack, {tables:.0} bytes of page tables");
    });
}

//! What a series of memory refuses: more than there is, and points that lie on no line.

use helpers::*;
use std::sync::{Mutex, PoisonError};

/// Held by each series that is to fit: another test would take memory meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

/// Starts a series of `count` boxes, of which as many are kept as it adds.
fn boxes(count: u64, mut size: impl FnMut() -> usize) -> Result<MemorySeries> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    bytes_each(&MemoryGrowth { count, steps: 20 }, |more| {
        kept.extend((0..more).map(|_| vec![1; size()]));
        Ok(())
    })
}

/// The two figures of a refusal, in MB: what is needed, and what may be taken.
fn figures(refusal: &str) -> [u64; 2] {
    let megabytes = |text: &str| text.replace(',', "").parse().unwrap_or_else(|_| panic!("{refusal}"));
    let (_, figures) = refusal.split_once(" need ").unwrap_or_else(|| panic!("{refusal}"));
    let (needed, rest) = figures.split_once(" MB, and ").unwrap();
    let (free, most) = rest.split_once(" MB may be taken (allowed: a count up to about ").unwrap();
    assert!(most.ends_with(')'), "{refusal}");
    [megabytes(needed), megabytes(free)]
}

#[test]
fn more_than_memory_holds_is_refused_with_both_figures() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let [needed, free] = figures(&boxes(10_000_000_000, || 1_000).unwrap_err().to_string());
    assert!(needed > free && needed >= 10_000_000, "{needed} against {free}");
}

/// In a process of its own, which has half a gigabyte of address space left.
#[test]
#[cfg(target_os = "linux")]
fn a_limit_on_address_space_is_refused_and_not_run_into() {
    const INSIDE: &str = "LIMITED_ADDRESS_SPACE";
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if std::env::var_os(INSIDE).is_some() {
        let refusal = boxes(10_000_000, || 1_000).unwrap_err().to_string();
        assert!(boxes(1_000, || 1_000).is_ok(), "what fits is refused, too");
        println!("{refusal}");
        return;
    }
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 524288 && exec \"$0\" --exact --nocapture --test-threads 1 \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg("a_limit_on_address_space_is_refused_and_not_run_into")
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let [needed, free] = figures(said.lines().find(|line| line.contains("cannot measure")).unwrap());
    assert!(needed >= 10_000 && (100..537).contains(&free), "{needed} against {free}");
}

#[test]
fn a_slope_without_a_line_is_refused() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut size = 0;
    let growing = boxes(2_000, || {
        size += 1;
        size
    });
    let growing = growing.unwrap();
    let r_squared = growing.resident.r_squared;
    assert_eq!(
        growing.resident_bytes_each().unwrap_err().to_string(),
        format!(
            "cannot quote bytes each: the points do not lie on a line: R² is {r_squared:.4}, and 0.999 or more is \
             needed (allowed: more things, things of one size, and nothing else that takes memory in this process \
             meanwhile)"
        )
    );
    assert!(boxes(20_000, || 1_000).unwrap().resident_bytes_each().is_ok());
}

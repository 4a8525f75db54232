//! Memory per idle thing, as a slope: add things in steps, free none, read the process's memory after each step.
//!
//! One difference at one number is wrong, and wrong differently on each run: memory comes in pages, and the allocator
//! hands out again what an earlier run freed. The slope over many numbers has neither fault.

use crate::error::thousands;
use crate::stats::Line;
use crate::{Error, Estimate, Result, within};
use std::io::Read;

/// What the process uses at one moment, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryReading {
    /// Things added so far; 0 in a reading taken outside a series.
    pub count: u64,
    /// Heap in use: what the allocator has given out and not got back. Known with glibc only, else `None`.
    pub heap_bytes: Option<u64>,
    /// Resident set size: pages of the process that are in physical memory.
    pub resident_bytes: u64,
    /// Address space that is mapped.
    pub virtual_bytes: u64,
}

/// Reads the memory of this process: with the crate `memory-stats`, and more exactly where the system allows.
///
/// On Linux the resident set is the sum that the kernel makes in `/proc/self/smaps_rollup`. Adding up the areas of
/// `/proc/self/smaps` oneself can count one twice: the text is read in pieces, into a buffer that grows, and the heap
/// with it; an area that has grown between two pieces is listed again. Seen: 1,032 bytes a thing where 512 were taken.
///
/// # Errors
/// The system does not tell.
///
/// ```
/// let kept = vec![1_u8; 10_000_000];
/// let reading = helpers::read_memory()?;
/// assert!(reading.resident_bytes > kept.len() as u64);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn read_memory() -> Result<MemoryReading> {
    let usage = memory_stats::memory_stats().filter(|usage| usage.physical_mem > 0).ok_or_else(|| {
        Error::new(
            "read memory",
            "the system does not tell",
            "Linux, macOS or Windows, with `/proc` on Linux",
        )
    })?;
    Ok(MemoryReading {
        count: 0,
        heap_bytes: heap_in_use(),
        resident_bytes: resident_exactly().unwrap_or(usage.physical_mem as u64),
        virtual_bytes: usage.virtual_mem as u64,
    })
}

/// Reads into a buffer on the stack, so that the reading takes no memory itself.
fn resident_exactly() -> Option<u64> {
    let mut buffer = [0; 4096];
    let length = std::fs::File::open("/proc/self/smaps_rollup").ok()?.read(&mut buffer).ok()?;
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("Rss:"))?.trim().strip_suffix(" kB")?;
    Some(kibibytes.parse::<u64>().ok()? * 1024)
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn heap_in_use() -> Option<u64> {
    // SAFETY: reads the allocator's own figures, under the allocator's own locks.
    let info = unsafe { libc::mallinfo2() };
    Some((info.uordblks + info.hblkhd) as u64)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn heap_in_use() -> Option<u64> {
    None
}

/// Hands memory that is free in the allocator back to the system, and says whether this allocator can.
///
/// Without it the first things of a series land in memory that is already resident, and seem to cost nothing.
///
/// ```
/// assert_eq!(helpers::release_free_memory(), cfg!(all(target_os = "linux", target_env = "gnu")));
/// ```
pub fn release_free_memory() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: gives back free pages, under the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
    cfg!(all(target_os = "linux", target_env = "gnu"))
}

/// Takes the free pieces that lie between used ones, without touching them, so that what follows is cut from fresh memory.
///
/// Pages of such pieces are resident where the allocator's caches of small pieces hold one back, here and there. Things
/// that land on them cost less: seen, 314 bytes where others cost 320.
fn plug_holes() -> Vec<Vec<u8>> {
    #[allow(unused_mut)]
    let mut plugs = Vec::new();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: reads the allocator's own figures, under the allocator's own locks.
        let info = || unsafe { libc::mallinfo2() };
        let mut free = info().fordblks.saturating_sub(info().keepcost);
        for size in [64, 16, 4, 1].map(|kibibytes| kibibytes << 10) {
            while free >= size {
                let fresh = info().keepcost;
                let plug = Vec::with_capacity(size);
                if info().keepcost != fresh {
                    break; // it was cut from there, so no free piece is as large
                }
                plugs.push(plug);
                free -= size;
            }
        }
    }
    plugs
}

/// Bytes that this process can still take: the least of what the machine has free, what the container's limit leaves, and
/// what the limit on address space (`ulimit -v`) leaves.
///
/// # Errors
/// The system does not tell.
///
/// ```
/// assert!(helpers::available_memory()? > 0);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn available_memory() -> Result<u64> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let silent = |why| Error::new("read the free memory", format!("{why:?}"), "a system that tells");
    let mut system = System::new().map_err(silent)?;
    system.refresh_memory();
    let container = sysinfo::get_current_pid().ok().and_then(|pid| {
        let only_this = ProcessesToUpdate::Some(&[pid]);
        system.refresh_processes_specifics(only_this, false, ProcessRefreshKind::nothing());
        // Not `free_memory`: that counts cached files as taken, and the system drops those when it needs room.
        system.process(pid)?.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss))
    });
    let address_space = std::fs::read_to_string("/proc/self/limits").ok().and_then(|limits| {
        let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        Some(
            limit
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()?
                .saturating_sub(read_memory().ok()?.virtual_bytes),
        )
    });
    Ok([container, address_space].into_iter().flatten().fold(system.available_memory(), u64::min))
}

/// How a series grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryGrowth {
    /// Things at the end of the series, 100 to 10,000,000,000.
    pub count: u64,
    /// Steps on the way, with a reading after each, 5 to 1,000.
    pub steps: u64,
}

impl Default for MemoryGrowth {
    fn default() -> Self {
        Self { count: 100_000, steps: 20 }
    }
}

/// What [`bytes_each`] measured, and how.
#[derive(Debug, Clone)]
pub struct MemorySeries {
    /// The configuration.
    pub config: MemoryGrowth,
    /// A reading before the first thing of the series and one after each step.
    pub readings: Vec<MemoryReading>,
    /// The line through resident bytes over things; its slope is bytes a thing.
    pub resident: Line,
    /// The same for the heap in use, where it is known.
    pub heap: Option<Line>,
    /// Whether free memory was handed back first; where it could not be, trust the first points less.
    pub released: bool,
}

impl MemorySeries {
    /// The resident bytes that each thing costs, if the points lie on a line: R² of 0.999 or more.
    ///
    /// # Errors
    /// They do not, and then the slope means nothing.
    pub fn resident_bytes_each(&self) -> Result<Estimate> {
        let Line { slope, r_squared, .. } = self.resident;
        if r_squared >= 0.999 {
            return Ok(slope);
        }
        let wrong =
            format!("the points do not lie on a line: R² is {r_squared:.4}, and 0.999 or more is needed");
        let allowed =
            "more things, things of one size, and nothing else that takes memory in this process meanwhile";
        Err(Error::new("quote bytes each", wrong, allowed))
    }
}

/// Measures the bytes that each of many things costs: `add(n)` adds `n` more and keeps them alive.
///
/// First it adds some that do not count, a hundred, then a twentieth of the count at a time and half of it at most: they
/// tell what the series will need, and fill holes that earlier work left in resident pages. Before every step, the need
/// is held against [`available_memory`].
///
/// # Errors
/// A field of `config` outside its range, more things than memory, or what `add` returns as an error.
///
/// ```
/// let mut kept = Vec::with_capacity(10_000);
/// let config = helpers::MemoryGrowth { count: 4_000, ..Default::default() };
/// let series = helpers::bytes_each(&config, |more| {
///     kept.extend((0..more).map(|_| vec![1_u8; 1_000]));
///     Ok(())
/// })?;
/// assert!((1_000.0..1_100.0).contains(&series.resident.slope.value));
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn bytes_each(config: &MemoryGrowth, mut add: impl FnMut(u64) -> Result<()>) -> Result<MemorySeries> {
    let attempted = "measure bytes each";
    within("count", config.count, 100..=10_000_000_000)?;
    within("steps", config.steps, 5..=1_000)?;
    let steps = config.steps.min(config.count);
    let mut readings = Vec::with_capacity(steps as usize + 1);
    // The first look itself takes memory: for code that was not resident, and for the reader's own tables.
    read_memory()?;
    available_memory()?;
    let released = release_free_memory();
    let _plugs = plug_holes();

    let fill = (config.count / 20).min(20_000);
    let mut each = 0.0_f64;
    let mut grown_before = f64::NAN;
    let mut last = read_memory()?;
    for turn in 0..10 {
        // A hundred tell how large one is before more are made; too roughly to refuse the whole count.
        let fill = if turn == 0 { fill.min(100) } else { fill };
        guard(attempted, each, if turn < 2 { fill } else { config.count }, 0)?;
        let before = last;
        add(fill)?;
        last = read_memory()?;
        let grown = last.resident_bytes as f64 - before.resident_bytes as f64;
        each = bytes_between(&before, &last) / fill as f64;
        // Holes are full when as many things again take as much again, and no less than what they asked for.
        if (grown - grown_before).abs() <= 0.02 * grown && grown >= 0.98 * each * fill as f64 {
            break;
        }
        grown_before = grown;
    }
    readings.push(last);
    for step in 1..=steps {
        let counted = readings.last().map_or(0, |reading| reading.count);
        guard(attempted, each, config.count - counted, counted)?;
        let more = config.count * step / steps - counted;
        add(more)?;
        last = MemoryReading { count: counted + more, ..read_memory()? };
        each = each.max(bytes_between(&readings[0], &last) / last.count as f64);
        readings.push(last);
    }

    let line = |bytes: &dyn Fn(&MemoryReading) -> Option<u64>| {
        let point = |reading: &MemoryReading| Some((reading.count as f64, bytes(reading)? as f64));
        readings.iter().map(point).collect::<Option<Vec<_>>>().map(|points| Line::fit(&points))
    };
    let resident = line(&|reading| Some(reading.resident_bytes)).expect("always known")?;
    let heap = line(&|reading| reading.heap_bytes).transpose()?;
    Ok(MemorySeries { config: config.clone(), readings, resident, heap, released })
}

/// The growth from one reading to another: resident, or heap where pages that were resident already hide it.
fn bytes_between(before: &MemoryReading, after: &MemoryReading) -> f64 {
    let resident = after.resident_bytes.saturating_sub(before.resident_bytes);
    let heap = after.heap_bytes.zip(before.heap_bytes).map(|(after, before)| after.saturating_sub(before));
    resident.max(heap.unwrap_or(0)) as f64
}

fn guard(attempted: &str, each: f64, more: u64, counted: u64) -> Result<()> {
    // A fifth stays free: for the growth of tables, and for everyone else.
    let available = available_memory()? / 5 * 4;
    let needed = each * more as f64;
    if needed <= available as f64 {
        return Ok(());
    }
    let megabytes = |bytes: f64| thousands((bytes / 1e6).ceil() as u64);
    let wrong = format!(
        "{} more at about {each:.0} bytes each need {} MB, and {} MB may be taken",
        thousands(more),
        megabytes(needed),
        megabytes(available as f64),
    );
    let most = counted + (available as f64 / each) as u64;
    Err(Error::new(attempted, wrong, format!("a count up to about {}", thousands(most))))
}

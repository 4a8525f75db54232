//! What the process uses at one moment.

use crate::error::{Error, Result};
use crate::machine::allocator::heap_in_use;
use crate::machine::{files, limits};
use std::io::Read;
use std::path::Path;

/// What the process uses at one moment, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryReading {
    /// Things added so far; 0 in a reading taken outside a series.
    pub count: u64,
    /// Heap in use: what the allocator has given out and not got back. Known with glibc's allocator, from version
    /// 2.33 on, else `None`.
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
    let usage = memory_stats::memory_stats()
        .filter(|usage| usage.physical_mem > 0)
        .ok_or_else(|| {
            Error::new(
                "read memory",
                "the system does not tell",
                "Linux, macOS or Windows, with `/proc` on Linux",
            )
        })?;
    Ok(MemoryReading {
        count: 0,
        heap_bytes: heap_in_use(),
        resident_bytes: resident_exactly("Rss:").unwrap_or(usage.physical_mem as u64),
        virtual_bytes: usage.virtual_mem as u64,
    })
}

/// Reads into a buffer on the stack, so that the reading takes no memory itself.
fn resident_exactly(kind: &str) -> Option<u64> {
    let mut buffer = [0; 4096];
    let length = std::fs::File::open("/proc/self/smaps_rollup")
        .ok()?
        .read(&mut buffer)
        .ok()?;
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix(kind))?
        .trim()
        .strip_suffix(" kB")?;
    Some(kibibytes.parse::<u64>().ok()? * 1024)
}

/// Resident pages of files, such as the program's own: code that runs for the first time brings in 16 of them at once.
pub(crate) fn resident_file_bytes() -> u64 {
    let all = resident_exactly("Rss:").zip(resident_exactly("Anonymous:"));
    all.map_or(0, |(all, anonymous)| all.saturating_sub(anonymous))
}

/// Bytes of the process in huge pages, which the system gives out 2 MiB or more at a time.
pub(crate) fn huge_page_bytes() -> u64 {
    let kinds = ["AnonHugePages:", "Private_Hugetlb:"];
    kinds
        .iter()
        .filter_map(|kind| files::number("/proc/self/smaps_rollup", kind))
        .sum::<u64>()
        << 10
}

/// Bytes that this process can still take: the least of what the machine has free and of what is left under limits on a
/// control group or one around it, on address space and data (`ulimit -v` and `-d`), and on what the system may promise.
///
/// # Errors
/// The system does not tell.
///
/// ```
/// assert!(helpers::read_available_memory()? > 0);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn read_available_memory() -> Result<u64> {
    let silent = |why| {
        Error::new(
            "read the free memory",
            format!("{why:?}"),
            "a system that tells",
        )
    };
    let mut system = sysinfo::System::new().map_err(silent)?;
    system.refresh_memory();
    let limits = [
        limits::bytes_left_in_groups(Path::new("/")),
        limits::bytes_left_in_limits(),
    ];
    Ok(limits
        .into_iter()
        .flatten()
        .fold(system.available_memory(), u64::min))
}

/// Bytes in a page; where the system does not tell, the usual size.
pub(crate) fn page_bytes() -> f64 {
    limits::page_bytes().unwrap_or(4_096) as f64
}

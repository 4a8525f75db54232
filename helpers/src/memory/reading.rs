//! What the process uses at one moment.

use crate::error::{Error, Result};
use crate::machine::allocator::heap_in_use;
use crate::machine::limits;
use crate::memory::kernel_memory::{kernel_stack_bytes, page_table_bytes};
use std::fmt;
use std::io::Read;
use std::path::Path;

/// Where the resident memory of a reading was read.
///
/// ```
/// use helpers::MemorySource;
/// assert_eq!(MemorySource::MemoryStats.to_string(), "the crate `memory-stats`");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemorySource {
    /// The sum that the kernel makes over all areas of the process, in `/proc/self/smaps_rollup`.
    SmapsRollup,
    /// The crate `memory-stats`; on Linux it reads a count that may be some pages a core behind.
    MemoryStats,
    /// Not read here, such as by another program.
    #[default]
    Elsewhere,
}

impl fmt::Display for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SmapsRollup => "the kernel's own sum in `/proc/self/smaps_rollup`",
            Self::MemoryStats => "the crate `memory-stats`",
            Self::Elsewhere => "another program",
        })
    }
}

/// What the process uses at one moment, in bytes. What is not known is `None`, never 0.
///
/// ```
/// use helpers::{MemoryReading, MemorySource};
/// // As another program told it.
/// let told = MemoryReading { count: 1_000, resident_bytes: 2_662_400, ..Default::default() };
/// assert_eq!((told.source, told.page_table_bytes), (MemorySource::Elsewhere, None));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryReading {
    /// Things added so far; 0 in a reading taken outside a series.
    pub count: u64,
    /// Where the resident set size was read.
    pub source: MemorySource,
    /// Heap in use: what the allocator has given out and not got back. Known with glibc's
    /// allocator, from version 2.33 on, else `None`.
    pub heap_bytes: Option<u64>,
    /// Resident set size: pages of the process that are in physical memory.
    pub resident_bytes: u64,
    /// Address space that is mapped.
    pub virtual_bytes: u64,
    /// Page tables of the process, which say where each of its pages lies; they are no part of
    /// the resident set. Known on Linux.
    pub page_table_bytes: Option<u64>,
    /// Stacks that the kernel keeps, one a thread; they are no part of the resident set. They are
    /// those of all threads in the innermost control group that tells (Linux, `memory.stat` of the
    /// second version of control groups), else those of all threads of the machine.
    pub kernel_stack_bytes: Option<u64>,
}

/// Reads the memory of this process: with the crate `memory-stats`, and more exactly where the
/// system allows.
///
/// On Linux the resident set is the sum that the kernel makes in `/proc/self/smaps_rollup`. Adding
/// up the areas of `/proc/self/smaps` oneself can count one twice: the text is read in pieces, into
/// a buffer that grows, and the heap with it; an area that has grown between two pieces is listed
/// again. Seen: 1,032 bytes a thing where 512 were taken.
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
    read_memory_below(Path::new("/"))
}

/// The same, with the system's own files below `root`.
pub(crate) fn read_memory_below(root: &Path) -> Result<MemoryReading> {
    let usage = memory_stats::memory_stats()
        .filter(|usage| usage.physical_mem > 0)
        .ok_or_else(|| {
            Error::new(
                "read memory",
                "the system does not tell",
                "Linux, macOS or Windows, with `/proc` on Linux",
            )
        })?;
    // First what is read into buffers of its own, last what those would change.
    let page_table_bytes = page_table_bytes(root);
    let kernel_stack_bytes = kernel_stack_bytes(root);
    let heap_bytes = heap_in_use();
    let (source, resident_bytes) = match rollup_bytes(root, "Rss:") {
        Some(bytes) => (MemorySource::SmapsRollup, bytes),
        None => (MemorySource::MemoryStats, usage.physical_mem as u64),
    };
    Ok(MemoryReading {
        count: 0,
        source,
        heap_bytes,
        resident_bytes,
        virtual_bytes: usage.virtual_mem as u64,
        page_table_bytes,
        kernel_stack_bytes,
    })
}

/// What the kernel's sum says of a `kind`, read into a buffer on the stack, so that the reading
/// takes no memory itself.
fn rollup_bytes(root: &Path, kind: &str) -> Option<u64> {
    let mut buffer = [0; 4096];
    let mut file = std::fs::File::open(root.join("proc/self/smaps_rollup")).ok()?;
    let length = file.read(&mut buffer).ok()?;
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(kind))?;
    let kibibytes: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Resident pages of files, such as the program's own: code that runs for the first time brings in
/// 16 of them at once. 0 where the kernel's sum is missing.
pub(crate) fn resident_file_bytes(root: &Path) -> u64 {
    let all = rollup_bytes(root, "Rss:");
    let anonymous = rollup_bytes(root, "Anonymous:");
    all.zip(anonymous)
        .map_or(0, |(all, anonymous)| all.saturating_sub(anonymous))
}

/// Bytes that this process can still take: the least of what the machine has free and of what is
/// left under limits on a control group or one around it, on address space and data (`ulimit -v`
/// and `-d`), and on what the system may promise.
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
        let wrong = format!("{why:?}");
        Error::new("read the free memory", wrong, "a system that tells")
    };
    let mut system = sysinfo::System::new().map_err(silent)?;
    system.refresh_memory();
    let limits = [
        limits::bytes_left_in_groups(Path::new("/")),
        limits::bytes_left_in_limits(),
    ];
    let free = system.available_memory();
    Ok(limits.into_iter().flatten().fold(free, u64::min))
}

/// Bytes in a page; where the system does not tell, the usual size.
pub(crate) fn page_bytes() -> f64 {
    limits::page_bytes().unwrap_or(4_096) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::files::simulated;

    const ROLLUP: &str = "7ff000-7ff700 ---p 00000000 00:00 0    [rollup]\n\
        Rss:                1752 kB\nPss:                 492 kB\nAnonymous:           116 kB\n";

    #[test]
    fn the_kernels_own_sum_comes_first() {
        let system = simulated(&[
            ("proc/self/smaps_rollup", ROLLUP),
            ("proc/self/status", "VmPTE:\t52 kB\n"),
            ("proc/meminfo", "KernelStack: 16 kB\n"),
        ]);
        let reading = read_memory_below(system.path()).unwrap();
        assert_eq!(reading.source, MemorySource::SmapsRollup);
        assert_eq!(reading.resident_bytes, 1_794_048);
        assert_eq!(reading.page_table_bytes, Some(53_248));
        assert_eq!(reading.kernel_stack_bytes, Some(16_384));
        assert_eq!(resident_file_bytes(system.path()), 1_675_264);
    }

    #[test]
    fn a_reading_without_that_sum_says_so() {
        let system = simulated(&[]);
        let reading = read_memory_below(system.path()).unwrap();
        assert_eq!(reading.source, MemorySource::MemoryStats);
        assert!(reading.resident_bytes > 0);
        assert_eq!(reading.page_table_bytes, None);
        assert_eq!(reading.kernel_stack_bytes, None);
        assert_eq!(resident_file_bytes(system.path()), 0);
    }

    #[test]
    fn every_source_has_a_name() {
        let names = [
            MemorySource::SmapsRollup,
            MemorySource::MemoryStats,
            MemorySource::Elsewhere,
        ]
        .map(|source| source.to_string());
        assert_eq!(
            names[0],
            "the kernel's own sum in `/proc/self/smaps_rollup`"
        );
        assert_eq!(names[1..], ["the crate `memory-stats`", "another program"]);
    }
}

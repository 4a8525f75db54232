//! Memory per idle thing, as a slope: add things in steps, free none, read the process's memory after each step.
//!
//! One difference at one number is wrong, and wrong differently on each run: memory comes in pages, and the allocator
//! hands out again what an earlier run freed. The slope over many numbers has neither fault.

use crate::error::thousands;
use crate::stats::{Line, slope};
use crate::{Caption, Error, Estimate, Result, show_number, system, within};
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
fn resident_file_bytes() -> u64 {
    let all = resident_exactly("Rss:").zip(resident_exactly("Anonymous:"));
    all.map_or(0, |(all, anonymous)| all.saturating_sub(anonymous))
}

/// Bytes of the process in huge pages, which the system gives out 2 MiB or more at a time.
fn huge_page_bytes() -> u64 {
    let kinds = ["AnonHugePages:", "Private_Hugetlb:"];
    kinds
        .iter()
        .filter_map(|kind| system::number("/proc/self/smaps_rollup", kind))
        .sum::<u64>()
        << 10
}

/// What glibc's allocator says of itself: bytes in use, and bytes free in holes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn heap() -> Option<(u64, u64)> {
    // By name, since a glibc before 2.33 has no such function and the crate would not load.
    // SAFETY: the name ends in 0, and the function that has it takes nothing and returns the struct.
    let ask: extern "C" fn() -> libc::mallinfo2 = unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr());
        std::mem::transmute::<Option<std::ptr::NonNull<_>>, _>(Some(std::ptr::NonNull::new(found)?))
    };
    let info = ask();
    Some((
        (info.uordblks + info.hblkhd) as u64,
        info.fordblks.saturating_sub(info.keepcost) as u64,
    ))
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn heap() -> Option<(u64, u64)> {
    None
}

/// Bytes that the allocator has given out. Where another has taken the place of glibc's, that one still answers; it is
/// believed if what is taken shows.
fn heap_in_use() -> Option<u64> {
    // Three times, since another thread may give some back meanwhile.
    (0..3).find_map(|_| {
        let (before, _) = heap()?;
        let probe = std::hint::black_box(Vec::<u8>::with_capacity(1 << 12));
        let (with_probe, _) = heap()?;
        (with_probe >= before + probe.capacity() as u64).then_some(before)
    })
}

/// The allocator by name; another than the C library's by the file that brought it, where there is one.
pub(crate) fn allocator() -> String {
    if heap_in_use().is_some() {
        return "glibc's".into();
    }
    let known = ["jemalloc", "mimalloc", "tcmalloc", "malloc"];
    let maps = system::text("/proc/self/maps").unwrap_or_default();
    let files = || {
        maps.lines()
            .filter_map(|line| line.rsplit_once('/'))
            .map(|(_, file)| file)
    };
    let found = known
        .iter()
        .find_map(|name| files().find(|file| file.contains(name)));
    match found {
        Some(file) => format!("that of {file}"),
        None if cfg!(all(target_os = "linux", target_env = "gnu")) => "unknown".into(),
        None => "the system's".into(),
    }
}

/// The C library with its version, where it tells.
pub(crate) fn c_library() -> String {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the version is a constant text that ends in 0.
    return format!(
        "glibc {}",
        unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy()
    );
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    return if cfg!(target_env = "musl") {
        "musl"
    } else {
        "the system's"
    }
    .into();
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
    heap_in_use().is_some()
}

/// Takes the free pieces that lie between used ones, without touching them, so that what follows is cut from fresh memory.
///
/// Pages of such pieces are resident where the allocator's caches of small pieces hold one back, here and there. Things
/// that land on them cost less: seen, 314 bytes where others cost 320. To ask what is free takes as long as there are
/// pieces, so they are taken an eighth at a time.
fn plug_holes() -> Vec<Vec<u8>> {
    let mut plugs = Vec::new();
    let known = heap_in_use().is_some();
    let holes = || heap().filter(|_| known).map_or(0, |(_, free)| free);
    for size in (7..=16).rev().map(|power| 1 << power) {
        let mut free = holes();
        while free >= size {
            let some = (free / 8 / size).max(1);
            plugs.extend((0..some).map(|_| Vec::with_capacity(size as usize)));
            let taken = free.saturating_sub(holes());
            // Else they were cut from fresh memory, since no piece is as large.
            if taken < some * size / 2 {
                break;
            }
            free -= taken;
        }
    }
    plugs
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
        system::bytes_left_in_groups(Path::new("/")),
        system::bytes_left_in_limits(),
    ];
    Ok(limits
        .into_iter()
        .flatten()
        .fold(system.available_memory(), u64::min))
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
        Self {
            count: 100_000,
            steps: 20,
        }
    }
}

/// Memory over a number of things.
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
    /// By how much the process grew in huge pages, in bytes.
    pub huge_page_bytes: u64,
    /// When, and on what machine.
    pub measured: String,
}

impl MemorySeries {
    /// The series of `readings` that were taken elsewhere, such as by another program.
    ///
    /// # Errors
    /// As [`Line::fit`].
    ///
    /// ```
    /// use helpers::{MemoryGrowth, MemoryReading, MemorySeries};
    /// let reading = |step: u64| MemoryReading { count: 1_000 * step, heap_bytes: None, resident_bytes: 2_662_400 * step, virtual_bytes: 0 };
    /// let series = MemorySeries::of_readings(MemoryGrowth::default(), (1..20).map(reading).collect())?;
    /// assert_eq!(series.resident_bytes_each()?.value.round(), 2_662.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn of_readings(config: MemoryGrowth, readings: Vec<MemoryReading>) -> Result<Self> {
        let line = |bytes: &dyn Fn(&MemoryReading) -> Option<u64>, unit| {
            let point =
                |reading: &MemoryReading| Some((reading.count as f64, bytes(reading)? as f64));
            readings
                .iter()
                .map(point)
                .collect::<Option<Vec<_>>>()
                .map(|points| Line::fit(&points, unit))
        };
        let resident =
            line(&|reading| Some(reading.resident_bytes), page_bytes()).expect("always known")?;
        let heap = line(&|reading| reading.heap_bytes, 0.0).transpose()?;
        let Caption { measured, .. } = Caption::now();
        Ok(Self {
            config,
            readings,
            resident,
            heap,
            released: false,
            huge_page_bytes: 0,
            measured,
        })
    }

    /// Measures the bytes that each of many things costs: `add(n)` adds `n` more and keeps them alive.
    ///
    /// First it adds some that do not count, from one to a hundred, then a twentieth of the count at a time until as
    /// many again take as much again, half of the count at most: they tell what the series will need, and fill holes
    /// that earlier work left in resident pages. Pages of files that become resident meanwhile, such as the program's
    /// own code, are no cost of a thing and are left out of its readings, where the system tells. Before every step,
    /// the need is held against [`read_available_memory`].
    ///
    /// # Errors
    /// A field of `config` outside its range, things that take other amounts each time, more things than memory, or what
    /// `add` returns as an error.
    ///
    /// ```
    /// let mut kept = Vec::with_capacity(10_000);
    /// let config = helpers::MemoryGrowth { count: 4_000, ..Default::default() };
    /// let series = helpers::MemorySeries::measure(&config, |more| {
    ///     kept.extend((0..more).map(|_| vec![1_u8; 1_000]));
    ///     Ok(())
    /// })?;
    /// assert!((1_000.0..1_100.0).contains(&series.resident_bytes_each()?.value));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn measure(config: &MemoryGrowth, mut add: impl FnMut(u64) -> Result<()>) -> Result<Self> {
        within("count", config.count, 100..=10_000_000_000)?;
        within("steps", config.steps, 5..=1_000)?;
        let steps = config.steps.min(config.count);
        // The first look itself takes memory: for code that was not resident, and for the reader's own tables.
        read_memory()?;
        read_available_memory()?;
        let released = release_free_memory();
        let _plugs = plug_holes();

        let (fill, huge_before) = ((config.count / 20).min(20_000), huge_page_bytes());
        let files_before = resident_file_bytes();
        let read = || {
            let reading = read_memory()?;
            let resident_bytes =
                (reading.resident_bytes + files_before).saturating_sub(resident_file_bytes());
            Ok::<_, Error>(MemoryReading {
                resident_bytes,
                ..reading
            })
        };
        let mut readings = Vec::with_capacity(steps as usize + FILLS + 4);
        readings.push(read()?);
        // The place of the reading after which things count, and what one takes.
        let (mut start, mut each) = (None, 0.0);
        loop {
            let (before, looks) = (readings[readings.len() - 1], readings.len());
            let counted = start.map_or(0, |start: usize| before.count - readings[start].count);
            let more = match (start, looks) {
                (Some(start), _) => config.count * (looks - start) as u64 / steps - counted,
                (None, ..4) => fill.min([1, 10, 100][looks - 1]),
                (None, _) => fill,
            };
            // A few tell how large one is before more are made; too roughly to refuse the whole count.
            guard(
                each,
                if looks < 5 {
                    more
                } else {
                    config.count - counted
                },
                counted,
            )?;
            add(more)?;
            let after = MemoryReading {
                count: before.count + more,
                ..read()?
            };
            readings.push(after);
            if let Some(start) = start {
                let base: &MemoryReading = &readings[start];
                each = f64::max(
                    each,
                    bytes_between(base, &after) / (after.count - base.count) as f64,
                );
                if counted + more == config.count {
                    break;
                }
                continue;
            }
            each = bytes_between(&before, &after) / more as f64;
            let fills = readings.get(3..).unwrap_or_default();
            if settled(fills) {
                start = Some(looks);
            } else if fills.len() > FILLS {
                let megabytes = |two: &[MemoryReading]| show_number(grown(&two[0], &two[1]) / 1e6);
                let each: Vec<String> = fills.windows(2).map(megabytes).collect();
                let wrong = format!("{fill} more took {} MB each time", each.join(", "));
                return Err(refusal(
                    ATTEMPTED,
                    wrong,
                    huge_page_bytes().saturating_sub(huge_before),
                ));
            }
        }
        let start = start.unwrap_or_default();
        let count = readings[start].count;
        readings.drain(..start);
        readings
            .iter_mut()
            .for_each(|reading| reading.count -= count);
        let series = Self::of_readings(config.clone(), readings)?;
        let huge_page_bytes = huge_page_bytes().saturating_sub(huge_before);
        Ok(Self {
            released,
            huge_page_bytes,
            ..series
        })
    }

    /// The caption of a figure of this series.
    pub fn caption(&self) -> Caption {
        let MemoryGrowth { count, steps } = self.config;
        let settings = [("count", thousands(count)), ("steps", steps.to_string())];
        let settings = settings
            .map(|(name, value)| (name.to_string(), value))
            .to_vec();
        Caption {
            settings,
            warnings: vec![],
            measured: self.measured.clone(),
        }
    }

    /// The resident bytes that each thing costs, if they can be told to one per cent.
    ///
    /// The two halves of the series must agree to one per cent and a few pages, no reading may be off the line by more
    /// than a few pages or a quarter of a per cent of the growth, half of the interval may be no wider than one per
    /// cent, and resident memory must have grown by as much as the heap in use, where that is known.
    ///
    /// # Errors
    /// One of these does not hold, and then the slope means nothing.
    pub fn resident_bytes_each(&self) -> Result<Estimate> {
        const FEW_PAGES: f64 = 8.0;
        let Line {
            slope: each,
            residuals,
            ..
        } = &self.resident;
        let points: Vec<(f64, f64)> = self
            .readings
            .iter()
            .map(|reading| (reading.count as f64, reading.resident_bytes as f64))
            .collect();
        let span = points[points.len() - 1].0 - points[0].0;
        let (growth, pages) = (each.value * span, FEW_PAGES * page_bytes());
        let halves = [&points[..=points.len() / 2], &points[points.len() / 2..]].map(slope);
        let apart = (halves[0] - halves[1]).abs();
        let off = residuals
            .iter()
            .map(|residual| residual.abs())
            .fold(0.0, f64::max);
        let half_interval = (each.high - each.low) / 2.0;
        // Where it is not known, no less than the smallest piece that allocators give out.
        let heap = self.heap.as_ref().map_or(8.0, |heap| heap.slope.value);
        let [a, b] = halves.map(show_number);
        let wrong = if growth <= 0.0 || each.value < 0.98 * heap {
            let [resident, heap] = [each.value, heap].map(show_number);
            format!(
                "resident memory grew by {resident} bytes each, where {heap} are in use or more: they lie on pages that were resident"
            )
        } else if apart > 0.01 * each.value + pages / (span / 2.0) {
            format!("each took {a} bytes in the first half of the series, {b} in the second")
        } else if off > pages.max(0.0025 * growth) {
            format!("a reading is {} off the line", in_pages(off))
        } else if half_interval > 0.01 * each.value {
            format!("the steps differ, so the cost is known no better than {each}")
        } else {
            return Ok(*each);
        };
        Err(refusal("quote bytes each", wrong, self.huge_page_bytes))
    }
}

const ATTEMPTED: &str = "measure bytes each";
/// So often things are added that do not count, at most.
const FILLS: usize = 10;

/// Says what was wrong, and what of the system is likely to be behind it.
fn refusal(attempted: &str, mut wrong: String, huge_page_bytes: u64) -> Error {
    let mut allowed = "more things, all of one size, and nothing else in this process that takes memory meanwhile";
    if heap_in_use().is_none() {
        let name = allocator();
        wrong += &format!(
            "; free memory could not be handed back first: the allocator is not glibc's but {name}"
        );
        allowed = "many more things, or glibc's allocator";
    }
    if huge_page_bytes > 0 {
        wrong += &format!(
            "; {} MB of it came in huge pages",
            show_number(huge_page_bytes as f64 / 1e6)
        );
        allowed = "huge pages switched off, as by an empty `GLIBC_TUNABLES`, or many more things";
    }
    Error::new(attempted, wrong, allowed)
}

/// Bytes in a page; where the system does not tell, the usual size.
fn page_bytes() -> f64 {
    system::page_bytes().unwrap_or(4_096) as f64
}

fn in_pages(bytes: f64) -> String {
    format!(
        "{:.0} pages of {:.0} bytes",
        bytes / page_bytes(),
        page_bytes()
    )
}

/// Whether as many things again took as much again, to 2 % and two pages, and no less than what they asked for.
fn settled(fills: &[MemoryReading]) -> bool {
    let [.., first, second, third] = fills else {
        return false;
    };
    let (before, now, pages) = (
        grown(first, second),
        grown(second, third),
        2.0 * page_bytes(),
    );
    (now - before).abs() <= 0.02 * now + pages && now >= 0.98 * bytes_between(second, third) - pages
}

fn grown(before: &MemoryReading, after: &MemoryReading) -> f64 {
    after.resident_bytes as f64 - before.resident_bytes as f64
}

/// The growth from one reading to another: resident, or heap where pages that were resident already hide it.
fn bytes_between(before: &MemoryReading, after: &MemoryReading) -> f64 {
    let resident = after.resident_bytes.saturating_sub(before.resident_bytes);
    let heap = after
        .heap_bytes
        .zip(before.heap_bytes)
        .map(|(after, before)| after.saturating_sub(before));
    resident.max(heap.unwrap_or(0)) as f64
}

fn guard(each: f64, more: u64, counted: u64) -> Result<()> {
    // A fifth stays free: for the growth of tables, and for everyone else.
    let available = read_available_memory()? / 5 * 4;
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
    Err(Error::new(
        ATTEMPTED,
        wrong,
        format!("a count up to about {}", thousands(most)),
    ))
}

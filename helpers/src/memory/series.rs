//! Memory per idle thing, as a slope: add things in steps, free none, read the process's memory after each step.
//!
//! One difference at one number is wrong, and wrong differently on each run: memory comes in pages, and the allocator
//! hands out again what an earlier run freed. The slope over many numbers has neither fault.

use crate::check::within;
use crate::error::{Error, Result};
use crate::machine::allocator::{allocator, heap_in_use, release_free_memory};
use crate::machine::stamp;
use crate::memory::holes::plug_holes;
use crate::memory::reading::{
    MemoryReading, huge_page_bytes, page_bytes, read_available_memory, read_memory,
    resident_file_bytes,
};
use crate::number::{show_number, thousands};
use crate::stats::estimate::Estimate;
use crate::stats::line::{Line, slope};

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
        let measured = stamp::measured_now();
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

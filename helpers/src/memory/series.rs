//! Memory per idle thing, as a slope: add things in steps, free none, read the process's memory
//! after each step.
//!
//! One difference at one number is wrong, and wrong differently on each run: memory comes in pages,
//! and the allocator hands out again what an earlier run freed. The slope over many numbers has
//! neither fault.

use crate::check::within;
use crate::error::{Error, Result};
use crate::judge::warning::Warning;
use crate::machine::stamp;
use crate::memory::growing::Growing;
use crate::memory::growth::MemoryGrowth;
use crate::memory::reading::{MemoryReading, MemorySource, page_bytes};
use crate::number::numbers_after;
use crate::stats::linear_fit::LinearFit;
use std::path::Path;

/// Memory over a number of things.
#[derive(Debug, Clone)]
pub struct MemorySeries {
    /// The configuration.
    pub config: MemoryGrowth,
    /// A reading before the first thing of the series and one after each step.
    pub readings: Vec<MemoryReading>,
    /// The line through resident bytes over things; its slope is bytes a thing.
    pub resident: LinearFit,
    /// The same for the heap in use, where it is known.
    pub heap: Option<LinearFit>,
    /// The same for the page tables of the process, where they are known.
    pub page_tables: Option<LinearFit>,
    /// The same for the kernel's stacks, where they are known; whose, says
    /// [`MemoryReading::kernel_stack_bytes`].
    pub kernel_stacks: Option<LinearFit>,
    /// What weakens the result.
    pub warnings: Vec<Warning>,
    /// When, and on what machine.
    pub measured: String,
}

impl MemorySeries {
    /// The series of `readings` that were taken elsewhere, such as by another program.
    ///
    /// # Errors
    /// As [`LinearFit::fit`].
    ///
    /// ```
    /// use helpers::{MemoryGrowth, MemoryReading, MemorySeries, Warning};
    /// let reading = |step: u64| MemoryReading {
    ///     count: 1_000 * step,
    ///     resident_bytes: 2_662_400 * step,
    ///     ..Default::default()
    /// };
    /// let readings = (1..20).map(reading).collect();
    /// let series = MemorySeries::of_readings(MemoryGrowth::default(), readings)?;
    /// assert_eq!(series.resident_bytes_each()?.value.round(), 2_662.0);
    /// assert_eq!(series.warnings, [Warning::HeapUnknown]);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn of_readings(config: MemoryGrowth, readings: Vec<MemoryReading>) -> Result<Self> {
        let resident = LinearFit::fit(&resident_points(&readings), page_bytes())?;
        let heap = line(&readings, 0.0, |reading| reading.heap_bytes)?;
        let page_tables = line(&readings, page_bytes(), |reading| reading.page_table_bytes)?;
        let kernel_stacks = line(&readings, 0.0, |reading| reading.kernel_stack_bytes)?;
        let mut warnings = Vec::new();
        if readings
            .iter()
            .any(|reading| reading.source == MemorySource::MemoryStats)
        {
            warnings.push(Warning::CoarseResident);
        }
        if heap.is_none() {
            warnings.push(Warning::HeapUnknown);
        }
        Ok(Self {
            config,
            readings,
            resident,
            heap,
            page_tables,
            kernel_stacks,
            warnings,
            measured: stamp::measured_now(),
        })
    }

    /// The series that a program printed: a line for each reading, which begins with `word`, then
    /// says how many things there are and how many bytes. What its heap holds is not known.
    ///
    /// # Errors
    /// As [`MemorySeries::of_readings`].
    ///
    /// ```
    /// let line = |nth: u64| format!("reading {} {}\nasked 128\n", 100 * nth, 32_000 * nth);
    /// let said: String = (1..=7).map(line).collect();
    /// let series = helpers::MemorySeries::of_text(&said, "reading")?;
    /// assert_eq!(series.resident.slope.value.round(), 320.0);
    /// assert_eq!((series.config.count, series.config.steps), (600, 6));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn of_text(text: &str, word: &str) -> Result<Self> {
        let numbers = numbers_after(text, word);
        let reading = |pair: &[f64]| MemoryReading {
            count: pair[0] as u64,
            resident_bytes: pair[1] as u64,
            ..MemoryReading::default()
        };
        let readings: Vec<MemoryReading> = numbers.chunks_exact(2).map(reading).collect();
        let counts = readings.iter().map(|reading| reading.count);
        let first = counts.clone().min().unwrap_or_default();
        let config = MemoryGrowth {
            count: counts.max().unwrap_or_default() - first,
            steps: readings.len().saturating_sub(1) as u64,
        };
        let mut series = Self::of_readings(config, readings)?;
        series
            .warnings
            .retain(|warning| *warning != Warning::HeapUnknown);
        Ok(series)
    }

    /// How many MB of resident memory there are more than before the series, over the things of
    /// it: the points of a figure.
    ///
    /// ```
    /// let line = |count: u64| format!("reading {count} {}\n", 1_000_000 * count);
    /// let said: String = (1..=7).map(line).collect();
    /// let series = helpers::MemorySeries::of_text(&said, "reading")?;
    /// assert_eq!(series.megabytes_more()[..3], [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn megabytes_more(&self) -> Vec<(f64, f64)> {
        let first = self.readings.first().copied().unwrap_or_default();
        let more = |reading: &MemoryReading| {
            let bytes = reading.resident_bytes as f64 - first.resident_bytes as f64;
            ((reading.count - first.count) as f64, bytes / 1e6)
        };
        self.readings.iter().map(more).collect()
    }

    /// The bytes of the heap that the allocator has given out for each thing, to whole bytes.
    ///
    /// # Errors
    /// The allocator does not tell.
    pub fn heap_bytes_each(&self) -> Result<f64> {
        let silent = || {
            let wrong = "the allocator does not tell what it has given out";
            Error::new("weigh what is in use", wrong, "that of glibc 2.33 or later")
        };
        let heap = self.heap.as_ref().ok_or_else(silent)?;
        Ok(heap.slope.value.round())
    }

    /// The bytes that the system keeps for each thing outside of the resident memory, as far as it
    /// tells: page tables and the kernel's stacks, to whole bytes.
    ///
    /// # Errors
    /// The system does not tell of both.
    pub fn kernel_bytes_each(&self) -> Result<f64> {
        let silent = || {
            let wrong = "the system does not tell what it keeps itself";
            Error::new("weigh the kernel's part", wrong, "Linux")
        };
        let tables = self.page_tables.as_ref().ok_or_else(silent)?;
        let stacks = self.kernel_stacks.as_ref().ok_or_else(silent)?;
        Ok((tables.slope.value + stacks.slope.value).round())
    }

    /// Measures the bytes that each of many things costs: `add(n)` adds `n` more and keeps them
    /// alive.
    ///
    /// First it adds some that do not count, from one to a hundred, then a twentieth of the count
    /// at a time until as many again take as much again, half of the count at most: they tell what
    /// the series will need, and fill chunks that earlier work left free in resident pages. Pages
    /// of files that become resident meanwhile, such as the program's own code, are no cost of a
    /// thing and are left out of its readings, where the system tells. Before every step, the need
    /// is held against [`read_available_memory`](crate::read_available_memory).
    ///
    /// Huge pages are switched off for this process while it measures, where the system allows;
    /// programs that `add` starts inherit that. Where some come all the same, the series says so.
    ///
    /// # Errors
    /// A field of `config` outside its range, things that take other amounts each time, more things
    /// than memory, or what `add` returns as an error.
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
    pub fn measure(config: &MemoryGrowth, add: impl FnMut(u64) -> Result<()>) -> Result<Self> {
        Self::measure_below(Path::new("/"), config, add)
    }

    /// The same, with the system's own files below `root`.
    fn measure_below(
        root: &Path,
        config: &MemoryGrowth,
        mut add: impl FnMut(u64) -> Result<()>,
    ) -> Result<Self> {
        within("count", config.count, 100..=10_000_000_000)?;
        within("steps", config.steps, 5..=1_000)?;
        let mut growing = Growing::new(root.into(), config.steps, &mut add)?;
        let each = growing.warm_up(config.count)?;
        growing.count(config, each)?;
        let (readings, warnings) = growing.end();
        let mut series = Self::of_readings(config.clone(), readings)?;
        series.warnings.extend(warnings);
        Ok(series)
    }
}

/// Resident bytes over things.
pub(crate) fn resident_points(readings: &[MemoryReading]) -> Vec<(f64, f64)> {
    readings
        .iter()
        .map(|reading| (reading.count as f64, reading.resident_bytes as f64))
        .collect()
}

/// The line through what `bytes` finds in each reading, in multiples of `unit`; none where a
/// reading does not tell.
fn line(
    readings: &[MemoryReading],
    unit: f64,
    bytes: impl Fn(&MemoryReading) -> Option<u64>,
) -> Result<Option<LinearFit>> {
    let point = |reading: &MemoryReading| Some((reading.count as f64, bytes(reading)? as f64));
    let points: Option<Vec<_>> = readings.iter().map(point).collect();
    points
        .map(|points| LinearFit::fit(&points, unit))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::files::simulated;
    use crate::memory::ALONE;

    fn readings(reading: impl Fn(u64) -> MemoryReading) -> Vec<MemoryReading> {
        let count_of = |place| MemoryReading {
            count: 1_000 * place,
            ..reading(place)
        };
        (0..=20).map(count_of).collect()
    }

    fn of(readings: Vec<MemoryReading>) -> MemorySeries {
        MemorySeries::of_readings(MemoryGrowth::default(), readings).unwrap()
    }

    #[test]
    fn a_series_has_the_line_of_each_kind_of_memory() {
        let series = of(readings(|place| MemoryReading {
            source: MemorySource::SmapsRollup,
            resident_bytes: 4_000 * place,
            heap_bytes: Some(3_000 * place),
            page_table_bytes: Some(2_000 * place),
            kernel_stack_bytes: Some(1_000 * place),
            ..Default::default()
        }));
        let slope = |line: &Option<LinearFit>| line.as_ref().unwrap().slope.value;
        assert_eq!(series.resident.slope.value, 4.0);
        assert_eq!(slope(&series.heap), 3.0);
        assert_eq!(slope(&series.page_tables), 2.0);
        assert_eq!(slope(&series.kernel_stacks), 1.0);
        assert_eq!(series.warnings, []);
    }

    #[test]
    fn what_the_heap_and_the_kernel_keep_is_told_or_refused() {
        let told = of(readings(|place| MemoryReading {
            heap_bytes: Some(144_000 * place),
            page_table_bytes: Some(4_096_000 * place),
            kernel_stack_bytes: Some(16_384_000 * place),
            ..Default::default()
        }));
        assert_eq!(told.heap_bytes_each(), Ok(144.0));
        assert_eq!(told.kernel_bytes_each(), Ok(20_480.0));
        let silent = of(readings(|_| MemoryReading::default()));
        assert!(silent.heap_bytes_each().is_err());
        assert!(silent.kernel_bytes_each().is_err());
    }

    #[test]
    fn what_one_reading_does_not_tell_has_no_line() {
        let mut readings = readings(|place| MemoryReading {
            heap_bytes: Some(3_000 * place),
            ..Default::default()
        });
        readings[7].heap_bytes = None;
        let series = of(readings);
        assert_eq!(
            (series.heap, series.page_tables, series.kernel_stacks),
            (None, None, None)
        );
        assert_eq!(series.warnings, [Warning::HeapUnknown]);
    }

    #[test]
    fn a_coarser_source_is_a_warning_that_stands_in_the_caption() {
        let mut readings = readings(|place| MemoryReading {
            source: MemorySource::SmapsRollup,
            heap_bytes: Some(3_000 * place),
            ..Default::default()
        });
        readings[7].source = MemorySource::MemoryStats;
        let series = of(readings);
        assert_eq!(series.warnings, [Warning::CoarseResident]);
        assert_eq!(series.caption().warnings, series.warnings);
    }

    #[test]
    fn what_could_not_be_set_right_is_a_warning_of_a_measured_series() {
        let _alone = ALONE.lock();
        let file = "proc/self/smaps_rollup";
        let system = simulated(&[(file, "Rss: 0 kB\nAnonymous: 0 kB\nAnonHugePages: 0 kB\n")]);
        let mut taken = 0;
        let config = MemoryGrowth {
            count: 1_000,
            steps: 8,
        };
        let series = MemorySeries::measure_below(system.path(), &config, |more| {
            taken += 256 * more;
            let text = format!("Rss: {taken} kB\nAnonymous: {taken} kB\nAnonHugePages: 2048 kB\n");
            std::fs::write(system.path().join(file), text).unwrap();
            Ok(())
        });
        let series = series.unwrap();
        assert_eq!(series.readings.len(), 9);
        assert_eq!(series.resident_bytes_each().unwrap().value, 262_144.0);
        assert!(
            series
                .warnings
                .contains(&Warning::HugePages { bytes: 2_097_152 })
        );
    }
}

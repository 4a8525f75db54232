//! Things that are added and kept, first to warm up and then to count.

use crate::error::{Error, Result};
use crate::judge::warning::Warning;
use crate::memory::growth::MemoryGrowth;
use crate::memory::preparation::Preparation;
use crate::memory::reading::{
    MemoryReading, page_bytes, read_available_memory, read_memory_below, resident_file_bytes,
};
use crate::memory::refusal::{MEASURE, refusal};
use crate::memory::room::check_room;
use crate::number::show_number;
use std::path::PathBuf;

/// So many are added first, one after the other: they tell how large one is.
const FEW: [u64; 3] = [1, 10, 100];
/// So often a portion is added that does not count, at most.
const PORTIONS: usize = 10;
/// No portion is larger.
const LARGEST_PORTION: u64 = 20_000;

/// Things that are added and kept, with a reading before the first and after each addition.
pub(crate) struct Growing<'a> {
    add: &'a mut dyn FnMut(u64) -> Result<()>,
    preparation: Preparation,
    root: PathBuf,
    file_bytes_before: u64,
    readings: Vec<MemoryReading>,
}

impl<'a> Growing<'a> {
    /// Prepares this process for so many `steps` and reads its memory. The system's own files lie
    /// below `root`.
    pub(crate) fn new(
        root: PathBuf,
        steps: u64,
        add: &'a mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Self> {
        // The first look itself takes memory: for code that was not resident, and for the reader's
        // own tables.
        read_memory_below(&root)?;
        read_available_memory()?;
        let preparation = Preparation::new(root.clone());
        let mut growing = Self {
            add,
            preparation,
            file_bytes_before: resident_file_bytes(&root),
            root,
            // With room for all, so that the list does not grow while memory is read.
            readings: Vec::with_capacity(1 + FEW.len() + PORTIONS + steps as usize),
        };
        let first = growing.read()?;
        growing.readings.push(first);
        Ok(growing)
    }

    /// A reading without the pages of files that have become resident meanwhile: those are no cost
    /// of a thing.
    fn read(&self) -> Result<MemoryReading> {
        let reading = read_memory_below(&self.root)?;
        let with_files_before = reading.resident_bytes + self.file_bytes_before;
        let resident_bytes = with_files_before.saturating_sub(resident_file_bytes(&self.root));
        Ok(MemoryReading {
            resident_bytes,
            ..reading
        })
    }

    /// Adds `more` things and reads.
    fn add(&mut self, more: u64) -> Result<()> {
        (self.add)(more)?;
        let count = self.last().count + more;
        let reading = MemoryReading {
            count,
            ..self.read()?
        };
        self.readings.push(reading);
        Ok(())
    }

    fn last(&self) -> &MemoryReading {
        &self.readings[self.readings.len() - 1]
    }

    /// Adds things that do not count, until as many again take as much again; returns about how
    /// many bytes one takes.
    ///
    /// The first few tell too roughly what one takes to refuse the whole `count` for it.
    pub(crate) fn warm_up(&mut self, count: u64) -> Result<f64> {
        let portion = (count / 20).min(LARGEST_PORTION);
        let mut each = 0.0;
        for few in FEW {
            let more = few.min(portion);
            check_room(read_available_memory()?, each, more, 0)?;
            self.add(more)?;
            each = self.last_bytes_each();
        }
        check_room(read_available_memory()?, each, portion, 0)?;
        self.add(portion)?;
        while !settled(&self.readings[FEW.len()..]) {
            if self.readings.len() > FEW.len() + PORTIONS {
                return Err(self.unsettled(portion));
            }
            check_room(read_available_memory()?, self.last_bytes_each(), count, 0)?;
            self.add(portion)?;
        }
        Ok(self.last_bytes_each())
    }

    /// What each of the last things took.
    fn last_bytes_each(&self) -> f64 {
        let [.., before, after] = &self.readings[..] else {
            return 0.0;
        };
        bytes_each(before, after)
    }

    fn unsettled(&self, portion: u64) -> Error {
        let portions = self.readings[FEW.len()..].windows(2);
        let megabytes: Vec<String> = portions
            .map(|two| show_number(resident_growth(&two[0], &two[1]) / 1e6))
            .collect();
        let wrong = format!("{portion} more took {} MB each time", megabytes.join(", "));
        refusal(MEASURE, wrong, &self.preparation.warnings())
    }

    /// Counts from here: forgets what was added before, and adds what `config` asks for, in steps.
    /// The room for the rest is checked before each, at the most that one has taken so far.
    pub(crate) fn count(&mut self, config: &MemoryGrowth, mut each: f64) -> Result<()> {
        let start = MemoryReading {
            count: 0,
            ..*self.last()
        };
        self.readings.clear();
        self.readings.push(start);
        let steps = config.steps.min(config.count);
        for step in 1..=steps {
            let counted = self.last().count;
            let rest = config.count - counted;
            check_room(read_available_memory()?, each, rest, counted)?;
            self.add(config.count * step / steps - counted)?;
            each = each.max(bytes_each(&start, self.last()));
        }
        Ok(())
    }

    /// The readings since things count, and what weakens them.
    pub(crate) fn end(self) -> (Vec<MemoryReading>, Vec<Warning>) {
        let warnings = self.preparation.warnings();
        (self.readings, warnings)
    }
}

/// Whether the last portion took as much as the one before, to 2 % and two pages, and no less than
/// what its things asked for.
fn settled(readings: &[MemoryReading]) -> bool {
    let [.., first, second, third] = readings else {
        return false;
    };
    let before = resident_growth(first, second);
    let now = resident_growth(second, third);
    let asked = bytes_between(second, third);
    let pages = 2.0 * page_bytes();
    (now - before).abs() <= 0.02 * now + pages && now >= 0.98 * asked - pages
}

fn resident_growth(before: &MemoryReading, after: &MemoryReading) -> f64 {
    after.resident_bytes as f64 - before.resident_bytes as f64
}

/// What each of the things took that were added between two readings.
fn bytes_each(before: &MemoryReading, after: &MemoryReading) -> f64 {
    bytes_between(before, after) / (after.count - before.count) as f64
}

/// The growth from one reading to another: resident, or heap where pages that were resident already
/// hide it.
fn bytes_between(before: &MemoryReading, after: &MemoryReading) -> f64 {
    let resident = after.resident_bytes.saturating_sub(before.resident_bytes);
    let heap = after
        .heap_bytes
        .zip(before.heap_bytes)
        .map_or(0, |(after, before)| after.saturating_sub(before));
    resident.max(heap) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::files::simulated;
    use crate::memory::ALONE;
    use crate::memory::reading::MemorySource;
    use std::cell::RefCell;
    use std::path::Path;

    /// Writes the kernel's sum for a process with so much memory.
    fn write_rollup(root: &Path, anonymous: u64, files: u64) {
        let all = anonymous + files;
        let text = format!("Rss: {all} kB\nAnonymous: {anonymous} kB\n");
        std::fs::write(root.join("proc/self/smaps_rollup"), text).unwrap();
    }

    /// Grows by `count` things in `steps`, of which the one with that number takes so many KiB;
    /// each also brings in 100 KiB of files. Gives the readings, and how many were added at a time.
    fn grow(
        count: u64,
        steps: u64,
        kibibytes: impl Fn(u64) -> u64,
    ) -> (Result<Vec<MemoryReading>>, Vec<u64>) {
        let _alone = ALONE.lock();
        let system = simulated(&[("proc/self/smaps_rollup", "")]);
        write_rollup(system.path(), 1_000, 2_000);
        let added = RefCell::new(Vec::new());
        let mut taken = 1_000;
        let mut add = |more| {
            let made: u64 = added.borrow().iter().sum();
            taken += (made..made + more).map(&kibibytes).sum::<u64>();
            write_rollup(system.path(), taken, 2_000 + 100 * (made + more));
            added.borrow_mut().push(more);
            Ok(())
        };
        let mut growing = Growing::new(system.path().into(), steps, &mut add).unwrap();
        let config = MemoryGrowth { count, steps };
        let grown = growing
            .warm_up(count)
            .and_then(|each| growing.count(&config, each));
        let readings = grown.map(|()| growing.end().0);
        (readings, added.into_inner())
    }

    #[test]
    fn things_count_once_as_many_again_take_as_much_again() {
        let (readings, added) = grow(1_000, 7, |_| 256);
        assert_eq!(
            added,
            [1, 10, 50, 50, 50, 142, 143, 143, 143, 143, 143, 143]
        );
        let readings = readings.unwrap();
        let found = |reading: &MemoryReading| (reading.count, reading.resident_bytes / 1_024);
        let before = 3_000 + 161 * 256;
        let steps = [0, 142, 285, 428, 571, 714, 857, 1_000];
        let expected = steps.map(|count| (count, before + 256 * count));
        assert_eq!(readings.iter().map(found).collect::<Vec<_>>(), expected);
        assert!(
            readings
                .iter()
                .all(|reading| reading.source == MemorySource::SmapsRollup)
        );
    }

    #[test]
    fn no_portion_is_larger_than_twenty_thousand() {
        let (refused, added) = grow(10_000_000_000, 20, |_| 4);
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(": 10,000,000,000 more at about 4"), "{said}");
        assert_eq!(added, [1, 10, 100, 20_000]);
    }

    #[test]
    fn things_that_take_other_amounts_each_time_are_refused() {
        // The first portion begins after 61 things.
        let (refused, added) = grow(1_000, 20, |at| 256 + 256 * ((at + 39) / 50 % 2));
        let refused = refused.unwrap_err();
        assert_eq!(refused.attempted, "measure bytes each");
        let words = "50 more took 13.1, 26.2, 13.1, 26.2, 13.1, 26.2, 13.1, 26.2, 13.1, 26.2 MB \
            each time";
        assert!(refused.wrong.starts_with(words), "{refused}");
        assert_eq!(added, [[1, 10, 50].as_slice(), &[50; 10]].concat());
    }

    #[test]
    fn the_rest_is_refused_once_it_is_seen_not_to_fit() {
        let terabyte = 1 << 30;
        let (refused, added) = grow(1_000, 10, |at| if at < 161 + 250 { 256 } else { terabyte });
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(": 700 more at about "), "{said}");
        assert!(
            said.contains("(allowed: a count up to about 300)"),
            "{said}"
        );
        assert_eq!(added, [1, 10, 50, 50, 50, 100, 100, 100]);
    }

    #[test]
    fn a_few_are_refused_that_do_not_fit() {
        let terabyte = 1 << 30;
        for (fits, added_before) in [(0, [1].as_slice()), (1, &[1, 10]), (11, &[1, 10, 50])] {
            let (refused, added) = grow(1_000, 10, |at| if at < fits { 256 } else { terabyte });
            assert!(
                refused
                    .unwrap_err()
                    .to_string()
                    .contains(" MB may be taken ")
            );
            assert_eq!(added, added_before);
        }
    }

    #[test]
    fn a_failure_to_add_is_handed_on() {
        let failure = Error::new("start a thread", "none is left", "fewer");
        let mut add = |_| Err(failure.clone());
        let system = simulated(&[]);
        let mut growing = Growing::new(system.path().into(), 5, &mut add).unwrap();
        assert_eq!(growing.last().source, MemorySource::MemoryStats);
        assert_eq!(growing.last_bytes_each(), 0.0);
        assert_eq!(growing.warm_up(100), Err(failure.clone()));
    }

    /// Readings of so many pages, resident and of the heap.
    fn pages(all: [(u64, Option<u64>); 3]) -> [MemoryReading; 3] {
        let page = page_bytes() as u64;
        all.map(|(resident, heap)| MemoryReading {
            resident_bytes: resident * page,
            heap_bytes: heap.map(|heap| heap * page),
            ..Default::default()
        })
    }

    #[test]
    fn a_portion_settles_that_takes_what_the_one_before_took() {
        let settles = |before: u64, now: u64| {
            let after = 10_000 + before;
            settled(&pages([(10_000, None), (after, None), (after + now, None)]))
        };
        assert!(settles(1_000, 1_022) && settles(1_000, 979) && settles(96, 100));
        assert!(!settles(1_000, 1_023) && !settles(1_000, 978) && !settles(95, 100));
        assert!(!settled(&pages([(1, None), (2, None), (3, None)])[1..]));
    }

    #[test]
    fn a_portion_settles_that_takes_what_its_things_asked_for() {
        let settles = |now: u64, asked: u64| {
            let all = [(0, Some(7)), (now, Some(8)), (2 * now, Some(8 + asked))];
            settled(&pages(all))
        };
        assert!(settles(1_000, 1_022) && settles(96, 100));
        assert!(!settles(1_000, 1_023) && !settles(95, 100));
    }

    #[test]
    fn growth_is_the_larger_of_both_and_never_below_nothing() {
        let page = page_bytes();
        let between = |before, after| {
            let [before, after, _] = pages([before, after, (0, None)]);
            bytes_between(&before, &after) / page
        };
        assert_eq!(between((10, Some(5)), (17, Some(7))), 7.0);
        assert_eq!(between((10, Some(5)), (11, Some(9))), 4.0);
        assert_eq!(between((10, None), (11, Some(9))), 1.0);
        assert_eq!(between((10, Some(9)), (8, Some(5))), 0.0);
    }

    #[test]
    fn bytes_each_are_those_of_the_things_between() {
        let [mut before, mut after, _] = pages([(10, None), (26, None), (0, None)]);
        before.count = 3;
        after.count = 7;
        assert_eq!(bytes_each(&before, &after), 4.0 * page_bytes());
    }
}

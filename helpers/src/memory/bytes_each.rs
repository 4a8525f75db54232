//! Bytes each, and the checks that a series has to pass before the slope means anything.

use crate::error::Result;
use crate::memory::reading::page_bytes;
use crate::memory::refusal::refusal;
use crate::memory::series::{MemorySeries, resident_points};
use crate::number::show_number;
use crate::stats::estimate::Estimate;
use crate::stats::linear_fit::slope;

/// So many pages are a matter of where things happen to lie.
const FEW_PAGES: f64 = 8.0;
/// No piece that an allocator gives out is smaller.
const SMALLEST_PIECE: f64 = 8.0;

impl MemorySeries {
    /// The resident bytes that each thing costs, if they can be told to one per cent.
    ///
    /// Resident memory must have grown by as much as the heap in use, where that is known. The two
    /// halves of the series must agree to one per cent and a few pages, no reading may be off the
    /// line by more than a few pages or a quarter of a per cent of the growth, and half of the
    /// interval may be no wider than one per cent.
    ///
    /// # Errors
    /// One of these does not hold, and then the slope means nothing.
    pub fn resident_bytes_each(&self) -> Result<Estimate> {
        let wrong = self
            .grew_less_than_heap()
            .or_else(|| self.halves_differ())
            .or_else(|| self.reading_off_the_line())
            .or_else(|| self.interval_is_wide());
        match wrong {
            None => Ok(self.resident.slope),
            Some(wrong) => Err(refusal("quote bytes each", wrong, &self.warnings)),
        }
    }

    /// Things cost no less than they asked for, else they lie on pages that were resident.
    fn grew_less_than_heap(&self) -> Option<String> {
        let each = self.resident.slope.value;
        let heap = self
            .heap
            .as_ref()
            .map_or(SMALLEST_PIECE, |heap| heap.slope.value);
        let too_little = each <= 0.0 || each < 0.98 * heap;
        too_little.then(|| {
            format!(
                "resident memory grew by {} bytes each, where {} are in use or more: \
                they lie on pages that were resident",
                show_number(each),
                show_number(heap)
            )
        })
    }

    /// The last thing costs what the first one does. A cost that rises or falls over the series can
    /// give a good straight line, but no two halves that are alike.
    fn halves_differ(&self) -> Option<String> {
        let points = resident_points(&self.readings);
        let middle = points.len() / 2;
        let first = slope(&points[..=middle]);
        let second = slope(&points[middle..]);
        // A half is half as long, so that a page counts twice.
        let few_pages = 2.0 * FEW_PAGES * self.slope_step();
        let apart = (first - second).abs() > 0.01 * self.resident.slope.value + few_pages;
        apart.then(|| {
            format!(
                "each took {} bytes in the first half of the series, {} in the second",
                show_number(first),
                show_number(second)
            )
        })
    }

    fn reading_off_the_line(&self) -> Option<String> {
        let residuals = self.resident.residuals.iter();
        let off = residuals.map(|residual| residual.abs()).fold(0.0, f64::max);
        let growth = self.resident.slope.value * self.span();
        let far = off > (FEW_PAGES * page_bytes()).max(0.0025 * growth);
        far.then(|| format!("a reading is {} off the line", in_pages(off)))
    }

    fn interval_is_wide(&self) -> Option<String> {
        let each = self.resident.slope;
        let half_interval = (each.high - each.low) / 2.0;
        let wide = half_interval > 0.01 * each.value;
        wide.then(|| format!("the steps differ, so the cost is known no better than {each}"))
    }

    /// How finely the slope can be told: one page over all things of the series.
    fn slope_step(&self) -> f64 {
        page_bytes() / self.span()
    }

    /// Things from the first reading to the last.
    fn span(&self) -> f64 {
        let counts = self.readings.iter().map(|reading| reading.count);
        let first = counts.clone().min().unwrap_or_default();
        let last = counts.max().unwrap_or_default();
        (last - first) as f64
    }
}

fn in_pages(bytes: f64) -> String {
    let page = page_bytes();
    format!("{:.0} pages of {page:.0} bytes", bytes / page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::warning::Warning;
    use crate::memory::growth::MemoryGrowth;
    use crate::memory::reading::MemoryReading;
    use crate::memory::refusal::MEASURE;

    /// 21 readings, one every `step` things, of so many bytes at that place, with a heap in use of
    /// `heap` bytes a thing.
    fn series(step: u64, heap: Option<f64>, bytes: impl Fn(u64) -> f64) -> MemorySeries {
        let reading = |place: u64| MemoryReading {
            count: 7 + step * place,
            resident_bytes: 10_000_000 + bytes(place) as u64,
            heap_bytes: heap.map(|heap| (heap * (step * place) as f64) as u64),
            ..Default::default()
        };
        let readings = (0..=20).map(reading).collect();
        MemorySeries::of_readings(MemoryGrowth::default(), readings).unwrap()
    }

    fn wrong(series: &MemorySeries) -> String {
        series.resident_bytes_each().unwrap_err().wrong
    }

    #[test]
    fn a_straight_line_is_quoted() {
        let straight = series(1_000, Some(500.0), |place| 500_000.0 * place as f64);
        let each = straight.resident_bytes_each().unwrap();
        assert!((each.value - 500.0).abs() < 1e-9);
        assert_eq!(straight.span(), 20_000.0);
        assert_eq!(straight.slope_step(), page_bytes() / 20_000.0);
    }

    #[test]
    fn growth_below_the_heap_in_use_is_refused() {
        let of = |each: f64, heap| series(100_000, heap, move |at| each * 1e5 * at as f64);
        assert_eq!(of(98.0, Some(100.0)).grew_less_than_heap(), None);
        let words = "resident memory grew by 97.9 bytes each, where 100 are in use or more: \
            they lie on pages that were resident";
        assert_eq!(wrong(&of(97.9, Some(100.0))), words);
        let words = "resident memory grew by 7.80 bytes each, where 8.00 are in use or more: \
            they lie on pages that were resident";
        assert_eq!(wrong(&of(7.8, None)), words);
        assert_eq!(of(8.0, None).grew_less_than_heap(), None);
        assert!(wrong(&of(0.0, Some(0.0))).contains("grew by 0 bytes each"));
    }

    /// A cost that is `first` bytes each in the first half and `second` in the second.
    fn kinked(step: u64, first: f64, second: f64) -> MemorySeries {
        let bytes = |place: u64| {
            let before = place.min(10) as f64;
            let after = place.saturating_sub(10) as f64;
            step as f64 * (first * before + second * after)
        };
        series(step, None, bytes)
    }

    #[test]
    fn halves_that_differ_are_refused() {
        // One per cent of about 200 bytes, and 16 pages over 20,000 or 16 over 2,000,000.
        let few_pages = 16.0 * page_bytes();
        let few = 2.01 + few_pages / 20_000.0;
        assert_eq!(
            kinked(1_000, 200.0, 200.0 + 0.98 * few).halves_differ(),
            None
        );
        assert_eq!(
            kinked(1_000, 200.0 + 0.98 * few, 200.0).halves_differ(),
            None
        );
        assert!(
            kinked(1_000, 200.0, 200.0 + 1.03 * few)
                .halves_differ()
                .is_some()
        );
        let many = 2.01 + few_pages / 2_000_000.0;
        assert_eq!(
            kinked(100_000, 200.0, 200.0 + 0.98 * many).halves_differ(),
            None
        );
        let rising = kinked(100_000, 200.0, 200.0 + 1.03 * many);
        let words = "each took 200 bytes in the first half of the series, 202 in the second";
        assert_eq!(wrong(&rising), words);
        let falling = kinked(100_000, 200.0 + 1.03 * many, 200.0);
        let words = "each took 202 bytes in the first half of the series, 200 in the second";
        assert_eq!(wrong(&falling), words);
    }

    /// A straight line of `each` bytes, but for one reading that is some pages higher.
    fn bumped(each: f64, pages: f64) -> MemorySeries {
        let bytes = |place: u64| {
            let bump = if place == 10 { pages } else { 0.0 };
            1_000.0 * each * place as f64 + bump * page_bytes()
        };
        series(1_000, None, bytes)
    }

    #[test]
    fn a_reading_off_the_line_is_refused() {
        // Of a bump in the middle, 20 parts of 21 are off the line.
        assert_eq!(bumped(600.0, 8.3).reading_off_the_line(), None);
        assert_eq!(bumped(600.0, -8.3).reading_off_the_line(), None);
        let page = page_bytes();
        let words = format!("a reading is 9 pages of {page:.0} bytes off the line");
        assert_eq!(wrong(&bumped(600.0, 9.3)), words);
        assert_eq!(wrong(&bumped(600.0, -9.3)), words);
        // A quarter of a per cent of 400 MB is 1 MB.
        let quarter = 1e6 / page * 21.0 / 20.0;
        assert_eq!(
            bumped(20_000.0, 0.99 * quarter).reading_off_the_line(),
            None
        );
        assert!(
            bumped(20_000.0, 1.01 * quarter)
                .reading_off_the_line()
                .is_some()
        );
    }

    #[test]
    fn steps_that_differ_are_refused() {
        let noisy = |each: f64| {
            let bytes = move |place: u64| {
                let up = if place % 2 == 1 { 6.0 } else { 0.0 };
                1_000.0 * each * place as f64 + up * page_bytes()
            };
            series(1_000, None, bytes)
        };
        let half = {
            let each = noisy(1_000.0).resident.slope;
            (each.high - each.low) / 2.0
        };
        assert!(noisy(101.0 * half).resident_bytes_each().is_ok());
        let refused = wrong(&noisy(99.0 * half));
        let words = "the steps differ, so the cost is known no better than ";
        assert!(refused.starts_with(words), "{refused}");
    }

    #[test]
    fn a_refusal_names_what_is_likely_behind_it() {
        let refused = |warnings: &[Warning]| refusal(MEASURE, "it varies".into(), warnings);
        let plain = refused(&[Warning::HeapUnknown, Warning::CoarseResident]);
        let words = "cannot measure bytes each: it varies (allowed: more things, all of one size, \
            and nothing else in this process that takes memory meanwhile)";
        assert_eq!(plain.to_string(), words);
        let kept = refused(&[Warning::FreeMemoryKept]).to_string();
        assert!(kept.contains("free memory could not be handed back first: the allocator is not"));
        assert!(
            kept.ends_with("(allowed: many more things, or glibc's allocator)"),
            "{kept}"
        );
        let huge = refused(&[Warning::HugePages { bytes: 12_582_912 }]).to_string();
        let words = "cannot measure bytes each: it varies; 12.6 MB of it came in huge pages \
            (allowed: huge pages switched off, as by an empty `GLIBC_TUNABLES`, or many more \
            things)";
        assert_eq!(huge, words);
    }
}

//! A program with an allocator of its own, of which the system knows nothing: what cannot be told
//! is said.

use helpers::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cuts pieces from one large area, and takes none back.
struct Cutting;

const AREA: Layout = match Layout::from_size_align(1 << 30, 4_096) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};
static BEGIN: OnceLock<usize> = OnceLock::new();
static CUT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: no two pieces overlap, and each lies where it was asked for.
unsafe impl GlobalAlloc for Cutting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the area is not empty.
        let begin = *BEGIN.get_or_init(|| unsafe { System.alloc(AREA) } as usize);
        let align = layout.align().max(16);
        let with_gap = (layout.size() + align).next_multiple_of(16);
        let end = CUT.fetch_add(with_gap, Ordering::Relaxed) + with_gap;
        if begin == 0 || end > AREA.size() {
            return std::ptr::null_mut();
        }
        ((begin + end - layout.size()) / align * align) as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Cutting = Cutting;

#[test]
#[cfg(target_os = "linux")]
fn what_another_allocator_does_not_tell_is_a_warning() {
    assert!(!release_free_memory());
    assert_eq!(read_memory().unwrap().heap_bytes, None);
    let mut kept: Vec<Vec<u8>> = vec![Vec::new(); 200_000];
    let mut made = 0;
    let series = MemorySeries::measure(&MemoryGrowth::default(), |more| {
        for place in &mut kept[made..][..more as usize] {
            *place = vec![1; 500];
        }
        made += more as usize;
        Ok(())
    });
    let series = series.unwrap();
    assert_eq!(series.heap, None);
    let warnings = [Warning::HeapUnknown, Warning::FreeMemoryKept];
    assert_eq!(series.warnings, warnings);
    assert_eq!(series.caption().warnings, warnings);
    // 528 with the gap; what reads memory takes some as well, and gives none back.
    let each = series.resident_bytes_each().unwrap().value;
    assert!((528.0..560.0).contains(&each), "{each} bytes each");
}

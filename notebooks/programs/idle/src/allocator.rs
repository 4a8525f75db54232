//! The allocator that the features chose, which here also counts what it is asked for.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "mimalloc")]
use mimalloc::MiMalloc as Chosen;
#[cfg(not(any(feature = "mimalloc", feature = "jemalloc")))]
use std::alloc::System as Chosen;
#[cfg(all(feature = "jemalloc", not(feature = "mimalloc")))]
use tikv_jemallocator::Jemalloc as Chosen;

static ASKED: AtomicU64 = AtomicU64::new(0);

/// Bytes that the program has asked for so far and not given back.
pub fn bytes_asked_for() -> u64 {
    ASKED.load(Ordering::Relaxed)
}

struct Counting;

// SAFETY: every call is handed on as it is to the allocator that was chosen.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(layout.size() as u64, Ordering::Relaxed);
        unsafe { Chosen.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(layout.size() as u64, Ordering::Relaxed);
        unsafe { Chosen.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(size as u64, Ordering::Relaxed);
        ASKED.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        unsafe { Chosen.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        ASKED.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        unsafe { Chosen.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

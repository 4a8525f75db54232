//! Free chunks of the heap that lie between chunks in use.

use crate::machine::allocator::{heap, heap_in_use};

/// Takes the free chunks that lie between used ones, without touching them, so that what follows
/// is cut from fresh memory.
///
/// Pages of such chunks are resident where the allocator's caches of small chunks hold one back,
/// here and there. Things that land on them cost less: seen, 314 bytes where others cost 320. To
/// ask what is free takes as long as there are chunks, so they are taken an eighth at a time.
pub(crate) fn occupy_free_chunks() -> Vec<Vec<u8>> {
    let mut occupied = Vec::new();
    if heap_in_use().is_none() {
        return occupied;
    }
    for power in (7..=16).rev() {
        occupy_chunks_of(1 << power, &mut occupied);
    }
    occupied
}

/// Takes free chunks of `size` bytes until no free chunk is as large.
fn occupy_chunks_of(size: u64, occupied: &mut Vec<Vec<u8>>) {
    let mut free = free_bytes();
    while free >= size {
        let portion = (free / 8 / size).max(1);
        occupied.extend((0..portion).map(|_| Vec::with_capacity(size as usize)));
        let taken = free.saturating_sub(free_bytes());
        // Else they were cut from fresh memory, since no free chunk is as large.
        if taken < portion * size / 2 {
            break;
        }
        free -= taken;
    }
}

fn free_bytes() -> u64 {
    heap().map_or(0, |(_, free)| free)
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::memory::ALONE;

    #[test]
    fn free_chunks_are_occupied_and_nothing_else() {
        let _alone = ALONE.lock();
        let before = free_bytes();
        let mut chunks: Vec<Vec<u8>> = (0..20_000).map(|_| Vec::with_capacity(2_000)).collect();
        let kept: Vec<_> = chunks.drain(..).step_by(2).collect();
        drop(chunks);
        let riddled = free_bytes();
        assert!(
            riddled > before + 19_000_000,
            "{riddled} bytes free, {before} before"
        );
        let occupied = occupy_free_chunks();
        let left = free_bytes();
        assert!(
            left < riddled - 19_000_000,
            "{left} bytes free, {riddled} before"
        );
        // Of each size, an eighth is cut from fresh memory before it is seen that none is left.
        let taken: usize = occupied.iter().map(Vec::capacity).sum();
        assert!(
            taken < 50_000_000,
            "{taken} bytes in {} chunks",
            occupied.len()
        );
        drop(kept);
    }
}

//! What is set right before a series, and what could not be.

use crate::judge::warning::Warning;
use crate::machine::allocator::release_free_memory;
use crate::memory::free_chunks::occupy_free_chunks;
use crate::memory::huge_pages::{SmallPages, huge_page_bytes};
use std::path::PathBuf;

/// Free memory is handed back, free chunks are occupied, and huge pages are off, until it is
/// dropped.
pub(crate) struct Preparation {
    root: PathBuf,
    released: bool,
    huge_bytes_before: u64,
    _occupied: Vec<Vec<u8>>,
    _small_pages: SmallPages,
}

impl Preparation {
    /// Prepares this process. The system's own files lie below `root`.
    pub(crate) fn new(root: PathBuf) -> Self {
        let small_pages = SmallPages::only();
        let released = release_free_memory();
        let occupied = occupy_free_chunks();
        Self {
            released,
            huge_bytes_before: huge_page_bytes(&root),
            root,
            _occupied: occupied,
            _small_pages: small_pages,
        }
    }

    /// What could not be set right, as far as it shows by now.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let huge_bytes = huge_page_bytes(&self.root).saturating_sub(self.huge_bytes_before);
        let mut warnings = Vec::new();
        if !self.released {
            warnings.push(Warning::FreeMemoryKept);
        }
        if huge_bytes > 0 {
            warnings.push(Warning::HugePages { bytes: huge_bytes });
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::files::simulated;

    fn rollup(huge: u64, asked_for: u64) -> String {
        format!("Rss: 9000 kB\nAnonHugePages: {huge} kB\nPrivate_Hugetlb: {asked_for} kB\n")
    }

    #[test]
    fn huge_pages_that_come_are_a_warning() {
        let file = "proc/self/smaps_rollup";
        let system = simulated(&[(file, &rollup(2_048, 0))]);
        let mut preparation = Preparation::new(system.path().into());
        preparation.released = true;
        assert_eq!(preparation.warnings(), []);
        std::fs::write(system.path().join(file), rollup(4_096, 6_144)).unwrap();
        let bytes = (2_048 + 6_144) * 1_024;
        assert_eq!(preparation.warnings(), [Warning::HugePages { bytes }]);
        std::fs::write(system.path().join(file), rollup(0, 0)).unwrap();
        assert_eq!(preparation.warnings(), []);
        preparation.released = false;
        assert_eq!(preparation.warnings(), [Warning::FreeMemoryKept]);
    }
}

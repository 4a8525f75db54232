//! Huge pages: how much of the process lies in them, and a switch that keeps them away.

use crate::machine::files;
use std::path::Path;

/// Keeps the system from giving this process huge pages, until it is dropped.
///
/// Memory that comes 2 MiB or more at a time is no straight line over a few thousand things. What
/// lies in huge pages already stays there. Programs that are started meanwhile inherit the switch.
pub(crate) struct SmallPages {
    /// Whether huge pages were allowed before, and are to be allowed again.
    switched: bool,
}

impl SmallPages {
    /// Switches huge pages off where the system has such a switch: Linux, from version 3.15 on.
    pub(crate) fn only() -> Self {
        #[cfg(target_os = "linux")]
        {
            use rustix::thread::{
                disable_transparent_huge_pages, transparent_huge_pages_are_disabled,
            };
            let allowed = transparent_huge_pages_are_disabled() == Ok(false);
            let switched = allowed && disable_transparent_huge_pages(true).is_ok();
            Self { switched }
        }
        #[cfg(not(target_os = "linux"))]
        Self { switched: false }
    }
}

impl Drop for SmallPages {
    fn drop(&mut self) {
        if !self.switched {
            return;
        }
        // What could be switched off can be switched on.
        #[cfg(target_os = "linux")]
        let _ = rustix::thread::disable_transparent_huge_pages(false);
    }
}

/// Bytes of the process in huge pages, those of the system's own accord and those that were asked
/// for. The system's own files lie below `root`.
pub(crate) fn huge_page_bytes(root: &Path) -> u64 {
    let rollup = root.join("proc/self/smaps_rollup");
    let kinds = ["AnonHugePages:", "Private_Hugetlb:"];
    let kibibytes = kinds.iter().filter_map(|kind| files::number(&rollup, kind));
    kibibytes.sum::<u64>() * 1024
}

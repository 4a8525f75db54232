//! What of this process is in physical memory.

/// The sum that Linux makes over all areas of the process; elsewhere, what the crate
/// `memory-stats` finds.
pub fn resident_bytes() -> f64 {
    kernel_sum().unwrap_or_else(|| {
        let usage = memory_stats::memory_stats().expect("a system that tells");
        usage.physical_mem as f64
    })
}

fn kernel_sum() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(1024.0 * kibibytes)
}

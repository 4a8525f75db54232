//! The cores that this process may use, and their time.

use crate::machine::files::text;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Numbers of a list such as `0-3,8`.
fn listed(list: &str) -> Option<BTreeSet<usize>> {
    let mut numbers = BTreeSet::new();
    for range in list.trim().split(',') {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        numbers.extend(from.parse::<usize>().ok()?..=to.parse().ok()?);
    }
    Some(numbers)
}

/// Ticks, hundredths of a second, that each core was busy, the cores that this thread may not use left out.
pub(crate) fn busy_ticks() -> Option<Vec<(usize, u64)>> {
    let status = text("/proc/thread-self/status")?;
    let allowed = listed(
        status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?,
    )?;
    let core = |line: &str| {
        let (number, ticks) = line.strip_prefix("cpu")?.split_once(' ')?;
        let ticks = ticks
            .split(' ')
            .map(|ticks| ticks.parse::<u64>().ok())
            .collect::<Option<Vec<_>>>()?;
        // User, nice, system, then idle twice, then interrupts and what the host took away.
        let busy = ticks
            .iter()
            .enumerate()
            .filter(|(place, _)| [0, 1, 2, 5, 6, 7].contains(place));
        Some((number.parse().ok()?, busy.map(|(_, ticks)| ticks).sum()))
    };
    Some(
        text("/proc/stat")?
            .lines()
            .filter_map(core)
            .filter(|(core, _)| allowed.contains(core))
            .collect(),
    )
}

/// Ticks that all threads of this process ran.
pub(crate) fn own_ticks() -> Option<u64> {
    let stat = text("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Nanoseconds that this thread has been ready to run and had no core.
pub(crate) fn without_core_ns() -> Option<u64> {
    text("/proc/thread-self/schedstat")?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// Cores that this process may use, whatever a quota leaves of their time.
///
/// ```
/// assert!(helpers::usable_cores() >= 1);
/// ```
pub fn usable_cores() -> usize {
    let counted = busy_ticks()
        .map(|cores| cores.len())
        .filter(|&cores| cores > 0);
    counted.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |cores| cores.get()))
}

/// Whole cores and kinds of cores among those that this process may use.
pub(crate) fn whole_cores_and_kinds() -> Option<(usize, usize)> {
    let (mut whole, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let efficient = text("/sys/devices/cpu_atom/cpus")
        .and_then(|list| listed(&list))
        .unwrap_or_default();
    for (core, _) in busy_ticks()? {
        let folder = PathBuf::from(format!("/sys/devices/system/cpu/cpu{core}"));
        whole.insert(text(folder.join("topology/thread_siblings_list"))?);
        kinds.insert((efficient.contains(&core), text(folder.join("cpu_capacity"))));
    }
    Some((whole.len(), kinds.len()))
}

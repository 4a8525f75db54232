//! What the system says of the cores, limits and memory of this process. On Linux it says so in files; what a system
//! does not say is `None`, and nothing is guessed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The text of a file of the system.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The first number in the line of a file that begins with `key`.
pub(crate) fn number(path: impl AsRef<Path>, key: &str) -> Option<u64> {
    let text = text(path)?;
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse().ok()
}

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

/// The folders of the control groups that this process is in, its own first, of both versions of the interface. The
/// system's own files lie below `root`.
fn control_groups(root: &Path, controller: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in text(root.join("proc/self/cgroup"))
        .unwrap_or_default()
        .lines()
    {
        let [_, controllers, path] = line.splitn(3, ':').collect::<Vec<_>>()[..] else {
            continue;
        };
        let places = match controllers.split(',').any(|one| one == controller) {
            true => [controller, controllers],
            false if controllers.is_empty() => ["", "unified"],
            false => continue,
        };
        // The innermost may not be there, where a container sees its own group as the outermost.
        let parts = Path::new(path.trim_start_matches('/')).ancestors();
        let all = parts
            .flat_map(|part| places.map(|place| root.join("sys/fs/cgroup").join(place).join(part)));
        folders.extend(all);
    }
    folders
}

/// Bytes that the limits of this process's control groups leave it; whoever shares a group shares what is left.
pub(crate) fn bytes_left_in_groups(root: &Path) -> Option<u64> {
    let left = |folder: PathBuf| {
        let either = |names: [&str; 2]| names.iter().find_map(|name| number(folder.join(name), ""));
        let used = either(["memory.current", "memory.usage_in_bytes"])?;
        let limits = ["memory.max", "memory.high", "memory.limit_in_bytes"];
        let limit = limits
            .iter()
            .filter_map(|name| number(folder.join(name), ""))
            .min()?;
        // Cached files that nobody has looked at lately: the system drops them when it needs room.
        let stat = folder.join("memory.stat");
        let cached =
            number(&stat, "total_inactive_file ").or_else(|| number(&stat, "inactive_file "));
        Some(limit.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
    };
    control_groups(root, "memory")
        .into_iter()
        .filter_map(left)
        .min()
}

/// The cores' worth of time that a quota allows, and how many of its periods have passed, and were throttled.
pub(crate) fn quota(root: &Path) -> Option<(f64, u64, u64)> {
    let of = |folder: PathBuf| {
        let older = || {
            let quota = number(folder.join("cpu.cfs_quota_us"), "")?; // -1 is no number of ours: no quota
            Some(quota as f64 / number(folder.join("cpu.cfs_period_us"), "")? as f64)
        };
        let newer = || {
            let text = text(folder.join("cpu.max"))?;
            let (quota, period) = text.trim().split_once(' ')?;
            Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
        };
        let stat = |key| number(folder.join("cpu.stat"), key).unwrap_or(0);
        Some((
            newer().or_else(older)?,
            stat("nr_periods "),
            stat("nr_throttled "),
        ))
    };
    control_groups(root, "cpu")
        .into_iter()
        .filter_map(of)
        .min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The shortest time between two different readings of the clock, in nanoseconds.
pub(crate) fn clock_resolution_ns() -> f64 {
    let steps = (0..1_000).filter_map(|_| {
        let start = Instant::now();
        let step = std::iter::repeat_with(|| start.elapsed())
            .take(1_000)
            .find(|step| !step.is_zero())?;
        Some(step.as_nanos() as f64)
    });
    steps.fold(f64::MAX, f64::min)
}

/// Bytes in a page.
pub(crate) fn page_bytes() -> Option<u64> {
    #[cfg(unix)]
    return Some(rustix::param::page_size() as u64);
    #[cfg(not(unix))]
    None
}

/// Bytes that the limits on address space and on data, and a system that promises no more than it has, leave.
pub(crate) fn bytes_left_in_limits() -> Option<u64> {
    let mut left = Vec::new();
    #[cfg(unix)]
    for (resource, used) in [
        (rustix::process::Resource::As, "VmSize:"),
        (rustix::process::Resource::Data, "VmData:"),
    ] {
        let limit = rustix::process::getrlimit(resource).current;
        let used = number("/proc/self/status", used).map(|kibibytes| kibibytes << 10);
        left.extend(
            limit
                .zip(used)
                .map(|(limit, used)| limit.saturating_sub(used)),
        );
    }
    if number("/proc/sys/vm/overcommit_memory", "") == Some(2) {
        let promised = ["CommitLimit:", "Committed_AS:"].map(|key| number("/proc/meminfo", key));
        left.extend(
            promised[0]
                .zip(promised[1])
                .map(|(limit, used)| limit.saturating_sub(used) << 10),
        );
    }
    left.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of such files, each a path and its text.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn what_others_use_of_a_limit_around_is_not_left() {
        let newer = system(&[
            ("proc/self/cgroup", "0::/user/job\n"),
            ("sys/fs/cgroup/user/memory.max", "4000000000\n"),
            ("sys/fs/cgroup/user/memory.current", "3500000000\n"),
            (
                "sys/fs/cgroup/user/memory.stat",
                "anon 3\ninactive_file 400000000\n",
            ),
            ("sys/fs/cgroup/user/job/memory.max", "max\n"),
            ("sys/fs/cgroup/user/job/memory.high", "3000000000\n"),
            ("sys/fs/cgroup/user/job/memory.current", "200000000\n"),
        ]);
        assert_eq!(bytes_left_in_groups(newer.path()), Some(900_000_000));
        let older = system(&[
            ("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/a/b\n0::/\n"),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000\n"),
            ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "900\n"),
            (
                "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "1\n"),
        ]);
        assert_eq!(bytes_left_in_groups(older.path()), Some(100));
        assert_eq!(bytes_left_in_groups(system(&[]).path()), None);
    }

    #[test]
    fn the_tightest_quota_of_the_groups_counts() {
        let newer = system(&[
            ("proc/self/cgroup", "0::/user/job\n"),
            ("sys/fs/cgroup/user/cpu.max", "150000 100000\n"),
            (
                "sys/fs/cgroup/user/cpu.stat",
                "nr_periods 292\nnr_throttled 17\nthrottled_usec 5\n",
            ),
            ("sys/fs/cgroup/user/job/cpu.max", "max 100000\n"),
        ]);
        assert_eq!(quota(newer.path()), Some((1.5, 292, 17)));
        let older = system(&[
            ("proc/self/cgroup", "5:cpu,cpuacct:/\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(quota(older.path()), None);
    }
}

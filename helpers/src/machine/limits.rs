//! Limits on this process: of its control groups, of the shell, of what the system promises.

use crate::machine::files::{number, text};
use std::path::{Path, PathBuf};

/// The folders of the control groups that this process is in, its own first, of both versions of
/// the interface. The system's own files lie below `root`.
pub(crate) fn control_groups(root: &Path, controller: &str) -> Vec<PathBuf> {
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

/// Bytes that the limits of this process's control groups leave it; whoever shares a group shares
/// what is left.
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

/// The cores' worth of time that a quota allows, and how many of its periods have passed, and were
/// throttled.
pub(crate) fn quota(root: &Path) -> Option<(f64, u64, u64)> {
    let of = |folder: PathBuf| {
        let older = || {
            // -1, which is no number of ours, says that there is none.
            let quota = number(folder.join("cpu.cfs_quota_us"), "")?;
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

/// Bytes in a page.
pub(crate) fn page_bytes() -> Option<u64> {
    #[cfg(unix)]
    return Some(rustix::param::page_size() as u64);
    #[cfg(not(unix))]
    None
}

/// Bytes that the limits on address space and on data, and a system that promises no more than it
/// has, leave.
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
    use crate::machine::files::simulated;

    #[test]
    fn what_others_use_of_a_limit_around_is_not_left() {
        let newer = simulated(&[
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
        let older = simulated(&[
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
        assert_eq!(bytes_left_in_groups(simulated(&[]).path()), None);
    }

    #[test]
    fn the_tightest_quota_of_the_groups_counts() {
        let newer = simulated(&[
            ("proc/self/cgroup", "0::/user/job\n"),
            ("sys/fs/cgroup/user/cpu.max", "150000 100000\n"),
            (
                "sys/fs/cgroup/user/cpu.stat",
                "nr_periods 292\nnr_throttled 17\nthrottled_usec 5\n",
            ),
            ("sys/fs/cgroup/user/job/cpu.max", "max 100000\n"),
        ]);
        assert_eq!(quota(newer.path()), Some((1.5, 292, 17)));
        let older = simulated(&[
            ("proc/self/cgroup", "5:cpu,cpuacct:/\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(quota(older.path()), None);
    }
}

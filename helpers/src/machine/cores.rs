//! The cores that this process may use, and the time that it spends on them.
//!
//! The system's own files lie below a `root`, so that a test can lay others.

use crate::machine::files::text;
use crate::machine::limits;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where the files of this system are.
pub(crate) const ROOT: &str = "/";
/// The unit of `/proc/stat`, a hundredth of a second.
const TICK_NS: u64 = 10_000_000;

/// Numbers of a list such as `0-3,8`.
fn listed(list: &str) -> Option<BTreeSet<usize>> {
    let mut numbers = BTreeSet::new();
    for range in list.trim().split(',') {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        numbers.extend(from.parse::<usize>().ok()?..=to.parse().ok()?);
    }
    Some(numbers)
}

/// The numbers of the cores on which this thread may run.
pub(crate) fn allowed_cores(root: &Path) -> Option<BTreeSet<usize>> {
    let status = text(root.join("proc/thread-self/status"))?;
    let list = |line: &str| line.strip_prefix("Cpus_allowed_list:").and_then(listed);
    status.lines().find_map(list)
}

/// Nanoseconds for which `cores` were busy, all together.
pub(crate) fn busy_ns(root: &Path, cores: &BTreeSet<usize>) -> Option<u64> {
    let stat = text(root.join("proc/stat"))?;
    let ticks: BTreeMap<usize, u64> = stat.lines().filter_map(busy_ticks).collect();
    // In some containers cores have other numbers there, and then nothing is known of them.
    let of = |core: &usize| ticks.get(core).copied();
    let ticks: Option<Vec<u64>> = cores.iter().map(of).collect();
    Some(ticks?.iter().sum::<u64>() * TICK_NS)
}

/// A core of `/proc/stat` and its busy ticks, hundredths of a second.
fn busy_ticks(line: &str) -> Option<(usize, u64)> {
    // User, nice, system, then idle twice, then interrupts twice and what the host took away.
    const BUSY: [usize; 6] = [0, 1, 2, 5, 6, 7];
    let (core, ticks) = line.strip_prefix("cpu")?.split_once(' ')?;
    let core = core.parse().ok()?;
    let ticks: Vec<u64> = ticks
        .split(' ')
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    let busy = BUSY.iter().filter_map(|&place| ticks.get(place)).sum();
    Some((core, busy))
}

/// Nanoseconds that all threads of this process ran, those that have ended too.
pub(crate) fn process_ns() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// Nanoseconds that children of this process ran which have ended, and were waited for.
pub(crate) fn children_ns(root: &Path) -> Option<u64> {
    let stat = text(root.join("proc/self/stat"))?;
    // The name, in brackets, may hold anything; after it, the state is the first word.
    let (_, words) = stat.rsplit_once(") ")?;
    let ticks = |place: usize| words.split(' ').nth(place)?.parse::<u64>().ok();
    Some((ticks(13)? + ticks(14)?) * TICK_NS)
}

/// Nanoseconds that each living thread of this process ran, the calling thread left out.
pub(crate) fn other_threads_ns(root: &Path) -> Option<BTreeMap<u64, u64>> {
    let own = text(root.join("proc/thread-self/stat"))?;
    let own: u64 = own.split_once(' ')?.0.parse().ok()?;
    let mut threads = BTreeMap::new();
    for entry in std::fs::read_dir(root.join("proc/self/task"))
        .ok()?
        .flatten()
    {
        let Ok(thread) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let ran_ns = text(entry.path().join("schedstat")).and_then(|text| first_number(&text));
        // One that has just ended tells nothing.
        if let Some(ran_ns) = ran_ns.filter(|_| thread != own) {
            threads.insert(thread, ran_ns);
        }
    }
    Some(threads)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Nanoseconds that this thread has been ready to run and had no core.
pub(crate) fn without_core_ns() -> Option<u64> {
    let schedstat = text("/proc/thread-self/schedstat")?;
    schedstat.split_whitespace().nth(1)?.parse().ok()
}

/// The core on which this thread runs, where the system tells.
pub(crate) fn current_core() -> Option<usize> {
    #[cfg(target_os = "linux")]
    return Some(rustix::thread::sched_getcpu());
    #[cfg(not(target_os = "linux"))]
    None
}

/// Keeps this thread on one core, and says whether that can be done here.
pub(crate) fn pin_to(core: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        if core >= rustix::thread::CpuSet::MAX_CPU {
            return false;
        }
        let mut only = rustix::thread::CpuSet::new();
        only.set(core);
        rustix::thread::sched_setaffinity(None, &only).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        _ = core;
        false
    }
}

/// Cores that this process can keep busy: those on which it may run, and no more than a quota on
/// their time pays for; one at least.
///
/// ```
/// assert!(helpers::usable_cores() >= 1);
/// ```
pub fn usable_cores() -> usize {
    let allowed = usable_cores_below(Path::new(ROOT));
    allowed.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |cores| cores.get()))
}

pub(crate) fn usable_cores_below(root: &Path) -> Option<usize> {
    let allowed = allowed_cores(root)?.len();
    let paid = limits::quota(root).map_or(f64::INFINITY, |(cores, ..)| cores);
    Some((allowed as f64).min(paid.floor()).max(1.0) as usize)
}

/// The cores on which something runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cores {
    /// Their numbers, where the system tells.
    pub(crate) numbers: Option<BTreeSet<usize>>,
}

impl Cores {
    /// Those to which threads are pinned; all on which this process may run where they are not.
    pub(crate) fn of(pinned_to: &[usize]) -> Self {
        let numbers = match pinned_to {
            [] => allowed_cores(Path::new(ROOT)),
            pinned_to => Some(pinned_to.iter().copied().collect()),
        };
        Self { numbers }
    }

    /// How many there are, whatever a quota leaves of their time.
    pub(crate) fn count(&self) -> usize {
        self.numbers
            .as_ref()
            .map_or_else(usable_cores, BTreeSet::len)
    }

    /// Whole cores among them and kinds of cores.
    pub(crate) fn whole_and_kinds(&self, root: &Path) -> Option<(usize, usize)> {
        let mut whole = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        let efficient = text(root.join("sys/devices/cpu_atom/cpus"));
        let efficient = efficient.and_then(|list| listed(&list)).unwrap_or_default();
        for core in self.numbers.as_ref()? {
            let folder = root.join(format!("sys/devices/system/cpu/cpu{core}"));
            whole.insert(text(folder.join("topology/thread_siblings_list"))?);
            kinds.insert((efficient.contains(core), text(folder.join("cpu_capacity"))));
        }
        Some((whole.len(), kinds.len()))
    }

    /// How many threads they carry without sharing one.
    pub(crate) fn whole(&self) -> usize {
        let told = self.whole_and_kinds(Path::new(ROOT));
        told.map_or(self.count(), |(whole, _)| whole)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::machine::files::simulated;

    const STAT: &str = "cpu  9 9 9 9 9 9 9 9 0 0\n\
                        cpu0 1 2 4 1000 1000 8 16 32 64 0\n\
                        cpu1 100 0 0 5 0 0 0 0 0 0\n\
                        cpu2 7 0 0 5 0 0 0 0 0 0\nintr 5\n";

    #[test]
    fn only_cores_that_this_thread_may_use_are_looked_at() {
        let system = simulated(&[
            (
                "proc/thread-self/status",
                "Name:\tx\nCpus_allowed_list:\t0,2-3\n",
            ),
            ("proc/stat", STAT),
        ]);
        let root = system.path();
        let allowed = allowed_cores(root).unwrap();
        assert_eq!(busy_ns(root, &allowed), None);
        let there = BTreeSet::from([0, 2]);
        assert_eq!(busy_ns(root, &there), Some((63 + 7) * 10_000_000));
        assert_eq!(usable_cores_below(root), Some(3));
    }

    #[test]
    fn a_quota_leaves_as_many_cores_as_it_pays_for() {
        let quota = |text| {
            let system = simulated(&[
                ("proc/thread-self/status", "Cpus_allowed_list:\t0-7\n"),
                ("proc/self/cgroup", "0::/job\n"),
                ("sys/fs/cgroup/job/cpu.max", text),
            ]);
            usable_cores_below(system.path())
        };
        assert_eq!(quota("150000 100000\n"), Some(1));
        assert_eq!(quota("250000 100000\n"), Some(2));
        assert_eq!(quota("50000 100000\n"), Some(1));
        assert_eq!(quota("max 100000\n"), Some(8));
        assert_eq!(quota("6400000 100000\n"), Some(8));
    }

    #[test]
    fn siblings_and_kinds_are_counted() {
        let system = simulated(&[
            ("proc/thread-self/status", "Cpus_allowed_list:\t0-2\n"),
            ("sys/devices/cpu_atom/cpus", "2\n"),
            (
                "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
                "0-1\n",
            ),
            (
                "sys/devices/system/cpu/cpu1/topology/thread_siblings_list",
                "0-1\n",
            ),
            (
                "sys/devices/system/cpu/cpu2/topology/thread_siblings_list",
                "2\n",
            ),
        ]);
        let cores = |numbers: &[usize]| Cores {
            numbers: Some(numbers.iter().copied().collect()),
        };
        assert_eq!(
            cores(&[0, 1, 2]).whole_and_kinds(system.path()),
            Some((2, 2))
        );
        assert_eq!(cores(&[0, 1]).whole_and_kinds(system.path()), Some((1, 1)));
        assert_eq!(cores(&[0, 7]).whole_and_kinds(system.path()), None);
        assert_eq!(cores(&[0, 1]).count(), 2);
        assert_eq!(Cores::of(&[1, 0, 1]), cores(&[0, 1]));
    }

    #[test]
    fn threads_but_the_calling_one_tell_how_long_they_ran() {
        let system = simulated(&[
            ("proc/thread-self/stat", "7 (a b) R 1\n"),
            ("proc/self/task/7/schedstat", "100 1 1\n"),
            ("proc/self/task/8/schedstat", "2000 1 1\n"),
            ("proc/self/task/9/comm", "ended\n"),
        ]);
        let threads = other_threads_ns(system.path()).unwrap();
        assert_eq!(threads, BTreeMap::from([(8, 2_000)]));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pinned_thread_stays_where_it_was_put_and_its_time_counts() {
        let before_ns = process_ns().unwrap();
        let cores = allowed_cores(Path::new(ROOT)).unwrap();
        std::thread::scope(|scope| {
            for &core in &cores {
                let seen = scope.spawn(move || {
                    assert!(pin_to(core));
                    (0..1_000_000_u64).for_each(|turn| _ = std::hint::black_box(turn));
                    current_core()
                });
                assert_eq!(seen.join().unwrap(), Some(core));
            }
        });
        assert!(process_ns().unwrap() > before_ns + 100_000);
        assert!(without_core_ns().is_some());
    }

    #[test]
    fn what_a_system_does_not_tell_is_not_guessed() {
        let silent = simulated(&[]);
        let root = silent.path();
        assert_eq!(allowed_cores(root), None);
        assert_eq!(busy_ns(root, &BTreeSet::from([0])), None);
        assert_eq!(other_threads_ns(root), None);
        assert_eq!(usable_cores_below(root), None);
    }
}

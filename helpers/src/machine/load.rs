//! Who else keeps cores busy while something is measured.

use crate::machine::cores::{self, Cores};
use crate::machine::limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What ran beside a measurement, in cores' worth of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// For how long it was looked at, in seconds.
    pub elapsed_s: f64,
    /// Other programs, children of this process that still run among them, and the host.
    pub other_programs: Option<f64>,
    /// Threads of this process that were there before the measurement and are no part of it.
    pub other_threads: Option<f64>,
    /// This process's own threads but for those: what was measured.
    pub own: Option<f64>,
    /// Periods of a quota in which it stopped the process, and periods in all.
    pub throttled: Option<(u64, u64)>,
}

/// Watches the machine while something is measured by the calling thread, and by threads that start
/// meanwhile. A thread that was there before and ended between two looks is not seen.
#[derive(Debug)]
pub(crate) struct LoadMonitor {
    root: PathBuf,
    cores: Cores,
    began: Instant,
    busy_ns: Option<u64>,
    process_ns: Option<u64>,
    children_ns: Option<u64>,
    /// Threads that do not belong to the measurement, with the time that each had run.
    strangers: Option<BTreeMap<u64, u64>>,
    /// What strangers ran until the last call of [`LoadMonitor::look_again`].
    strangers_ns: u64,
    throttled: Option<(u64, u64)>,
}

impl LoadMonitor {
    /// Looks at the cores on which what is measured runs.
    pub(crate) fn begin(cores: &Cores) -> Self {
        Self::begin_below(Path::new(cores::ROOT), cores)
    }

    fn begin_below(root: &Path, cores: &Cores) -> Self {
        let quota = limits::quota(root);
        Self {
            root: root.to_path_buf(),
            cores: cores.clone(),
            began: Instant::now(),
            busy_ns: busy_ns(root, cores),
            process_ns: cores::process_ns(),
            children_ns: cores::children_ns(root),
            strangers: cores::other_threads_ns(root),
            strangers_ns: 0,
            throttled: quota.map(|(_, periods, throttled)| (periods, throttled)),
        }
    }

    /// Takes threads that are there now for strangers: what is measured starts its own anew.
    pub(crate) fn look_again(&mut self) {
        let now = cores::other_threads_ns(&self.root);
        self.strangers_ns += ran_since(&self.strangers, &now);
        self.strangers = now;
    }

    pub(crate) fn end(mut self) -> Load {
        let elapsed_ns = self.began.elapsed().as_nanos() as f64;
        let busy_ns = grown(self.busy_ns, busy_ns(&self.root, &self.cores));
        let process_ns = grown(self.process_ns, cores::process_ns());
        // A program that was started and waited for meanwhile is what was measured.
        let children_ns = grown(self.children_ns, cores::children_ns(&self.root)).unwrap_or(0.0);
        let others_ns = busy_ns
            .zip(process_ns)
            .map(|(all, own)| f64::max(all - own - children_ns, 0.0));
        self.look_again();
        let strangers_ns = self.strangers.as_ref().map(|_| self.strangers_ns as f64);
        Load {
            elapsed_s: elapsed_ns / 1e9,
            other_programs: others_ns.map(|ns| ns / elapsed_ns),
            other_threads: strangers_ns.map(|ns| ns / elapsed_ns),
            own: process_ns.map(|ns| (ns - strangers_ns.unwrap_or(0.0)) / elapsed_ns),
            throttled: self.throttled.zip(limits::quota(&self.root)).map(
                |((periods, throttled), (_, periods_now, throttled_now))| {
                    (
                        throttled_now.saturating_sub(throttled),
                        periods_now.saturating_sub(periods),
                    )
                },
            ),
        }
    }
}

fn busy_ns(root: &Path, cores: &Cores) -> Option<u64> {
    cores::busy_ns(root, cores.numbers.as_ref()?)
}

/// What threads ran between two looks; those that came or went meanwhile are left out.
fn ran_since(before: &Option<BTreeMap<u64, u64>>, now: &Option<BTreeMap<u64, u64>>) -> u64 {
    let (Some(before), Some(now)) = (before, now) else {
        return 0;
    };
    let ran = |(thread, ns): (&u64, &u64)| Some(now.get(thread)?.saturating_sub(*ns));
    before.iter().filter_map(ran).sum()
}

fn grown(before: Option<u64>, now: Option<u64>) -> Option<f64> {
    Some(now?.saturating_sub(before?) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::files::simulated;
    use std::fs;

    fn two_cores() -> Cores {
        Cores::of(&[0, 1])
    }

    #[test]
    fn what_cores_did_beyond_this_process_is_that_of_other_programs() {
        let before = "cpu0 100 0 0 9\ncpu1 100 0 0 9\n";
        let system = simulated(&[("proc/stat", before)]);
        let monitor = LoadMonitor::begin_below(system.path(), &two_cores());
        std::thread::sleep(std::time::Duration::from_millis(20));
        // A second on each core, in a fiftieth of a second.
        fs::write(
            system.path().join("proc/stat"),
            "cpu0 200 0 0 9\ncpu1 200 0 0 9\n",
        )
        .unwrap();
        let load = monitor.end();
        let others_s = load.other_programs.unwrap() * load.elapsed_s;
        assert!((1.8..=2.0).contains(&others_s), "{load:?}");
        assert_eq!((load.other_threads, load.throttled), (None, None));
    }

    #[test]
    fn threads_that_were_there_before_are_strangers_and_those_that_start_are_not() {
        let system = simulated(&[
            ("proc/thread-self/stat", "7 (it) R\n"),
            ("proc/self/task/7/schedstat", "5 0 0\n"),
            ("proc/self/task/8/schedstat", "1000 0 0\n"),
        ]);
        let write = |thread: u64, ns: u64| {
            let folder = system.path().join(format!("proc/self/task/{thread}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("schedstat"), format!("{ns} 0 0\n")).unwrap();
        };
        let mut monitor = LoadMonitor::begin_below(system.path(), &two_cores());
        write(7, 1_000_000);
        write(8, 3_000);
        write(9, 500);
        monitor.look_again();
        assert_eq!(monitor.strangers_ns, 2_000);
        // The ninth stayed, so it is no thread of what is measured from now on.
        write(9, 700);
        write(8, 3_001);
        monitor.look_again();
        assert_eq!(monitor.strangers_ns, 2_201);
        let elapsed_s = monitor.began.elapsed().as_secs_f64();
        let share = monitor.end().other_threads.unwrap();
        assert!(share > 0.0 && share <= 2_201e-9 / elapsed_s, "{share}");
    }

    #[test]
    fn periods_of_a_quota_are_those_since_the_beginning() {
        let system = simulated(&[
            ("proc/self/cgroup", "0::/job\n"),
            ("sys/fs/cgroup/job/cpu.max", "150000 100000\n"),
            (
                "sys/fs/cgroup/job/cpu.stat",
                "nr_periods 10\nnr_throttled 3\n",
            ),
        ]);
        let monitor = LoadMonitor::begin_below(system.path(), &two_cores());
        let stat = system.path().join("sys/fs/cgroup/job/cpu.stat");
        fs::write(stat, "nr_periods 25\nnr_throttled 7\n").unwrap();
        assert_eq!(monitor.end().throttled, Some((4, 15)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_thread_left_spinning_is_seen_and_this_one_is_not() {
        let stop = std::sync::atomic::AtomicBool::new(false);
        let spin = || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(spin);
            std::thread::sleep(std::time::Duration::from_millis(5));
            let monitor = LoadMonitor::begin(&Cores::of(&[]));
            while monitor.began.elapsed().as_millis() < 50 {}
            let load = monitor.end();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            let share = load.other_threads.unwrap();
            // Other tests run beside this one, whose threads count as well.
            assert!(share > 0.0, "{load:?}");
        });
    }
}

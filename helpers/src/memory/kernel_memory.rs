//! What the kernel keeps for a process besides: page tables, and a stack a thread.

use crate::machine::files::number;
use crate::machine::limits::control_groups;
use std::path::{Path, PathBuf};

/// Bytes of this process's page tables. The system's own files lie below `root`.
pub(crate) fn page_table_bytes(root: &Path) -> Option<u64> {
    let kibibytes = number(root.join("proc/self/status"), "VmPTE:")?;
    Some(kibibytes * 1024)
}

/// Bytes of the kernel's stacks, of all threads in the innermost control group that tells, else of
/// all threads of the machine.
pub(crate) fn kernel_stack_bytes(root: &Path) -> Option<u64> {
    let of_machine = || {
        let kibibytes = number(root.join("proc/meminfo"), "KernelStack:")?;
        Some(kibibytes * 1024)
    };
    control_groups(root, "memory")
        .into_iter()
        .find_map(of_group)
        .or_else(of_machine)
}

fn of_group(folder: PathBuf) -> Option<u64> {
    // The root group has no such file, and leaves the stacks of its own threads out of its sum.
    number(folder.join("memory.current"), "")?;
    number(folder.join("memory.stat"), "kernel_stack ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::files::simulated;

    #[test]
    fn page_tables_are_those_of_the_process() {
        let told = simulated(&[("proc/self/status", "VmLib:\t1528 kB\nVmPTE:\t      52 kB\n")]);
        assert_eq!(page_table_bytes(told.path()), Some(53_248));
        let silent = simulated(&[("proc/self/status", "VmLib:\t1528 kB\n")]);
        assert_eq!(page_table_bytes(silent.path()), None);
    }

    #[test]
    fn stacks_are_those_of_the_innermost_group_that_tells() {
        let told = simulated(&[
            ("proc/meminfo", "KernelStack:        1296 kB\n"),
            ("proc/self/cgroup", "0::/user/job\n"),
            ("sys/fs/cgroup/user/job/memory.current", "1\n"),
            (
                "sys/fs/cgroup/user/job/memory.stat",
                "anon 7\nkernel_stack 32768\n",
            ),
            ("sys/fs/cgroup/user/memory.current", "1\n"),
            (
                "sys/fs/cgroup/user/memory.stat",
                "anon 7\nkernel_stack 65536\n",
            ),
        ]);
        assert_eq!(kernel_stack_bytes(told.path()), Some(32_768));
    }

    #[test]
    fn stacks_are_those_of_the_machine_where_no_group_tells() {
        let root_group = simulated(&[
            ("proc/meminfo", "KernelStack:        1296 kB\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.stat", "anon 7\nkernel_stack 65536\n"),
        ]);
        assert_eq!(kernel_stack_bytes(root_group.path()), Some(1_327_104));
        assert_eq!(kernel_stack_bytes(simulated(&[]).path()), None);
    }
}

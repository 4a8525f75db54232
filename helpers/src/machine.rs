//! The stamp: what a reader must know of the machine and the build to judge a figure, and nothing that names its owner.

use crate::Table;
use std::time::SystemTime;
use sysinfo::{CpuRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// The machine and the build that measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The day of the reading in UTC, such as `2026-11-23`.
    pub date: String,
    /// The processor's own name for itself.
    pub processor: String,
    /// Threads that can run at the same time in this process, a container's limit included.
    pub cores: usize,
    /// Bytes of memory in the machine.
    pub memory_bytes: u64,
    /// Operating system and kernel.
    pub system: String,
    /// The compiler that built this crate.
    pub compiler: String,
    /// Optimisation level and checks of this build; cells of a notebook share them.
    pub profile: String,
    /// The measured libraries with their versions.
    pub libraries: String,
}

impl Machine {
    /// Reads what this machine says of itself; what it does not say is `unknown`.
    ///
    /// ```
    /// let machine = helpers::Machine::read();
    /// assert!(machine.cores >= 1);
    /// assert_eq!(machine.date.len(), "2026-11-23".len());
    /// ```
    pub fn read() -> Self {
        let known = |text: String| Some(text.trim().to_string()).filter(|text| !text.is_empty());
        let or_unknown = |text: Option<String>| text.and_then(known).unwrap_or("unknown".into());
        let mut system = System::new().ok();
        if let Some(system) = &mut system {
            system.refresh_cpu_list(CpuRefreshKind::nothing());
            system.refresh_memory();
        }
        let brand = system.as_ref().and_then(|system| Some(system.cpus().first()?.brand().to_string()));
        let on_off = |checks: bool| if checks { "on" } else { "off" };
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self {
            date: now.chars().take_while(|c| *c != 'T').collect(),
            processor: or_unknown(brand),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            memory_bytes: system.map_or(0, |system| system.total_memory()),
            system: format!(
                "{} {}, {}",
                or_unknown(System::name().ok()),
                or_unknown(System::os_version().ok()),
                or_unknown(System::kernel_long_version().ok()),
            ),
            compiler: env!("BUILD_RUSTC").to_string(),
            profile: format!(
                "opt-level {}, debug assertions {}",
                env!("BUILD_OPT_LEVEL"),
                on_off(cfg!(debug_assertions)),
            ),
            libraries: libraries(),
        }
    }

    /// The stamp as a table, the last cell of a notebook.
    ///
    /// ```
    /// assert!(helpers::Machine::read().table().to_string().contains("cores"));
    /// ```
    pub fn table(&self) -> Table {
        let memory = format!("{:.1} GiB", self.memory_bytes as f64 / (1_u64 << 30) as f64);
        let rows = [
            ("date", format!("{} UTC", self.date)),
            ("processor", self.processor.clone()),
            ("cores", self.cores.to_string()),
            ("memory", memory),
            ("system", self.system.clone()),
            ("compiler", self.compiler.clone()),
            ("build", self.profile.clone()),
            ("libraries", self.libraries.clone()),
        ];
        Table {
            title: "Measured on".into(),
            header: vec!["what".into(), "value".into()],
            rows: rows.map(|(what, value)| vec![what.to_string(), value]).to_vec(),
        }
    }
}

/// Watches what the rest of the machine does while this process measures.
pub(crate) struct OtherLoad(Option<(System, Pid)>);

impl OtherLoad {
    pub(crate) fn watch() -> Self {
        let mut load = Self(System::new().ok().zip(sysinfo::get_current_pid().ok()));
        load.refresh();
        load
    }

    /// Cores that other programs kept busy since [`OtherLoad::watch`], where the system tells.
    pub(crate) fn cores(mut self) -> Option<f64> {
        self.refresh();
        let (system, pid) = self.0?;
        let all = f64::from(system.global_cpu_usage()) * system.cpus().len() as f64;
        Some((all - f64::from(system.process(pid)?.cpu_usage())).max(0.0) / 100.0)
    }

    fn refresh(&mut self) {
        if let Some((system, pid)) = &mut self.0 {
            system.refresh_cpu_usage();
            let only_this = ProcessesToUpdate::Some(std::slice::from_ref(pid));
            system.refresh_processes_specifics(only_this, false, ProcessRefreshKind::nothing().with_cpu());
        }
    }
}

/// The versions of what is measured, read from this crate's own manifest, where they are pinned.
fn libraries() -> String {
    let pinned = include_str!("../Cargo.toml").lines().filter_map(|line| {
        let (name, rest) = line.split_once(" = ")?;
        let version = rest.split_once("\"=")?.1.split('"').next()?;
        ["memory-stats", "parking_lot", "tokio"].contains(&name).then(|| format!("{name} {version}"))
    });
    pinned.collect::<Vec<_>>().join(", ")
}

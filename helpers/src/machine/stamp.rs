//! The stamp: what a reader must know of the machine and the build to judge a figure, and nothing
//! that names its owner.

use crate::machine::allocator;
use crate::machine::{clock, cores, files, limits};
use crate::number::show_number;
use crate::table::Table;
use std::path::Path;
use std::time::SystemTime;
use sysinfo::{CpuRefreshKind, System};

/// The machine and the build that measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The day of the reading in UTC, such as `2026-11-23`.
    pub date: String,
    /// The hour and minute of the reading in UTC, such as `09:30`.
    pub time: String,
    /// The processor's own name for itself.
    pub processor: String,
    /// Cores that this process may use, see [`crate::usable_cores`].
    pub cores: usize,
    /// Whether those are whole cores or siblings that share one, how many kinds there are, and a
    /// quota on their time.
    pub core_details: String,
    /// Bytes of memory in the machine.
    pub memory_bytes: u64,
    /// The size of a page, and whether the system makes huge ones of its own accord.
    pub pages: String,
    /// The allocator and the C library.
    pub allocator: String,
    /// The clock and its resolution.
    pub clock: String,
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
        let brand = system
            .as_ref()
            .and_then(|system| Some(system.cpus().first()?.brand().to_string()));
        let on_off = |checks: bool| if checks { "on" } else { "off" };
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self {
            date: now[..10].into(),
            time: now[11..16].into(),
            processor: or_unknown(brand),
            cores: cores::usable_cores(),
            core_details: core_details(),
            memory_bytes: system.map_or(0, |system| system.total_memory()),
            pages: pages(),
            allocator: format!(
                "{}; C library: {}",
                allocator::allocator(),
                allocator::c_library()
            ),
            clock: format!(
                "{}, step of {} ns",
                or_unknown(files::text(
                    "/sys/devices/system/clocksource/clocksource0/current_clocksource"
                )),
                show_number(clock::clock_resolution_ns()),
            ),
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
            ("date", format!("{} {} UTC", self.date, self.time)),
            ("processor", self.processor.clone()),
            ("cores", self.cores.to_string()),
            ("kind of cores", self.core_details.clone()),
            ("memory", memory),
            ("pages", self.pages.clone()),
            ("allocator", self.allocator.clone()),
            ("clock", self.clock.clone()),
            ("system", self.system.clone()),
            ("compiler", self.compiler.clone()),
            ("build", self.profile.clone()),
            ("libraries", self.libraries.clone()),
        ];
        Table {
            title: "Measured on".into(),
            header: vec!["what".into(), "value".into()],
            rows: rows
                .map(|(what, value)| vec![what.to_string(), value])
                .to_vec(),
        }
    }
}

/// When, and on what machine, something is measured now.
pub(crate) fn measured_now() -> String {
    let Machine {
        date,
        time,
        processor,
        cores,
        system,
        ..
    } = Machine::read();
    let cores = if cores == 1 {
        "1 core".into()
    } else {
        format!("{cores} cores")
    };
    format!("measured {date} {time} UTC on {cores} of {processor}, {system}")
}

fn core_details() -> String {
    let cores = cores::usable_cores();
    let mut details = match cores::Cores::of(&[]).whole_and_kinds(Path::new(cores::ROOT)) {
        None => "siblings and kinds unknown".into(),
        Some((whole, kinds)) => {
            let whole = if whole < cores {
                format!("siblings on {whole} whole cores")
            } else {
                "whole cores".into()
            };
            let kinds = if kinds > 1 {
                format!("{kinds} kinds")
            } else {
                "of one kind".into()
            };
            format!("{whole}, {kinds}")
        }
    };
    if let Some((quota, ..)) = limits::quota(Path::new("/")) {
        details += &format!(", a quota of {} cores", show_number(quota));
    }
    details
}

fn pages() -> String {
    let bytes =
        limits::page_bytes().map_or("size unknown".into(), |bytes| format!("{bytes} bytes"));
    // The one in force stands in brackets.
    let huge = files::text("/sys/kernel/mm/transparent_hugepage/enabled");
    let huge = huge
        .as_deref()
        .and_then(|choices| choices.split(['[', ']']).nth(1))
        .unwrap_or("unknown");
    let asked = std::env::var("GLIBC_TUNABLES").is_ok_and(|tunables| tunables.contains("hugetlb"));
    format!(
        "{bytes}, huge pages: {huge}{}",
        if asked {
            ", asked for by GLIBC_TUNABLES"
        } else {
            ""
        }
    )
}

/// The versions of what is measured, read from this crate's own manifest, where they are pinned.
fn libraries() -> String {
    let pinned = include_str!("../../Cargo.toml").lines().filter_map(|line| {
        let (name, rest) = line.split_once(" = ")?;
        let version = rest.split_once("\"=")?.1.split('"').next()?;
        ["memory-stats", "parking_lot", "tokio"]
            .contains(&name)
            .then(|| format!("{name} {version}"))
    });
    pinned.collect::<Vec<_>>().join(", ")
}

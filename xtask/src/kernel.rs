//! The Rust kernel of Jupyter: found or built, and registered under a name of this project's own.

use crate::environment::{Environment, Wanted, forget, write};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "evcxr_jupyter";
/// The folder in the environment for a kernel that is built here.
pub const KERNEL: &str = "kernel";
/// Where it is built.
const BUILD: &str = "target/kernel";
/// A fifth of its build, and parts of rust-analyzer that do nothing for a cell: not optimised.
const IDLE: [&str; 6] = [
    "ide",
    "ide_assists",
    "ide_completion",
    "ide_db",
    "ide_diagnostics",
    "ide_ssr",
];

/// Registers a kernel of the version in `environment.yml`; builds one where none is found.
///
/// # Errors
/// When the kernel cannot be built or registered.
pub fn ensure(root: &Path, wanted: &Wanted, environment: &Environment, lock: &File) -> Result<()> {
    let version = &*wanted.kernel;
    let spec = environment
        .prefix
        .join("share/jupyter/kernels")
        .join(&wanted.name);
    let known = fs::read_to_string(spec.join("kernel.json")).unwrap_or_default();
    let known: Value = serde_json::from_str(&known).unwrap_or_default();
    let known = known["argv"][3].as_str().map(PathBuf::from);
    let kernel = match find(environment, version, known) {
        Some(kernel) => kernel,
        None => install(root, environment, version, lock)?,
    };
    // It starts the kernel, so what it shields from holds in every front end.
    let launch = root.join("xtask/python/launch");
    let registered = |name: &str| {
        let python = environment.bin().join("python");
        let argv = json!([python, "-I", launch, kernel, root, "{connection_file}"]);
        json!({
            "argv": argv,
            "display_name": name,
            "language": "rust",
            "interrupt_mode": "message",
        })
    };
    let name = format!("Rust ({})", wanted.name);
    write(&spec.join("kernel.json"), &registered(&name))?;
    // For notebooks made elsewhere, which name any kernel for Rust so. conda has its own.
    if !environment.prefix.join("conda-meta").exists() {
        let any = spec.with_file_name("rust").join("kernel.json");
        write(&any, &registered("Rust"))?;
    }
    // What cannot be removed is in nobody's way.
    let _ = fs::remove_dir_all(root.join(BUILD));
    build_crates(root, environment, &launch, lock)
}

/// Builds what the notebooks load, which each kernel then finds; it says why, where that fails.
fn build_crates(root: &Path, environment: &Environment, launch: &Path, lock: &File) -> Result<()> {
    let mut build = environment.python();
    build
        .arg("-I")
        .args([launch, root])
        .stdin(lock.try_clone()?);
    let built = build
        .status()
        .context("the environment's Python did not start")?;
    if !built.success() {
        bail!("there is nothing for the notebooks to load, for the reason above");
    }
    Ok(())
}

/// The first kernel of that version: the one that is in use, else one that was built here, or on
/// the path.
fn find(environment: &Environment, version: &str, known: Option<PathBuf>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let built = [
        environment.prefix.join(KERNEL).join("bin"),
        environment.bin(),
    ];
    let folders = built.into_iter().chain(env::split_paths(&path));
    let kernels = known
        .into_iter()
        .chain(folders.map(|folder| folder.join(PROGRAM)));
    kernels
        .filter(|kernel| kernel.is_absolute() && kernel.is_file())
        .find(|kernel| is(kernel, version))
}

/// Whether a kernel starts on this machine, and has this version. It has no option that prints it:
/// cargo knows what it installed, and a program that was built from the registry names its sources.
fn is(kernel: &Path, version: &str) -> bool {
    let help = Command::new(kernel).arg("--help").output();
    if !help.is_ok_and(|help| help.status.success()) {
        return false;
    }
    let prefix = kernel.parent().and_then(Path::parent).unwrap_or(kernel);
    let list = Command::new("cargo")
        .args(["install", "--list", "--root"])
        .arg(prefix)
        .output();
    let grep = Command::new("grep")
        .args(["-qF", &format!("{PROGRAM}-{version}.")])
        .arg(kernel)
        .status();
    list.is_ok_and(|list| {
        String::from_utf8_lossy(&list.stdout).contains(&format!("{PROGRAM} v{version}."))
    }) || grep.is_ok_and(|found| found.success())
}

fn install(root: &Path, environment: &Environment, version: &str, lock: &File) -> Result<PathBuf> {
    println!(
        "Building the kernel, {PROGRAM} {version}: about 4 minutes on 2 cores, once; \
         the last crates take half a minute each."
    );
    let mut cargo = Command::new("cargo");
    forget(
        &mut cargo,
        &["CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"],
    );
    // A binary without a receipt may be there; what is built already is not built again.
    // In one unit each, crates are built with a fifth less work than in sixteen.
    cargo.args([
        "install",
        "--locked",
        "--force",
        PROGRAM,
        "--config",
        "profile.release.codegen-units=1",
    ]);
    let folder = environment.prefix.join(KERNEL);
    cargo.args(["--version", &format!("~{version}"), "--root"]);
    cargo.arg(&folder);
    for part in IDLE {
        cargo.args([
            "--config",
            &format!("profile.release.package.ra_ap_{part}.opt-level=0"),
        ]);
    }
    // A folder that stays: a build that was stopped goes on where it was.
    cargo
        .arg("--target-dir")
        .arg(root.join(BUILD))
        .current_dir(root)
        .stdin(lock.try_clone()?);
    if !cargo.status().context("cargo did not start")?.success() {
        bail!(
            "cargo could not build the kernel, for the reason above; make room or check the \
             network, and call again: the build goes on where it stopped"
        );
    }
    Ok(folder.join("bin").join(PROGRAM))
}

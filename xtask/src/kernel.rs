//! The Rust kernel of Jupyter: found or built, and registered under a name of this project's own.

use crate::environment::{Environment, Wanted, forget};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "evcxr_jupyter";

/// Registers a kernel of the version in `environment.yml`; builds one where none is found.
///
/// # Errors
/// When the kernel cannot be built or registered.
pub fn ensure(root: &Path, wanted: &Wanted, environment: &Environment, lock: &File) -> Result<()> {
    let version = &*wanted.kernel;
    let build = root.join("target/kernel");
    let spec = environment.prefix.join("share/jupyter/kernels").join(&wanted.name);
    let known = fs::read_to_string(spec.join("checked-version.txt")).unwrap_or_default();
    let mut kernel = PathBuf::from(known.lines().next().unwrap_or_default());
    if receipt(&kernel, version).is_none_or(|receipt| receipt != known) {
        kernel = match find(environment, version) {
            Some(kernel) => kernel,
            None => install(root, &build, environment, version, lock)?,
        };
        println!("Using the kernel {}.", kernel.display());
    }
    let launch = spec.join("launch.py");
    // It starts the kernel, so what it shields from holds in every front end.
    let registered = |name: &str| {
        let argv = json!([environment.bin().join("python"), "-I", launch, kernel, root, "{connection_file}"]);
        let spec =
            json!({ "argv": argv, "display_name": name, "language": "rust", "interrupt_mode": "message" });
        spec.to_string()
    };
    let mut files = vec![
        (launch.clone(), include_str!("launch.py").to_owned()),
        (spec.join("kernel.json"), registered(&format!("Rust ({})", wanted.name))),
        (spec.join("checked-version.txt"), receipt(&kernel, version).unwrap_or_default()),
    ];
    // For notebooks made elsewhere, which name any kernel for Rust so. conda has its own.
    if !environment.prefix.join("conda-meta").exists() {
        files.push((spec.with_file_name("rust").join("kernel.json"), registered("Rust")));
    }
    for (path, text) in files {
        if !fs::read_to_string(&path).is_ok_and(|known| known == text) {
            let written =
                path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    // What cannot be removed is in nobody's way.
    let _ = fs::remove_dir_all(&build);
    Ok(())
}

/// What says that this very file was looked at and has the right version.
fn receipt(kernel: &Path, version: &str) -> Option<String> {
    let file = fs::metadata(kernel).ok()?;
    let modified = file.modified().ok()?;
    Some(format!("{}\n{version}\n{} bytes, {modified:?}\n", kernel.display(), file.len()))
}

/// The first kernel of that version: the one that was built here, else one on the path or among cargo's.
fn find(environment: &Environment, version: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = env::home_dir().map(|home| home.join(".cargo/bin"));
    let folders = [environment.bin()].into_iter().chain(env::split_paths(&path)).chain(own);
    let kernels = folders.map(|folder| folder.join(PROGRAM));
    kernels.filter(|kernel| kernel.is_absolute() && kernel.is_file()).find(|kernel| is(kernel, version))
}

/// Whether a kernel has this version. It has no option that prints it: cargo and conda know what they installed, and
/// a program that was built from the registry names its sources.
fn is(kernel: &Path, version: &str) -> bool {
    let prefix = kernel.parent().and_then(Path::parent).unwrap_or(kernel);
    let list = Command::new("cargo").args(["install", "--list", "--root"]).arg(prefix).output();
    let list = list.map(|list| String::from_utf8_lossy(&list.stdout).into_owned()).unwrap_or_default();
    let conda = format!("evcxr-{version}.");
    let conda = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with(&conda);
    list.contains(&format!("{PROGRAM} v{version}."))
        || fs::read_dir(prefix.join("conda-meta")).into_iter().flatten().flatten().any(conda)
        || Command::new("grep")
            .args(["-qF", &format!("{PROGRAM}-{version}.")])
            .arg(kernel)
            .status()
            .is_ok_and(|found| found.success())
}

/// Fetches the kernel where the reader has `cargo binstall` and there is a binary, else builds it.
fn install(
    root: &Path,
    build: &Path,
    environment: &Environment,
    version: &str,
    lock: &File,
) -> Result<PathBuf> {
    let wanted = ["--version", &format!("~{version}")].map(String::from);
    let fetch = ["binstall", "--no-confirm", "--disable-strategies", "compile", PROGRAM];
    let mut binstall = Command::new("cargo");
    binstall.args(fetch).args(&wanted).arg("--root").arg(&environment.prefix).stdin(lock.try_clone()?);
    let kernel = environment.bin().join(PROGRAM);
    if binstall.output().is_ok_and(|output| output.status.success()) && is(&kernel, version) {
        return Ok(kernel);
    }
    println!(
        "Building the kernel, {PROGRAM} {version}: about 8 minutes on 2 cores, once; the last crates take a minute each."
    );
    let mut cargo = Command::new("cargo");
    forget(&mut cargo, &["CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"]);
    // A binary without a receipt may be there; what is built already is not built again.
    cargo
        .args(["install", "--locked", "--force", PROGRAM])
        .args(wanted)
        .arg("--root")
        .arg(&environment.prefix);
    // A folder that stays: a build that was stopped goes on where it was.
    cargo.arg("--target-dir").arg(build).current_dir(root).stdin(lock.try_clone()?);
    if !cargo.status().context("cargo did not start")?.success() {
        bail!(
            "cargo could not build the kernel, for the reason above; make room or check the network, and call again: the build goes on where it stopped"
        );
    }
    Ok(kernel)
}

//! Tells the crate how it was built, for the machine stamp: a build profile cannot be read at run
//! time.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = std::process::Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or("unknown".into());
    println!("cargo::rustc-env=BUILD_RUSTC={}", version.trim());
    let level = std::env::var("OPT_LEVEL").unwrap_or("unknown".into());
    println!("cargo::rustc-env=BUILD_OPT_LEVEL={level}");
}

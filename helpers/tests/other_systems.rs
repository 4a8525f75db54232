//! The crate checked for systems that are not at hand: nothing is linked or run.

use std::process::Command;

#[test]
#[ignore = "deep: builds the standard library for three systems, about 2 minutes"]
fn the_crate_compiles_for_macos_for_aarch64_and_with_musl() {
    for target in [
        "aarch64-apple-darwin",
        "aarch64-unknown-linux-gnu",
        "x86_64-unknown-linux-musl",
    ] {
        let mut check = Command::new(env!("CARGO"));
        // The standard library is built from its source, so no target needs to be installed.
        check.args([
            "check",
            "--package",
            "helpers",
            "--target",
            target,
            "-Zbuild-std=std,panic_abort",
        ]);
        check.args([
            "--target-dir",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/other_systems"),
        ]);
        let output = check.env("RUSTC_BOOTSTRAP", "1").output().unwrap();
        assert!(
            output.status.success(),
            "{target}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

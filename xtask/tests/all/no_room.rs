//! A full disk and folders that take no files: a sentence that names the place and the reason, and nothing is lost.
//!
//! Only Linux lets a test fill a disk of its own.

use crate::workbench::{PROGRAM, cell, root, with_mounts, write, xtask};
use std::fs;
use std::path::Path;
use std::process::Command;

const FULL: &str = "No space left on device";
const READ_ONLY: &str = "Read-only file system (os error 30)";

fn full(folder: &Path, size: &str) -> String {
    format!("mount -t tmpfs -o size={size} none '{}'", folder.display())
}

fn read_only(folder: &Path) -> String {
    format!("mount -t tmpfs -o ro none '{}'", folder.display())
}

/// The one sentence with which a command fails.
fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {stderr}");
    let said = stderr.strip_prefix("error: ").unwrap_or_else(|| panic!("{stderr}"));
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().to_owned()
}

/// Whether the words before and after a `*` are there.
fn is(said: &str, pattern: &str) -> bool {
    let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
    said.starts_with(start) && said.ends_with(end)
}

#[test]
fn a_run_without_room_is_a_sentence_and_loses_nothing() {
    xtask(&["setup"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (notebooks, output, temporary) = (path("notebooks"), path("rendered"), path("temporary"));
    for folder in [&notebooks, &output, &temporary] {
        fs::create_dir(folder).unwrap();
    }
    let (notebook, kept, target) = (notebooks.join("small.ipynb"), path("kept.ipynb"), root().join("target"));
    write(&notebook, vec![cell("println!(\"{}\", \"much\".repeat(100_000));", &[])]);
    fs::copy(&notebook, &kept).unwrap();
    // Where the target folder is another one, its programs are not there.
    let program = path("xtask");
    fs::copy(PROGRAM, &program).unwrap();

    let read_only_notebooks = format!(
        "mount -t tmpfs none '{0}' && cp '{1}' '{2}' && mount -o remount,ro '{0}'",
        notebooks.display(),
        kept.display(),
        notebook.display()
    );
    let show = |folder: &Path| folder.display().to_string();
    for (mounts, said) in [
        (read_only(&output), format!("cannot write to {}: {READ_ONLY}", show(&output))),
        (read_only(&target), format!("cannot lock {}/setup.lock: {READ_ONLY}", show(&target))),
        (read_only_notebooks, format!("cannot write to {}: {READ_ONLY}", show(&notebooks))),
        (full(&output, "64k"), format!("cannot write to {}: {FULL} (os error 28)", show(&output))),
        (full(&target, "64k"), format!("cannot write to {}/run/*: {FULL}", show(&target))),
        (
            full(&temporary, "16k"),
            format!(
                "the kernel, which builds in {}/*, did not start: {FULL} (os error 28)",
                show(&temporary)
            ),
        ),
    ] {
        let script = format!("{mounts} && exec \"$0\" \"$@\"");
        let Some(mut command) = with_mounts("a run without room", &script) else { return };
        command.arg(&program).arg("run").arg(&notebook).arg("--in-place").arg("--output").arg(&output);
        command.env("TMPDIR", &temporary);
        let refusal = refusal(command);
        assert!(is(&refusal, &said), "{refusal}\nis not\n{said}");
        assert_eq!(fs::read(&notebook).unwrap(), fs::read(&kept).unwrap(), "{said}");
        let left = [&notebooks, &output, &temporary].map(|folder| fs::read_dir(folder).unwrap().count());
        assert_eq!(left, [1, 0, 0], "{said}: something is left over");
    }
}

#[test]
fn a_set_up_without_room_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("environment.yml"), folder.path().join("environment.yml")).unwrap();
    let venv = folder.path().join(".venv");
    fs::create_dir(&venv).unwrap();
    let place = venv.display();
    for (mounts, said) in [
        (read_only(&venv), format!("cannot clear {place}: {READ_ONLY}")),
        // Full before, in and after the step that brings pip.
        (full(&venv, "4k"), format!("Python could not make {place}: *{FULL}")),
        (full(&venv, "3m"), format!("Python could not make {place}: *{FULL}")),
        (
            full(&venv, "40m"),
            "pip could not install *; make room or check the network, and call again".into(),
        ),
    ] {
        let script = format!("{mounts} && exec \"$0\" \"$@\"");
        let Some(mut command) = with_mounts("a set-up without room", &script) else { return };
        command.arg(PROGRAM).arg("setup").env("CARGO_MANIFEST_DIR", folder.path().join("xtask"));
        let refusal = refusal(command);
        assert!(is(&refusal, &said), "{refusal}\nis not\n{said}");
        assert!(refusal.contains(FULL) || refusal.contains(READ_ONLY), "{refusal}");
    }
}

#[test]
fn an_entry_of_the_kernels_cache_that_was_cut_off_is_removed() {
    xtask(&["setup"]);
    let caches = tempfile::tempdir().unwrap();
    let entry = |name: &str, hits: &str| {
        let entry = caches.path().join("evcxr").join(name);
        fs::create_dir_all(&entry).unwrap();
        fs::write(entry.join("stderr"), "{}\n").unwrap();
        fs::write(entry.join("hits"), hits).unwrap();
        entry
    };
    let (whole, cut_off) = (entry("1", "3"), entry("2", ""));
    let output = Command::new(PROGRAM).arg("setup").env("XDG_CACHE_HOME", caches.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(whole.exists());
    assert!(!cut_off.exists(), "with it, every later set-up cell fails");
}

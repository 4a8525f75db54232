//! A full disk and folders that take no files: a sentence that names the place and the reason, and nothing is lost.
//!
//! Only Linux lets a test fill a disk of its own.

use crate::workbench::{PROGRAM, alone, cell, environment, progress, root, with_mounts, write};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Checks that a command fails with a sentence where a place is read-only (`ro`) or full at a size. In the sentence the
/// place is written `{}`, and anything may stand for a `*`.
fn check((place, option, sentence): (&Path, &str, &str), fit: impl Fn(&mut Command)) {
    let place = place.display().to_string();
    progress(&format!("{place} is mounted {option}"));
    let mounts = match option {
        "ro" => format!("mount --bind '{place}' '{place}' && mount -o remount,bind,ro '{place}'"),
        size => format!("mount -t tmpfs -o size={size} none '{place}'"),
    };
    let Some(mut command) = with_mounts(sentence, &(mounts + " && exec \"$0\" \"$@\"")) else { return };
    fit(&mut command);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let sentence = format!("error: {}\n", sentence.replace("{}", &place));
    let (start, end) = sentence.split_once('*').unwrap_or((&sentence, ""));
    let is_it = stderr.starts_with(start) && stderr.ends_with(end) && stderr.lines().count() == 1;
    assert!(is_it && output.status.code() == Some(1), "{stderr}is not\n{sentence}");
    assert!(
        stderr.contains("No space left on device") || stderr.contains("Read-only file system"),
        "{stderr}"
    );
}

#[test]
#[ignore = "deep: runs without room in six places, about half a minute"]
fn a_run_without_room_is_a_sentence_and_loses_nothing() {
    let _alone = alone();
    environment();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [notebooks, output, temporary] = ["notebooks", "rendered", "temporary"].map(path);
    let folders = [&notebooks, &output, &temporary];
    folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
    let (notebook, target) = (notebooks.join("small.ipynb"), root().join("target"));
    write(&notebook, vec![cell("println!(\"{}\", \"much\".repeat(100_000));", &[])]);
    let before = fs::read(&notebook).unwrap();
    // Where the target folder is another one, its programs are not there.
    fs::copy(PROGRAM, path("xtask")).unwrap();
    for case in [
        (&*output, "ro", "cannot write to {}: Read-only file system (os error 30)"),
        (&*target, "ro", "cannot lock {}/setup.lock: Read-only file system (os error 30)"),
        (&*notebooks, "ro", "cannot write to {}: Read-only file system (os error 30)"),
        (&*output, "64k", "cannot write to {}: No space left on device (os error 28)"),
        (&*target, "64k", "cannot write to {}/run/*: No space left on device"),
        (
            &*temporary,
            "16k",
            "the kernel, which builds in {}/*, did not start: No space left on device (os error 28)",
        ),
    ] {
        check(case, |command| {
            command
                .arg(path("xtask"))
                .arg("run")
                .arg(&notebook)
                .arg("--in-place")
                .arg("--output")
                .arg(&output);
            command.env("TMPDIR", &temporary);
        });
        assert_eq!(fs::read(&notebook).unwrap(), before, "{case:?}");
        let left = folders.map(|folder| fs::read_dir(folder).unwrap().count());
        assert_eq!(left, [1, 0, 0], "{case:?}: something is left over");
    }
}

#[test]
#[ignore = "deep: set-ups without room at four steps, about half a minute"]
fn a_set_up_without_room_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("environment.yml"), folder.path().join("environment.yml")).unwrap();
    let venv = folder.path().join(".venv");
    fs::create_dir(&venv).unwrap();
    for (option, said) in [
        ("ro", "cannot clear {}: Read-only file system (os error 30)"),
        // Full before, in and after the step that brings pip.
        ("4k", "Python could not make {}: *No space left on device"),
        ("3m", "Python could not make {}: *No space left on device"),
        ("40m", "pip could not install *; make room or check the network, and call again"),
    ] {
        check((&venv, option, said), |command| {
            command.arg(PROGRAM).arg("setup").env("CARGO_MANIFEST_DIR", folder.path().join("xtask"));
        });
    }
}

#[test]
fn an_entry_of_the_kernels_cache_that_was_cut_off_is_removed() {
    environment();
    let caches = tempfile::tempdir().unwrap();
    let [whole, cut_off] = [("1", "3"), ("2", "")].map(|(name, hits)| {
        let entry = caches.path().join("evcxr").join(name);
        fs::create_dir_all(&entry).unwrap();
        fs::write(entry.join("stderr"), "{}\n").unwrap();
        fs::write(entry.join("hits"), hits).unwrap();
        entry
    });
    let output = Command::new(PROGRAM).arg("setup").env("XDG_CACHE_HOME", caches.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(whole.exists());
    assert!(!cut_off.exists(), "with it, every later set-up cell fails");
}

//! A full disk and folders that take no files: a sentence that names the place and the reason, and
//! nothing is lost.

use crate::workbench::*;
use std::fs;
use std::path::Path;

/// Checks that a command fails with a sentence where a place is read-only (`ro`) or full at a size.
/// In the sentence the place is written `{}`, and anything may stand for a `*`.
fn check(case: (&Path, &str, &str), call: &[&Path], (variable, value): (&str, &Path)) {
    let (place, option, sentence) = case;
    let place = place.display().to_string();
    progress(&format!("{place} is mounted {option}"));
    let mounts = match option {
        "ro" => format!("mount --bind '{place}' '{place}' && mount -o remount,bind,ro '{place}'"),
        size => format!("mount -t tmpfs -o size={size} none '{place}'"),
    };
    let Some(mut command) = with_mounts(sentence, &(mounts + " && exec \"$0\" \"$@\"")) else {
        return;
    };
    let output = command.args(call).env(variable, value).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let sentence = format!("error: {}\n", sentence.replace("{}", &place));
    let (start, end) = sentence.split_once('*').unwrap_or((&sentence, ""));
    let is_it = stderr.starts_with(start) && stderr.ends_with(end) && stderr.lines().count() == 1;
    let reason = ["No space left on device", "Read-only file system"]
        .iter()
        .any(|said| stderr.contains(said));
    assert!(
        is_it && reason && output.status.code() == Some(1),
        "{stderr}is not\n{sentence}"
    );
}

#[test]
#[ignore = "deep: runs without room in four places, about half a minute"]
fn a_run_without_room_is_a_sentence_and_loses_nothing() {
    let _alone = alone();
    environment();
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [notebooks, output, temporary] = ["notebooks", "rendered", "temporary"].map(|name| {
        fs::create_dir(folder.path().join(name)).unwrap();
        folder.path().join(name)
    });
    let (notebook, target) = (notebooks.join("small.ipynb"), root().join("target"));
    write(
        &notebook,
        vec![cell("println!(\"{}\", \"much\".repeat(100_000));", &[])],
    );
    // Where the target folder is another one, its programs are not there.
    let program = copy.path().join("xtask");
    fs::copy(PROGRAM, &program).unwrap();
    let before = tree(folder.path());
    for case in [
        (&*output, "ro", "cannot write to {}: Read-only file system"),
        (
            &*target,
            "ro",
            "cannot lock {}/setup.lock: Read-only file system (os error 30)",
        ),
        (
            &*notebooks,
            "ro",
            "cannot write to {}: Read-only file system",
        ),
        (
            &*output,
            "64k",
            "cannot write to {}: No space left on device",
        ),
    ] {
        let [run, in_place, to] = ["run", "--in-place", "--output"].map(Path::new);
        check(
            case,
            &[&program, run, &notebook, in_place, to, &output],
            ("TMPDIR", &temporary),
        );
        assert!(
            tree(folder.path()) == before,
            "{case:?}: something is changed or left over"
        );
    }
}

#[test]
#[ignore = "deep: set-ups without room at four steps, about half a minute"]
fn a_set_up_without_room_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        root().join("environment.yml"),
        folder.path().join("environment.yml"),
    )
    .unwrap();
    let venv = folder.path().join(".venv");
    fs::create_dir(&venv).unwrap();
    let package = folder.path().join("xtask");
    for (option, said) in [
        ("ro", "cannot clear {}: Read-only file system (os error 30)"),
        // Full before, in and after the step that brings pip.
        ("4k", "Python could not make {}: *No space left on device"),
        ("3m", "Python could not make {}: *No space left on device"),
        (
            "40m",
            "pip could not install *; make room or check the network, and call again",
        ),
    ] {
        let call = [PROGRAM, "setup"].map(Path::new);
        check(
            (&venv, option, said),
            &call,
            ("CARGO_MANIFEST_DIR", &package),
        );
    }
}

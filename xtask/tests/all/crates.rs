//! What the notebooks load: built once, copied by each kernel, built anew where it has changed.

use crate::parameter_cells::parts;
use crate::session::Session;
use crate::workbench::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use tempfile::TempDir;

const SET_UP: &str = include_str!("set-up-cell.txt");

/// Whether all crates are older than the kernel, so that it has built none.
const ALL_OLDER: &str = r#"let crates = std::env::var("EVCXR_TMPDIR").unwrap() + "/target";
let kernel = std::fs::metadata(&crates).unwrap().created().unwrap();
let mut folders = vec![std::path::PathBuf::from(crates)];
let mut found = [0, 0];
while let Some(folder) = folders.pop() {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "rlib") {
            found[usize::from(entry.metadata().unwrap().modified().unwrap() < kernel)] += 1;
        }
    }
}
found"#;

#[test]
fn a_kernel_builds_nothing_that_set_up_has_built() {
    let mut session = Session::start(&parts()[0]);
    let found = session.run_well(ALL_OLDER).shown();
    let [newer, older]: [usize; 2] = serde_json::from_str(&found).unwrap();
    assert!(newer == 0 && older > 20, "{newer} built, {older} copied");
}

/// A copy of what a notebook loads, with a folder for it.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = ["helpers", "Cargo.toml", "Cargo.lock", ".cargo"];
    let mut copy = Command::new("cp");
    copy.arg("-r")
        .args(files)
        .arg(folder.path())
        .current_dir(root());
    assert!(copy.status().unwrap().success());
    fs::create_dir_all(folder.path().join("xtask/src")).unwrap();
    for file in ["xtask/Cargo.toml", "xtask/src/main.rs"] {
        fs::copy(root().join(file), folder.path().join(file)).unwrap();
    }
    fs::create_dir(folder.path().join("notebooks")).unwrap();
    folder
}

fn asked(notebooks: &Path, cell: &str) -> String {
    let mut session = Session::start_in(notebooks);
    session.run_well(SET_UP);
    session.run_well(cell).shown()
}

#[test]
#[ignore = "deep: builds all that the notebooks load, and three times the helper crate, about 2 minutes"]
fn a_change_of_the_helper_crate_is_there_after_a_restart() {
    let folder = copy();
    let notebooks = folder.path().join("notebooks");
    let source = folder.path().join("helpers/src/number.rs");
    let text = fs::read_to_string(&source).unwrap();
    let library = folder.path().join("helpers/src/lib.rs");
    let tour = fs::read_to_string(&library).unwrap();
    fs::write(&library, tour + "\npub use number::ANSWER;\n").unwrap();
    for answer in [41, 42] {
        let line = format!("/// It.\npub const ANSWER: u64 = {answer};\n");
        fs::write(&source, text.clone() + &line).unwrap();
        assert_eq!(asked(&notebooks, "ANSWER"), answer.to_string());
    }
    // What is wrong with it is said by the cell, and the next kernel has what was mended.
    fs::write(&source, text.clone() + "broken!();\n").unwrap();
    let mut session = Session::start_in(&notebooks);
    let said = session.execute(SET_UP).wrong();
    assert!(said.contains("broken"), "{said}");
    fs::write(&source, text + "/// It.\npub const ANSWER: u64 = 43;\n").unwrap();
    assert_eq!(asked(&notebooks, "ANSWER"), "43");
}

/// Where the crates of a copy are built: in the project whose kernel this is.
fn built(folder: &Path) -> PathBuf {
    let helpers = folder.join("helpers").canonicalize().unwrap();
    let crates = fs::read_dir(root().join("target/kernel-crates")).unwrap();
    let of_it = |crates: &PathBuf| {
        let manifest = fs::read_to_string(crates.join("crate/Cargo.toml"));
        manifest.is_ok_and(|text| text.contains(helpers.to_str().unwrap()))
    };
    let mut crates = crates.map(|entry| entry.unwrap().path()).filter(of_it);
    crates.next().expect("the crates of the copy")
}

#[test]
#[ignore = "deep: builds all that the notebooks load twice, about 2 minutes"]
fn kernels_that_start_together_or_find_half_of_it_load_all_the_same() {
    let folder = copy();
    let notebooks = folder.path().join("notebooks");
    thread::scope(|scope| {
        let kernels = [(); 2].map(|()| scope.spawn(|| asked(&notebooks, "40 + 2")));
        for kernel in kernels {
            assert_eq!(kernel.join().unwrap(), "42");
        }
    });
    let crates = built(folder.path());
    let mut running = Session::start_in(&notebooks);
    running.run_well(SET_UP);
    let triple = fs::read_dir(crates.join("crate/target")).unwrap();
    let deps = triple.map(|entry| entry.unwrap().path().join("debug/deps"));
    for folder in deps.filter(|deps| deps.exists()) {
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        files
            .step_by(2)
            .for_each(|file| fs::remove_file(file).unwrap());
    }
    assert_eq!(asked(&notebooks, "40 + 2"), "42");
    fs::remove_dir_all(&crates).unwrap();
    let memory = "read_memory()?.resident_bytes > 0";
    assert_eq!(running.run_well(memory).shown(), "true");
    assert_eq!(asked(&notebooks, "40 + 2"), "42");
}

/// Runs a script with what starts the kernel, and a folder as `place`.
fn in_python(script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let begin = "import os, pathlib, sys, types
sys.path.insert(0, sys.argv[1])
from crates import Crates
from settings import cargo_home
place, project = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
";
    let mut python = tool("python");
    python
        .args(["-c", &(begin.to_owned() + script)])
        .arg(root().join("xtask/python/launch"))
        .args([folder.path(), &root()]);
    let outcome = Outcome::of(python.output().unwrap());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn another_compiler_checkout_or_home_of_cargo_has_crates_of_its_own() {
    in_python(
        "def folder(near='near', home='home', version='1.95', lock=''):
    near = place / near
    near.mkdir(exist_ok=True)
    (near / 'Cargo.lock').write_text(lock)
    rust = types.SimpleNamespace(version=[version], host='')
    return Crates(project, near, place / home, rust).folder
folders = [folder(), folder(near='other'), folder(home='other'), folder(version='1.96'), folder(lock='x')]
assert len(set(folders)) == 5 and folder() == folders[0]",
    );
}

/// A kernel that is killed or writes into its copy harms no other.
#[test]
fn what_is_written_into_is_no_kernels_and_anothers() {
    in_python(
        "built = place / 'crate/target/debug'
(built / 'incremental').mkdir(parents=True)
for name in ('a.rlib', 'a.rmeta', 'liba.so', 'a.d', 'incremental/a'):
    (built / name).write_text(name)
    os.utime(built / name, ns=(5, 7))
crates = types.SimpleNamespace(folder=place)
Crates.copy(crates, place / 'copy')
copied = place / 'copy/debug'
for name, shared in (('a.rlib', True), ('a.rmeta', True), ('liba.so', False), ('a.d', False)):
    assert (copied / name).samefile(built / name) == shared, name
    assert (copied / name).stat().st_mtime_ns == 7, name
assert not (copied / 'incremental').exists()",
    );
}

/// Another kernel had its crates, until that folder was gone.
#[test]
fn homes_of_cargo_do_not_disturb_each_other() {
    in_python(
        "import shutil
def made(name):
    (place / name / 'registry').mkdir(parents=True, exist_ok=True)
    return cargo_home(place / 'project', None, place / name) / 'registry'
one, other = made('one'), made('other')
shutil.rmtree(place / 'other')
assert one.samefile(place / 'one/registry') and one == made('one')
assert not other.exists() and other == made('other') and other.samefile(place / 'other/registry')
(place / 'file').touch()
assert cargo_home(place / 'file', place, place / 'one') == place / 'cargo-home'",
    );
}

//! `cargo xtask setup`, killed again and again: the next call goes on from whatever is left, and the last is complete.
//!
//! Points are found by what is in the folder, and processes in `/proc`, which only Linux has.

use crate::workbench::{
    PROGRAM, cell, has_in_environment, processes, read, root, signal, text, wait_until, with_mounts, write,
};
use std::env;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Who is killed.
enum Whom {
    /// The set-up alone: the step that it has started lives on.
    Program,
    /// The set-up and all that it has started, as a closed terminal does.
    Group,
    /// The set-up alone; the next call says that it waits, and then both end with everything they have started.
    ProgramThenAll,
}

/// Something that can be seen in the folder of the workspace at some time of a set-up.
type Point = fn(&Path) -> bool;

/// In the order in which a set-up passes them. All are points of one set-up: none begins the kernel's build anew.
const POINTS: &[(&str, Point, Whom)] = &[
    ("Python is there", |root| root.join(".venv/bin/python").exists(), Whom::Program),
    ("pip is being unpacked", |root| package(root, "pip"), Whom::Group),
    ("the first package is there", |root| package(root, "traitlets"), Whom::Group),
    ("the last packages are on their way", |root| package(root, "jupyterlab"), Whom::Program),
    ("the build begins", |root| root.join("target/kernel").exists(), Whom::Group),
    ("10 libraries are built", |root| libraries(root) >= 10, Whom::Group),
    ("60 libraries are built", |root| libraries(root) >= 60, Whom::ProgramThenAll),
    ("120 libraries are built", |root| libraries(root) >= 120, Whom::Group),
    ("cargo puts the kernel in its place", |root| in_bin(root, "cargo-install"), Whom::Group),
    ("the kernel is in its place", |root| in_bin(root, "evcxr_jupyter"), Whom::Group),
    (
        "the kernel is being registered",
        |root| root.join(REGISTERED).join("kernel.json").exists(),
        Whom::Program,
    ),
    (
        "the build is being removed",
        |root| root.join(REGISTERED).join("checked-version.txt").exists(),
        Whom::Group,
    ),
];

const REGISTERED: &str = ".venv/share/jupyter/kernels/rust";

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn package(root: &Path, name: &str) -> bool {
    let lib = root.join(".venv/lib");
    names(&lib).iter().any(|python| lib.join(python).join("site-packages").join(name).exists())
}

fn libraries(root: &Path) -> usize {
    names(&root.join("target/kernel/release/deps")).iter().filter(|name| name.ends_with(".rlib")).count()
}

fn in_bin(root: &Path, start: &str) -> bool {
    names(&root.join(".venv/bin")).iter().any(|name| name.starts_with(start))
}

/// Where a folder of the path has a kernel, one beside it in which the kernel is left out.
fn path_without_kernel(folder: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap();
    let folders = env::split_paths(&path).enumerate().map(|(index, programs)| {
        if !programs.join("evcxr_jupyter").exists() {
            return programs;
        }
        let others = folder.join(format!("programs-{index}"));
        fs::create_dir(&others).unwrap();
        for name in names(&programs).iter().filter(|name| *name != "evcxr_jupyter") {
            symlink(programs.join(name), others.join(name)).unwrap();
        }
        others
    });
    env::join_paths(folders).unwrap()
}

/// A workspace without anything that set-up makes.
struct Bench {
    root: PathBuf,
    log: PathBuf,
    /// Programs, but no kernel that is ready elsewhere.
    path: OsString,
}

impl Bench {
    fn new(folder: &Path) -> Self {
        fs::copy(root().join("environment.yml"), folder.join("environment.yml")).unwrap();
        fs::create_dir(folder.join("notebooks")).unwrap();
        write(&folder.join("notebooks/sum.ipynb"), vec![cell("40 + 2", &[])]);
        Self { root: folder.to_owned(), log: folder.join("log"), path: path_without_kernel(folder) }
    }

    /// A command in this workspace, in which a kernel is built in less time.
    fn fit<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("CARGO_MANIFEST_DIR", self.root.join("xtask"))
            .env("PATH", &self.path)
            .env_remove("CONDA_PREFIX")
            .env("PIP_NO_COMPILE", "1")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .stdin(Stdio::null())
    }

    /// A set-up in a process group of its own, as a terminal starts it.
    fn start(&self) -> Child {
        // A new file: a step of the last set-up may still write to the old one.
        let _ = fs::remove_file(&self.log);
        let log = File::create(&self.log).unwrap();
        let mut command = Command::new(PROGRAM);
        self.fit(&mut command).arg("setup").process_group(0);
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn running(&self) -> Vec<i32> {
        processes(|process| has_in_environment(process, &self.root))
    }

    /// Starts a set-up and kills it at this point.
    fn kill(&self, name: &str, point: Point, whom: &Whom) {
        let mut child = self.start();
        while !point(&self.root) {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the set-up ended before this: {name}\n{}", self.said());
            thread::sleep(Duration::from_millis(1));
        }
        match whom {
            Whom::Group => signal("KILL", -(child.id() as i32)),
            Whom::Program | Whom::ProgramThenAll => signal("KILL", child.id() as i32),
        }
        let code = child.wait().unwrap().code();
        assert_eq!(code, None, "the set-up ended by itself when this held: {name}\n{}", self.said());
        if let Whom::ProgramThenAll = whom {
            let mut next = self.start();
            wait_until("the next call waits", || {
                self.said() == "Waiting until another set-up has finished.\n"
            });
            self.running().into_iter().for_each(|process| signal("KILL", process));
            next.wait().unwrap();
        }
    }

    /// What a command prints that must succeed.
    fn print(&self, command: &mut Command) -> String {
        let output = self.fit(command).output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_set_up_that_is_killed_at_every_step_is_completed_by_the_next_calls() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path());
    for (name, point, whom) in POINTS {
        if *name == "the build begins" {
            a_build_without_room_is_a_sentence(&bench);
        }
        let start = Instant::now();
        bench.kill(name, *point, whom);
        println!("killed after {:.1} s: {name}", start.elapsed().as_secs_f64());
    }
    assert!(bench.start().wait().unwrap().success(), "{}", bench.said());
    assert!(
        bench.said().ends_with(&format!("Ready: {}\n", bench.root.join(".venv").display())),
        "{}",
        bench.said()
    );

    let start = Instant::now();
    let printed = bench.print(Command::new(PROGRAM).arg("setup"));
    let elapsed = start.elapsed();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(elapsed < Duration::from_secs(2), "a second set-up took {elapsed:?}");
    println!("a second set-up took {elapsed:?}");

    let python = bench.root.join(".venv/bin/python");
    bench.print(Command::new(&python).args(["-m", "jupyterlab", "--version"]));
    let kernels = bench.print(Command::new(&python).args(["-m", "jupyter", "kernelspec", "list", "--json"]));
    let kernels: serde_json::Value = serde_json::from_str(&kernels).unwrap();
    let program = text(&kernels["kernelspecs"]["rust"]["spec"]["argv"][0]);
    assert_eq!(Path::new(&program), bench.root.join(".venv/bin/evcxr_jupyter"));
    bench.print(Command::new(PROGRAM).arg("run"));
    let executed = read(&bench.root.join("target/rendered/sum.ipynb"));
    assert_eq!(text(&executed["cells"][0]["outputs"][0]["data"]["text/plain"]), "42");

    assert!(!in_bin(&bench.root, "cargo-install"), "cargo's folder is left");
    assert!(!bench.root.join("target/kernel").exists(), "the build is left");
    wait_until("nothing runs any more", || bench.running().is_empty());
}

/// The packages are there and the kernel is not: the disk is full while it is built.
fn a_build_without_room_is_a_sentence(bench: &Bench) {
    let target = bench.root.join("target");
    let script = format!("mount -t tmpfs -o size=16k none '{}' && exec \"$0\" \"$@\"", target.display());
    let Some(mut command) = with_mounts("a build of the kernel without room", &script) else { return };
    // Another lock is taken there, so the step that lives on has to end first.
    wait_until("pip has ended", || bench.running().is_empty());
    let output = bench.fit(&mut command).arg(PROGRAM).arg("setup").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let said = "error: cargo could not build the kernel, for the reason above; make room or check the network, and call again: the build goes on where it stopped";
    assert_eq!(stderr.lines().last(), Some(said), "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
}

#[test]
fn what_is_missing_is_a_sentence_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("environment.yml"), "name: lab\ndependencies:\n  - python=3.11\n").unwrap();
    let programs = folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let program = |name: &str, script: &str| {
        let path = programs.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    };
    let check = |said: &str| {
        for name in ["setup", "lab"] {
            let mut command = Command::new(PROGRAM);
            command.env("CARGO_MANIFEST_DIR", folder.path().join("xtask")).env_remove("CONDA_PREFIX");
            let output = command.arg(name).env("PATH", &programs).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("error: {said}\n"));
        }
    };
    check("rustc did not start; install Rust from https://rustup.rs: No such file or directory (os error 2)");
    program("rustc", "echo /nowhere");
    check(
        "the standard library's source is missing and there is no rustup to add it; install the package rust-src of your Rust",
    );
    program("rustup", "echo 'error: no network' >&2; exit 1");
    check("rustup could not add rust-src (error: no network); check the network and call again");
    program("rustup", "exit 0");
    check(
        "there is no Python 3.11 or newer on the path; install Python 3, on Debian and Ubuntu with `apt install python3 python3-venv`",
    );
    program("python3", "echo 3.11; echo /usr/bin/python3; exit 1");
    check(
        "python3 cannot make virtual environments: its module venv or ensurepip is missing; install it, on Debian and Ubuntu with `apt install python3-venv`",
    );
}

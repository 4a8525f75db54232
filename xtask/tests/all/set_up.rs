//! `cargo xtask setup`, killed again and again: the next call goes on from whatever is left, and
//! the last is complete.

use crate::workbench::*;
use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Where a step stops, in this order: Python before it writes a file of this path, the compiler
/// when so many libraries are built, cargo when it is done. And whether it ends with the set-up, as
/// with a closed terminal, or lives on.
const POINTS: &[(&str, bool)] = &[
    ("/.venv/bin/activate", false),
    ("/site-packages/pip/", true),
    ("/site-packages/traitlets/", false),
    ("/site-packages/jupyterlab/", true),
    ("0 libraries", true),
    ("10 libraries", true),
    ("60 libraries", true),
    ("120 libraries", true),
    ("the kernel is in its place", true),
];

/// Python reads this when it starts.
const SITE: &str = "import os, sys, time
def stop(event, arguments, point=[os.environ['STOP_AT']]):
    if point and event == 'open' and 'w' in str(arguments[1]) and point[0] in str(arguments[0]):
        point.clear()
        open(os.environ['STOPPED'], 'a').close()
        while os.path.exists(os.environ['STOPPED']): time.sleep(0.05)
if os.environ['STOP_AT'].startswith('/'): sys.addaudithook(stop)";

/// What is set for other Pythons does not reach ours, so this one hands it on.
const PYTHON: &str = "export PATH=\"${PATH#*:}\"; PYTHONPATH=BENCH/programs python3 \"$@\" || exit
for site in BENCH/.venv/lib/python*/site-packages; do if [ -d \"$site\" ]; then cp BENCH/programs/sitecustomize.py \"$site\"; fi; done";

const CARGO: &str = "CARGO \"$@\" || exit
case \"$STOP_AT $1\" in *'place install') touch \"$STOPPED\" && while [ -e \"$STOPPED\" ]; do sleep 0.05; done ;; esac";

/// Called in place of the compiler, with its path and its arguments.
const COMPILER: &str = "case \"$STOP_AT $*\" in *libraries*--crate-name*)
    [ $(ls BUILD/release/deps | grep -c 'rlib$') -lt ${STOP_AT% *} ] || touch \"$STOPPED\" && while [ -e \"$STOPPED\" ]; do sleep 0.05; done ;;
esac
exec \"$@\"";

fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// A set-up in a process group of its own, as a terminal starts it; a step that stopped goes on
/// when this is dropped.
struct Call {
    child: Child,
    folder: TempDir,
}

impl Call {
    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until a set-up has ended, or until a step that stays there has come to a point.
    fn wait(&mut self, point: &Path) -> Option<ExitStatus> {
        for tenth in 1.. {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || point.exists() {
                return ended;
            }
            if tenth % 100 == 0 {
                progress(&format!(
                    "  {}",
                    self.said().lines().last().unwrap_or_default()
                ));
            }
            thread::sleep(Duration::from_millis(100));
        }
        None
    }

    /// Kills the set-up when its step is at a point, then the step if that is wanted; between the
    /// two, the next set-up waits.
    fn kill(mut self, bench: &Bench, point: &Path, step: bool) {
        assert_eq!(
            self.wait(point),
            None,
            "the set-up ended before {point:?}\n{}",
            self.said()
        );
        signal("KILL", self.child.id() as i32);
        assert_eq!(self.child.wait().unwrap().code(), None, "{}", self.said());
        let mut next = bench.start(Command::new(PROGRAM), "nothing");
        wait_until("the next waits", || {
            next.said() == "Waiting until another set-up has finished.\n"
        });
        next.child.kill().unwrap();
        next.child.wait().unwrap();
        if step {
            signal("KILL", -(self.child.id() as i32));
        }
    }
}

/// A workspace without anything that set-up makes, and programs that stop where they are told.
struct Bench(TempDir);

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command in this workspace, without a kernel that is ready elsewhere; one is built here in
    /// less time.
    fn fit(&self, mut command: Command) -> Command {
        let toolchain = Path::new(env!("CARGO")).parent().unwrap().to_owned();
        let path = env::var_os("PATH").unwrap();
        let others =
            env::split_paths(&path).filter(|folder| !folder.join("evcxr_jupyter").exists());
        let path =
            env::join_paths([self.path("programs"), toolchain].into_iter().chain(others)).unwrap();
        command
            .env("CARGO_MANIFEST_DIR", self.path("xtask"))
            .env("PATH", path)
            .env_remove("CONDA_PREFIX");
        command
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
        command
            .env("PIP_NO_COMPILE", "1")
            .env("STOP_AT", "nothing")
            .stdin(Stdio::null());
        command
    }

    fn start(&self, command: Command, stop_at: &str) -> Call {
        let folder = tempfile::tempdir_in(self.0.path()).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = self.fit(command);
        command
            .process_group(0)
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command
            .env("STOP_AT", stop_at)
            .env("STOPPED", folder.path().join("stopped"));
        command.env("RUSTC_WRAPPER", self.path("programs/compiler"));
        Call {
            child: command.arg("setup").spawn().unwrap(),
            folder,
        }
    }

    fn print(&self, program: &Path, arguments: &[&str]) -> String {
        let output = self
            .fit(Command::new(program))
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
#[ignore = "deep: a set-up with a second build of the kernel, about 4 minutes"]
fn a_set_up_that_is_killed_at_every_step_is_completed_by_the_next_calls() {
    let bench = Bench(tempfile::tempdir().unwrap());
    link_what_the_kernel_needs(bench.0.path());
    for folder in ["programs", "target"] {
        fs::create_dir(bench.path(folder)).unwrap();
    }
    fs::copy(
        root().join("environment.yml"),
        bench.path("environment.yml"),
    )
    .unwrap();
    write(
        &bench.path("notebooks/sum.ipynb"),
        vec![cell("40 + 2", &[])],
    );
    let [programs, bin, target, build] =
        ["programs", ".venv/bin", "target", "target/kernel"].map(|folder| bench.path(folder));
    fs::write(programs.join("sitecustomize.py"), SITE).unwrap();
    program(
        &programs,
        "python3",
        &PYTHON.replace("BENCH", bench.0.path().to_str().unwrap()),
    );
    program(&programs, "cargo", &CARGO.replace("CARGO", env!("CARGO")));
    program(
        &programs,
        "compiler",
        &COMPILER.replace("BUILD", build.to_str().unwrap()),
    );
    let nothing_runs = || !runs_with(bench.0.path());

    for &(point, step) in POINTS {
        progress(&format!("a set-up is killed at {point}"));
        let call = bench.start(Command::new(PROGRAM), point);
        let stopped = call.folder.path().join("stopped");
        call.kill(&bench, &stopped, step);
        let script = format!(
            "mount -t tmpfs -o size=16k none '{}' && exec \"$0\" \"$@\"",
            target.display()
        );
        if point == "/site-packages/jupyterlab/"
            && let Some(mut command) = with_mounts("a build of the kernel without room", &script)
        {
            // Another lock is taken there.
            wait_until("the last set-up has ended", nothing_runs);
            command.arg(PROGRAM);
            let mut call = bench.start(command, "nothing");
            assert_eq!(call.wait(Path::new("/none")).unwrap().code(), Some(1));
            let said = "error: cargo could not build the kernel, for the reason above; make room or check the network, and call again: the build goes on where it stopped";
            assert_eq!(call.said().lines().last(), Some(said), "{}", call.said());
            assert!(
                call.said().contains("No space left on device"),
                "{}",
                call.said()
            );
        }
    }

    // Set-up stops at the last of the files with which it registers the kernel, since nobody writes
    // what it reads.
    let kernels = bench.path(".venv/share/jupyter/kernels");
    let last = kernels.join("rust/kernel.json");
    fs::create_dir_all(last.parent().unwrap()).unwrap();
    bench.print(Path::new("mkfifo"), &[last.to_str().unwrap()]);
    progress("a set-up is killed while it registers the kernel");
    let mut call = bench.start(Command::new(PROGRAM), "nothing");
    assert_eq!(
        call.wait(&kernels.join("guard-time-weigh/kernel.json")),
        None,
        "{}",
        call.said()
    );
    call.child.kill().unwrap();
    call.child.wait().unwrap();
    fs::remove_file(&last).unwrap();

    let mut call = bench.start(Command::new(PROGRAM), "nothing");
    assert!(
        call.wait(Path::new("/none")).unwrap().success(),
        "{}",
        call.said()
    );
    let ready = format!("Ready: {}\n", bench.path(".venv").display());
    assert!(call.said().ends_with(&ready), "{}", call.said());
    assert!(!build.exists(), "something is left");
    // As if the set-up had been killed when it removed the build.
    fs::create_dir_all(build.join("release")).unwrap();
    assert_eq!(
        bench.print(Path::new(PROGRAM), &["setup"]),
        ready,
        "a second set-up does something"
    );
    assert!(!build.exists(), "the build is left");

    bench.print(&bin.join("jupyter-lab"), &["--version"]);
    let kernels = bench.print(&bin.join("jupyter"), &["kernelspec", "list", "--json"]);
    assert!(
        kernels.contains(&format!(
            "{:?}",
            bench.path(".venv/kernel/bin/evcxr_jupyter")
        )),
        "{kernels}"
    );
    bench.print(Path::new(PROGRAM), &["run"]);
    let executed = read(&bench.path("target/rendered/sum.ipynb"));
    assert_eq!(
        text(&executed["cells"][0]["outputs"][0]["data"]["text/plain"]),
        "42"
    );
    wait_until("nothing runs any more", nothing_runs);
}

const MISSING: &str = "
other: exit => rustc did not start; install Rust from https://rustup.rs: No such file or directory (os error 2)
rustc: echo /nowhere => the standard library's source is missing and there is no rustup to add it; install the package rust-src of your Rust: No such file or directory (os error 2)
rustup: echo 'error: no network' >&2; exit 1 => rustup could not add rust-src (error: no network); check the network and call again
rustup: exit 0 => there is no Python 3.11 or newer; install one, on Debian and Ubuntu with `apt install python3 python3-venv`, or where that is older with `pip install uv && uv python install 3.11`
python3: echo 3.10 => there is no Python 3.11 or newer; install one, on Debian and Ubuntu with `apt install python3 python3-venv`, or where that is older with `pip install uv && uv python install 3.11`
python3.12: echo 3.12; exit 1 => {}/python3.12 cannot make virtual environments: its module venv or ensurepip is missing; install it, on Debian and Ubuntu with `apt install python3-venv`
";

/// A project without anything but a list of tools.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        root().join("environment.yml"),
        folder.path().join("environment.yml"),
    )
    .unwrap();
    folder
}

/// What a set-up there says when it fails.
fn refusal(command: &str, project: &Path, path: Option<&Path>) -> String {
    let mut xtask = Command::new(PROGRAM);
    xtask
        .arg(command)
        .env("CARGO_MANIFEST_DIR", project.join("xtask"))
        .env("HOME", project);
    path.map(|path| xtask.env("PATH", path));
    let outcome = Outcome::of(
        xtask
            .env_remove("CONDA_PREFIX")
            .env_remove("PYENV_ROOT")
            .output()
            .unwrap(),
    );
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    outcome.stderr
}

#[test]
fn what_is_missing_is_a_sentence_with_the_remedy() {
    let folder = project();
    let programs = folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for line in MISSING
        .trim()
        .replace("{}", programs.to_str().unwrap())
        .lines()
    {
        let (step, said) = line.split_once(" => ").unwrap();
        let (name, script) = step.split_once(": ").unwrap();
        program(&programs, name, script);
        for command in ["setup", "lab"] {
            let said = format!("error: {said}\n");
            assert_eq!(refusal(command, folder.path(), Some(&programs)), said);
        }
    }
}

#[test]
fn an_environment_of_something_else_is_left_alone() {
    for is_link in [true, false] {
        let (folder, elsewhere) = (project(), tempfile::tempdir().unwrap());
        let venv = folder.path().join(".venv");
        if is_link {
            // Even if it leads to one that another clone of this project has made.
            fs::write(elsewhere.path().join("installed-packages.txt"), "").unwrap();
            symlink(elsewhere.path(), &venv).unwrap();
        } else {
            fs::create_dir(&venv).unwrap();
        }
        fs::create_dir(venv.join("bin")).unwrap();
        fs::write(venv.join("bin/precious"), "").unwrap();
        let before = tree(&venv);
        let said = format!(
            "error: {} was not made by `cargo xtask`, which leaves it as it is; move it away, and call again\n",
            venv.display()
        );
        assert_eq!(refusal("setup", folder.path(), None), said);
        assert!(tree(&venv) == before, "something is changed");
    }
}

#[test]
#[ignore = "deep: sets up in a copy, whatever is set for pip, and breaks it in three ways, about 3 minutes"]
fn what_is_broken_behind_a_receipt_is_made_anew() {
    let folder = project();
    link_what_the_kernel_needs(folder.path());
    let venv = folder.path().join(".venv");
    let elsewhere = folder.path().join("elsewhere");
    let set_up = || {
        let mut xtask = Command::new(PROGRAM);
        xtask
            .arg("setup")
            .env("CARGO_MANIFEST_DIR", folder.path().join("xtask"))
            .env_remove("CONDA_PREFIX");
        xtask
            .env("PIP_TARGET", &elsewhere)
            .env("PIP_DRY_RUN", "1")
            .env("PIP_NO_BINARY", ":all:");
        let outcome = Outcome::of(xtask.output().unwrap());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    assert!(set_up().contains("Installing"));
    let site = fs::read_dir(venv.join("lib"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path()
        .join("site-packages");
    let breaks: [(&str, &dyn Fn()); 3] = [
        ("a package is gone", &|| {
            fs::remove_dir_all(site.join("nbclient")).unwrap()
        }),
        ("a file is cut off", &|| {
            fs::write(site.join("nbformat/__init__.py"), "im").unwrap()
        }),
        ("the base Python is gone", &|| {
            fs::remove_file(venv.join("bin/python")).unwrap();
            symlink("/nowhere/python3", venv.join("bin/python")).unwrap();
        }),
    ];
    for (what, damage) in breaks {
        progress(what);
        assert!(
            !set_up().contains("Installing"),
            "{what}: the set-up before was not complete"
        );
        damage();
        assert!(set_up().contains("Installing"), "{what}: it was not seen");
    }
    progress("a setting of pip that no variable turns off");
    let settings = folder.path().join("pip.conf");
    fs::write(
        &settings,
        format!("[install]\ntarget = {}\n", elsewhere.display()),
    )
    .unwrap();
    fs::remove_dir_all(site.join("nbclient")).unwrap();
    let mut xtask = Command::new(PROGRAM);
    xtask
        .arg("setup")
        .env("CARGO_MANIFEST_DIR", folder.path().join("xtask"))
        .env_remove("CONDA_PREFIX");
    let outcome = Outcome::of(xtask.env("PIP_CONFIG_FILE", &settings).output().unwrap());
    let said = "error: pip did not install in .venv; see `pip config list` for a setting such as target or prefix, remove it, and call again\n";
    assert_eq!((outcome.code, &*outcome.stderr), (Some(1), said));
}

//! What a reader has set for other work neither breaks nor changes a notebook, in whatever front
//! end it runs.

use crate::workbench::*;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Two cells hand a lock to each other, and the last says how often, how it and the helper crate
/// are built, and whether tokio has all cores.
const CELLS: [&str; 5] = [
    include_str!("set-up-cell.txt"),
    TURNS,
    "THREAD 0",
    "THREAD 1",
    "for _ in 0..1_000 { if turns.1.load(SeqCst) < 100 { std::thread::sleep(Duration::from_millis(10)) } }
let workers = tokio::runtime::Runtime::new()?.metrics().num_workers();
println!(\"{} {} {}\", turns.1.load(SeqCst), cfg!(debug_assertions), Machine::read().profile);
assert_eq!(workers, Machine::read().cores);",
];
pub const RUNS: &str = "100 false opt-level 3, debug assertions off";

/// What is set, in a shell that stands in an empty folder, and how a run then ends. The first can
/// be set all at once.
const ROWS: [(&str, &str); 22] = [
    ("export CARGO_INCREMENTAL=0 CARGO_BUILD_TARGET=wasm32-unknown-unknown", RUNS),
    ("export CARGO_ENCODED_RUSTFLAGS=-Ctarget-cpu=native", RUNS),
    ("export RUSTFLAGS=-Zno CARGO_BUILD_RUSTFLAGS=-Zno RUSTC_WRAPPER=/bin/false RUSTC=/bin/false", RUNS),
    ("export CARGO_PROFILE_DEV_PANIC=abort CARGO_PROFILE_DEV_LTO=fat CARGO_TARGET_DIR=$PWD", RUNS),
    ("export EVCXR_TMPDIR=$PWD EVCXR_CONFIG_DIR=$PWD XDG_CONFIG_HOME=$PWD; echo ':dep no-such-crate-anywhere' > init.evcxr
      mkdir evcxr; printf ':timing\\n:dep no-such-crate-anywhere' > evcxr/init.evcxr", RUNS),
    ("mkdir -p kernels/rust; echo '{\"argv\": [\"false\"], \"display_name\": \"Rust\", \"language\": \"rust\"}' > kernels/rust/kernel.json
      export JUPYTER_PATH=$PWD", RUNS),
    ("for p in mold lld ld.lld ld.mold; do printf '#!/bin/sh\\nexit 1' > $p; chmod +x $p; done; export PATH=\"$PWD:$PATH\"", RUNS),
    ("export LD_LIBRARY_PATH=$PWD; touch libhelpers.so", RUNS),
    ("export LD_PRELOAD=/no/such.so LD_BIND_NOW=1 MALLOC_PERTURB_=1 GLIBC_TUNABLES=glibc.malloc.hugetlb=1 TOKIO_WORKER_THREADS=1", RUNS),
    ("export CC=false CFLAGS=-no LDFLAGS=-no GOFLAGS=-no GOOS=plan9 GOROOT=/no TERM=dumb LC_ALL=C CARGO_TERM_COLOR=always", RUNS),
    ("mkdir h .cargo; ln -s \"${CARGO_HOME:-$HOME/.cargo}\"/registry h; echo '
      build = { incremental = false, rustc-wrapper = \"/bin/false\", target = \"wasm32-unknown-unknown\", target-dir = \"t\", build-dir = \"b\" }
      profile.dev = { panic = \"abort\", debug-assertions = true, package.\"*\" = { opt-level = 0, debug-assertions = true } }
      patch.crates-io.tokio.path = \"/no\"
      env.TOKIO_WORKER_THREADS = { value = \"1\", force = true }
      target.\"cfg(all())\".rustflags = \"-Zno\"
      term = { verbose = true, color = \"always\" }' | tee h/config.toml > .cargo/config.toml
      export CARGO_HOME=$PWD/h TMPDIR=$PWD", RUNS),
    ("mkdir 'a b'; export TMPDIR=\"$PWD/a b\"", RUNS),
    ("mkdir ä; export TMPDIR=$PWD/ä", RUNS),
    ("export TMPDIR=/no/such/folder", RUNS),
    ("export TMPDIR=\"$(mktemp -d -p ~)\" CLICOLOR_FORCE=1 FORCE_COLOR=1; echo '[workspace]' > \"$TMPDIR/Cargo.toml\"
      \"$0\" \"$@\"; rm -rf \"$TMPDIR\"; exit 0", RUNS),
    ("export PATH=/usr/bin:/bin", RUNS),
    ("unset HOME; umask 077", RUNS),
    ("mount -t tmpfs -o noexec none \"$PWD\"; export TMPDIR=$PWD", RUNS),
    ("mount -t tmpfs -o size=30m none \"$PWD\"; export TMPDIR=$PWD", RUNS),
    ("mount --bind \"$HOME\" \"$HOME\"; mount -o remount,bind,ro \"$HOME\"; export JUPYTER_RUNTIME_DIR=$PWD", RUNS),
    ("unshare -n true && exec unshare -n sh -c 'ip link set lo up; exec \"$0\" \"$@\"' \"$0\" \"$@\"", RUNS),
    ("mkdir p; for p in rustc cargo sh; do ln -s \"$(command -v $p)\" p; done; export PATH=$PWD/p", "install a C compiler"),
];

pub fn notebook() -> (TempDir, std::path::PathBuf) {
    let folder = workspace();
    let path = folder.path().join("notebooks/shielded.ipynb");
    let source = |cell: &str| match cell.strip_prefix("THREAD ") {
        Some(parity) => turns_of(parity, 100),
        None => cell.trim_end().to_owned(),
    };
    write(
        &path,
        CELLS.iter().map(|at| cell(&source(at), &[])).collect(),
    );
    (folder, path)
}

/// What is set for other work, all of it.
pub fn set() -> String {
    ROWS[..11]
        .iter()
        .map(|(set, _)| format!("{set}\n"))
        .collect()
}

fn said(notebook: &Path) -> String {
    read(notebook)["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["outputs"].to_string())
        .collect()
}

#[test]
fn what_is_set_for_other_work_does_not_reach_a_notebook() {
    let _alone = alone();
    environment();
    let ((_folder, path), output) = (notebook(), tempfile::tempdir().unwrap());
    let mut shell = Command::new("sh");
    shell
        .current_dir(output.path())
        .args(["-ec", &format!("{}exec \"$0\" \"$@\"", set())]);
    let run = [
        PROGRAM,
        "run",
        path.to_str().unwrap(),
        "--output",
        output.path().to_str().unwrap(),
    ];
    let outcome = Outcome::of(shell.args(run).output().unwrap());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let said = said(&output.path().join("shielded.ipynb"));
    assert!(
        said.contains(RUNS) && !said.contains("Took") && !said.contains("stderr"),
        "{said}"
    );
}

fn entries(folder: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
#[ignore = "deep: settings of readers, one by one, each with jupyter execute, about 8 minutes"]
fn each_setting_of_a_reader_does_not_matter_or_is_a_sentence() {
    for (set, end) in ROWS {
        progress(set);
        let ((folder, path), scratch) = (notebook(), tempfile::tempdir().unwrap());
        let before = entries(folder.path());
        let jupyter = tool("jupyter");
        let script = format!("{set}\nexec \"$0\" \"$@\"");
        let mut shell = match set.contains("mount") || set.contains("unshare") {
            true => match with_mounts(set, &script) {
                Some(command) => command,
                None => continue,
            },
            false => Command::new("sh"),
        };
        if !set.contains("mount") && !set.contains("unshare") {
            shell.args(["-c", &script]);
        }
        shell
            .arg(jupyter.get_program())
            .args(["execute", "--allow-errors", "--output=out"])
            .arg(&path);
        shell.envs(
            jupyter
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let outcome = Outcome::of(shell.current_dir(scratch.path()).output().unwrap());
        assert_eq!(outcome.code, Some(0), "{set}: {}", outcome.stderr);
        let said = said(&folder.path().join("notebooks/out.ipynb"));
        assert!(
            said.contains(end) && !said.contains("Took"),
            "{set}: {said}"
        );
        assert!(end != RUNS || !said.contains("stderr"), "{set}: {said}");
        assert_eq!(entries(folder.path()), before, "{set}: something is left");
    }
}

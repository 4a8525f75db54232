//! Programs of Go or Rust that lie beside the notebooks: built once, each run in a fresh process.

use crate::error::{Error, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the programs lie, from the folder of the notebooks.
const SOURCES: &str = "programs";
/// Where they are built, from there.
const BUILT: &str = "../target/programs";
/// A build that takes longer is stopped: an allocator in C takes minutes on a busy machine.
const LONGEST_BUILD: Duration = Duration::from_secs(1_200);
/// A run that takes longer is stopped.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// A program that was built, ready to run.
///
/// ```no_run
/// use helpers::{Program, numbers_after};
/// let said = Program::go("goroutines.go")?.run(&["10000"])?;
/// let kilobytes = numbers_after(&said, "kilobytes");
/// # Ok::<(), helpers::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program itself.
    pub path: PathBuf,
    /// Its text.
    pub source: PathBuf,
}

impl Program {
    /// The program of that file in Go, built if its text, the compiler or the machine is another
    /// than before.
    ///
    /// # Errors
    /// There is no such file, no `go`, or it does not build.
    pub fn go(file: &str) -> Result<Self> {
        Self::go_with(file, &[])
    }

    /// The same with settings of Go's build, such as `GOEXPERIMENT`.
    ///
    /// # Errors
    /// As [`Program::go`].
    pub fn go_with(file: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let source = source_of(file)?;
        let text = fs::read(&source).map_err(|why| cannot(&format!("read {file}"), why))?;
        let go = find_go()?;
        let version = run_command(&format!("build {file}"), Command::new(&go).arg("version"))?;
        let built = folder_of_builds()?;
        let stem = Path::new(file).file_stem().unwrap_or_default();
        let key = hash(&(text, version, settings));
        let name = format!("{}-{key:016x}", stem.to_string_lossy());
        let path = built.join(name);
        if path.exists() {
            return Ok(Self { path, source });
        }
        println!("Building {file} with Go, once: some seconds, half a minute the first time.");
        let unfinished = built.join(format!("unfinished-{}-{key:016x}", std::process::id()));
        let cache = built.join("go-cache");
        // What the reader has set for other work does not reach it, nor does the network.
        let own = [
            ("GOTOOLCHAIN", "local"),
            ("GOPROXY", "off"),
            ("GOENV", "off"),
        ];
        let mut build = Command::new(&go);
        build.args(["build", "-o"]).args([&unfinished, &source]);
        build
            .envs(own)
            .envs([("GOFLAGS", ""), ("CGO_ENABLED", "0"), ("GOWORK", "off")]);
        build.env("GOCACHE", &cache).env("XDG_CONFIG_HOME", &cache);
        build.envs(settings.iter().copied());
        output_within(LONGEST_BUILD, &format!("build {file}"), &mut build)?;
        let keep = fs::rename(&unfinished, &path);
        keep.map_err(|why| cannot(&format!("keep {file}"), why))?;
        Ok(Self { path, source })
    }

    /// The program of that package in Rust, with these of its features, as a release build. Cargo
    /// decides what is to be built anew.
    ///
    /// # Errors
    /// There is no such package, no `cargo`, or it does not build.
    pub fn cargo(package: &str, features: &[&str]) -> Result<Self> {
        let manifest = source_of(&format!("{package}/Cargo.toml"))?;
        let build_folder = [&[package], features].concat().join("-");
        let target = folder_of_builds()?.join(build_folder);
        let what = format!("build {package}");
        let path = target.join("release").join(package);
        if !path.exists() {
            println!("Building {package} with cargo, once: about half a minute.");
        }
        let build = |more: &[&str]| {
            let mut cargo = Command::new("cargo");
            cargo
                .args(["build", "--release", "--quiet", "--manifest-path"])
                .arg(&manifest);
            cargo
                .arg("--target-dir")
                .arg(&target)
                .arg("--features")
                .arg(features.join(","));
            // Flags and settings of the notebook's cells are not the program's.
            cargo.current_dir("/").env("CARGO_ENCODED_RUSTFLAGS", "");
            output_within(LONGEST_BUILD, &what, cargo.args(more))
        };
        // The network only for what is not here yet.
        build(&["--offline"]).or_else(|_| build(&[]))?;
        let source = manifest.with_file_name("src").join("main.rs");
        Ok(Self { path, source })
    }

    /// What the program writes to its standard output, from a fresh process.
    ///
    /// # Errors
    /// It does not start, fails, or takes more than two minutes.
    pub fn run(&self, arguments: &[impl AsRef<str>]) -> Result<String> {
        let words = arguments.iter().map(AsRef::as_ref);
        run_command(&self.what(), self.command().args(words))
    }

    /// A fresh process of it, not started yet.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Its text, with which a cell may end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn source(&self) -> Result<Source> {
        Source::read(&self.source)
    }

    fn what(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        format!("run {}", name.to_string_lossy())
    }
}

/// What a command that was prepared by [`Program::command`] writes to its standard output.
///
/// # Errors
/// As [`Program::run`].
///
/// ```
/// let said = helpers::run_command("ask", std::process::Command::new("echo").arg("alive 3"))?;
/// assert_eq!(helpers::numbers_after(&said, "alive"), [3.0]);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn run_command(what: &str, command: &mut Command) -> Result<String> {
    output_within(LONGEST_RUN, what, command)
}

fn output_within(longest: Duration, what: &str, command: &mut Command) -> Result<String> {
    let piped = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(|why| cannot(what, why))?;
    let [said, complaint] = [
        child.stdout.take().map(read_beside),
        child.stderr.take().map(read_beside),
    ];
    let began = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|why| cannot(what, why))? {
            Some(status) => break status,
            None if began.elapsed() > longest => {
                // It may have ended by itself meanwhile.
                _ = child.kill();
                _ = child.wait();
                let wrong = format!("it took more than {} s", longest.as_secs());
                return Err(Error::new(what, wrong, "less to do"));
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let [said, complaint] = [said, complaint].map(|reader| {
        let text = reader.and_then(|reader| reader.join().ok());
        text.unwrap_or_default()
    });
    if status.success() {
        return Ok(said);
    }
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    Err(cannot(
        what,
        last.unwrap_or(&format!("it ended with {status}")),
    ))
}

/// So that a process that writes much never waits for somebody to read it.
fn read_beside(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a fault is kept.
        _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The text of a program, as a notebook shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `go` or `rust`.
    pub language: &'static str,
    /// The text.
    pub text: String,
}

impl Source {
    /// The text of a file among the programs, which is not built for it.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read.
    pub fn of(file: &str) -> Result<Self> {
        Self::read(&source_of(file)?)
    }

    fn read(path: &Path) -> Result<Self> {
        let failed = |why| cannot(&format!("read {}", path.display()), why);
        let text = fs::read_to_string(path).map_err(failed)?;
        let is_go = path.extension().is_some_and(|extension| extension == "go");
        let language = if is_go { "go" } else { "rust" };
        Ok(Self { language, text })
    }

    /// Shows the text in a notebook; the kernel calls this for the last expression of a cell.
    pub fn evcxr_display(&self) {
        let Self { language, text } = self;
        println!("EVCXR_BEGIN_CONTENT text/markdown\n```{language}\n{text}```\nEVCXR_END_CONTENT");
        println!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT");
    }
}

fn source_of(file: &str) -> Result<PathBuf> {
    let what = format!("build {file}");
    let found = fs::canonicalize(Path::new(SOURCES).join(file));
    found.map_err(|why| match why.kind() {
        ErrorKind::NotFound => {
            let wrong = format!("there is no `{SOURCES}/{file}` beside the notebook");
            Error::new(what, wrong, "the programs of this project")
        }
        _ => cannot(&what, why),
    })
}

fn folder_of_builds() -> Result<PathBuf> {
    let made = fs::create_dir_all(BUILT).and_then(|()| fs::canonicalize(BUILT));
    made.map_err(|why| cannot("build a program", why))
}

fn find_go() -> Result<PathBuf> {
    let beside = fs::canonicalize("../.venv/bin/go").unwrap_or_default();
    let mut places = [PathBuf::from("go"), beside].into_iter();
    let answers = |go: &PathBuf| Command::new(go).arg("version").output().is_ok();
    places.find(answers).ok_or_else(|| {
        let wrong = "there is no `go` here";
        Error::new("build with Go", wrong, "Go 1.22 or later on the PATH")
    })
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

fn cannot(what: &str, why: impl ToString) -> Error {
    let allowed = "`go` or `cargo`, and a folder `target` to write in";
    Error::new(what, why.to_string(), allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]);
        shell
    }

    #[test]
    fn much_that_is_written_is_read_to_its_end() {
        let much = run_command("write", &mut shell("seq 1 100000; seq 1 100000 >&2")).unwrap();
        assert!(much.ends_with("100000\n"));
        assert_eq!(much.lines().count(), 100_000);
    }

    #[test]
    fn a_program_that_fails_says_why_and_one_that_hangs_is_stopped() {
        let failed = run_command("try", &mut shell("echo first >&2; echo last >&2; exit 3"));
        assert_eq!(failed.unwrap_err().wrong, "last");
        let silent = run_command("try", &mut shell("exit 3")).unwrap_err();
        assert!(silent.wrong.contains("exit status: 3"), "{silent}");
        let stopped = output_within(
            Duration::from_millis(50),
            "wait",
            &mut shell("exec sleep 60"),
        );
        assert!(stopped.unwrap_err().wrong.starts_with("it took more than"));
        let missing = run_command("start", &mut Command::new("no such program"));
        assert!(
            missing
                .unwrap_err()
                .to_string()
                .starts_with("cannot start: ")
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let missing = Source::of("nothing.go").unwrap_err().to_string();
        assert!(missing.contains("`programs/nothing.go`"), "{missing}");
        let missing = Program::go("nothing.go").unwrap_err().to_string();
        assert!(missing.contains("`programs/nothing.go`"), "{missing}");
        let missing = Program::cargo("nothing", &[]).unwrap_err().to_string();
        assert!(
            missing.contains("`programs/nothing/Cargo.toml`"),
            "{missing}"
        );
    }
}

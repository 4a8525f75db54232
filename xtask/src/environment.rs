//! What `environment.yml` asks for, and the environment that holds it.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The content of `environment.yml`: the environment's name and its pins.
#[derive(Deserialize)]
pub struct Wanted {
    /// The name that conda gives the environment.
    pub name: String,
    dependencies: Vec<String>,
}

impl Wanted {
    /// Reads `environment.yml`.
    ///
    /// # Errors
    /// When the file cannot be read or a dependency is not pinned to a minor version.
    pub fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join("environment.yml")).context("cannot read environment.yml")?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let wanted: Self = serde_saphyr::from_str(text)
            .context("environment.yml is not what conda writes: a name and dependencies")?;
        for dependency in &wanted.dependencies {
            let pinned = dependency.split_once('=').is_some_and(|(name, version)| {
                name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) && minor(version).is_some()
            });
            if !pinned {
                bail!("environment.yml: `{dependency}` is not pinned as name=major.minor");
            }
        }
        Ok(wanted)
    }

    /// The minor version that a package is pinned to.
    ///
    /// # Errors
    /// When `environment.yml` does not name the package.
    pub fn version(&self, package: &str) -> Result<&str> {
        self.pins()
            .find_map(|(name, version)| (name == package).then_some(version))
            .with_context(|| format!("environment.yml does not name {package}"))
    }

    /// What pip is asked for: all but what comes with Rust and Python themselves.
    pub fn requirements(&self) -> Vec<String> {
        self.pins()
            .filter(|(name, _)| !["rust", "rust-src", "evcxr", "python"].contains(name))
            .map(|(name, version)| format!("{name}=={version}.*"))
            .collect()
    }

    fn pins(&self) -> impl Iterator<Item = (&str, &str)> {
        self.dependencies.iter().filter_map(|line| line.split_once('='))
    }
}

/// The two numbers of a minor version such as `3.11`.
pub fn minor(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A folder with `bin/python`, JupyterLab and the kernel.
pub struct Environment {
    /// The folder itself.
    pub prefix: PathBuf,
}

impl Environment {
    /// The activated conda environment, if it is the one that `environment.yml` names.
    pub fn conda(name: &str) -> Option<Self> {
        let prefix = PathBuf::from(env::var_os("CONDA_PREFIX")?);
        (prefix.file_name()? == name).then_some(Self { prefix })
    }

    /// The environment's programs.
    pub fn bin(&self) -> PathBuf {
        self.prefix.join("bin")
    }

    /// The environment's Python, to be started as if the environment were activated.
    pub fn python(&self) -> Command {
        let mut command = Command::new(self.bin().join("python"));
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [self.bin()].into_iter().chain(env::split_paths(&path));
        command
            .env("PATH", env::join_paths(path).unwrap_or_default())
            // The kernel of this environment, not one of the same name that the user has elsewhere.
            .env("JUPYTER_PREFER_ENV_PATH", "1")
            // An error that a cell reports is a sentence.
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE");
        match library_path() {
            Some(path) => command.env("LD_LIBRARY_PATH", path),
            None => command.env_remove("LD_LIBRARY_PATH"),
        };
        command
    }
}

/// The library path without the folders that `cargo run` puts there: the workspace's own build of the
/// helper crate lies in them, and a cell would load that in place of the one it was linked to.
fn library_path() -> Option<OsString> {
    let path = env::var_os("LD_LIBRARY_PATH")?;
    let built = env::current_exe().ok()?.parent()?.to_owned();
    let kept = env::split_paths(&path).filter(|folder| !folder.starts_with(&built));
    env::join_paths(kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read() {
        let wanted = Wanted::parse(
            "name: lab # comment\nchannels:\n  - conda-forge\ndependencies:\n  - evcxr=0.22 # the kernel\n  - python=3.11\n  - rust=1.95\n  - rust-src=1.95\n  - jupyterlab=4.6\n",
        )
        .unwrap();
        assert_eq!(wanted.name, "lab");
        assert_eq!(wanted.version("evcxr").unwrap(), "0.22");
        assert_eq!(wanted.requirements(), ["jupyterlab==4.6.*"]);
        let missing = wanted.version("pandas").unwrap_err().to_string();
        assert_eq!(missing, "environment.yml does not name pandas");
    }

    #[test]
    fn a_dependency_without_a_minor_version_is_refused() {
        for dependency in ["evcxr", "evcxr=0.22.0", "evcxr>=0.22", "evcxr=0", "evcxr=new"] {
            let refused = Wanted::parse(&format!("name: lab\ndependencies:\n  - {dependency}\n"));
            let said = format!("environment.yml: `{dependency}` is not pinned as name=major.minor");
            assert_eq!(refused.err().unwrap().to_string(), said);
        }
    }

    #[test]
    fn the_file_names_what_is_used_and_the_rust_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let wanted = Wanted::read(root).unwrap();
        for package in ["rust", "rust-src"] {
            assert_eq!(wanted.version(package).unwrap(), env!("CARGO_PKG_RUST_VERSION"));
        }
        for package in ["evcxr", "python", "jupyterlab", "nbclient", "nbconvert"] {
            wanted.version(package).unwrap();
        }
    }
}

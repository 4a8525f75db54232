//! Files in which the system tells of itself; what it does not say is `None`, and nothing is
//! guessed.

use std::path::Path;

/// The text of a file of the system.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The first number in the line of a file that begins with `key`.
pub(crate) fn number(path: impl AsRef<Path>, key: &str) -> Option<u64> {
    let text = text(path)?;
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A system of such files, each a path and its text, in a folder of its own.
#[cfg(test)]
pub(crate) fn simulated(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

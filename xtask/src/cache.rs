//! What the kernel keeps of dependencies that it has built, for the next kernel.
//!
//! The kernel believes every entry. One that was cut off, by a full disk or a kill at the wrong moment, would make every
//! later set-up cell fail, so it is removed before a kernel starts.

use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// Removes the entries that are cut off; what they held is built again.
///
/// # Errors
/// When such an entry cannot be removed.
pub fn mend() -> Result<()> {
    folder().map_or(Ok(()), |folder| mend_in(&folder))
}

fn mend_in(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let entry = entry.path();
        // One that a kernel is writing at this moment is whole a little later.
        let stays_cut_off = || {
            sleep(Duration::from_millis(200));
            is_cut_off(&entry)
        };
        if is_cut_off(&entry) && stays_cut_off() {
            fs::remove_dir_all(&entry).with_context(|| format!("cannot remove {}", entry.display()))?;
        }
    }
    Ok(())
}

/// Where the kernel keeps its cache.
fn folder() -> Option<PathBuf> {
    let home = || env::home_dir().filter(|home| home.is_absolute());
    let caches = match env::consts::OS {
        "macos" => home()?.join("Library/Caches"),
        _ => match env::var_os("XDG_CACHE_HOME").map(PathBuf::from) {
            Some(folder) if folder.is_absolute() => folder,
            _ => home()?.join(".cache"),
        },
    };
    Some(caches.join("evcxr"))
}

/// The kernel takes an entry that has the file `stderr`, whose lines name what was built, and counts its use in `hits`.
fn is_cut_off(entry: &Path) -> bool {
    let Ok(built) = fs::read_to_string(entry.join("stderr")) else { return false };
    let hits = fs::read_to_string(entry.join("hits")).unwrap_or_default();
    !built.ends_with('\n') || hits.parse::<u32>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_cut_off_where_the_kernel_would_take_it_and_fail() {
        let folder = tempfile::tempdir().unwrap();
        let entry = folder.path();
        assert!(!is_cut_off(entry), "the kernel takes no entry without `stderr`");
        for (hits, built, cut_off) in [
            ("7", "{}\n", false),
            ("", "{}\n", true),
            ("7", "", true),
            ("7", "{}\n{", true),
            ("-", "{}\n", true),
        ] {
            fs::write(entry.join("hits"), hits).unwrap();
            fs::write(entry.join("stderr"), built).unwrap();
            assert_eq!(is_cut_off(entry), cut_off, "{hits:?}, {built:?}");
        }
    }

    #[test]
    fn entries_that_are_cut_off_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        for (name, hits) in [("whole", "3"), ("cut off", "")] {
            let entry = folder.path().join(name);
            fs::create_dir(&entry).unwrap();
            fs::write(entry.join("stderr"), "{}\n").unwrap();
            fs::write(entry.join("hits"), hits).unwrap();
        }
        mend_in(folder.path()).unwrap();
        assert_eq!(["whole", "cut off"].map(|name| folder.path().join(name).exists()), [true, false]);
    }
}

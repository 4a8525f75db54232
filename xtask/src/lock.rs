//! One at a time: a lock on a file, which the system takes back when its holder ends, however it ends.

use anyhow::{Context, Result};
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// Waits until no other process holds the lock, and says so if it has to wait; dropping the file gives it back.
///
/// # Errors
/// When the file cannot be made or locked.
pub fn wait(path: &Path, holder: &str) -> Result<File> {
    let lock = || -> std::io::Result<File> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                println!("Waiting until {holder} has finished.");
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(file)
    };
    lock().with_context(|| format!("cannot lock {}", path.display()))
}

//! How many files this process may open: each end of a connection is one.

use std::io::{Error, Result};

/// Raises the limit on open files as far as `needed`, where the system lets it.
#[cfg(unix)]
pub fn allow(needed: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|&most| most < needed) {
        let wrong = format!("{needed} files are needed, and this process may open {most}");
        return Err(Error::other(wrong));
    }
    let raised = Rlimit {
        current: Some(needed),
        ..limit
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

#[cfg(not(unix))]
pub fn allow(_needed: u64) -> Result<()> {
    Ok(())
}

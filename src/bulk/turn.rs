//! One run at a time changes a workspace, as far as this machine can see.
//!
//! Two runs that work on the same records at the same moment would both find them unchanged, and both claim
//! them. A run therefore waits for the one before it, and looks at each record again before it sends. The lock
//! is the operating system's, so it ends with the process; it is never a reason to refuse a run.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;

/// Held while a run sends changes.
#[derive(Debug)]
pub struct Turn {
    _file: Option<File>,
}

impl Turn {
    /// `None` while another run of this user has its turn. Where no lock can be kept, every run has its turn.
    pub fn take(workspace: &str) -> Option<Self> {
        let Some(file) = open(workspace) else { return Some(Turn { _file: None }) };
        match file.try_lock() {
            Ok(()) => Some(Turn { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(Turn { _file: None }),
        }
    }
}

/// The lock lies outside the data folder, so that runs with different data folders see each other.
fn open(workspace: &str) -> Option<File> {
    let name: String = workspace.chars().filter(char::is_ascii_alphanumeric).collect();
    let folder = folder()?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(format!("{name}.lock"))).ok()
}

#[cfg(unix)]
fn folder() -> Option<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let user = rustix::process::getuid().as_raw();
    let folder = std::env::temp_dir().join(format!("intercom-pp-cli-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    // Anybody may make a folder of this name: only one's own is trusted.
    let metadata = folder.symlink_metadata().ok()?;
    (metadata.is_dir() && metadata.uid() == user).then_some(folder)
}

#[cfg(not(unix))]
fn folder() -> Option<PathBuf> {
    let folder = std::env::temp_dir().join("intercom-pp-cli");
    match DirBuilder::new().create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => None,
        _ => Some(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_waits_and_another_workspace_does_not() {
        let workspace = format!("turn{}", std::process::id());
        let first = Turn::take(&workspace).unwrap();
        assert!(Turn::take(&workspace).is_none());
        assert!(Turn::take(&format!("{workspace}b")).is_some());
        drop(first);
        assert!(Turn::take(&workspace).is_some());
    }
}

//! Lets only one run per machine change a workspace at a time.
//!
//! Two concurrent runs on the same records would both find them unchanged and both claim them. A run therefore waits
//! for the lock, and reads each record again before it sends. The operating system releases the lock with the process;
//! failing to create a lock must never prevent a run.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::data::locked_file::LockedFile;

/// Held while a run sends changes; released on drop.
#[derive(Debug)]
pub struct WorkspaceLock {
    _file: Option<LockedFile>,
}

impl WorkspaceLock {
    /// `None` while another run of this user holds the lock. Always succeeds where files cannot be locked.
    pub fn try_acquire(workspace: &str) -> Option<Self> {
        let Some(file) = open(workspace) else { return Some(WorkspaceLock { _file: None }) };
        match LockedFile::try_lock(file) {
            Ok(file) => Some(WorkspaceLock { _file: Some(file) }),
            Err((_, TryLockError::WouldBlock)) => None,
            Err((_, TryLockError::Error(_))) => Some(WorkspaceLock { _file: None }),
        }
    }
}

/// The lock file is outside the data folder, so that runs with different data folders share it.
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
    // Other users can create a folder of this name, so check the owner.
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
    fn a_second_run_waits_but_another_workspace_does_not() {
        let workspace = format!("turn{}", std::process::id());
        let first = WorkspaceLock::try_acquire(&workspace).unwrap();
        assert!(WorkspaceLock::try_acquire(&workspace).is_none());
        assert!(WorkspaceLock::try_acquire(&format!("{workspace}b")).is_some());
        drop(first);
        assert!(WorkspaceLock::try_acquire(&workspace).is_some());
    }
}

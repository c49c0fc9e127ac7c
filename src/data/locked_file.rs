//! A file that this process has locked exclusively.
//!
//! Closing a file does not always release its lock: a child process between fork and exec still shares the open file,
//! and on a busy machine that can last long enough for the next attempt to fail. The lock is therefore released
//! explicitly when the value is dropped, and must not be released in any other way.

use std::fs::{File, TryLockError};
use std::ops::{Deref, DerefMut};

/// Unlocks the file when dropped.
#[derive(Debug)]
pub struct LockedFile(File);

impl LockedFile {
    /// Locks the file without waiting.
    ///
    /// # Errors
    /// The file, unlocked, with [`TryLockError::WouldBlock`] if another open file holds the lock, and with
    /// [`TryLockError::Error`] where files cannot be locked.
    pub fn try_lock(file: File) -> Result<Self, (File, TryLockError)> {
        match file.try_lock() {
            Ok(()) => Ok(LockedFile(file)),
            Err(error) => Err((file, error)),
        }
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // An error means that the lock is gone or that files cannot be unlocked; closing is all that is left.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::LockedFile;

    #[test]
    fn a_shared_handle_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let open =
            || std::fs::File::options().append(true).create(true).open(folder.path().join("lock")).unwrap();
        let locked = LockedFile::try_lock(open()).unwrap();
        // A forked child shares the open file in the same way.
        let shared = locked.try_clone().unwrap();
        assert!(LockedFile::try_lock(open()).is_err());
        drop(locked);
        assert!(LockedFile::try_lock(open()).is_ok());
        drop(shared);
    }
}

//! Allows one sync at a time per mirror.
//!
//! The lock is an operating system lock on a file next to the mirror. It is released when the process ends for any
//! reason, so it cannot become stale. The content of the file only names the holder and must not be relied on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::permissions;
use crate::data::locked_file::LockedFile;
use crate::mirror::error::{Error, Holder};

/// Held while a sync runs.
#[derive(Debug)]
pub(in crate::mirror) struct Lock {
    _file: LockedFile,
}

impl Lock {
    /// Locks the mirror at `store`.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process holds the lock, [`Error::File`] if the file cannot be used.
    pub fn take(store: &Path) -> Result<Self, Error> {
        let path = lock_file(store);
        let failed = |source| Error::File { path: path.clone(), source };
        let file = permissions::open(&path, OpenOptions::new().read(true)).map_err(failed)?;
        let mut file = LockedFile::try_lock(file).map_err(|(mut file, error)| match error {
            TryLockError::WouldBlock => Error::Locked { path: store.to_owned(), holder: read(&mut file) },
            TryLockError::Error(source) => failed(source),
        })?;
        let holder = Holder { pid: std::process::id(), since: Timestamp::now().as_second() };
        write(&mut file, &holder).map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

fn lock_file(store: &Path) -> PathBuf {
    let mut path = store.to_owned().into_os_string();
    path.push(".lock");
    path.into()
}

/// The holder; `None` if the content cannot be read, as on systems where locks prevent reading.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())?;
    file.flush()
}

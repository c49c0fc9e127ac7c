//! An append-only file of JSON lines, locked by one process at a time.
//!
//! Lines are written in one piece, so a killed process leaves at most one broken line, the last; the next process to
//! open the file starts a new line. Permissions: readable by the owner only.

use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;

use crate::data::locked_file::LockedFile;

/// An open log. Dropping it releases the lock.
#[derive(Debug)]
pub struct AppendLog {
    file: LockedFile,
}

impl AppendLog {
    /// Opens or creates a log. Returns its lines, including broken ones.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if another process has it open; other I/O errors.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<String>)> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = LockedFile::try_lock(options.open(path)?).map_err(|(_, error)| match error {
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryLockError::Error(error) => error,
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok((AppendLog { file }, text.lines().map(str::to_owned).collect()))
    }

    /// Appends lines in one piece.
    ///
    /// # Errors
    /// I/O errors.
    pub fn append<T: Serialize>(&mut self, entries: impl IntoIterator<Item = T>) -> io::Result<()> {
        let mut text = String::new();
        for entry in entries {
            text.push_str(&serde_json::to_string(&entry)?);
            text.push('\n');
        }
        self.file.write_all(text.as_bytes())
    }

    /// Flushes to disk, so that appended lines survive a crash of the machine. They survive a killed process anyway.
    ///
    /// # Errors
    /// I/O errors.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

//! A file that lines are appended to, one JSON document each, by one process at a time.
//!
//! A line is written in one piece, so a process that is killed leaves at most one broken line, the
//! last, and the next one to open the file begins on a fresh line. Only the owner can read it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;

/// An open file. Dropping it lets other processes in.
#[derive(Debug)]
pub struct Log {
    file: File,
}

impl Log {
    /// Opens or makes a log. Returns the lines that are there, the broken ones too.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process has it open; otherwise as the file system
    /// says.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<String>)> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            std::fs::TryLockError::Error(error) => error,
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok((Log { file }, text.lines().map(str::to_owned).collect()))
    }

    /// Appends lines in one piece.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append<T: Serialize>(&mut self, entries: impl IntoIterator<Item = T>) -> io::Result<()> {
        let mut text = String::new();
        for entry in entries {
            text.push_str(&serde_json::to_string(&entry)?);
            text.push('\n');
        }
        self.file.write_all(text.as_bytes())
    }

    /// Returns when everything written so far is on the disk itself: a machine that stops loses nothing
    /// of it. A process that is killed loses nothing anyway.
    ///
    /// # Errors
    /// As the file system says.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

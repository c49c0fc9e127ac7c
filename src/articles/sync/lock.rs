//! Allows one push or pull at a time in a folder.
//!
//! It is the operating system's lock on a file in `.intercom/`, which is released when the process exits, so
//! it is never stale. The file's content only names the holder. The file is removed at the end and must never
//! get into version control.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use super::error::Error;
use super::folder::Folder;
use crate::data::locked_file::LockedFile;

const FILE: &str = ".intercom/lock";

/// Held while a command writes to the folder.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: LockedFile,
}

impl Lock {
    /// Locks a folder and removes temporary files that killed processes left behind.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process holds it, [`Error::File`] when the folder cannot be used.
    pub fn take(folder: &Folder) -> Result<Self, Error> {
        let path = folder.path(FILE)?;
        let failed = |source| Error::file(&path, source);
        let parent = path.parent().unwrap_or(folder.root());
        std::fs::create_dir_all(parent).map_err(failed)?;
        loop {
            let mut options = OpenOptions::new();
            let file =
                options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
            let mut file = LockedFile::try_lock(file).map_err(|(mut file, error)| match error {
                TryLockError::WouldBlock => {
                    Error::Busy { path: folder.root().to_owned(), holder: read_holder(&mut file) }
                }
                TryLockError::Error(source) => failed(source),
            })?;
            // The previous holder may have removed the file after it was opened here and before it was
            // locked.
            if !is_same(&file, &path) {
                continue;
            }
            let text = format!("{} {}\n", std::process::id(), jiff::Timestamp::now().as_second());
            file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
            file.write_all(text.as_bytes()).map_err(failed)?;
            folder.remove_unfinished()?;
            return Ok(Lock { path, _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Remove the file before unlocking it, so that it cannot be another holder's. If that fails, the next
        // command reuses the file.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Process id and start time in epoch seconds, as the holder wrote them.
fn read_holder(file: &mut File) -> Option<(u32, i64)> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let (pid, since) = text.trim().split_once(' ')?;
    Some((pid.parse().ok()?, since.parse().ok()?))
}

#[cfg(unix)]
fn is_same(file: &File, path: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(opened), Ok(current)) => inode(opened) == inode(current),
        _ => false,
    }
}

/// On other systems, an open file cannot be removed.
#[cfg(not(unix))]
fn is_same(_: &File, path: &std::path::Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_excludes_others_and_leaves_no_files() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("new"));
        let lock = Lock::take(&folder).unwrap();
        let busy = Lock::take(&folder).unwrap_err().to_string();
        assert!(busy.contains(&format!("process {}", std::process::id())), "{busy}");
        drop(lock);
        assert!(!folder.has(FILE));
        // A killed process leaves the lock file and its temporary files.
        folder.write(FILE, b"1 1\n").unwrap();
        for path in [".writing-abc", ".intercom/.writing-x1", "sub/.writing-y"] {
            folder.write(path, b"half").unwrap();
        }
        folder.write("sub/a.md", b"whole").unwrap();
        let lock = Lock::take(&folder).unwrap();
        assert!(
            ![".writing-abc", ".intercom/.writing-x1", "sub/.writing-y"].iter().any(|path| folder.has(path))
        );
        assert!(folder.has("sub/a.md"));
        drop(lock);
        assert!(!folder.has(FILE));
    }
}

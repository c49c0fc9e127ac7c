//! Permissions of local files: a mirror contains customer messages, so only its owner may read it (0600, 0700).

use std::fs::{File, OpenOptions};
use std::path::Path;

/// Creates the folder of a file and its parents.
pub(super) fn create_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Creates an empty file for its owner only. An existing database must not be opened other than by SQLite: closing it would
/// release the locks of all connections of this process.
pub(super) fn create(path: &Path) -> std::io::Result<()> {
    match open(path, OpenOptions::new().create_new(true)) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        result => result.map(drop),
    }
}

/// Opens a file, or creates it for its owner only. An existing file keeps its permissions, which may have been
/// widened on purpose.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

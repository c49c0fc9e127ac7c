//! Files and folders that only their owner may read: a mirror holds what customers wrote.

use std::fs::{File, OpenOptions};
use std::path::Path;

/// Makes the folder of a file, and those above it.
pub(super) fn make_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file, creating it readable by its owner only. One that exists keeps its permissions: whoever widened
/// them did so on purpose.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

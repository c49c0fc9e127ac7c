//! The only folder that pulls and pushes write to.
//!
//! Every path is checked here: it must be relative, without `..`, and must not pass through a symbolic link.
//! Files are written atomically.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::Error;

/// Prefix of temporary files.
const TEMPORARY: &str = ".writing-";
/// The hidden folder for the server's HTML.
pub(super) const HIDDEN: &str = ".intercom";

#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Folder { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a path is relative and without `.` and `..`. Does not look at the disk.
    pub fn is_inside(relative: &str) -> bool {
        let mut parts = Path::new(relative).components().peekable();
        parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
    }

    /// The full path of a file in the folder.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a path that may lead out of the folder.
    pub fn path(&self, relative: &str) -> Result<PathBuf, Error> {
        if !Folder::is_inside(relative) {
            return Err(Error::Unusable(format!("path {relative:?} is outside {}", self.root.display())));
        }
        let mut path = self.root.clone();
        for name in Path::new(relative) {
            path.push(name);
            if path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_symlink()) {
                return Err(Error::Unusable(format!(
                    "{} is a symbolic link: expected a regular file or folder",
                    path.display()
                )));
            }
        }
        Ok(path)
    }

    /// The content of a file; `None` if it does not exist.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(relative)?;
        match std::fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(path, error)),
        }
    }

    /// Whether a file, folder or symbolic link exists at this path.
    pub fn has(&self, relative: &str) -> bool {
        self.root.join(relative).symlink_metadata().is_ok()
    }

    /// Writes a file atomically, and creates its parent folders.
    ///
    /// # Errors
    /// When writing fails; the old file is then unchanged.
    pub fn write(&self, relative: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(relative)?;
        let parent = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, error))?;
        let failed = |error| Error::file(&path, error);
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(parent).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        set_permissions(file.as_file(), &path).map_err(failed)?;
        file.persist(&path).map(drop).map_err(|error| Error::file(&path, error.error))
    }

    /// Removes a file if it exists.
    ///
    /// # Errors
    /// When it exists and cannot be removed.
    pub fn remove(&self, relative: &str) -> Result<(), Error> {
        let path = self.path(relative)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, error)),
            _ => Ok(()),
        }
    }

    /// Removes temporary files of killed processes. Only the holder of the folder's lock may call this.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn remove_unfinished(&self) -> Result<(), Error> {
        let mut pending = vec![self.root.clone()];
        while let Some(path) = pending.pop() {
            for entry in std::fs::read_dir(&path).map_err(|error| Error::file(&path, error))? {
                let entry = entry.map_err(|error| Error::file(&path, error))?;
                let name = entry.file_name();
                let kind = entry.file_type().map_err(|error| Error::file(entry.path(), error))?;
                if kind.is_dir() && (name == HIDDEN || !name.as_encoded_bytes().starts_with(b".")) {
                    pending.push(entry.path());
                } else if kind.is_file() && name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
                    std::fs::remove_file(entry.path()).map_err(|error| Error::file(entry.path(), error))?;
                }
            }
        }
        Ok(())
    }

    /// The relative paths of all Markdown files, with `/`, sorted. Hidden folders, symbolic links and
    /// conflict files are skipped.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn markdown_files(&self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            let path = self.root.join(&folder);
            let entries = match std::fs::read_dir(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries.map_err(|error| Error::file(&path, error))?,
            };
            for entry in entries {
                let entry = entry.map_err(|error| Error::file(&path, error))?;
                let kind = entry.file_type().map_err(|error| Error::file(entry.path(), error))?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name.starts_with('.') {
                    continue;
                }
                let relative = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if kind.is_dir() {
                    pending.push(relative);
                } else if kind.is_file() && relative.ends_with(".md") && !relative.ends_with(".conflict.md") {
                    found.push(relative);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Sets the permissions of the file that is replaced, or 0644. Temporary files are created as 0600.
#[cfg(unix)]
fn set_permissions(file: &std::fs::File, old: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = old.metadata().map_or(0o644, |metadata| metadata.permissions().mode());
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_permissions(_: &std::fs::File, _: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Hash of a file's content, in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        let folder = Folder::new(inside.path());
        for path in ["../x.md", "/etc/x", "a/../../x", "", "."] {
            assert!(folder.write(path, b"x").is_err(), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
            std::os::unix::fs::symlink(outside.path().join("t.md"), inside.path().join("f.md")).unwrap();
            assert!(folder.write("link/x.md", b"x").is_err());
            assert!(folder.write("f.md", b"x").is_err());
            assert!(folder.read("f.md").is_err());
            assert_eq!(folder.markdown_files().unwrap(), Vec::<String>::new());
        }
        folder.write("a/b.md", b"x").unwrap();
        assert_eq!(folder.markdown_files().unwrap(), ["a/b.md"]);
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}

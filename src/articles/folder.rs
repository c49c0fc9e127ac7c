//! The files of a folder of articles, and nothing else: no path leads out of it, no link is followed, and a
//! file is replaced in one step or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::Error;

/// Holds what only this program reads; belongs in version control.
pub const HIDDEN: &str = ".intercom";

/// An open folder. Nobody else pulls or pushes while it is open.
pub struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// # Errors
    /// When it cannot be made or read, or another process is at work in it.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let failed = |path: &Path, source| Error::File { path: path.to_owned(), source };
        let hidden = root.join(HIDDEN);
        fs::create_dir_all(root).map_err(|error| failed(root, error))?;
        let root = root.canonicalize().map_err(|error| failed(root, error))?;
        if fs::symlink_metadata(root.join(HIDDEN)).is_ok_and(|found| !found.is_dir()) {
            return Err(Error::Outside(hidden));
        }
        fs::create_dir_all(root.join(HIDDEN)).map_err(|error| failed(&hidden, error))?;
        let path = root.join(HIDDEN).join("lock");
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::Outside(path));
        }
        let lock = File::create(&path).map_err(|error| failed(&path, error))?;
        lock.try_lock().map_err(|_| Error::Busy(root.clone()))?;
        let ignore = root.join(HIDDEN).join(".gitignore");
        if fs::symlink_metadata(&ignore).is_err() {
            fs::write(&ignore, "lock\nbackup/\n").map_err(|error| failed(&ignore, error))?;
        }
        Ok(Folder { root, _lock: lock })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The place of a file with `/` between the names.
    ///
    /// # Errors
    /// [`Error::Outside`] when it is absolute, goes up, or passes a link.
    pub fn place(&self, path: &str) -> Result<PathBuf, Error> {
        let mut place = self.root.clone();
        for component in Path::new(path).components() {
            let Component::Normal(name) = component else { return Err(Error::Outside(path.into())) };
            place.push(name);
            if fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) {
                return Err(Error::Outside(path.into()));
            }
        }
        Ok(place)
    }

    pub fn exists(&self, path: &str) -> bool {
        self.place(path).is_ok_and(|place| place.is_file())
    }

    /// # Errors
    /// As [`Folder::place`], or when it cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let place = self.place(path)?;
        fs::read(&place).map_err(|source| Error::File { path: place, source })
    }

    /// Writes a file in one step.
    ///
    /// # Errors
    /// As [`Folder::place`], or when it cannot be written.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), Error> {
        let place = self.place(path)?;
        let failed = |source| Error::File { path: place.clone(), source };
        let parent = place.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(failed)?;
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(parent).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(failed)?;
        }
        file.persist(&place).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// # Errors
    /// As [`Folder::place`], or when it is there and cannot be removed.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        let place = self.place(path)?;
        match fs::remove_file(&place) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::File { path: place, source })
            }
            _ => Ok(()),
        }
    }

    /// Keeps a copy of a file before it is overwritten.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub fn back_up(&self, path: &str) -> Result<String, Error> {
        let content = self.read(path)?;
        let kept = format!("{HIDDEN}/backup/{}-{}", &hash(&content)[..12], path.replace('/', "__"));
        self.write(&kept, &content)?;
        Ok(kept)
    }

    /// The Markdown files in order, without conflict files and hidden ones. Links are left out.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn markdown_files(&self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        let mut folders = vec![(self.root.clone(), String::new())];
        while let Some((place, prefix)) = folders.pop() {
            let failed = |source| Error::File { path: place.clone(), source };
            for entry in fs::read_dir(&place).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let kind = entry.file_type().map_err(failed)?;
                if name.starts_with('.') || name.ends_with(".conflict.md") {
                    continue;
                }
                if kind.is_dir() {
                    folders.push((entry.path(), format!("{prefix}{name}/")));
                } else if kind.is_file()
                    && name.ends_with(".md")
                    && !(prefix.is_empty() && name == "README.md")
                {
                    found.push(format!("{prefix}{name}"));
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

pub fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A title as a piece of a file name: ASCII, short, safe on every file system.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for character in title.chars() {
        match character {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter.to_ascii_lowercase()),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
        if slug.len() >= 60 {
            break;
        }
    }
    match slug.trim_matches('-') {
        "" => "article".to_owned(),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_title_leads_anywhere() {
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("Ünïcode & Emoji 🎉!"), "n-code-emoji");
        assert_eq!(slug("🎉"), "article");
        assert!(slug(&"x".repeat(300)).len() <= 60);
    }

    #[test]
    #[cfg(unix)]
    fn links_are_not_followed() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x.md"), inside.path().join("y.md")).unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        for path in ["link/a.md", "y.md", "../a.md", "/etc/a.md"] {
            assert!(matches!(folder.write(path, b"x"), Err(Error::Outside(_))), "{path}");
        }
        assert!(folder.markdown_files().unwrap().is_empty());
        assert!(matches!(Folder::open(inside.path()), Err(Error::Busy(_))));
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}

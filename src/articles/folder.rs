//! The one folder that is written to.
//!
//! Every path comes through here: relative, made of plain names, with no symbolic link on its way. Files
//! appear whole or not at all.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::error::Error;

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

    /// Whether a path is made of plain names alone, whatever is there.
    pub fn is_inside(relative: &str) -> bool {
        let mut parts = Path::new(relative).components().peekable();
        parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
    }

    /// The place of a file inside the folder.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a path that could lead out of the folder.
    pub fn path(&self, relative: &str) -> Result<PathBuf, Error> {
        if !Folder::is_inside(relative) {
            return Err(Error::Unusable(format!("{relative:?} leads out of {}", self.root.display())));
        }
        let mut path = self.root.clone();
        for name in Path::new(relative) {
            path.push(name);
            if path.symlink_metadata().is_ok_and(|it| it.file_type().is_symlink()) {
                return Err(Error::Unusable(format!(
                    "{} is a symbolic link and is left alone",
                    path.display()
                )));
            }
        }
        Ok(path)
    }

    /// The content of a file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(relative)?;
        match std::fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(path, error)),
        }
    }

    /// Whether there is anything under this path.
    pub fn has(&self, relative: &str) -> bool {
        self.root.join(relative).symlink_metadata().is_ok()
    }

    /// Puts a file in place in one step, with the folders above it.
    ///
    /// # Errors
    /// When that fails; the old file is then still there.
    pub fn write(&self, relative: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(relative)?;
        let parent = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, error))?;
        let failed = |error| Error::file(&path, error);
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(parent).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        allow_reading(file.as_file(), &path).map_err(failed)?;
        file.persist(&path).map(drop).map_err(|error| Error::file(&path, error.error))
    }

    /// Takes a file away, if it is there.
    ///
    /// # Errors
    /// When it is there and stays.
    pub fn remove(&self, relative: &str) -> Result<(), Error> {
        let path = self.path(relative)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, error)),
            _ => Ok(()),
        }
    }

    /// Every Markdown file, as relative paths with `/`, sorted; hidden folders, links and conflict files are
    /// passed over.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn markdown_files(&self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        let mut waiting = vec![String::new()];
        while let Some(folder) = waiting.pop() {
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
                    waiting.push(relative);
                } else if kind.is_file() && relative.ends_with(".md") && !relative.ends_with(".conflict.md") {
                    found.push(relative);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Temporary files are private; files of authors are as readable as others, or as they were.
#[cfg(unix)]
fn allow_reading(file: &std::fs::File, old: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = old.metadata().map_or(0o644, |it| it.permissions().mode());
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn allow_reading(_: &std::fs::File, _: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A title as a part of a file name: lower-case ASCII letters, digits and single hyphens.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars() {
        let plain = match letter {
            'ä' | 'Ä' => "ae",
            'ö' | 'Ö' => "oe",
            'ü' | 'Ü' => "ue",
            'ß' => "ss",
            'à'..='å' | 'À'..='Å' => "a",
            'ç' | 'Ç' => "c",
            'è'..='ë' | 'È'..='Ë' => "e",
            'ì'..='ï' | 'Ì'..='Ï' => "i",
            'ñ' | 'Ñ' => "n",
            'ò'..='ø' | 'Ò'..='Ø' => "o",
            'ù'..='û' | 'Ù'..='Û' => "u",
            '\'' | '’' => "",
            _ => {
                match letter.is_ascii_alphanumeric() {
                    true => slug.push(letter.to_ascii_lowercase()),
                    false if slug.ends_with('-') || slug.is_empty() => {}
                    false => slug.push('-'),
                }
                continue;
            }
        };
        slug.push_str(plain);
    }
    slug.truncate(60);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "article".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_safe_everywhere() {
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("Über die Größe – l'été 😀"), "ueber-die-groesse-lete");
        assert_eq!(slug("😀😀"), "article");
        assert_eq!(slug(&"A".repeat(300)).len(), 60);
    }

    #[test]
    fn nothing_leads_out() {
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

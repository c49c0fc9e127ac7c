//! Checks that a path stays below a folder.
//!
//! Symbolic links are resolved first, so that none can lead out. Opens nothing.

use std::path::{Path, PathBuf};

/// Resolves a path relative to an existing folder. A path that does not exist yet is checked by its nearest existing
/// parent.
///
/// # Errors
/// If the path is not below the folder.
pub fn below(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let outside = || format!("{} is not below the allowed folder", path.display());
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    let joined = root.join(path);
    if joined.components().any(|part| part == std::path::Component::ParentDir) {
        return Err(outside());
    }
    let mut existing = joined.as_path();
    let real = loop {
        match existing.canonicalize() {
            Ok(real) => break real,
            // Once its target exists, a dangling link could lead anywhere.
            Err(_) if existing.symlink_metadata().is_ok() => return Err(outside()),
            Err(_) => existing = existing.parent().ok_or_else(outside)?,
        }
    };
    let rest = joined.strip_prefix(existing).map_err(|_| outside())?;
    let real = if rest.as_os_str().is_empty() { real } else { real.join(rest) };
    if real.starts_with(&root) { Ok(real) } else { Err(outside()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_root_are_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let (root, secret) = (folder.path().join("root"), folder.path().join("secret"));
        std::fs::create_dir_all(root.join("in")).unwrap();
        std::fs::write(&secret, "s").unwrap();
        let real = root.canonicalize().unwrap();
        assert_eq!(below(&root, Path::new("in/new.csv")), Ok(real.join("in/new.csv")));
        assert_eq!(below(&root, Path::new("new/deep.csv")), Ok(real.join("new/deep.csv")));
        assert_eq!(below(&root, &real.join("in")), Ok(real.join("in")));
        for path in ["../secret", "in/../../secret", "/etc/passwd", "new/../../secret"] {
            assert!(below(&root, Path::new(path)).is_err(), "{path}");
        }
        assert!(below(&root, &secret).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_cannot_lead_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(folder.path(), root.join("up")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("later"), root.join("dangling")).unwrap();
        for path in ["up/secret", "up", "dangling", "dangling/x"] {
            assert!(below(&root, Path::new(path)).is_err(), "{path}");
        }
    }
}

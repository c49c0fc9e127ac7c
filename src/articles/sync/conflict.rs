//! Conflicts on disk: the `.conflict.md` next to a file, and the markers that git leaves inside one.
//!
//! A conflict file names the version of the help center that it shows. No other version may be resolved with
//! it: a later change of a colleague is a new conflict.

use super::error::Error;
use super::folder::{Folder, sha256};
use crate::articles::article::ArticleContent;
use crate::articles::convert::merge::MergeConflict;
use crate::articles::convert::normalize::strip_volatile;

/// Why a file with conflict markers is rejected.
pub const UNRESOLVED_MERGE: &str = "unresolved merge conflict: keep one version and remove the markers";

/// The path of the conflict file for a file.
pub fn conflict_path(path: &str) -> String {
    format!("{}.conflict.md", path.strip_suffix(".md").unwrap_or(path))
}

/// Writes the conflict file for a file.
pub fn write_conflict(
    folder: &Folder,
    path: &str,
    conflicts: &[MergeConflict],
    theirs: Option<&ArticleContent>,
) -> Result<(), Error> {
    let text = conflict_file(path, conflicts, theirs.unwrap_or(&ArticleContent::default()));
    folder.write(&conflict_path(path), text.as_bytes())
}

/// The content of a `.conflict.md`.
fn conflict_file(path: &str, conflicts: &[MergeConflict], theirs: &ArticleContent) -> String {
    let mut text = format!(
        "# Conflict in {path}\n\nThe following parts were changed both in this file and in the help center. Edit the \
         file to the text that you want, then run `articles resolve`, commit, and push; or pull with `--force` to \
         take the help center's text.\n\nVersion of the help center: {}\n",
        version_hash(theirs)
    );
    for conflict in conflicts {
        for (name, side) in [("base", &conflict.base), ("ours", &conflict.ours), ("theirs", &conflict.theirs)]
        {
            let side = if side.is_empty() { "(none)" } else { side };
            text.push_str(&format!("\n## {name}\n\n{}\n", side.trim_end()));
        }
        text.push_str("\n---\n");
    }
    text
}

/// Whether the conflict file for a file shows this version of the help center.
pub fn shows_version(folder: &Folder, path: &str, theirs: &ArticleContent) -> Result<bool, Error> {
    let conflict = folder.read(&conflict_path(path))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&conflict).contains(&version_hash(theirs)))
}

/// A short hash of a version of a text, without what the server regenerates.
fn version_hash(content: &ArticleContent) -> String {
    let state = content.state.as_deref().unwrap_or_default();
    let author = content.author.as_deref().unwrap_or_default();
    let fields =
        [&content.title, &content.description, state, author, &strip_volatile(&content.body)].join("\0");
    sha256(fields.as_bytes())[..12].to_owned()
}

/// Whether a line is a conflict marker of git or a similar tool.
pub fn is_merge_marker(line: &str) -> bool {
    let line = line.trim_end_matches('\r');
    let marks = |mark: char| {
        let rest = line.trim_start_matches(mark);
        line.len() - rest.len() >= 7 && (rest.is_empty() || rest.starts_with(' '))
    };
    line.trim_end() == "=======" || marks('<') || marks('>') || marks('|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_markers_are_recognized() {
        for line in [
            "<<<<<<< HEAD",
            "=======",
            "=======\r",
            ">>>>>>> branch",
            "||||||| base",
            "|||||||",
            "<<<<<<<<< a",
        ] {
            assert!(is_merge_marker(line), "{line}");
        }
        for line in ["<<<<<<", "========", "======= x", "<<<<<<<a", " <<<<<<< HEAD", "| | | |", "> > a", ""] {
            assert!(!is_merge_marker(line), "{line}");
        }
    }
}

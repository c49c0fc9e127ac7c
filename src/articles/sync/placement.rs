//! The collection of an article, as its files name it in the front matter or by their folder.
//!
//! A collection is never guessed: a name or folder that does not match exactly one is an error.

use super::error::Error;
use super::folder::Folder;
use super::layout::parent;
use super::manifest::{Collection, Manifest};
use super::working_copy::LocalFiles;

/// The collection that the files of an article request, if it differs from the server's.
///
/// # Errors
/// When the collection is unknown, or the languages request different ones.
pub fn requested_parent(
    folder: &Folder,
    manifest: &Manifest,
    id: Option<&str>,
    locals: &LocalFiles,
) -> Result<Option<String>, Error> {
    let mut requested: Option<String> = None;
    for (locale, local) in locals {
        let invalid = |reason: String| Error::content(folder.root().join(&local.path), None, reason);
        let known = id.and_then(|id| manifest.file(id, locale));
        let base = known.and_then(|file| file.collection.as_deref());
        // A new language that names the article's current collection does not move the article.
        let article_parent =
            id.and_then(|id| manifest.articles.get(id)).and_then(|record| record.parent_id.as_deref());
        let current = known.map_or(article_parent, |file| file.parent_id.as_deref());
        let stated = local.front.collection.as_deref().filter(|collection| Some(*collection) != base);
        let moved = manifest.tree && known.is_none_or(|file| parent(&file.path) != parent(&local.path));
        let by_folder =
            || manifest.collections.iter().find(|collection| collection.folder == parent(&local.path));
        let target = match stated {
            Some("") => {
                let reason = "empty collection: the API cannot remove an article from its collection";
                return Err(invalid(reason.into()));
            }
            Some(stated) => {
                let is_match =
                    |collection: &&Collection| collection.id == stated || collection.path == stated;
                let mut matches = manifest.collections.iter().filter(is_match);
                let found =
                    matches.next().ok_or_else(|| invalid(format!("collection {stated:?} not found")))?;
                if matches.next().is_some() {
                    return Err(invalid(format!("several collections are called {stated:?}: use the id")));
                }
                Some(found.id.clone())
            }
            None if moved && !parent(&local.path).is_empty() => {
                let found = by_folder().ok_or_else(|| {
                    invalid(format!(
                        "folder {} does not belong to a collection: create the collection in the help center and \
                         pull, or add `collection: ...` to the file",
                        parent(&local.path)
                    ))
                })?;
                Some(found.id.clone())
            }
            None => None,
        };
        let Some(target) = target.filter(|id| current != Some(id.as_str())) else {
            continue;
        };
        if requested.as_ref().is_some_and(|other| *other != target) {
            let reason = "the languages of the article name different collections: use the same one in each";
            return Err(invalid(reason.into()));
        }
        requested = Some(target);
    }
    Ok(requested)
}

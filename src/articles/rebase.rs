//! Rebases the author's edits of one language of an article on the server's current version.
//!
//! Fields are merged one by one, the text block by block. A field or block that both sides changed
//! differently is a conflict. It is reported, and never resolved unless the author asked for that for this
//! article.

use std::collections::BTreeMap;

use super::address_map::AddressMap;
use super::article::{Article, ArticleContent, Edit};
use super::blocks::{Document, EditedDocument};
use super::error::Error;
use super::folder::Folder;
use super::manifest::{Collection, FileRecord, Manifest};
use super::merge::{BlockChange, MergeConflict, MergeResult, Prefer, merge};
use super::resolve::version_hash;
use super::working_copy::{self, LocalFile};

#[derive(Debug, Default)]
pub struct Rebase {
    /// Changes to send to the server.
    pub edit: Edit,
    /// The collection to move the article to.
    pub parent_id: Option<String>,
    pub changes: Vec<BlockChange>,
    pub conflicts: Vec<MergeConflict>,
}

/// # Errors
/// When the language was deleted on the server.
pub fn rebase(
    folder: &Folder,
    manifest: &Manifest,
    id: &str,
    locale: &str,
    local: &LocalFile,
    article: &Article,
    prefer: Prefer,
) -> Result<Rebase, Error> {
    let addresses = manifest.address_map(&local.path);
    let theirs = article.content(locale);
    let known = manifest.file(id, locale);
    let empty = ArticleContent::default();
    if theirs.is_none() && known.is_some() {
        let reason = format!(
            "the help center no longer has {locale} of this article; remove this file, or add the language there"
        );
        return Err(Error::content(folder.root().join(&local.path), None, reason));
    }
    let theirs = theirs.unwrap_or(&empty);
    // After an interrupted pull, there may be HTML for a file that the manifest does not list yet.
    let base = working_copy::base_html(folder, manifest, id, locale, Some(article));
    let text = EditedDocument::read(
        &local.body,
        &Document::read(base.as_deref().unwrap_or_default(), &addresses),
        &addresses,
    );
    let addresses = addresses.with_outgoing_links(folder, manifest, Some(id), locale, local, &text);
    let mut rebased = Rebase::default();
    rebase_fields(&mut rebased, known, local, theirs, prefer);
    let merged = rebase_body(base.as_deref(), local, theirs, &addresses, prefer);
    if merged.html != theirs.body {
        rebased.edit.body = Some(merged.html);
    }
    rebased.changes.extend(merged.changes);
    rebased.conflicts.extend(merged.conflicts);
    Ok(rebased)
}

fn rebase_body(
    base: Option<&str>,
    local: &LocalFile,
    theirs: &ArticleContent,
    addresses: &AddressMap,
    prefer: Prefer,
) -> MergeResult {
    let old = Document::read(base.unwrap_or_default(), addresses);
    let text = EditedDocument::read(&local.body, &old, addresses);
    let current = Document::read(&theirs.body, addresses);
    if base.is_none() && !current.blocks.is_empty() && prefer == Prefer::Neither {
        let same = is_equivalent(local, &current, addresses);
        let conflict =
            MergeConflict { base: String::new(), ours: local.body.clone(), theirs: current.markdown() };
        let conflicts = if same { Vec::new() } else { vec![conflict] };
        return MergeResult { html: theirs.body.clone(), conflicts, changes: Vec::new() };
    }
    merge(&old, &text, &current, addresses, prefer)
}

/// Whether an author's text means the same as the server's, however it is formatted.
pub fn is_equivalent(local: &LocalFile, document: &Document, addresses: &AddressMap) -> bool {
    let text = EditedDocument::read(&local.body, document, addresses);
    merge(document, &text, document, addresses, Prefer::Neither).html == document.html
}

fn rebase_fields(
    rebased: &mut Rebase,
    known: Option<&FileRecord>,
    local: &LocalFile,
    theirs: &ArticleContent,
    prefer: Prefer,
) {
    let text = |field: fn(&FileRecord) -> &str| known.map(field).unwrap_or_default();
    let optional = |field: fn(&FileRecord) -> &Option<String>| {
        known.and_then(|file| field(file).as_deref()).unwrap_or_default()
    };
    let front = &local.front;
    type Sides<'a> = (&'a str, &'a str, &'a Option<String>, &'a str, &'a mut Option<String>);
    let sides: [Sides<'_>; 4] = [
        ("title", text(|file| &file.title), &front.title, &theirs.title, &mut rebased.edit.title),
        (
            "description",
            text(|file| &file.description),
            &front.description,
            &theirs.description,
            &mut rebased.edit.description,
        ),
        (
            "state",
            optional(|file| &file.state),
            &front.state,
            theirs.state.as_deref().unwrap_or_default(),
            &mut rebased.edit.state,
        ),
        (
            "author",
            optional(|file| &file.author),
            &front.author,
            theirs.author.as_deref().unwrap_or_default(),
            &mut rebased.edit.author,
        ),
    ];
    for (name, base, ours, theirs, edit) in sides {
        match rebase_field(base, ours.as_deref(), theirs, prefer) {
            Ok(Some(ours)) => {
                rebased.changes.push(BlockChange {
                    before: format!("{name}: {theirs}"),
                    after: format!("{name}: {ours}"),
                });
                *edit = Some(ours);
            }
            Ok(None) => {}
            Err(()) => rebased.conflicts.push(MergeConflict {
                base: format!("{name}: {base}"),
                ours: format!("{name}: {}", ours.as_deref().unwrap_or_default()),
                theirs: format!("{name}: {theirs}"),
            }),
        }
    }
}

/// The value to send, if any; an error if both sides changed it.
fn rebase_field(base: &str, ours: Option<&str>, theirs: &str, prefer: Prefer) -> Result<Option<String>, ()> {
    match ours {
        None => Ok(None),
        Some(ours) if ours == base || ours == theirs => Ok(None),
        Some(ours) if theirs == base || prefer == Prefer::Ours => Ok(Some(ours.to_owned())),
        Some(_) => Err(()),
    }
}

/// The collection that the files of an article request, if it differs from the server's.
///
/// # Errors
/// When the collection is unknown, or the languages request different ones.
pub fn requested_parent(
    folder: &Folder,
    manifest: &Manifest,
    id: Option<&str>,
    locals: &BTreeMap<String, LocalFile>,
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

pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The content of a `.conflict.md`.
pub fn conflict_file(local: &LocalFile, conflicts: &[MergeConflict], theirs: &ArticleContent) -> String {
    let mut text = format!(
        "# Conflict in {}\n\nThe following parts were changed both in this file and in the help center. Edit the \
         file to the text that you want, then run `articles resolve`, commit, and push; or pull with `--force` to \
         take the help center's text.\n\nVersion of the help center: {}\n",
        local.path,
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

pub fn conflict_path(path: &str) -> String {
    format!("{}.conflict.md", path.strip_suffix(".md").unwrap_or(path))
}

//! Rebases the author's edits of one language of an article on the server's current version.
//!
//! Fields are merged one by one, the text block by block. A field or block that both sides changed
//! differently is a conflict. It is reported, and never resolved unless the author asked for that for this
//! article.

use super::decide::{Decision, SideState, decide};
use super::error::Error;
use super::folder::Folder;
use super::manifest::{FileRecord, Manifest};
use super::outgoing::{OutgoingText, is_equivalent};
use super::placement::requested_parent;
use super::version::{ArticleVersion, base_html};
use super::working_copy::{LocalFile, LocalFiles};
use crate::articles::article::{Article, ArticleContent, Edit};
use crate::articles::convert::blocks::{Document, EditedDocument};
use crate::articles::convert::merge::{BlockChange, MergeConflict, MergeResult, Prefer, merge};

#[derive(Debug, Default)]
pub struct Rebase {
    /// Changes to send to the server.
    pub edit: Edit,
    pub changes: Vec<BlockChange>,
    pub conflicts: Vec<MergeConflict>,
}

/// Rebases a file on an article. A language that the article does not have is empty.
pub fn rebase(
    folder: &Folder,
    manifest: &Manifest,
    article: &Article,
    locale: &str,
    local: &LocalFile,
    prefer: Prefer,
) -> Rebase {
    let empty = ArticleContent::default();
    let theirs = article.content(locale).unwrap_or(&empty);
    let mut rebased = Rebase::default();
    rebase_fields(&mut rebased, manifest.file(&article.id, locale), local, theirs, prefer);
    // After an interrupted pull, there may be HTML for a file that the manifest does not list yet.
    let base = base_html(folder, manifest, &article.id, locale, Some(article));
    let html = base.as_deref().unwrap_or_default();
    let ours = OutgoingText::read(folder, manifest, Some(&article.id), locale, local, html);
    let merged = rebase_body(base.is_some(), &ours, local, theirs, prefer);
    if merged.html != theirs.body {
        rebased.edit.body = Some(merged.html);
    }
    rebased.changes.extend(merged.changes);
    rebased.conflicts.extend(merged.conflicts);
    rebased
}

fn rebase_body(
    has_base: bool,
    ours: &OutgoingText,
    local: &LocalFile,
    theirs: &ArticleContent,
    prefer: Prefer,
) -> MergeResult {
    let current = Document::read(&theirs.body, &ours.addresses);
    if !has_base && !current.blocks.is_empty() && prefer == Prefer::Neither {
        let text = EditedDocument::read(&local.body, &current, &ours.addresses);
        let is_same = is_equivalent(&text, &current, &ours.addresses);
        let conflict =
            MergeConflict { base: String::new(), ours: local.body.clone(), theirs: current.markdown() };
        let conflicts = if is_same { Vec::new() } else { vec![conflict] };
        return MergeResult { html: theirs.body.clone(), conflicts, changes: Vec::new() };
    }
    merge(&ours.base, &ours.text, &current, &ours.addresses, prefer)
}

fn optional(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

fn rebase_fields(
    rebased: &mut Rebase,
    known: Option<&FileRecord>,
    local: &LocalFile,
    theirs: &ArticleContent,
    prefer: Prefer,
) {
    let unknown = FileRecord::default();
    let known = known.unwrap_or(&unknown);
    let (front, edit) = (&local.front, &mut rebased.edit);
    let sides = [
        ("title", known.title.as_str(), &front.title, theirs.title.as_str(), &mut edit.title),
        ("description", &known.description, &front.description, &theirs.description, &mut edit.description),
        ("state", optional(&known.state), &front.state, optional(&theirs.state), &mut edit.state),
        ("author", optional(&known.author), &front.author, optional(&theirs.author), &mut edit.author),
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
    let Some(ours) = ours.filter(|ours| *ours != theirs) else { return Ok(None) };
    match decide(true, SideState::of(ours, base), SideState::of(theirs, base)) {
        Decision::TakeOurs => Ok(Some(ours.to_owned())),
        Decision::Merge if prefer == Prefer::Ours => Ok(Some(ours.to_owned())),
        Decision::Merge => Err(()),
        _ => Ok(None),
    }
}

impl Rebase {
    /// The file with the author's edits on the server's version.
    ///
    /// # Errors
    /// When the file names an invalid collection.
    pub fn file(
        self,
        folder: &Folder,
        manifest: &Manifest,
        theirs: ArticleVersion<'_>,
        local: &LocalFile,
    ) -> Result<String, Error> {
        let (edit, current) = (self.edit, theirs.content.clone());
        let content = ArticleContent {
            title: edit.title.unwrap_or(current.title),
            description: edit.description.unwrap_or(current.description),
            state: edit.state.or(current.state),
            author: edit.author.or(current.author),
            body: edit.body.unwrap_or(current.body),
            ..current
        };
        let locals = LocalFiles::from([(theirs.locale.to_owned(), local.clone())]);
        let requested = requested_parent(folder, manifest, Some(theirs.id), &locals)?;
        let parent_id = requested.as_deref().or(theirs.parent_id);
        let merged = ArticleVersion { content: &content, parent_id, ..theirs };
        let file = merged.file(manifest, &local.path);
        Ok(if local.crlf { file.replace('\n', "\r\n") } else { file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_sent_if_only_the_file_changed_it() {
        let send = |value: &str| Ok(Some(value.to_owned()));
        for (ours, theirs, expected, forced) in [
            (None, "b", Ok(None), Ok(None)),
            (Some("a"), "a", Ok(None), Ok(None)),
            (Some("a"), "b", Ok(None), Ok(None)),
            (Some("b"), "a", send("b"), send("b")),
            (Some("b"), "b", Ok(None), Ok(None)),
            (Some("b"), "c", Err(()), send("b")),
            (Some(""), "a", send(""), send("")),
        ] {
            assert_eq!(rebase_field("a", ours, theirs, Prefer::Neither), expected, "{ours:?} {theirs}");
            assert_eq!(rebase_field("a", ours, theirs, Prefer::Ours), forced, "{ours:?} {theirs}");
        }
    }
}

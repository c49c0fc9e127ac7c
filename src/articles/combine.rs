//! One language of one article: the author's changes, on top of what the server has now.
//!
//! Fields merge one by one, the text block by block. What both sides changed in different ways is a
//! conflict; it is told, and decided only where the author said so for this article.

use std::collections::BTreeMap;

use super::article::{Content, Edit};
use super::document::{Document, Text};
use super::error::Error;
use super::folder::Folder;
use super::images::Images;
use super::local::Local;
use super::manifest::{self, KnownFile, Manifest};
use super::merge::{Change, Conflict, Merge, Prefer, merge};

#[derive(Debug, Default)]
pub struct Combined {
    /// What to change of the server's content.
    pub edit: Edit,
    /// The collection to move the article to.
    pub parent_id: Option<String>,
    pub changes: Vec<Change>,
    pub conflicts: Vec<Conflict>,
}

/// # Errors
/// When the file cannot be used, or what it was made from is missing.
pub fn combine(
    folder: &Folder,
    manifest: &Manifest,
    id: &str,
    locale: &str,
    local: &Local,
    theirs: Option<&Content>,
    prefer: Prefer,
) -> Result<Combined, Error> {
    let images = manifest.images(&local.path);
    let known = manifest.file(id, locale);
    let nothing = Content::default();
    if theirs.is_none() && known.is_some() {
        let reason = format!("{locale}: the server has this language no more");
        return Err(Error::content(folder.root().join(&local.path), None, reason));
    }
    let theirs = theirs.unwrap_or(&nothing);
    // An interrupted pull leaves the HTML of a file that the manifest does not know yet.
    let base = match (known, manifest::read_html(folder, id, locale)) {
        (None, base) => base.ok(),
        (Some(_), base) => Some(base?),
    };
    let mut combined = Combined::default();
    fields(&mut combined, known, local, theirs, prefer);
    let merged = body(base.as_deref(), local, theirs, &images, prefer);
    if merged.html != theirs.body {
        if let Some(path) = missing_image(&merged.html) {
            let reason = format!("{path} is a file: the API takes no images, only addresses of images");
            return Err(Error::content(folder.root().join(&local.path), None, reason));
        }
        combined.edit.body = Some(merged.html);
    }
    combined.changes.extend(merged.changes);
    combined.conflicts.extend(merged.conflicts);
    Ok(combined)
}

fn body(base: Option<&str>, local: &Local, theirs: &Content, images: &Images, prefer: Prefer) -> Merge {
    let old = Document::read(base.unwrap_or_default(), images);
    let text = Text::read(&local.body, &old, images);
    let now = Document::read(&theirs.body, images);
    if base.is_none() && !now.blocks.is_empty() && prefer == Prefer::Neither {
        let same = says(local, &now, images);
        let conflict = Conflict { base: String::new(), ours: local.body.clone(), theirs: now.markdown() };
        let conflicts = if same { Vec::new() } else { vec![conflict] };
        return Merge { html: theirs.body.clone(), conflicts, changes: Vec::new() };
    }
    merge(&old, &text, &now, images, prefer)
}

/// Whether an author's text, however it is written, says what the server has.
pub fn says(local: &Local, document: &Document, images: &Images) -> bool {
    let text = Text::read(&local.body, document, images);
    merge(document, &text, document, images, Prefer::Neither).html == document.html
}

/// An image that is a file in the folder, but none that the server has.
fn missing_image(html: &str) -> Option<String> {
    let sources = html.match_indices("<img src=\"").map(|(at, start)| &html[at + start.len()..]);
    let mut sources = sources.filter_map(|it| it.split('"').next());
    sources
        .find(|it| it.starts_with("images/") || it.starts_with("../") || it.starts_with("./"))
        .map(str::to_owned)
}

fn fields(
    combined: &mut Combined,
    known: Option<&KnownFile>,
    local: &Local,
    theirs: &Content,
    prefer: Prefer,
) {
    let text = |field: fn(&KnownFile) -> &str| known.map(field).unwrap_or_default();
    let optional = |field: fn(&KnownFile) -> &Option<String>| {
        known.and_then(|it| field(it).as_deref()).unwrap_or_default()
    };
    let front = &local.front;
    type Sides<'a> = (&'a str, &'a str, &'a Option<String>, &'a str, &'a mut Option<String>);
    let sides: [Sides<'_>; 4] = [
        ("title", text(|it| &it.title), &front.title, &theirs.title, &mut combined.edit.title),
        (
            "description",
            text(|it| &it.description),
            &front.description,
            &theirs.description,
            &mut combined.edit.description,
        ),
        (
            "state",
            optional(|it| &it.state),
            &front.state,
            theirs.state.as_deref().unwrap_or_default(),
            &mut combined.edit.state,
        ),
        (
            "author",
            optional(|it| &it.author),
            &front.author,
            theirs.author.as_deref().unwrap_or_default(),
            &mut combined.edit.author,
        ),
    ];
    for (name, base, ours, theirs, edit) in sides {
        match side(base, ours.as_deref(), theirs, prefer) {
            Ok(Some(ours)) => {
                combined
                    .changes
                    .push(Change { before: format!("{name}: {theirs}"), after: format!("{name}: {ours}") });
                *edit = Some(ours);
            }
            Ok(None) => {}
            Err(()) => combined.conflicts.push(Conflict {
                base: format!("{name}: {base}"),
                ours: format!("{name}: {}", ours.as_deref().unwrap_or_default()),
                theirs: format!("{name}: {theirs}"),
            }),
        }
    }
}

/// The value to send, if any; an error where both sides changed it.
fn side(base: &str, ours: Option<&str>, theirs: &str, prefer: Prefer) -> Result<Option<String>, ()> {
    match ours {
        None => Ok(None),
        Some(ours) if ours == base || ours == theirs => Ok(None),
        Some(ours) if theirs == base || prefer == Prefer::Ours => Ok(Some(ours.to_owned())),
        Some(_) => Err(()),
    }
}

/// The collection that the files of an article ask for, when it is another than the server's.
///
/// # Errors
/// When it is unknown, or the files ask for several.
pub fn wanted_parent(
    folder: &Folder,
    manifest: &Manifest,
    id: Option<&str>,
    locals: &BTreeMap<String, Local>,
) -> Result<Option<String>, Error> {
    let mut wanted: Option<String> = None;
    for (locale, local) in locals {
        let wrong = |reason: String| Error::content(folder.root().join(&local.path), None, reason);
        let known = id.and_then(|id| manifest.file(id, locale));
        let base = known.and_then(|it| it.collection.as_deref());
        // A new language of a known article says nothing new by naming its collection.
        let of_article = id.and_then(|id| manifest.articles.get(id)).and_then(|it| it.parent_id.as_deref());
        let was = known.map_or(of_article, |it| it.parent_id.as_deref());
        let said = local.front.collection.as_deref().filter(|it| Some(*it) != base);
        let moved = manifest.tree && known.is_none_or(|it| parent(&it.path) != parent(&local.path));
        let by_folder = || manifest.collections.iter().find(|it| it.folder == parent(&local.path));
        let target = match said {
            Some("") => {
                return Err(wrong("collection: the API cannot take an article out of its collection".into()));
            }
            Some(said) => {
                let mut named = manifest.collections.iter().filter(|it| it.id == said || it.path == said);
                let found = named
                    .next()
                    .ok_or_else(|| wrong(format!("collection: there is no collection {said:?}")))?;
                if named.next().is_some() {
                    return Err(wrong(format!("collection: several are called {said:?}; write the id")));
                }
                Some(found.id.clone())
            }
            None if moved => by_folder().map(|it| it.id.clone()),
            None => None,
        };
        let Some(target) = target.filter(|it| was != Some(it.as_str())) else {
            continue;
        };
        if wanted.as_ref().is_some_and(|other| *other != target) {
            return Err(wrong("collection: the languages of the article ask for different ones".into()));
        }
        wanted = Some(target);
    }
    Ok(wanted)
}

pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The text of a `.conflict.md`.
pub fn conflict_file(local: &Local, conflicts: &[Conflict]) -> String {
    let mut text = format!(
        "# Conflict in {}\n\nBoth this file and the help center changed what follows. Change the file to what is right, \
         then push with `--force ID`; or pull with `--force` to take the help center's text.\n",
        local.path
    );
    for conflict in conflicts {
        for (name, side) in [("base", &conflict.base), ("ours", &conflict.ours), ("theirs", &conflict.theirs)]
        {
            let side = if side.is_empty() { "(not there)" } else { side };
            text.push_str(&format!("\n## {name}\n\n{}\n", side.trim_end()));
        }
        text.push_str("\n---\n");
    }
    text
}

pub fn conflict_path(path: &str) -> String {
    format!("{}.conflict.md", path.strip_suffix(".md").unwrap_or(path))
}

//! `articles resolve`: marks conflicts as resolved in favour of the local file.
//!
//! The help center's version becomes the base of the file, so that the next push, from this clone or another,
//! sends the file. This must only happen for the version that the `.conflict.md` shows: a later change of a
//! colleague is a new conflict.

use std::collections::BTreeMap;

use super::article::{Article, ArticleContent};
use super::blocks::Document;
use super::error::Error;
use super::folder::Folder;
use super::lock::Lock;
use super::manifest::{self, Manifest, sha256};
use super::normalize::strip_volatile;
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::rebase::conflict_path;
use super::remote;
use super::selection::{ArticleSelection, SelectionMatches};
use super::working_copy::{self, FrontMatterSource, LocalFile};
use crate::api::client::Client;

/// A short hash of a version of a text, without what the server regenerates.
pub fn version_hash(content: &ArticleContent) -> String {
    let state = content.state.as_deref().unwrap_or_default();
    let author = content.author.as_deref().unwrap_or_default();
    let fields =
        [&content.title, &content.description, state, author, &strip_volatile(&content.body)].join("\0");
    sha256(fields.as_bytes())[..12].to_owned()
}

/// Resolves the conflicts of these articles and reports on each.
///
/// # Errors
/// When the folder or the API cannot be used at all.
pub async fn resolve(
    client: &Client,
    folder: &Folder,
    selection: &ArticleSelection,
    report: &mut dyn FnMut(ArticleOutcome),
) -> Result<(), Error> {
    let missing = || Error::NoManifest { path: folder.root().to_owned() };
    Manifest::read(folder)?.ok_or_else(missing)?;
    let _lock = Lock::take(folder)?;
    let mut manifest = Manifest::read(folder)?.ok_or_else(missing)?;
    let owner = remote::owner(client).await?;
    manifest.bind_workspace(folder, owner.workspace.as_deref())?;
    let working_copy = working_copy::scan(folder, &manifest)?;
    manifest.update_paths(&working_copy.paths);
    let mut matches = SelectionMatches::default();
    for (id, mut locals) in working_copy.changed {
        locals.retain(|_, local| folder.has(&conflict_path(&local.path)));
        let paths: Vec<&str> = locals.values().map(|local| local.path.as_str()).collect();
        if locals.is_empty() || !selection.has_article(&id, &paths) {
            continue;
        }
        matches.record(selection, &id, &paths, []);
        let path = paths.first().map(|path| (*path).to_owned());
        let outcome = article(client, folder, &mut manifest, &id, &locals).await;
        report(outcome.unwrap_or_else(|error| ArticleOutcome::failed(error, Some(&id), path.as_deref())));
    }
    for outcome in matches.missing(selection) {
        let reason = format!("no conflict found for {:?}", outcome.id.as_deref().unwrap_or_default());
        report(ArticleOutcome { error: Some(Error::Unusable(reason)), ..outcome });
    }
    Ok(())
}

async fn article(
    client: &Client,
    folder: &Folder,
    manifest: &mut Manifest,
    id: &str,
    locals: &BTreeMap<String, LocalFile>,
) -> Result<ArticleOutcome, Error> {
    let fresh = remote::article(client, id).await?;
    let mut outcome = ArticleOutcome::new(
        ArticleStatus::Resolved,
        Some(id),
        None,
        locals.values().next().map(|local| local.path.as_str()),
    );
    for (locale, local) in locals {
        if !shows_current_version(folder, local, &fresh, locale)? {
            let reason = "the help center changed again: pull, correct the file, and resolve again";
            outcome.status = ArticleStatus::Conflict;
            outcome.error = Some(Error::content(folder.root().join(&local.path), None, reason));
            return Ok(outcome);
        }
    }
    for (locale, local) in locals {
        let Some(content) = fresh.content(locale) else { continue };
        let source = FrontMatterSource { content, parent_id: fresh.parent_id.as_deref(), tags: &fresh.tags };
        let document = Document::read(&content.body, &manifest.address_map(&local.path));
        let file = working_copy::render_file(manifest, id, locale, &source, &document);
        manifest::save_html(folder, id, locale, &content.body)?;
        manifest.record_file(&fresh, locale, &local.path, &file);
    }
    manifest.record_article(&fresh);
    manifest.save(folder)?;
    // Remove the conflict files last, so that an interrupted run can be repeated.
    for local in locals.values() {
        folder.remove(&conflict_path(&local.path))?;
    }
    Ok(outcome)
}

/// Whether the conflict file shows the help center's current version.
fn shows_current_version(
    folder: &Folder,
    local: &LocalFile,
    fresh: &Article,
    locale: &str,
) -> Result<bool, Error> {
    let Some(content) = fresh.content(locale) else { return Ok(false) };
    let conflict = folder.read(&conflict_path(&local.path))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&conflict).contains(&version_hash(content)))
}

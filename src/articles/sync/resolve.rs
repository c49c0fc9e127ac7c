//! `articles resolve`: marks conflicts as resolved in favour of the local file.
//!
//! The help center's version becomes the base of the file, so that the next push, from this clone or another,
//! sends the file. This must only happen for the version that the `.conflict.md` shows: a later change of a
//! colleague is a new conflict.

use super::conflict::{conflict_path, shows_version};
use super::error::Error;
use super::folder::Folder;
use super::lock::Lock;
use super::manifest::{self, Manifest};
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::remote;
use super::selection::{ArticleSelection, SelectionMatches};
use super::version::ArticleVersion;
use super::working_copy::{self, LocalFiles, paths};
use crate::api::client::Client;

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
    Manifest::require(folder)?;
    let _lock = Lock::take(folder)?;
    let mut manifest = Manifest::require(folder)?;
    let owner = remote::owner(client).await?;
    manifest.bind_workspace(folder, owner.workspace.as_deref())?;
    let working_copy = working_copy::scan(folder, &mut manifest)?;
    let mut matches = SelectionMatches::default();
    for (id, mut locals) in working_copy.changed {
        locals.retain(|_, local| folder.has(&conflict_path(&local.path)));
        let paths = paths(&locals);
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
    locals: &LocalFiles,
) -> Result<ArticleOutcome, Error> {
    let fresh = remote::article(client, id).await?;
    let mut outcome = ArticleOutcome::new(
        ArticleStatus::Resolved,
        Some(id),
        None,
        locals.values().next().map(|local| local.path.as_str()),
    );
    for (locale, local) in locals {
        let is_shown = match fresh.content(locale) {
            Some(content) => shows_version(folder, &local.path, content)?,
            None => false,
        };
        if !is_shown {
            let reason = "the help center changed again: pull, correct the file, and resolve again";
            outcome.status = ArticleStatus::Conflict;
            outcome.error = Some(Error::content(folder.root().join(&local.path), None, reason));
            return Ok(outcome);
        }
    }
    for (locale, local) in locals {
        let Some(version) = ArticleVersion::of(&fresh, locale) else { continue };
        let file = version.file(manifest, &local.path);
        manifest::save_html(folder, id, locale, &version.content.body)?;
        manifest.insert_file(id, locale, version.file_record(manifest, &local.path, &file));
    }
    manifest.record_article(&fresh);
    manifest.save(folder)?;
    // Remove the conflict files last, so that an interrupted run can be repeated.
    for local in locals.values() {
        folder.remove(&conflict_path(&local.path))?;
    }
    Ok(outcome)
}

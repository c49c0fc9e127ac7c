//! `articles status`: what changed in the folder, in the help center, or in both.
//!
//! Uses the plan of a push for the folder's side, so that both commands agree. Writes nothing.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::article::Article;
use super::error::Error;
use super::folder::Folder;
use super::manifest::Manifest;
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::selection::ArticleSelection;
use super::{pull, push, remote};
use crate::api::client::Client;

/// Reports every article that changed on either side since it was last pulled or pushed.
///
/// # Errors
/// The same as [`push::push`].
pub async fn status(
    client: &Client,
    folder: &Folder,
    selection: &ArticleSelection,
    report: &mut dyn FnMut(ArticleOutcome),
) -> Result<(), Error> {
    let options =
        push::PushOptions { selection: selection.clone(), plan_only: true, ..push::PushOptions::default() };
    let mut matches = push::push_selected(client, folder, &options, &mut |outcome| {
        let status = match outcome.status {
            ArticleStatus::WouldUpdate => ArticleStatus::Modified,
            ArticleStatus::WouldCreate => ArticleStatus::New,
            ArticleStatus::Unchanged => return,
            other => other,
        };
        report(ArticleOutcome { status, ..outcome });
    })
    .await?;
    let Some(manifest) = Manifest::read(folder)? else { return Ok(()) };
    let mut pages = std::pin::pin!(remote::pages(client)?);
    let mut seen = BTreeSet::new();
    while let Some(page) = pages.next().await {
        for article in page?.into_iter().filter_map(Article::read) {
            if seen.insert(article.id.clone()) {
                matches.record(selection, &article.id, &[], article.contents.keys());
                report_remote_change(folder, &manifest, selection, &article, report)?;
            }
        }
    }
    for id in manifest.articles.keys().filter(|id| !seen.contains(*id) && selection.has_article(id, &[])) {
        if matches!(remote::article(client, id).await, Err(Error::Api(error)) if error.is_gone()) {
            report(ArticleOutcome::new(ArticleStatus::DeletedUpstream, Some(id), None, None));
        }
    }
    matches.missing(selection).into_iter().for_each(report);
    Ok(())
}

fn report_remote_change(
    folder: &Folder,
    manifest: &Manifest,
    selection: &ArticleSelection,
    article: &Article,
    report: &mut dyn FnMut(ArticleOutcome),
) -> Result<(), Error> {
    let known = manifest.articles.get(&article.id).cloned().unwrap_or_default();
    for locale in article.contents.keys().filter(|locale| selection.has_locale(locale)) {
        let entry = known.files.get(locale);
        let path = entry.map(|file| file.path.as_str());
        let is_same = match entry {
            Some(entry) => pull::is_same(folder, manifest, article, locale, entry)?,
            None => false,
        };
        if !is_same && selection.has_article(&article.id, &path.into_iter().collect::<Vec<_>>()) {
            report(ArticleOutcome::new(ArticleStatus::RemoteChanged, Some(&article.id), Some(locale), path));
        }
    }
    Ok(())
}

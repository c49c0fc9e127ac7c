//! `articles status`: what changed in the folder, in the help center, or in both.
//!
//! Uses the plan of a push for the folder's side, so that both commands agree. Writes nothing.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::decide::{Decision, SideState, decide};
use super::error::Error;
use super::folder::Folder;
use super::manifest::Manifest;
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::selection::ArticleSelection;
use super::version::theirs_state;
use super::{push, remote};
use crate::api::client::Client;
use crate::articles::article::Article;

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
                report_remote_change(folder, &manifest, selection, &article, report);
            }
        }
    }
    for id in manifest.articles.keys().filter(|id| !seen.contains(*id) && selection.has_article(id, &[])) {
        if let Ok(None) = remote::find_article(client, id).await {
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
) {
    let known = manifest.articles.get(&article.id).cloned().unwrap_or_default();
    for locale in article.contents.keys().filter(|locale| selection.has_locale(locale)) {
        let record = known.files.get(locale);
        // The plan of the push has reported what changed in the folder.
        let ours = if record.is_some() { SideState::Unchanged } else { SideState::Absent };
        let path = record.map(|file| file.path.as_str());
        let decision = decide(record.is_some(), ours, theirs_state(folder, manifest, article, locale));
        let is_news = matches!(decision, Decision::TakeTheirs | Decision::CreateFile);
        if is_news && selection.has_article(&article.id, &path.into_iter().collect::<Vec<_>>()) {
            report(ArticleOutcome::new(ArticleStatus::RemoteChanged, Some(&article.id), Some(locale), path));
        }
    }
}

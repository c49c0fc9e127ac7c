//! `articles push`: sends the folder's changes to the help center.
//!
//! Articles are pushed one at a time, each in four steps: read the server's current version, rebase the
//! author's changes on it, send one update, and record the server's response. If the process is killed
//! between two steps, each article is in its old or its new state, and the next push detects which. An
//! article with a conflict in any of its languages must not be sent at all.

mod create;
mod deletions;
mod session;
mod update;

use std::collections::BTreeSet;

use self::create::create;
use self::deletions::DeletedFiles;
pub use self::session::PushOptions;
use self::session::PushSession;
use super::error::Error;
use super::folder::Folder;
use super::lock::Lock;
use super::manifest::Manifest;
use super::order::creation_order;
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::relink::relink_renamed;
use super::remote;
use super::selection::SelectionMatches;
use super::working_copy::{self, LocalFiles, paths};
use crate::api::client::Client;

/// Pushes what changed in the folder and reports the outcome of each article.
///
/// # Errors
/// When the folder or the API cannot be used at all. The failure of a single article is reported as its
/// outcome.
pub async fn push(
    client: &Client,
    folder: &Folder,
    options: &PushOptions,
    report: &mut dyn FnMut(ArticleOutcome),
) -> Result<(), Error> {
    let matches = push_selected(client, folder, options, report).await?;
    matches.missing(&options.selection).into_iter().for_each(report);
    Ok(())
}

/// Like [`push`], but leaves it to the caller to report selected articles that do not exist.
pub(super) async fn push_selected(
    client: &Client,
    folder: &Folder,
    options: &PushOptions,
    report: &mut dyn FnMut(ArticleOutcome),
) -> Result<SelectionMatches, Error> {
    let mut manifest = Manifest::require(folder)?;
    let _lock = if options.plan_only { None } else { Some(Lock::take(folder)?) };
    if !options.plan_only {
        // The previous holder of the lock may have written it since.
        manifest = Manifest::require(folder)?;
    }
    let owner = remote::owner(client).await?;
    manifest.bind_workspace(folder, owner.workspace.as_deref())?;
    let working_copy = working_copy::scan(folder, &mut manifest)?;
    let matches = working_copy.matches(&options.selection, &manifest);
    for id in options.force.iter().filter(|id| !manifest.articles.contains_key(*id)) {
        let reason = format!("--force: article {id} not found in this folder");
        report(ArticleOutcome::not_found(Some(id), None, reason));
    }
    let deletions = DeletedFiles::of(&manifest, &working_copy);
    let new = creation_order(&manifest, working_copy.new);
    let mut session = PushSession {
        client,
        folder,
        options,
        owner,
        manifest,
        files: folder.markdown_files()?.into_iter().collect(),
        upcoming: BTreeSet::new(),
        title_matches: None,
        claimed: BTreeSet::new(),
        titles: titles(&new),
        renamed: Vec::new(),
    };
    session.report_unusable(working_copy.problems, working_copy.skipped, report);
    // New articles first, because edited ones may link to them.
    for locals in new {
        let paths = paths(&locals);
        if !options.selection.has_article("", &paths) {
            continue;
        }
        let path = paths.first().copied();
        if options.no_create {
            let reason = "new file, skipped because of --no-create".to_owned();
            let outcome = ArticleOutcome::new(ArticleStatus::Skipped, None, None, path);
            report(ArticleOutcome { note: Some(reason), ..outcome });
            continue;
        }
        let outcome = create(&mut session, &locals)
            .await
            .unwrap_or_else(|error| ArticleOutcome::failed(error, None, path));
        if !matches!(outcome.status, ArticleStatus::Failed | ArticleStatus::Conflict) {
            session.upcoming.extend(locals.values().map(|local| local.path.clone()));
        }
        report(outcome);
    }
    for (id, mut locals) in working_copy.changed {
        locals.retain(|locale, _| options.selection.has_locale(locale));
        let paths = paths(&locals);
        if locals.is_empty() || !options.selection.has_article(&id, &paths) {
            continue;
        }
        let path = paths.first().map(|path| (*path).to_owned());
        report(
            session
                .push_article(&id, &locals)
                .await
                .unwrap_or_else(|error| ArticleOutcome::failed(error, Some(&id), path.as_deref())),
        );
    }
    relink_renamed(folder, &mut session.manifest, &session.renamed)?;
    session.apply_deletions(&deletions, report).await;
    Ok(matches)
}

fn titles(new: &[LocalFiles]) -> BTreeSet<String> {
    let titles = new.iter().flat_map(LocalFiles::values).filter_map(|local| local.front.title.as_deref());
    titles.map(|title| title.trim().to_owned()).collect()
}

impl PushSession<'_> {
    /// Reports files that cannot be read, and files that are not articles.
    fn report_unusable(
        &self,
        problems: Vec<(String, Error)>,
        skipped: Vec<(String, Error)>,
        report: &mut dyn FnMut(ArticleOutcome),
    ) {
        for (status, files) in [(ArticleStatus::Failed, problems), (ArticleStatus::Skipped, skipped)] {
            for (path, error) in files {
                let id = self.manifest.article_of(&path);
                if self.options.selection.has_article(id.unwrap_or_default(), &[&path]) {
                    let outcome = ArticleOutcome::new(status, id, None, Some(&path));
                    report(ArticleOutcome { error: Some(error), ..outcome });
                }
            }
        }
    }
}

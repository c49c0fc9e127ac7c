//! `articles pull`: writes the help center into the folder.
//!
//! A file is written only when the server's text changed in a way that an author can see. Local edits are
//! never overwritten: they are merged, or kept and reported. Files are written before the HTML they were made
//! from, and the manifest last, so that the next pull can continue from any point at which one was killed.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::conflict::write_conflict;
use super::decide::{Decision, SideState, decide};
use super::error::Error;
use super::folder::{Folder, sha256};
use super::layout::{collection_path, new_path, stem};
use super::lock::Lock;
use super::manifest::{self, ArticleRecord, Manifest};
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::rebase::rebase;
use super::relink::relink_pulled;
use super::selection::{ArticleSelection, SelectionMatches};
use super::version::{ArticleVersion, theirs_state};
use super::working_copy::{self, LocalFile, WorkingCopy};
use super::{download, remote};
use crate::api::client::Client;
use crate::articles::article::Article;
use crate::articles::convert::merge::Prefer;

#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    pub selection: ArticleSelection,
    /// Write collections as folders; `None` keeps the folder's current layout.
    pub tree: Option<bool>,
    /// Remove files of articles that were deleted on the server.
    pub prune: bool,
    /// Overwrite local edits, after saving a copy of them.
    pub force: bool,
    /// Download images into the folder.
    pub download_images: bool,
}

/// Pulls all selected articles and reports the outcome of each file.
///
/// # Errors
/// When the folder or the API cannot be used at all. The failure of a single article is reported as its
/// outcome.
pub async fn pull(
    client: &Client,
    folder: &Folder,
    options: &PullOptions,
    report: &mut dyn FnMut(ArticleOutcome),
) -> Result<(), Error> {
    // Create a new folder only after the token has proved to work.
    let existing_lock = if Manifest::exists(folder) { Some(Lock::take(folder)?) } else { None };
    let owner = remote::owner(client).await?;
    let _lock = existing_lock.map_or_else(|| Lock::take(folder), Ok)?;
    let mut manifest = Manifest::read(folder)?.unwrap_or_else(Manifest::new);
    manifest.bind_workspace(folder, owner.workspace.as_deref())?;
    let working_copy = working_copy::scan(folder, &mut manifest)?;
    match remote::collections(client).await {
        Ok(collections) => manifest.collections = collections,
        // A token without permission for collections can still pull articles; collections are then shown by
        // id.
        Err(Error::Api(error)) if matches!(error.status(), Some(403 | 404)) => {}
        Err(error) => return Err(error),
    }
    let layout_changed = options.tree.is_some_and(|tree| tree != manifest.tree);
    manifest.tree = options.tree.unwrap_or(manifest.tree);
    let mut session = PullSession {
        folder,
        options,
        manifest,
        working_copy,
        layout_changed,
        matches: SelectionMatches::default(),
        to_relink: BTreeSet::new(),
        moved: false,
    };
    let mut seen = BTreeSet::new();
    // The list can skip an article while it changes during pagination; a second pass finds it.
    for _ in 0..2 {
        let before = seen.len();
        session.pull_listed(client, &mut seen, report).await?;
        if seen.len() == before || session.manifest.articles.keys().all(|id| seen.contains(id)) {
            break;
        }
    }
    session.check_unlisted(client, &seen, report).await?;
    let (moved, to_relink) = (session.moved, session.to_relink);
    relink_pulled(folder, &mut session.manifest, |id, locale| {
        moved || to_relink.contains(&(id.to_owned(), locale.to_owned()))
    })?;
    session.manifest.save(folder)?;
    session.matches.missing(&options.selection).into_iter().for_each(report);
    Ok(())
}

struct PullSession<'a> {
    folder: &'a Folder,
    options: &'a PullOptions,
    manifest: Manifest,
    working_copy: WorkingCopy,
    /// `--tree` or `--flat` changed the layout, so that files move to other folders.
    layout_changed: bool,
    matches: SelectionMatches,
    /// Id and locale of written files that may link to articles which were pulled later.
    to_relink: BTreeSet<(String, String)>,
    /// Whether any file was moved.
    moved: bool,
}

impl PullSession<'_> {
    async fn pull_listed(
        &mut self,
        client: &Client,
        seen: &mut BTreeSet<String>,
        report: &mut dyn FnMut(ArticleOutcome),
    ) -> Result<(), Error> {
        let mut pages = std::pin::pin!(remote::pages(client)?);
        while let Some(page) = pages.next().await {
            for document in page? {
                let Some(article) = Article::read(document) else {
                    let error = Error::Unusable("skipped an article without a valid id".into());
                    report(ArticleOutcome::failed(error, None, None));
                    continue;
                };
                if seen.insert(article.id.clone()) {
                    self.pull_article(client, &article, report).await;
                }
            }
            self.manifest.save(self.folder)?;
        }
        Ok(())
    }

    async fn pull_article(
        &mut self,
        client: &Client,
        article: &Article,
        report: &mut dyn FnMut(ArticleOutcome),
    ) {
        let known = self.manifest.articles.get(&article.id).cloned().unwrap_or_default();
        let mut paths: Vec<&str> = known.files.values().map(|file| file.path.as_str()).collect();
        let name = format!("{}.md", stem(article));
        paths.push(&name);
        self.matches.record(&self.options.selection, &article.id, &paths, article.contents.keys());
        if !self.options.selection.has_article(&article.id, &paths) {
            return;
        }
        if self.manifest.default_locale.is_empty() {
            self.manifest.default_locale.clone_from(&article.default_locale);
        }
        if self.options.download_images {
            let bodies = article.contents.values().map(|content| content.body.as_str());
            if let Err(error) =
                download::download_images(client, self.folder, &mut self.manifest, bodies).await
            {
                report(ArticleOutcome::failed(error, Some(&article.id), None));
            }
        }
        self.manifest.record_urls(article);
        let mut complete = true;
        for locale in article.contents.keys().filter(|locale| self.options.selection.has_locale(locale)) {
            let outcome = self.pull_file(article, locale, &known).unwrap_or_else(|error| {
                let path = known.files.get(locale).map(|file| file.path.as_str());
                ArticleOutcome {
                    locale: Some(locale.clone()),
                    ..ArticleOutcome::failed(error, Some(&article.id), path)
                }
            });
            complete &= !matches!(outcome.status, ArticleStatus::Conflict | ArticleStatus::Failed);
            report(outcome);
        }
        if complete {
            self.manifest.record_article(article);
        }
    }

    /// Pulls one language of an article.
    fn pull_file(
        &mut self,
        article: &Article,
        locale: &str,
        known: &ArticleRecord,
    ) -> Result<ArticleOutcome, Error> {
        let id = &article.id;
        let adopted = self.adopt(id, locale);
        let record = known.files.get(locale);
        let path = match (&adopted, self.working_copy.paths.get(&(id.clone(), locale.to_owned())), record) {
            (Some(local), ..) => local.path.clone(),
            (None, Some(current), _) => current.clone(),
            (None, None, Some(record)) => record.path.clone(),
            (None, None, None) => new_path(&self.manifest, known, article, locale),
        };
        let outcome =
            |status, path: &str| Ok(ArticleOutcome::new(status, Some(id), Some(locale), Some(path)));
        let Some(version) = ArticleVersion::of(article, locale) else {
            return outcome(ArticleStatus::Unchanged, &path);
        };
        let invalid = self.working_copy.problems.iter().position(|(problem, _)| *problem == path);
        let ours = if adopted.is_some() { SideState::Changed } else { self.working_copy.state(id, locale) };
        let is_occupied = record.is_none() && self.folder.has(&path);
        if self.options.force && (invalid.is_some() || ours == SideState::Changed || is_occupied) {
            self.back_up(&path)?;
            self.write(version, &path)?;
            return outcome(ArticleStatus::Updated, &path);
        }
        if let Some(at) = invalid {
            return Err(self.working_copy.problems.remove(at).1);
        }
        let theirs = theirs_state(self.folder, &self.manifest, article, locale);
        let decision = decide(record.is_some(), ours, theirs);
        match decision {
            Decision::Nothing | Decision::TakeTheirs => {
                let is_same = decision == Decision::Nothing;
                let is_elsewhere = record.is_some_and(|file| file.parent_id != article.parent_id);
                let target = if self.layout_changed || self.manifest.tree && is_elsewhere {
                    collection_path(self.folder, &self.manifest, article, &path)
                } else {
                    path.clone()
                };
                if is_same && target == path {
                    let restored = version.restore_html(self.folder)?;
                    let status = if restored { ArticleStatus::Restored } else { ArticleStatus::Unchanged };
                    return outcome(status, &path);
                }
                self.write(version, &target)?;
                if target != path {
                    self.folder.remove(&path)?;
                    self.moved = true;
                }
                outcome(if is_same { ArticleStatus::Moved } else { ArticleStatus::Updated }, &target)
            }
            Decision::CreateFile if is_occupied => Err(Error::content(
                self.folder.root().join(&path),
                None,
                "a file that no pull wrote already has this name; move it, or pull with --force",
            )),
            Decision::CreateFile => {
                self.write(version, &path)?;
                outcome(ArticleStatus::Created, &path)
            }
            Decision::DeleteArticle { .. } => {
                self.write(version, &path)?;
                outcome(ArticleStatus::Restored, &path)
            }
            Decision::Merge => match adopted.as_ref().or_else(|| self.working_copy.edited(id, locale)) {
                Some(local) => self.merge(version, article, &local.clone(), adopted.is_some()),
                None => outcome(ArticleStatus::Kept, &path),
            },
            Decision::TakeOurs | Decision::CreateArticle | Decision::DeleteFile { .. } | Decision::Forget => {
                version.restore_html(self.folder)?;
                outcome(ArticleStatus::Kept, &path)
            }
        }
    }

    /// A file that the manifest does not list, because a pull was interrupted or the manifest was lost. It is
    /// taken over like an edited one.
    fn adopt(&mut self, id: &str, locale: &str) -> Option<LocalFile> {
        let local = self.working_copy.unknown.remove(&(id.to_owned(), locale.to_owned()))?;
        if self.options.force {
            return None;
        }
        self.working_copy.problems.retain(|(path, _)| *path != local.path);
        Some(local)
    }

    /// Writes the server's version of one language.
    fn write(&mut self, version: ArticleVersion<'_>, path: &str) -> Result<(), Error> {
        version.write(self.folder, &mut self.manifest, path)?;
        if version.content.body.contains("/articles/") {
            self.to_relink.insert((version.id.to_owned(), version.locale.to_owned()));
        }
        Ok(())
    }

    /// Both sides changed: rebases the author's edits on the server's version, or reports a conflict.
    fn merge(
        &mut self,
        version: ArticleVersion<'_>,
        article: &Article,
        local: &LocalFile,
        is_adopted: bool,
    ) -> Result<ArticleOutcome, Error> {
        let (locale, path) = (version.locale, local.path.as_str());
        let rebased = rebase(self.folder, &self.manifest, article, locale, local, Prefer::Neither);
        let mut outcome =
            ArticleOutcome::new(ArticleStatus::Merged, Some(version.id), Some(locale), Some(path));
        if !rebased.conflicts.is_empty() {
            write_conflict(self.folder, path, &rebased.conflicts, Some(version.content))?;
            let conflicts = rebased.conflicts.into_iter().map(|conflict| (locale.to_owned(), conflict));
            outcome.conflicts = conflicts.collect();
            outcome.status = ArticleStatus::Conflict;
            return Ok(outcome);
        }
        if is_adopted && rebased.changes.is_empty() {
            outcome.status = ArticleStatus::Created;
        }
        outcome.changes = rebased.changes.iter().map(|change| (locale.to_owned(), change.clone())).collect();
        let canonical = version.file(&self.manifest, path);
        let merged = rebased.file(self.folder, &self.manifest, version, local)?;
        self.folder.write(path, merged.as_bytes())?;
        version.record(self.folder, &mut self.manifest, path, &canonical)?;
        Ok(outcome)
    }

    fn back_up(&self, path: &str) -> Result<(), Error> {
        if let Some(content) = self.folder.read(path)? {
            let hash = &sha256(&content)[..8];
            let name = path.replace('/', "__");
            self.folder.write(&format!(".intercom/backup/{name}.{hash}"), &content)?;
        }
        Ok(())
    }

    /// Checks known articles that the list did not contain. Only a "not found" from the server counts as
    /// deleted.
    async fn check_unlisted(
        &mut self,
        client: &Client,
        seen: &BTreeSet<String>,
        report: &mut dyn FnMut(ArticleOutcome),
    ) -> Result<(), Error> {
        let unlisted: Vec<String> =
            self.manifest.articles.keys().filter(|id| !seen.contains(*id)).cloned().collect();
        for id in unlisted {
            let files =
                self.manifest.articles.get(&id).map(|record| record.files.clone()).unwrap_or_default();
            let paths: Vec<&str> = files.values().map(|file| file.path.as_str()).collect();
            self.matches.record(&self.options.selection, &id, &paths, files.keys());
            if !self.options.selection.has_article(&id, &paths) {
                continue;
            }
            match remote::find_article(client, &id).await {
                Ok(Some(article)) => self.pull_article(client, &article, report).await,
                Ok(None) => self.prune(&id, report)?,
                Err(error) => report(ArticleOutcome::failed(error, Some(&id), None)),
            }
        }
        Ok(())
    }

    fn prune(&mut self, id: &str, report: &mut dyn FnMut(ArticleOutcome)) -> Result<(), Error> {
        let files = self.manifest.articles.get(id).map(|record| record.files.clone()).unwrap_or_default();
        for (locale, file) in &files {
            let path =
                self.working_copy.paths.get(&(id.to_owned(), locale.clone())).unwrap_or(&file.path).clone();
            let mut status = ArticleStatus::DeletedUpstream;
            if self.options.prune {
                let decision = decide(true, self.working_copy.state(id, locale), SideState::Absent);
                if decision == (Decision::DeleteFile { is_edited: true }) {
                    self.back_up(&path)?;
                }
                self.folder.remove(&path)?;
                self.folder.remove(&manifest::html_path(id, locale))?;
                status = ArticleStatus::Deleted;
            }
            report(ArticleOutcome::new(status, Some(id), Some(locale), Some(&path)));
        }
        if self.options.prune {
            self.manifest.articles.remove(id);
        }
        Ok(())
    }
}

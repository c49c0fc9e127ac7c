//! `articles push`: sends the folder's changes to the help center.
//!
//! Articles are pushed one at a time, each in four steps: read the server's current version, rebase the
//! author's changes on it, send one update, and record the server's response. If the process is killed
//! between two steps, each article is in its old or its new state, and the next push detects which. An
//! article with a conflict in any of its languages must not be sent at all.

mod session;

use std::collections::{BTreeMap, BTreeSet};

use super::article::{Article, Edit};
use super::create::{check_languages, create};
use super::deletions::DeletedFiles;
use super::error::Error;
use super::folder::Folder;
use super::lock::Lock;
use super::manifest::Manifest;
use super::merge::{MergeConflict, Prefer};
use super::order::creation_order;
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::rebase::{conflict_file, conflict_path, rebase, requested_parent};
use super::remote;
use super::selection::{ArticleSelection, SelectionMatches};
use super::working_copy::{self, LocalFile, WorkingCopy};
use crate::api::client::Client;
pub use session::PushOptions;
pub(super) use session::PushSession;

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
    let missing = || Error::NoManifest { path: folder.root().to_owned() };
    let mut manifest = Manifest::read(folder)?.ok_or_else(missing)?;
    let _lock = if options.plan_only { None } else { Some(Lock::take(folder)?) };
    if !options.plan_only {
        // The previous holder of the lock may have written it since.
        manifest = Manifest::read(folder)?.ok_or_else(missing)?;
    }
    let owner = remote::owner(client).await?;
    manifest.bind_workspace(folder, owner.workspace.as_deref())?;
    let working_copy = working_copy::scan(folder, &manifest)?;
    manifest.update_paths(&working_copy.paths);
    let matches = selection_matches(&options.selection, &manifest, &working_copy);
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
        let paths: Vec<&str> = locals.values().map(|local| local.path.as_str()).collect();
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
        let paths: Vec<&str> = locals.values().map(|local| local.path.as_str()).collect();
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
    session.update_renamed_links()?;
    session.apply_deletions(&deletions, report).await;
    Ok(matches)
}

fn titles(new: &[BTreeMap<String, LocalFile>]) -> BTreeSet<String> {
    let titles = new.iter().flat_map(BTreeMap::values).filter_map(|local| local.front.title.as_deref());
    titles.map(|title| title.trim().to_owned()).collect()
}

/// The parts of the selection that exist in the folder.
pub(super) fn selection_matches(
    selection: &ArticleSelection,
    manifest: &Manifest,
    working_copy: &WorkingCopy,
) -> SelectionMatches {
    let mut matches = SelectionMatches::default();
    for (id, known) in &manifest.articles {
        let on_disk =
            working_copy.paths.range((id.clone(), String::new())..).take_while(|((of, _), _)| of == id);
        let paths = known.files.values().map(|file| &file.path).chain(on_disk.clone().map(|(_, path)| path));
        let paths: Vec<&str> = paths.map(String::as_str).collect();
        matches.record(
            selection,
            id,
            &paths,
            known.files.keys().chain(on_disk.map(|((_, locale), _)| locale)),
        );
    }
    for locals in &working_copy.new {
        let paths: Vec<&str> = locals.values().map(|local| local.path.as_str()).collect();
        matches.record(selection, "", &paths, locals.keys());
    }
    for (path, _) in working_copy.problems.iter().chain(&working_copy.skipped) {
        matches.record(selection, "", &[path], []);
    }
    matches
}

impl PushSession<'_> {
    /// Reports files that cannot be read, and files that are not articles.
    fn report_unusable(
        &self,
        problems: Vec<(String, Error)>,
        skipped: Vec<(String, Error)>,
        report: &mut dyn FnMut(ArticleOutcome),
    ) {
        let with_status = |status| move |(path, error): (String, Error)| (status, path, error);
        let problems = problems.into_iter().map(with_status(ArticleStatus::Failed));
        for (status, path, error) in
            problems.chain(skipped.into_iter().map(with_status(ArticleStatus::Skipped)))
        {
            let owner = self
                .manifest
                .articles
                .iter()
                .find(|(_, record)| record.files.values().any(|file| file.path == path));
            let id = owner.map(|(id, _)| id.as_str());
            if self.options.selection.has_article(id.unwrap_or_default(), &[&path]) {
                report(ArticleOutcome {
                    error: Some(error),
                    ..ArticleOutcome::new(status, id, None, Some(&path))
                });
            }
        }
    }

    /// Pushes the changed files of one article.
    pub(super) async fn push_article(
        &mut self,
        id: &str,
        locals: &BTreeMap<String, LocalFile>,
    ) -> Result<ArticleOutcome, Error> {
        let fresh = match remote::article(self.client, id).await {
            Err(Error::Api(error)) if error.is_gone() => {
                let reason = "was deleted in the help center; `articles pull --prune` removes its files";
                return Err(Error::Unusable(format!("article {id} {reason}")));
            }
            fresh => fresh?,
        };
        let first = locals.values().next().map(|local| local.path.as_str());
        let findings = self.findings(Some(id), Some(&fresh), locals);
        if findings.iter().any(|finding| finding.blocks_push) {
            return Ok(ArticleOutcome::blocked(findings, Some(id), first));
        }
        let forced = self.options.force.iter().any(|forced| forced == id);
        let prefer = if forced { Prefer::Ours } else { Prefer::Neither };
        let mut outcome =
            ArticleOutcome { findings, ..ArticleOutcome::new(ArticleStatus::Updated, Some(id), None, first) };
        let mut edits: BTreeMap<String, Edit> = BTreeMap::new();
        for (locale, local) in locals {
            let local = self.with_author_id(local).await?;
            let rebased = rebase(self.folder, &self.manifest, id, locale, &local, &fresh, prefer)?;
            outcome
                .conflicts
                .extend(rebased.conflicts.into_iter().map(|conflict| (locale.clone(), conflict)));
            outcome.changes.extend(rebased.changes.into_iter().map(|change| (locale.clone(), change)));
            let edit = rebased.edit;
            outcome.fields.extend(edit.fields().iter().map(|field| format!("{locale}.{field}")));
            if !edit.is_empty() {
                edits.insert(locale.clone(), edit);
            }
        }
        let parent_id = self.new_parent(id, &fresh, locals, prefer, &mut outcome)?;
        if !outcome.conflicts.is_empty() {
            outcome.status = ArticleStatus::Conflict;
            self.write_conflicts(&fresh, locals, &outcome)?;
            return Ok(outcome);
        }
        if edits.is_empty() && parent_id.is_none() {
            outcome.status = ArticleStatus::Unchanged;
            if !self.options.plan_only {
                self.record(&fresh, locals)?;
            }
            return Ok(outcome);
        }
        if self.options.plan_only {
            outcome.status = ArticleStatus::WouldUpdate;
            return Ok(outcome);
        }
        let body = fresh.update(&edits, parent_id.as_deref());
        let updated = remote::update(self.client, &fresh, &body).await?;
        self.record(&updated, locals)?;
        check_languages(&updated, locals)?;
        Ok(outcome)
    }

    /// Replaces the author's name or e-mail address by an id, the only form that the API accepts.
    async fn with_author_id(&self, local: &LocalFile) -> Result<LocalFile, Error> {
        let mut local = local.clone();
        if let Some(author) = local.front.author.as_ref().filter(|author| !author.is_empty()) {
            local.front.author = Some(remote::admin(self.client, author).await?.to_string());
        }
        Ok(local)
    }

    /// Writes a `.conflict.md` next to each file that has conflicts.
    fn write_conflicts(
        &self,
        fresh: &Article,
        locals: &BTreeMap<String, LocalFile>,
        outcome: &ArticleOutcome,
    ) -> Result<(), Error> {
        for (locale, local) in locals.iter().filter(|_| !self.options.plan_only) {
            let conflicts =
                outcome.conflicts.iter().filter(|(of, _)| of == locale).map(|(_, conflict)| conflict.clone());
            let conflicts: Vec<MergeConflict> = conflicts.collect();
            if !conflicts.is_empty() {
                let text =
                    conflict_file(local, &conflicts, &fresh.content(locale).cloned().unwrap_or_default());
                self.folder.write(&conflict_path(&local.path), text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// The collection to move the article to; a conflict if the server moved it as well.
    fn new_parent(
        &self,
        id: &str,
        fresh: &Article,
        locals: &BTreeMap<String, LocalFile>,
        prefer: Prefer,
        outcome: &mut ArticleOutcome,
    ) -> Result<Option<String>, Error> {
        let Some(requested) = requested_parent(self.folder, &self.manifest, Some(id), locals)? else {
            return Ok(None);
        };
        let known = locals.keys().find_map(|locale| self.manifest.file(id, locale));
        let base = known.and_then(|file| file.parent_id.clone());
        if fresh.parent_id.as_ref() == Some(&requested) {
            return Ok(None);
        }
        if fresh.parent_id != base && prefer == Prefer::Neither {
            let describe = |id: Option<&str>| {
                format!("collection: {}", self.manifest.collection_path(id).unwrap_or_default())
            };
            let conflict = MergeConflict {
                base: describe(base.as_deref()),
                ours: describe(Some(&requested)),
                theirs: describe(fresh.parent_id.as_deref()),
            };
            let locale = locals.keys().next().unwrap_or(&fresh.default_locale);
            outcome.conflicts.push((locale.clone(), conflict));
            return Ok(None);
        }
        outcome.fields.push("collection".to_owned());
        Ok(Some(requested))
    }
}

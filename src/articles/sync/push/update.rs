//! Sends the changes of one article: reads the server's version, rebases the edits on it, and updates it.
//!
//! An article with a conflict in any of its languages must not be sent at all.

use std::collections::BTreeMap;

use super::session::PushSession;
use crate::articles::article::{Article, Edit};
use crate::articles::convert::merge::{MergeConflict, Prefer};
use crate::articles::sync::conflict::write_conflict;
use crate::articles::sync::decide::{Decision, SideState, decide};
use crate::articles::sync::error::Error;
use crate::articles::sync::outcome::{ArticleOutcome, ArticleStatus};
use crate::articles::sync::placement::requested_parent;
use crate::articles::sync::rebase::rebase;
use crate::articles::sync::remote;
use crate::articles::sync::version::theirs_state;
use crate::articles::sync::working_copy::{LocalFile, LocalFiles};

impl PushSession<'_> {
    /// Pushes the changed files of one article.
    pub async fn push_article(&mut self, id: &str, locals: &LocalFiles) -> Result<ArticleOutcome, Error> {
        let Some(fresh) = remote::find_article(self.client, id).await? else {
            let reason = "was deleted in the help center; `articles pull --prune` removes its files";
            return Err(Error::Unusable(format!("article {id} {reason}")));
        };
        let first = locals.values().next().map(|local| local.path.as_str());
        let findings = self.findings(Some(id), Some(&fresh), locals);
        if findings.iter().any(|finding| finding.blocks_push) {
            return Ok(ArticleOutcome::blocked(findings, Some(id), first));
        }
        let prefer = if self.is_forced(id) { Prefer::Ours } else { Prefer::Neither };
        let mut outcome =
            ArticleOutcome { findings, ..ArticleOutcome::new(ArticleStatus::Updated, Some(id), None, first) };
        let mut edits: BTreeMap<String, Edit> = BTreeMap::new();
        for (locale, local) in locals {
            let local = self.with_author_id(local).await?;
            let theirs = theirs_state(self.folder, &self.manifest, &fresh, locale);
            let is_recorded = self.manifest.file(id, locale).is_some();
            if let Decision::DeleteFile { .. } = decide(is_recorded, SideState::Changed, theirs) {
                let reason = format!(
                    "the help center no longer has {locale} of this article; remove this file, or add the \
                     language there"
                );
                return Err(Error::content(self.folder.root().join(&local.path), None, reason));
            }
            let rebased = rebase(self.folder, &self.manifest, &fresh, locale, &local, prefer);
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
        if prefer == Prefer::Neither && fresh.has_draft(edits.keys()) {
            let reason = format!(
                "article {id} has a draft in the help center that an update could replace: publish or discard it \
                 there, or use --force {id}"
            );
            outcome.status = ArticleStatus::Conflict;
            outcome.error =
                Some(Error::content(self.folder.root().join(first.unwrap_or_default()), None, reason));
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

    /// Replaces the author's name or email address by an id, the only form that the API accepts.
    async fn with_author_id(&self, local: &LocalFile) -> Result<LocalFile, Error> {
        let mut local = local.clone();
        if let Some(author) = local.front.author.as_ref().filter(|author| !author.is_empty()) {
            local.front.author = Some(remote::admin(self.client, author).await?.to_string());
        }
        Ok(local)
    }

    /// Writes a conflict file next to each file that has conflicts.
    fn write_conflicts(
        &self,
        fresh: &Article,
        locals: &LocalFiles,
        outcome: &ArticleOutcome,
    ) -> Result<(), Error> {
        for (locale, local) in locals.iter().filter(|_| !self.options.plan_only) {
            let conflicts = outcome.conflicts.iter().filter(|(of, _)| of == locale);
            let conflicts: Vec<MergeConflict> = conflicts.map(|(_, conflict)| conflict.clone()).collect();
            if !conflicts.is_empty() {
                write_conflict(self.folder, &local.path, &conflicts, fresh.content(locale))?;
            }
        }
        Ok(())
    }

    /// The collection to move the article to; a conflict if the server moved it as well.
    fn new_parent(
        &self,
        id: &str,
        fresh: &Article,
        locals: &LocalFiles,
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

/// Checks that the server stored every language that was sent.
///
/// # Errors
/// Names the languages that it dropped.
pub fn check_languages(article: &Article, locals: &LocalFiles) -> Result<(), Error> {
    let dropped: Vec<&str> =
        locals.keys().map(String::as_str).filter(|locale| article.content(locale).is_none()).collect();
    if dropped.is_empty() {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "article {}: the help center did not store {}; enable the language in its settings",
        article.id,
        dropped.join(", ")
    )))
}

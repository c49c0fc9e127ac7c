//! Finds articles whose files were deleted from the folder, and deletes them from the help center on request.
//!
//! The list is made before a push changes anything, so that articles that the push itself creates are never
//! on it. Nothing is deleted without `--delete`, nor while an unreadable file might belong to one of these
//! articles. The API cannot delete a single language, so a missing language file is only reported.

use super::session::PushSession;
use crate::articles::sync::decide::{Decision, SideState, decide};
use crate::articles::sync::error::Error;
use crate::articles::sync::manifest::{self, Manifest};
use crate::articles::sync::outcome::{ArticleOutcome, ArticleStatus};
use crate::articles::sync::remote;
use crate::articles::sync::working_copy::WorkingCopy;

#[derive(Debug, Default)]
pub struct DeletedFiles {
    /// Articles without any file.
    articles: Vec<String>,
    /// Id, locale and path of missing files whose article still has other files.
    languages: Vec<(String, String, String)>,
    /// An unreadable file that cannot be assigned to an article.
    unidentified: Option<String>,
}

impl DeletedFiles {
    pub fn of(manifest: &Manifest, working_copy: &WorkingCopy) -> Self {
        let exists = |id: &String, locale: &String| working_copy.state(id, locale) != SideState::Absent;
        let deleted = manifest.articles.iter().filter(|(id, known)| {
            !known.files.is_empty() && !known.files.keys().any(|locale| exists(id, locale))
        });
        let is_known = |path: &String| working_copy.paths.values().any(|known| known == path);
        let unidentified = working_copy.problems.iter().map(|(path, _)| path).find(|path| !is_known(path));
        let partial = manifest
            .articles
            .iter()
            .filter(|(id, known)| known.files.keys().any(|locale| exists(id, locale)));
        let languages = partial.flat_map(|(id, known)| {
            let missing = known.files.iter().filter(|(locale, _)| !exists(id, locale));
            missing.map(|(locale, file)| (id.clone(), locale.clone(), file.path.clone()))
        });
        DeletedFiles {
            languages: languages.collect(),
            articles: deleted.map(|(id, _)| id.clone()).collect(),
            unidentified: unidentified.cloned(),
        }
    }
}

impl PushSession<'_> {
    /// Reports articles and languages whose files were deleted; with `--delete`, deletes the articles.
    pub async fn apply_deletions(
        &mut self,
        deletions: &DeletedFiles,
        report: &mut dyn FnMut(ArticleOutcome),
    ) {
        for (id, locale, path) in &deletions.languages {
            if !self.options.selection.has_article(id, &[path]) || !self.options.selection.has_locale(locale)
            {
                continue;
            }
            let reason = format!(
                "the file was deleted, but article {id} still has {locale} in the help center: remove the language \
                 there, or restore the file with `articles pull`"
            );
            let status = if self.options.delete { ArticleStatus::Failed } else { ArticleStatus::Missing };
            let error = Some(Error::content(self.folder.root().join(path), None, reason));
            report(ArticleOutcome {
                error,
                ..ArticleOutcome::new(status, Some(id), Some(locale), Some(path))
            });
        }
        for id in &deletions.articles {
            let known = self.manifest.articles.get(id).cloned().unwrap_or_default();
            let files: Vec<&str> = known.files.values().map(|file| file.path.as_str()).collect();
            if !self.options.selection.has_article(id, &files) {
                continue;
            }
            let path = files.first().copied();
            let outcome = ArticleOutcome::new(ArticleStatus::Missing, Some(id), None, path);
            report(match (self.options.delete, &deletions.unidentified) {
                (false, _) => outcome,
                (true, Some(file)) => {
                    let reason =
                        format!("article {id} was not deleted: {file} cannot be read and may belong to it");
                    ArticleOutcome::failed(Error::Unusable(reason), Some(id), path)
                }
                (true, None) => self
                    .delete(id, outcome)
                    .await
                    .unwrap_or_else(|error| ArticleOutcome::failed(error, Some(id), path)),
            });
        }
    }

    async fn delete(&mut self, id: &str, mut outcome: ArticleOutcome) -> Result<ArticleOutcome, Error> {
        let fresh = remote::find_article(self.client, id).await?;
        let known = self.manifest.articles.get(id).cloned().unwrap_or_default();
        let theirs = fresh
            .as_ref()
            .map_or(SideState::Absent, |article| SideState::of(article.updated_at, known.updated_at));
        let decision = decide(true, SideState::Absent, theirs);
        if decision == (Decision::DeleteArticle { is_changed: true }) && !self.is_forced(id) {
            let reason = format!(
                "article {id} changed in the help center after it was pulled; review it, then use --force {id}"
            );
            outcome.status = ArticleStatus::Conflict;
            outcome.error = Some(Error::Unusable(reason));
            return Ok(outcome);
        }
        if self.options.plan_only {
            outcome.status = ArticleStatus::WouldDelete;
            return Ok(outcome);
        }
        if let Decision::DeleteArticle { .. } = decision {
            remote::delete(self.client, id).await?;
        }
        for locale in known.files.keys() {
            self.folder.remove(&manifest::html_path(id, locale))?;
        }
        self.manifest.articles.remove(id);
        self.manifest.save(self.folder)?;
        outcome.status = ArticleStatus::Deleted;
        Ok(outcome)
    }
}

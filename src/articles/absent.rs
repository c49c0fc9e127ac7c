//! Articles whose files are all gone from the folder.
//!
//! Which those are is settled before a push changes anything, so that what the push itself creates is never
//! among them. Nothing is deleted unless `--delete` says so, and nothing while a file that cannot be read
//! might be the one that seems to be gone.

use super::error::Error;
use super::local::Found;
use super::manifest::{self, Manifest};
use super::outcome::{Outcome, Status};
use super::remote;
use super::run::Run;

#[derive(Debug, Default)]
pub(super) struct Absent {
    ids: Vec<String>,
    /// A file that cannot be read, and that no article is known by.
    doubtful: Option<String>,
}

impl Absent {
    pub fn of(manifest: &Manifest, found: &Found) -> Self {
        let is_here = |id: &String, locale: &String| found.paths.contains_key(&(id.clone(), locale.clone()));
        let absent = manifest.articles.iter().filter(|(id, known)| {
            !known.files.is_empty() && !known.files.keys().any(|locale| is_here(id, locale))
        });
        let is_known = |path: &String| found.paths.values().any(|it| it == path);
        let doubtful = found.problems.iter().map(|(path, _)| path).find(|path| !is_known(path));
        Absent { ids: absent.map(|(id, _)| id.clone()).collect(), doubtful: doubtful.cloned() }
    }
}

impl Run<'_> {
    /// Tells about articles that are absent, and deletes them where that was asked for.
    pub(super) async fn absent(&mut self, absent: &Absent, tell: &mut dyn FnMut(Outcome)) {
        for id in &absent.ids {
            let known = self.manifest.articles.get(id).cloned().unwrap_or_default();
            let files: Vec<&str> = known.files.values().map(|it| it.path.as_str()).collect();
            if !self.options.only.article(id, &files) {
                continue;
            }
            let path = files.first().copied();
            let outcome = Outcome::new(Status::Missing, Some(id), None, path);
            tell(match (self.options.delete, &absent.doubtful) {
                (false, _) => outcome,
                (true, Some(file)) => {
                    let reason =
                        format!("article {id} is not deleted: {file} cannot be read and may be its file");
                    Outcome::failed(Error::Unusable(reason), Some(id), path)
                }
                (true, None) => self
                    .delete(id, outcome)
                    .await
                    .unwrap_or_else(|error| Outcome::failed(error, Some(id), path)),
            });
        }
    }

    async fn delete(&mut self, id: &str, mut outcome: Outcome) -> Result<Outcome, Error> {
        let fresh = match remote::article(self.client, id).await {
            Err(Error::Api(error)) if error.is_gone() => None,
            fresh => Some(fresh?),
        };
        let known = self.manifest.articles.get(id).cloned().unwrap_or_default();
        let forced = self.options.force.iter().any(|it| it == id);
        let changed = fresh.as_ref().is_some_and(|it| it.updated_at != known.updated_at);
        if changed && !forced {
            let reason = format!(
                "article {id} changed in the help center since it was pulled; look at it, then use --force {id}"
            );
            outcome.status = Status::Conflict;
            outcome.error = Some(Error::Unusable(reason));
            return Ok(outcome);
        }
        if self.options.plan_only {
            outcome.status = Status::WouldDelete;
            return Ok(outcome);
        }
        if fresh.is_some() {
            remote::delete(self.client, id).await?;
        }
        for locale in known.files.keys() {
            self.folder.remove(&manifest::html_path(id, locale))?;
        }
        self.manifest.articles.remove(id);
        self.manifest.save(self.folder)?;
        outcome.status = Status::Deleted;
        Ok(outcome)
    }
}

//! `articles push`: sends what was edited, article by article, after a fresh look at each.
//!
//! Nothing of an article is written when one of its languages is in conflict. The files are brought up to
//! the server's answer before the article's memory is: a run that ends in between loses nothing, because
//! what both sides say alike is no change.

mod create;

use std::collections::BTreeMap;

use serde_json::Value;

use super::body::Body;
use super::calls;
use super::changes::{Merge, conflict_file, merged};
use super::error::Error;
use super::folder::{Folder, hash};
use super::local::{Edited, Local, scan};
use super::merge::{Merged, field, merge};
use super::outcome::{Outcome, Selection};
use super::page::Page;
use super::pull::conflict_path;
use super::remote::{Article, Change, Content, text, update};
use super::store::{self, Manifest};
use crate::api;
use crate::api::client::Client;

/// Articles sent at the same time.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub selection: Selection,
    /// Ids of articles of which ours wins wherever both sides changed.
    pub force: Vec<String>,
    /// Delete articles whose files are gone.
    pub delete: bool,
    /// The author of new articles; else whoever the token belongs to.
    pub author: Option<i64>,
    /// Tell what would be done, write nothing.
    pub plan_only: bool,
}

struct Push<'a> {
    client: &'a Client,
    folder: &'a Folder,
    options: &'a Options,
    manifest: Manifest,
    outcomes: Vec<Outcome>,
}

/// # Errors
/// When the folder as a whole cannot be used, or the token is refused. What concerns one article is an
/// outcome.
pub async fn push(client: &Client, folder: &Folder, options: &Options) -> Result<Vec<Outcome>, Error> {
    let manifest = Manifest::read(folder)?.ok_or_else(|| Error::NoManifest(folder.root().to_owned()))?;
    let local = scan(folder, &manifest, &options.selection)?;
    let Local { articles, created, missing, outcomes } = local;
    let mut run = Push { client, folder, options, manifest, outcomes };
    let articles: Vec<_> = articles.into_iter().collect();
    for chunk in articles.chunks(AT_ONCE) {
        let sent = chunk.iter().map(|(id, files)| run.send(id, files));
        let sent = futures::future::join_all(sent).await;
        let mut stop = None;
        for ((id, files), sent) in chunk.iter().zip(sent) {
            match sent.and_then(|sent| run.settle(id, files, sent)) {
                Ok(()) => {}
                Err(error) if is_hopeless(&error) => stop = Some(error),
                Err(error) => run.fail(id, files, &error.to_string()),
            }
        }
        if let Some(error) = stop {
            return Err(error);
        }
    }
    for files in created {
        match run.create(&files).await {
            Ok(()) => {}
            Err(error) if is_hopeless(&error) => return Err(error),
            Err(error) => run.fail("", &files, &error.to_string()),
        }
    }
    for (id, paths) in missing {
        run.missing(&id, &paths).await?;
    }
    Ok(run.outcomes)
}

/// Whether no other article would fare better.
fn is_hopeless(error: &Error) -> bool {
    match error {
        Error::Api(error) => error.status() == Some(401),
        Error::OtherWorkspace { .. } => true,
        _ => false,
    }
}

/// How far an article came.
enum Sent<'f> {
    Refused(String),
    Conflict(Vec<(&'f Edited, Merge)>),
    Planned {
        merges: Vec<(&'f Edited, Merge)>,
        moved: bool,
    },
    Done {
        base: Box<Article>,
        theirs: Box<Article>,
        now: Box<Article>,
        merges: Vec<(&'f Edited, Merge)>,
        moved: bool,
    },
}

impl Push<'_> {
    fn fail(&mut self, id: &str, files: &[Edited], reason: &str) {
        for file in files {
            let mut outcome = Outcome::failed(id, &file.path, reason);
            outcome.locale = Some(file.locale.clone());
            self.outcomes.push(outcome);
        }
    }

    /// Looks at an article again and sends what changed. Leaves the folder alone.
    async fn send<'f>(&self, id: &str, files: &'f [Edited]) -> Result<Sent<'f>, Error> {
        let refused = |reason: &str| Ok(Sent::Refused(reason.to_owned()));
        let Some(base) = store::remembered(self.folder, id) else {
            return refused("what was pulled of it is not known any more: pull again with --force");
        };
        let fresh = match calls::article(self.client, id).await {
            Ok(fresh) => fresh,
            Err(error) if error.is_not_found() => return refused("the article is no longer on the server"),
            Err(error) => return Err(error.into()),
        };
        self.manifest.is_of(text(&fresh["workspace_id"]).as_deref())?;
        let Some(theirs) = Article::read(&fresh).filter(|theirs| theirs.id == id) else {
            return refused("the server answered with something that is not this article");
        };
        let force = self.options.force.iter().any(|forced| forced == id);
        let parent = match self.parent(&base, &theirs, files, force) {
            Ok(parent) => parent,
            Err(reason) => return refused(&reason),
        };
        let merges: Vec<(&Edited, Merge)> =
            files.iter().map(|file| (file, merge_file(file, &base, &theirs, force))).collect();
        if merges.iter().any(|(_, merge)| !merge.conflicts.is_empty()) {
            return Ok(Sent::Conflict(merges));
        }
        let moved = parent.is_some();
        if self.options.plan_only {
            return Ok(Sent::Planned { merges, moved });
        }
        let changed = merges.iter().filter(|(_, merge)| !merge.change.is_empty());
        let changes: BTreeMap<String, Change> =
            changed.map(|(file, merge)| (file.locale.clone(), merge.change.clone())).collect();
        let now = if changes.is_empty() && !moved {
            theirs.clone()
        } else {
            let body = update(&fresh, &theirs, &changes, parent.as_deref());
            let answer = calls::update(self.client, id, &body).await?;
            self.after(&answer, &fresh, id).await?
        };
        let (base, theirs, now) = (Box::new(base), Box::new(theirs), Box::new(now));
        Ok(Sent::Done { base, theirs, now, merges, moved })
    }

    /// Notes in the folder what became of an article.
    fn settle(&mut self, id: &str, files: &[Edited], sent: Sent<'_>) -> Result<(), Error> {
        match sent {
            Sent::Refused(reason) => self.fail(id, files, &reason),
            Sent::Conflict(merges) => self.conflicts(id, &merges)?,
            Sent::Planned { merges, moved } => self.told(id, &merges, moved, "would update"),
            Sent::Done { base, theirs, now, merges, moved } => {
                self.refresh(&base, &theirs, *now, files)?;
                self.told(id, &merges, moved, "updated");
            }
        }
        Ok(())
    }

    /// The article as the server has it after the update.
    async fn after(&self, answer: &Value, fresh: &Value, id: &str) -> Result<Article, Error> {
        let whole = answer.get("body").is_some()
            && (answer["translated_content"].is_object() || !fresh["translated_content"].is_object());
        match Article::read(answer).filter(|article| whole && article.id == id) {
            Some(article) => Ok(article),
            None => {
                let again = calls::article(self.client, id).await?;
                let lost = || api::Error::InvalidRequest(format!("the server no longer shows article {id}"));
                Ok(Article::read(&again).ok_or_else(lost)?)
            }
        }
    }

    fn told(&mut self, id: &str, merges: &[(&Edited, Merge)], moved: bool, status: &'static str) {
        for (file, merge) in merges {
            let mut outcome = Outcome::new(status, id, &file.locale, &file.path);
            outcome.fields.clone_from(&merge.fields);
            outcome.diff.clone_from(&merge.diff);
            if moved {
                outcome.fields.push("collection");
            }
            if !outcome.fields.is_empty() {
                self.outcomes.push(outcome);
            }
        }
    }

    fn conflicts(&mut self, id: &str, merges: &[(&Edited, Merge)]) -> Result<(), Error> {
        for (file, merge) in merges {
            let mut outcome = Outcome::new("conflict", id, &file.locale, &file.path);
            outcome.error = Some("changed here and on the server".to_owned());
            if merge.conflicts.is_empty() {
                outcome.error = Some("held back: another language of the article is in conflict".to_owned());
            } else {
                outcome.diff = merge.conflicts.concat();
                if !self.options.plan_only {
                    let text = conflict_file(&file.path, &merge.conflicts);
                    self.folder.write(&conflict_path(&file.path), text.as_bytes())?;
                }
            }
            self.outcomes.push(outcome);
        }
        Ok(())
    }

    /// The collection to move the article to, if it is to be moved.
    fn parent(
        &self,
        base: &Article,
        theirs: &Article,
        files: &[Edited],
        force: bool,
    ) -> Result<Option<String>, String> {
        let before = self.manifest.collection_path(base);
        let mut ours = base.parent_id.clone();
        for file in files {
            let named = file.page.collection.as_ref().filter(|named| before.as_ref() != Some(*named));
            if let Some(named) = named {
                ours = Some(self.manifest.collection(named)?);
            }
            if let Some(folder) = &file.moved_to {
                let found = self.manifest.collections.iter().find(|(_, it)| it.folder == *folder);
                let reason = || {
                    format!("{folder:?} is no folder of a collection: an article can only be moved to one")
                };
                ours = Some(found.map(|(id, _)| id.clone()).ok_or_else(reason)?);
            }
        }
        let parent = match field(&base.parent_id, &ours, &theirs.parent_id) {
            Ok(parent) => parent,
            Err(_) if force => ours,
            Err(_) => return Err("it was moved here and on the server to different collections".to_owned()),
        };
        Ok(parent.filter(|parent| theirs.parent_id.as_ref() != Some(parent)))
    }

    /// Brings files, memory and manifest to the server's state.
    fn refresh(
        &mut self,
        base: &Article,
        theirs: &Article,
        mut now: Article,
        files: &[Edited],
    ) -> Result<(), Error> {
        for file in files {
            let Some(content) = now.contents.get(&file.locale).cloned() else { continue };
            let markdown = match base.contents.get(&file.locale).map(|base| &base.body) {
                Some(body)
                    if theirs.contents.get(&file.locale).is_some_and(|theirs| theirs.body != *body) =>
                {
                    None
                }
                _ => still_true(&file.page, &content),
            };
            let markdown = markdown.unwrap_or_else(|| Body::read(&content.body).markdown());
            let new = self.manifest.text(&now, &file.locale, &markdown);
            self.replace(&file.path, &new)?;
            if let Some(old) = &file.moved_from {
                self.manifest.files.remove(old);
            }
            self.manifest.enter(&file.path, &now, &file.locale, new.as_bytes());
            self.folder.remove(&conflict_path(&file.path))?;
        }
        let others: Vec<(String, String, String)> = self
            .manifest
            .files
            .iter()
            .filter(|(path, entry)| entry.id == now.id && files.iter().all(|file| file.path != **path))
            .map(|(path, entry)| (path.clone(), entry.locale.clone(), entry.markdown_sha256.clone()))
            .collect();
        for (path, locale, known) in others {
            let untouched = self.folder.read(&path).is_ok_and(|bytes| hash(&bytes) == known);
            let before = base.contents.get(&locale);
            match (untouched, now.contents.get(&locale), before) {
                (true, Some(content), _) => {
                    let new = self.manifest.text(&now, &locale, &Body::read(&content.body).markdown());
                    self.replace(&path, &new)?;
                    self.manifest.enter(&path, &now, &locale, new.as_bytes());
                }
                // An edit that was left out of this run is still compared with what it was made from.
                (false, _, Some(before)) => drop(now.contents.insert(locale, before.clone())),
                _ => {}
            }
        }
        store::remember(self.folder, &now)?;
        self.manifest.write(self.folder)
    }

    fn replace(&self, path: &str, new: &str) -> Result<(), Error> {
        match self.folder.read(path) {
            Ok(before) if before == new.as_bytes() => Ok(()),
            _ => self.folder.write(path, new.as_bytes()),
        }
    }

    /// Files that were pulled and are gone.
    async fn missing(&mut self, id: &str, paths: &[(String, String)]) -> Result<(), Error> {
        let all = self.manifest.files.values().filter(|entry| entry.id == id).count() == paths.len();
        let status = match (self.options.delete && all, self.options.plan_only) {
            (false, _) => "missing",
            (true, true) => "would delete",
            (true, false) => match calls::delete(self.client, id).await {
                Err(error) if !error.is_not_found() => {
                    for (path, _) in paths {
                        self.outcomes.push(Outcome::failed(id, path, error.to_string()));
                    }
                    return Ok(());
                }
                _ => {
                    paths.iter().for_each(|(path, _)| drop(self.manifest.files.remove(path)));
                    store::forget(self.folder, id)?;
                    self.manifest.write(self.folder)?;
                    "deleted"
                }
            },
        };
        for (path, locale) in paths {
            self.outcomes.push(Outcome::new(status, id, locale, path));
        }
        Ok(())
    }
}

/// The file's Markdown, when it stands for exactly what the server has now.
fn still_true(page: &Page, now: &Content) -> Option<String> {
    let body = Body::read(&now.body);
    (merge(&body, &page.markdown, &body) == Merged::Html(now.body.clone())).then(|| page.markdown.clone())
}

fn merge_file(file: &Edited, base: &Article, theirs: &Article, force: bool) -> Merge {
    let there = theirs.contents.get(&file.locale);
    match (base.contents.get(&file.locale), there) {
        (Some(base), Some(theirs)) => merged(base, &file.page, theirs, force),
        // A translation that is new here: to the server it may be as well, or not.
        (None, Some(theirs)) if !theirs.body.is_empty() && !force => {
            let known = merged(theirs, &file.page, theirs, false);
            match known.change.is_empty() {
                true => known,
                false => Merge {
                    conflicts: vec!["The server has a translation too: pull it first.\n".into()],
                    ..Merge::default()
                },
            }
        }
        (Some(_), None) if !force => Merge {
            conflicts: vec!["The translation is no longer on the server.\n".into()],
            ..Merge::default()
        },
        _ => {
            let mut added = merged(&Content::default(), &file.page, &Content::default(), true);
            let author = base.contents.get(&base.default_locale).and_then(|main| main.author_id);
            added.change.author_id = added.change.author_id.or(author);
            added.change.state = added.change.state.or_else(|| Some("draft".to_owned()));
            added
        }
    }
}

//! `articles push`: from the folder to the help center.
//!
//! Articles go one after the other, each in four steps: read what the server has now, put the author's
//! changes on top of it, send one update, and write down what the server made of it. Whatever ends a run
//! between two steps, each article is either old or new, and the next run finds out which. Nothing of an
//! article is sent while any part of it is in conflict.

use std::collections::BTreeMap;

use super::article::{Article, Edit, creation};
use super::combine::{combine, conflict_file, conflict_path, wanted_parent};
use super::create;
use super::document::{Document, Text};
use super::error::Error;
use super::folder::Folder;
use super::local::{self, Head, Local};
use super::manifest::{self, Manifest};
use super::merge::{Prefer, merge};
use super::only::Only;
use super::outcome::{Outcome, Status};
use super::remote::{self, Owner};
use crate::api::client::Client;

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub only: Only,
    /// Work out what would be sent, and send nothing.
    pub plan_only: bool,
    /// Ids of articles whose files are right where both sides changed something.
    pub force: Vec<String>,
    /// Delete articles whose files are gone.
    pub delete: bool,
    /// Author of new articles that name none: id, e-mail address or name.
    pub author: Option<String>,
}

pub(super) struct Run<'a> {
    pub client: &'a Client,
    pub folder: &'a Folder,
    pub options: &'a Options,
    pub owner: Owner,
    pub manifest: Manifest,
}

/// Pushes what changed in the folder and tells about each article.
///
/// # Errors
/// When the folder or the API cannot be used at all; what goes wrong with one article is told as its outcome.
pub async fn push(
    client: &Client,
    folder: &Folder,
    options: &Options,
    tell: &mut dyn FnMut(Outcome),
) -> Result<(), Error> {
    let missing = || Error::NoManifest { path: folder.root().to_owned() };
    let manifest = Manifest::read(folder)?.ok_or_else(missing)?;
    let owner = remote::owner(client).await?;
    manifest.check_workspace(folder, &owner.workspace)?;
    let found = local::scan(folder, &manifest)?;
    let mut run = Run { client, folder, options, owner, manifest };
    for (path, error) in found.problems {
        let id = run.manifest.articles.iter().find(|(_, it)| it.files.values().any(|it| it.path == path));
        let id = id.map(|(id, _)| id.clone());
        if options.only.article(id.as_deref().unwrap_or_default(), &[&path]) {
            tell(Outcome::failed(error, id.as_deref(), Some(&path)));
        }
    }
    for (id, mut locals) in found.changed {
        locals.retain(|locale, _| options.only.locale(locale));
        let paths: Vec<&str> = locals.values().map(|it| it.path.as_str()).collect();
        if locals.is_empty() || !options.only.article(&id, &paths) {
            continue;
        }
        let path = paths.first().map(|it| (*it).to_owned());
        tell(
            run.article(&id, &locals)
                .await
                .unwrap_or_else(|it| Outcome::failed(it, Some(&id), path.as_deref())),
        );
    }
    for locals in found.new {
        let paths: Vec<String> = locals.values().map(|it| it.path.clone()).collect();
        let shown: Vec<&str> = paths.iter().map(String::as_str).collect();
        if !options.only.article("", &shown) {
            continue;
        }
        let path = shown.first().copied();
        tell(create::create(&mut run, &locals).await.unwrap_or_else(|it| Outcome::failed(it, None, path)));
    }
    let ids: Vec<String> = run.manifest.articles.keys().cloned().collect();
    for id in ids {
        if let Some(outcome) = run.absent(&id, &found.paths).await {
            tell(outcome);
        }
    }
    Ok(())
}

impl Run<'_> {
    /// An article with changed files.
    async fn article(&mut self, id: &str, locals: &BTreeMap<String, Local>) -> Result<Outcome, Error> {
        let fresh = match remote::article(self.client, id).await {
            Err(Error::Api(error)) if error.is_not_found() => {
                let reason = "the article is gone from the help center; pull --prune removes its files";
                return Err(Error::Unusable(format!("article {id}: {reason}")));
            }
            fresh => fresh?,
        };
        let forced = self.options.force.iter().any(|it| it == id);
        let prefer = if forced { Prefer::Ours } else { Prefer::Neither };
        let mut outcome =
            Outcome::new(Status::Updated, Some(id), None, locals.values().next().map(|it| it.path.as_str()));
        let mut edits: BTreeMap<String, Edit> = BTreeMap::new();
        for (locale, local) in locals {
            let combined =
                combine(self.folder, &self.manifest, id, locale, local, fresh.content(locale), prefer)?;
            if !combined.conflicts.is_empty() {
                if !self.options.plan_only {
                    let text = conflict_file(local, &combined.conflicts);
                    self.folder.write(&conflict_path(&local.path), text.as_bytes())?;
                }
                outcome.status = Status::Conflict;
            }
            outcome.conflicts.extend(combined.conflicts.into_iter().map(|it| (locale.clone(), it)));
            outcome.changes.extend(combined.changes.into_iter().map(|it| (locale.clone(), it)));
            let mut edit = combined.edit;
            if let Some(author) = &edit.author {
                edit.author = Some(remote::admin(self.client, author).await?.to_string());
            }
            outcome.fields.extend(edit.fields().iter().map(|it| format!("{locale}.{it}")));
            if !edit.is_empty() {
                edits.insert(locale.clone(), edit);
            }
        }
        let parent_id = self.parent(id, &fresh, locals, prefer, &mut outcome)?;
        if outcome.status == Status::Conflict {
            return Ok(outcome);
        }
        if edits.is_empty() && parent_id.is_none() {
            outcome.status = Status::Unchanged;
            if !self.options.plan_only {
                self.settle(&fresh, locals)?;
            }
            return Ok(outcome);
        }
        if self.options.plan_only {
            outcome.status = Status::WouldUpdate;
            return Ok(outcome);
        }
        let body = fresh.update(&edits, parent_id.as_deref());
        let answer = remote::update(self.client, &fresh, &body).await?;
        self.settle(&answer, locals)?;
        Ok(outcome)
    }

    /// The collection to move to, unless the server moved the article as well.
    fn parent(
        &self,
        id: &str,
        fresh: &Article,
        locals: &BTreeMap<String, Local>,
        prefer: Prefer,
        outcome: &mut Outcome,
    ) -> Result<Option<String>, Error> {
        let Some(wanted) = wanted_parent(self.folder, &self.manifest, Some(id), locals)? else {
            return Ok(None);
        };
        let known = locals.keys().find_map(|locale| self.manifest.file(id, locale));
        let base = known.and_then(|it| it.parent_id.clone());
        if fresh.parent_id.as_ref() == Some(&wanted) {
            return Ok(None);
        }
        if fresh.parent_id != base && prefer == Prefer::Neither {
            let named = |id: Option<&str>| {
                format!("collection: {}", self.manifest.collection_path(id).unwrap_or_default())
            };
            let conflict = super::merge::Conflict {
                base: named(base.as_deref()),
                ours: named(Some(&wanted)),
                theirs: named(fresh.parent_id.as_deref()),
            };
            outcome.conflicts.push((fresh.default_locale.clone(), conflict));
            outcome.status = Status::Conflict;
            return Ok(None);
        }
        outcome.fields.push("collection".to_owned());
        Ok(Some(wanted))
    }

    /// Notes what the server has now, in files and manifest.
    pub(super) fn settle(
        &mut self,
        article: &Article,
        locals: &BTreeMap<String, Local>,
    ) -> Result<(), Error> {
        for (locale, local) in locals {
            let Some(content) = article.content(locale) else { continue };
            let images = self.manifest.images(&local.path);
            let document = Document::read(&content.body, &images);
            let head = Head { content, parent_id: article.parent_id.as_deref(), tags: &article.tags };
            let text = Text::read(&local.body, &document, &images);
            let merged = merge(&document, &text, &document, &images, Prefer::Neither);
            // An author's way of writing stays where it says what the server has.
            let file = match merged.html == content.body {
                true => format!("{}{}", head.front(&self.manifest, &article.id, locale).write(), local.body),
                false => local::file(&self.manifest, &article.id, locale, &head, &document),
            };
            let written = if local.crlf { file.replace('\n', "\r\n") } else { file.clone() };
            if self.folder.read(&local.path)?.as_deref() != Some(written.as_bytes()) {
                self.folder.write(&local.path, written.as_bytes())?;
            }
            manifest::save_html(self.folder, &article.id, locale, &content.body)?;
            self.folder.remove(&conflict_path(&local.path))?;
            self.manifest.note_file(article, locale, &local.path, &file);
        }
        self.manifest.note(article);
        self.manifest.save(self.folder)
    }

    /// An article with none of its files in the folder; `None` when there are some.
    async fn absent(&mut self, id: &str, paths: &BTreeMap<(String, String), String>) -> Option<Outcome> {
        let known = self.manifest.articles.get(id)?;
        let files: Vec<&str> = known.files.values().map(|it| it.path.as_str()).collect();
        let here = known.files.keys().any(|locale| paths.contains_key(&(id.to_owned(), locale.clone())));
        if here || files.is_empty() || !self.options.only.article(id, &files) {
            return None;
        }
        let path = files.first().map(|it| (*it).to_owned());
        let outcome = Outcome::new(Status::Missing, Some(id), None, path.as_deref());
        if !self.options.delete {
            return Some(outcome);
        }
        Some(
            self.delete(id, outcome)
                .await
                .unwrap_or_else(|it| Outcome::failed(it, Some(id), path.as_deref())),
        )
    }

    async fn delete(&mut self, id: &str, mut outcome: Outcome) -> Result<Outcome, Error> {
        let fresh = match remote::article(self.client, id).await {
            Err(Error::Api(error)) if error.is_not_found() => None,
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

/// The body of the request for a new article.
pub(super) fn creation_body(
    run: &Run<'_>,
    locals: &BTreeMap<String, Local>,
    author_id: i64,
    parent_id: Option<&str>,
) -> serde_json::Value {
    let contents = locals.iter().map(|(locale, local)| {
        let nothing = Document::read("", &run.manifest.images(&local.path));
        let images = run.manifest.images(&local.path);
        let text = Text::read(&local.body, &nothing, &images);
        let front = &local.front;
        let edit = Edit {
            title: front.title.clone(),
            description: front.description.clone(),
            body: Some(merge(&nothing, &text, &nothing, &images, Prefer::Neither).html),
            state: Some(front.state.clone().unwrap_or_else(|| "draft".to_owned())),
            author: None,
        };
        (locale.clone(), edit)
    });
    creation(default_locale(run, locals), &contents.collect(), author_id, parent_id)
}

/// The language that a new article begins with.
pub(super) fn default_locale<'a>(run: &'a Run<'_>, locals: &'a BTreeMap<String, Local>) -> &'a str {
    let usual = run.manifest.default_locale.as_str();
    match locals.contains_key(usual) || locals.len() > 1 {
        true => usual,
        false => locals.keys().next().map_or(usual, String::as_str),
    }
}

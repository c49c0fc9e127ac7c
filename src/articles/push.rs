//! `articles push`: from the folder to the help center.
//!
//! Articles go one after the other, each in four steps: read what the server has now, put the author's
//! changes on top of it, send one update, and write down what the server made of it. Whatever ends a run
//! between two steps, each article is either old or new, and the next run finds out which. Nothing of an
//! article is sent while any part of it is in conflict.

use std::collections::BTreeMap;

use super::absent::Absent;
use super::article::{Article, Edit};
use super::combine::{combine, conflict_file, conflict_path, wanted_parent};
use super::create::{create, taken};
use super::error::Error;
use super::folder::Folder;
use super::local::{self, Found, Local};
use super::manifest::Manifest;
use super::merge::{Conflict, Prefer};
use super::only::{Met, Only};
use super::outcome::{Outcome, Status};
use super::remote;
pub use super::run::Options;
use super::run::Run;
use crate::api::client::Client;

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
    let met = walk(client, folder, options, tell).await?;
    met.missing(&options.only).into_iter().for_each(tell);
    Ok(())
}

/// The same, without a word about what was asked for and is not in the folder.
pub(super) async fn walk(
    client: &Client,
    folder: &Folder,
    options: &Options,
    tell: &mut dyn FnMut(Outcome),
) -> Result<Met, Error> {
    let missing = || Error::NoManifest { path: folder.root().to_owned() };
    let mut manifest = Manifest::read(folder)?.ok_or_else(missing)?;
    let owner = remote::owner(client).await?;
    manifest.bind(folder, owner.workspace.as_deref())?;
    let found = local::scan(folder, &manifest)?;
    let met = met(&options.only, &manifest, &found);
    for id in options.force.iter().filter(|it| !manifest.articles.contains_key(*it)) {
        let reason = format!("--force: no article {id} was pulled into this folder");
        tell(Outcome::not_found(Some(id), None, reason));
    }
    let absent = Absent::of(&manifest, &found);
    let mut run = Run { client, folder, options, owner, manifest };
    run.unusable(found.problems, found.skipped, tell);
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
        let paths: Vec<&str> = locals.values().map(|it| it.path.as_str()).collect();
        if !options.only.article("", &paths) {
            continue;
        }
        let path = paths.first().copied();
        tell(create(&mut run, &locals).await.unwrap_or_else(|it| Outcome::failed(it, None, path)));
    }
    run.absent(&absent, tell).await;
    Ok(met)
}

/// What of the things that were asked for is in the folder.
fn met(only: &Only, manifest: &Manifest, found: &Found) -> Met {
    let mut met = Met::default();
    for (id, known) in &manifest.articles {
        let here = found.paths.range((id.clone(), String::new())..).take_while(|((of, _), _)| of == id);
        let paths = known.files.values().map(|it| &it.path).chain(here.clone().map(|(_, path)| path));
        let paths: Vec<&str> = paths.map(String::as_str).collect();
        met.note(only, id, &paths, known.files.keys().chain(here.map(|((_, locale), _)| locale)));
    }
    for locals in &found.new {
        let paths: Vec<&str> = locals.values().map(|it| it.path.as_str()).collect();
        met.note(only, "", &paths, locals.keys());
    }
    for (path, _) in found.problems.iter().chain(&found.skipped) {
        met.note(only, "", &[path], []);
    }
    met
}

impl Run<'_> {
    /// Files that cannot be used, and files that are no articles.
    fn unusable(
        &self,
        problems: Vec<(String, Error)>,
        skipped: Vec<(String, Error)>,
        tell: &mut dyn FnMut(Outcome),
    ) {
        let with = |status| move |it: (String, Error)| (status, it.0, it.1);
        let problems = problems.into_iter().map(with(Status::Failed));
        for (status, path, error) in problems.chain(skipped.into_iter().map(with(Status::Skipped))) {
            let owner =
                self.manifest.articles.iter().find(|(_, it)| it.files.values().any(|it| it.path == path));
            let id = owner.map(|(id, _)| id.as_str());
            if self.options.only.article(id.unwrap_or_default(), &[&path]) {
                tell(Outcome { error: Some(error), ..Outcome::new(status, id, None, Some(&path)) });
            }
        }
    }

    /// An article with changed files.
    pub(super) async fn article(
        &mut self,
        id: &str,
        locals: &BTreeMap<String, Local>,
    ) -> Result<Outcome, Error> {
        let fresh = match remote::article(self.client, id).await {
            Err(Error::Api(error)) if error.is_gone() => {
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
            let local = self.with_author_id(local).await?;
            let combined =
                combine(self.folder, &self.manifest, id, locale, &local, fresh.content(locale), prefer)?;
            outcome.conflicts.extend(combined.conflicts.into_iter().map(|it| (locale.clone(), it)));
            outcome.changes.extend(combined.changes.into_iter().map(|it| (locale.clone(), it)));
            let edit = combined.edit;
            outcome.fields.extend(edit.fields().iter().map(|it| format!("{locale}.{it}")));
            if !edit.is_empty() {
                edits.insert(locale.clone(), edit);
            }
        }
        let parent_id = self.parent(id, &fresh, locals, prefer, &mut outcome)?;
        if !outcome.conflicts.is_empty() {
            outcome.status = Status::Conflict;
            self.write_conflicts(locals, &outcome)?;
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
        taken(&answer, locals)?;
        Ok(outcome)
    }

    /// The server knows teammates by their ids only.
    async fn with_author_id(&self, local: &Local) -> Result<Local, Error> {
        let mut local = local.clone();
        if let Some(author) = local.front.author.as_ref().filter(|it| !it.is_empty()) {
            local.front.author = Some(remote::admin(self.client, author).await?.to_string());
        }
        Ok(local)
    }

    /// Tells beside each file what is in conflict there.
    fn write_conflicts(&self, locals: &BTreeMap<String, Local>, outcome: &Outcome) -> Result<(), Error> {
        for (locale, local) in locals.iter().filter(|_| !self.options.plan_only) {
            let own = outcome.conflicts.iter().filter(|(of, _)| of == locale).map(|(_, it)| it.clone());
            let own: Vec<Conflict> = own.collect();
            if !own.is_empty() {
                let text = conflict_file(local, &own);
                self.folder.write(&conflict_path(&local.path), text.as_bytes())?;
            }
        }
        Ok(())
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
            let conflict = Conflict {
                base: named(base.as_deref()),
                ours: named(Some(&wanted)),
                theirs: named(fresh.parent_id.as_deref()),
            };
            let locale = locals.keys().next().unwrap_or(&fresh.default_locale);
            outcome.conflicts.push((locale.clone(), conflict));
            return Ok(None);
        }
        outcome.fields.push("collection".to_owned());
        Ok(Some(wanted))
    }
}

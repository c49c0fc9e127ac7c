//! `articles pull`: brings the folder up to the server's state and keeps what was edited in it.
//!
//! Files are written before the article's memory, and the memory before the manifest: wherever a run ends,
//! the next one finds either the old state or the new one and loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::body::Body;
use super::calls;
use super::changes::{conflict_file, merged};
use super::error::Error;
use super::folder::{Folder, hash, slug};
use super::outcome::{Outcome, Selection};
use super::page;
use super::remote::{Article, Content, text};
use super::store::{self, Collection, Manifest};
use crate::api::client::Client;

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub selection: Selection,
    /// Collections become folders.
    pub tree: bool,
    /// Remove files of articles that are gone.
    pub prune: bool,
    /// Overwrite edited files after keeping a copy.
    pub force: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// A run of `pull`.
struct Pull<'a> {
    client: &'a Client,
    folder: &'a Folder,
    options: &'a Options,
    manifest: Manifest,
    outcomes: Vec<Outcome>,
    seen: BTreeSet<String>,
}

/// # Errors
/// When the server or the folder as a whole cannot be used. Conflicts are outcomes.
pub async fn pull(client: &Client, folder: &Folder, options: &Options) -> Result<Vec<Outcome>, Error> {
    let known = Manifest::read(folder)?;
    let mut manifest = known.unwrap_or_else(|| Manifest { tree: options.tree, ..Manifest::default() });
    manifest.tree |= options.tree;
    manifest.collections = match calls::collections(client).await {
        Ok(collections) => collection_paths(&collections),
        Err(Error::Api(error)) if matches!(error.status(), Some(403 | 404)) => manifest.collections,
        Err(error) => return Err(error),
    };
    let mut run = Pull { client, folder, options, manifest, outcomes: Vec::new(), seen: BTreeSet::new() };
    run.walk().await?;
    run.gone().await?;
    if !options.dry_run {
        run.manifest.write(folder)?;
    }
    Ok(run.outcomes)
}

/// Where collections stand: names and folders from the outermost in.
fn collection_paths(collections: &[Value]) -> BTreeMap<String, Collection> {
    let by_id: BTreeMap<String, &Value> =
        collections.iter().filter_map(|it| Some((text(&it["id"])?, it))).collect();
    let path = |id: &String| {
        let (mut names, mut folders, mut next, mut passed) =
            (Vec::new(), Vec::new(), Some(id.clone()), Vec::new());
        while let Some(id) = next.filter(|id| !passed.contains(id)) {
            let Some(collection) = by_id.get(&id) else { break };
            let name = text(&collection["name"]).unwrap_or_else(|| id.clone());
            folders.push(format!(
                "{}-{}",
                slug(&name),
                id.replace(|it: char| !it.is_ascii_alphanumeric(), "")
            ));
            names.push(name);
            next = text(&collection["parent_id"]);
            passed.push(id);
        }
        names.reverse();
        folders.reverse();
        Collection { path: names.join(" / "), folder: folders.join("/") }
    };
    by_id.keys().map(|id| (id.clone(), path(id))).collect()
}

impl Pull<'_> {
    /// Takes every article. One that moved to an earlier page meanwhile is found in another walk.
    async fn walk(&mut self) -> Result<(), Error> {
        for _ in 0..3 {
            let client = self.client;
            let total = calls::articles(client, async |document| self.take(&document)).await?;
            if total.is_none_or(|total| self.seen.len() as u64 >= total) {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, document: &Value) -> Result<(), Error> {
        let Some(article) = Article::read(document) else {
            let id = text(&document["id"]).unwrap_or_default();
            self.outcomes.push(Outcome::failed(
                "",
                "",
                format!("the server sent an article with the id {id:?}"),
            ));
            return Ok(());
        };
        if !self.seen.insert(article.id.clone()) {
            return Ok(());
        }
        if self.seen.len() == 1 {
            self.manifest.belongs_to(text(&document["workspace_id"]).as_deref())?;
            self.manifest.default_locale.clone_from(&article.default_locale);
        }
        match self.article(article.clone()) {
            Err(error @ Error::Outside(_)) => {
                self.outcomes.push(Outcome::failed(&article.id, "", error.to_string()));
                Ok(())
            }
            other => other,
        }
    }

    /// Where an article's file stands or will stand.
    fn path(&self, article: &Article, locale: &str) -> String {
        let folder = match (&article.parent_id, self.manifest.tree) {
            (Some(parent), true) => self.manifest.collections.get(parent).map(|it| format!("{}/", it.folder)),
            _ => None,
        };
        let sibling = self.manifest.files.iter().find(|(_, entry)| entry.id == article.id);
        let stem = sibling.and_then(|(path, entry)| {
            path.rsplit('/').next()?.strip_suffix(&format!(".{}.md", entry.locale)).map(str::to_owned)
        });
        let title =
            article.contents.get(&article.default_locale).map_or("", |content| content.title.as_str());
        let stem = stem.unwrap_or_else(|| format!("{}-{}", article.id, slug(title)));
        format!("{}{stem}.{locale}.md", folder.unwrap_or_default())
    }

    fn article(&mut self, mut article: Article) -> Result<(), Error> {
        let before = store::remembered(self.folder, &article.id);
        let usual = self.path(&article, &article.default_locale);
        if !self.options.selection.takes(&article.id, &usual) {
            return Ok(());
        }
        // A language that is left out keeps the state its file was made from.
        let left_out: Vec<String> =
            article.contents.keys().filter(|it| !self.options.selection.takes_locale(it)).cloned().collect();
        for locale in left_out {
            match before.as_ref().and_then(|before| before.contents.get(&locale)) {
                Some(content) => drop(article.contents.insert(locale, content.clone())),
                None => drop(article.contents.remove(&locale)),
            }
        }
        if let Some(before) = before.as_ref().filter(|before| before.is_same(&article)) {
            article.clone_from(before);
        }
        let mut plan = Vec::new();
        let mut conflict = false;
        for locale in article.contents.keys().filter(|it| self.options.selection.takes_locale(it)) {
            let step = self.step(&article, before.as_ref(), locale)?;
            conflict |= step.outcome.as_ref().is_some_and(|it| it.is_conflict() || it.is_failure());
            plan.push(step);
        }
        for step in plan {
            if let Some(outcome) = step.outcome
                && (!conflict || outcome.is_conflict() || outcome.is_failure())
            {
                self.outcomes.push(outcome);
            }
            if self.options.dry_run {
                continue;
            }
            for path in step.write.iter().filter(|_| self.options.force && !conflict).map(|(path, _)| path) {
                if self.folder.exists(path) {
                    self.folder.back_up(path)?;
                }
            }
            match (step.write, conflict, step.conflict) {
                (Some((path, text)), false, _) => self.folder.write(&path, text.as_bytes())?,
                (_, _, Some((path, text))) => self.folder.write(&path, text.as_bytes())?,
                _ => {}
            }
            if !conflict {
                if let Some(old) = &step.moved_from {
                    self.folder.remove(old)?;
                    self.manifest.files.remove(old);
                }
                self.folder.remove(&conflict_path(&step.path))?;
                self.manifest.enter(&step.path, &article, &step.locale, step.server_text.as_bytes());
            }
        }
        self.lost_languages(&article, before.as_ref())?;
        if !self.options.dry_run && !conflict && before.as_ref() != Some(&article) {
            store::remember(self.folder, &article)?;
        }
        Ok(())
    }

    /// What is to be done for one language of an article.
    fn step(&self, article: &Article, before: Option<&Article>, locale: &str) -> Result<Step, Error> {
        let theirs = article.contents.get(locale).cloned().unwrap_or_default();
        let recorded = self.manifest.path_of(&article.id, locale).map(str::to_owned);
        let moves = self.manifest.tree && before.is_some_and(|before| before.parent_id != article.parent_id);
        let current = recorded.clone().unwrap_or_else(|| self.path(article, locale));
        let path = if moves { self.path(article, locale) } else { current.clone() };
        let mut step = Step {
            locale: locale.to_owned(),
            moved_from: (path != current).then(|| current.clone()),
            path: path.clone(),
            server_text: String::new(),
            outcome: None,
            write: None,
            conflict: None,
        };
        let told = |status| Some(Outcome::new(status, &article.id, locale, &path));
        let known = before.and_then(|before| before.contents.get(locale));
        let entry = recorded.as_ref().and_then(|path| self.manifest.files.get(path));
        let bytes = self.folder.place(&current).map(|place| std::fs::read(place).ok())?;
        let same_server = before.is_some_and(|before| before == article);
        // Nothing new, and the file is as it was left: the usual case, without any conversion.
        if let (true, Some(entry), Some(bytes), false) = (same_server, entry, &bytes, self.options.force)
            && (hash(bytes) == entry.markdown_sha256)
        {
            step.server_text = String::from_utf8_lossy(bytes).into_owned();
            return Ok(step);
        }
        let server_text = self.manifest.text(article, locale, &Body::read(&theirs.body).markdown());
        step.server_text.clone_from(&server_text);
        match (bytes, entry) {
            (None, Some(_)) if !self.options.force => step.outcome = told("deleted"),
            (None, _) => {
                step.outcome = told("new");
                step.write = Some((path, server_text));
            }
            (Some(bytes), _) if bytes == server_text.as_bytes() && path == current => {}
            (Some(bytes), Some(entry)) if hash(&bytes) == entry.markdown_sha256 || self.options.force => {
                step.outcome = told("updated");
                step.write = Some((path, server_text));
            }
            (Some(_), None) if self.options.force => {
                step.outcome = told("updated");
                step.write = Some((path, server_text));
            }
            (Some(bytes), _) => self.merge(&mut step, article, known, &theirs, &bytes, same_server),
        }
        Ok(step)
    }

    /// An edited file: the server's changes go into it, or a conflict file beside it.
    fn merge(
        &self,
        step: &mut Step,
        article: &Article,
        known: Option<&Content>,
        theirs: &Content,
        bytes: &[u8],
        same_server: bool,
    ) {
        let failed = |line: usize, reason: &str| {
            let mut outcome =
                Outcome::failed(&article.id, &step.path, format!("{}, line {line}: {reason}", step.path));
            outcome.locale = Some(step.locale.clone());
            Some(outcome)
        };
        let page = match page::read(bytes) {
            Ok(page) => page,
            Err((line, reason)) => return step.outcome = failed(line, &reason),
        };
        let Some(base) = known.filter(|_| page.id.as_ref().is_none_or(|id| *id == article.id)) else {
            return step.outcome =
                failed(1, "another file stands where the article's file belongs; --force replaces it");
        };
        if same_server {
            return;
        }
        let found = merged(base, &page, theirs, false);
        if !found.conflicts.is_empty() {
            let path = conflict_path(&step.path);
            step.conflict = Some((path, conflict_file(&step.path, &found.conflicts)));
            step.outcome = Some(Outcome::new("conflict", &article.id, &step.locale, &step.path));
            return;
        }
        let markdown = if theirs.body == base.body {
            page.markdown.clone()
        } else {
            Body::read(&found.content.body).markdown()
        };
        let collection = page.collection.clone().or_else(|| self.manifest.collection_path(article));
        let text = page::write(article, &step.locale, &found.content, collection.as_deref(), &markdown);
        if text.as_bytes() != bytes {
            step.outcome = Some(Outcome::new("merged", &article.id, &step.locale, &step.path));
            step.write = Some((step.path.clone(), text));
        }
    }

    /// Translations that the server no longer has.
    fn lost_languages(&mut self, article: &Article, before: Option<&Article>) -> Result<(), Error> {
        let lost: Vec<String> = before
            .into_iter()
            .flat_map(|before| before.contents.keys())
            .filter(|locale| !article.contents.contains_key(*locale))
            .cloned()
            .collect();
        for locale in lost {
            if let Some(path) = self.manifest.path_of(&article.id, &locale).map(str::to_owned) {
                self.report_gone(&article.id, &locale, &path)?;
            }
        }
        Ok(())
    }

    fn report_gone(&mut self, id: &str, locale: &str, path: &str) -> Result<(), Error> {
        let status = if self.options.prune { "removed" } else { "deleted upstream" };
        self.outcomes.push(Outcome::new(status, id, locale, path));
        if self.options.prune && !self.options.dry_run {
            let edited = self.folder.read(path).is_ok_and(|bytes| {
                self.manifest.files.get(path).is_some_and(|entry| entry.markdown_sha256 != hash(&bytes))
            });
            if edited {
                self.folder.back_up(path)?;
            }
            self.folder.remove(path)?;
            self.manifest.files.remove(path);
        }
        Ok(())
    }

    /// Articles of the manifest that the list did not show.
    async fn gone(&mut self) -> Result<(), Error> {
        let missing: BTreeSet<String> = self
            .manifest
            .files
            .values()
            .map(|entry| entry.id.clone())
            .filter(|id| !self.seen.contains(id))
            .collect();
        for id in missing {
            match calls::article(self.client, &id).await {
                Ok(document) => self.take(&document)?,
                Err(error) if error.is_not_found() => {
                    let files: Vec<_> =
                        self.manifest.files.iter().filter(|(_, entry)| entry.id == id).collect();
                    let files: Vec<_> =
                        files.into_iter().map(|(path, entry)| (path.clone(), entry.locale.clone())).collect();
                    for (path, locale) in files {
                        if self.options.selection.takes(&id, &path) {
                            self.report_gone(&id, &locale, &path)?;
                        }
                    }
                    if self.options.prune && !self.options.dry_run && self.options.selection.only.is_empty() {
                        store::forget(self.folder, &id)?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// What is to be done for one file.
struct Step {
    locale: String,
    path: String,
    moved_from: Option<String>,
    /// The file as it would be without edits.
    server_text: String,
    outcome: Option<Outcome>,
    write: Option<(String, String)>,
    conflict: Option<(String, String)>,
}

pub fn conflict_path(path: &str) -> String {
    format!("{}.conflict.md", path.strip_suffix(".md").unwrap_or(path))
}

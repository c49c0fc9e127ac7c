//! `articles pull`: from the help center into the folder.
//!
//! A file is written only when the server's text changed in a way that an author can see. What an author
//! changed is never overwritten: it is merged, or kept and reported. Files are written before the HTML they
//! were made from, and the manifest last, so that a run that is killed leaves a folder that the next run
//! understands.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::article::Article;
use super::combine::{Combined, combine, conflict_file, conflict_path, parent, wanted_parent};
use super::document::Document;
use super::error::Error;
use super::folder::{Folder, slug};
use super::local::{self, Found, Head};
use super::manifest::{self, Known, KnownFile, Manifest};
use super::merge::Prefer;
use super::only::{Met, Only};
use super::outcome::{Outcome, Status};
use super::steady::steady;
use super::{download, remote};
use crate::api::client::Client;

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub only: Only,
    /// Collections as folders; `None` keeps what the folder has.
    pub tree: Option<bool>,
    /// Remove files of articles that the server no longer has.
    pub prune: bool,
    /// Overwrite local changes, after saving a copy of them.
    pub force: bool,
    /// Keep images in the folder.
    pub download_images: bool,
}

/// Pulls all articles and tells about each file.
///
/// # Errors
/// When the folder or the API cannot be used at all; what goes wrong with one article is told as its outcome.
pub async fn pull(
    client: &Client,
    folder: &Folder,
    options: &Options,
    tell: &mut dyn FnMut(Outcome),
) -> Result<(), Error> {
    let owner = remote::owner(client).await?;
    let mut manifest = Manifest::read(folder)?.unwrap_or_else(Manifest::new);
    manifest.bind(folder, owner.workspace.as_deref())?;
    let found = local::scan(folder, &manifest)?;
    match remote::collections(client).await {
        Ok(collections) => manifest.collections = collections,
        // A token that may not see collections still sees articles; they are then named by id.
        Err(Error::Api(error)) if matches!(error.status(), Some(403 | 404)) => {}
        Err(error) => return Err(error),
    }
    let relocate = options.tree.is_some_and(|tree| tree != manifest.tree);
    manifest.tree = options.tree.unwrap_or(manifest.tree);
    let mut run = Run { folder, options, manifest, found, relocate, met: Met::default() };
    let mut seen = BTreeSet::new();
    // A list that moves while it is read can skip an article: once more through it finds that.
    for _ in 0..2 {
        let before = seen.len();
        run.walk(client, &mut seen, tell).await?;
        if seen.len() == before || run.manifest.articles.keys().all(|id| seen.contains(id)) {
            break;
        }
    }
    run.gone(client, &seen, tell).await?;
    run.manifest.save(folder)?;
    run.met.missing(&options.only).into_iter().for_each(tell);
    Ok(())
}

struct Run<'a> {
    folder: &'a Folder,
    options: &'a Options,
    manifest: Manifest,
    found: Found,
    /// Files change their folders because the layout does.
    relocate: bool,
    met: Met,
}

impl Run<'_> {
    async fn walk(
        &mut self,
        client: &Client,
        seen: &mut BTreeSet<String>,
        tell: &mut dyn FnMut(Outcome),
    ) -> Result<(), Error> {
        let mut pages = std::pin::pin!(remote::pages(client)?);
        while let Some(page) = pages.next().await {
            for document in page? {
                let Some(article) = Article::read(document) else {
                    let error = Error::Unusable("an article without a usable id was passed over".into());
                    tell(Outcome::failed(error, None, None));
                    continue;
                };
                if seen.insert(article.id.clone()) {
                    self.article(client, &article, tell).await;
                }
            }
            self.manifest.save(self.folder)?;
        }
        Ok(())
    }

    async fn article(&mut self, client: &Client, article: &Article, tell: &mut dyn FnMut(Outcome)) {
        let known = self.manifest.articles.get(&article.id).cloned().unwrap_or_default();
        let mut paths: Vec<&str> = known.files.values().map(|it| it.path.as_str()).collect();
        let name = format!("{}-{}.md", article.id, slug(&article.contents[&article.default_locale].title));
        paths.push(&name);
        self.met.note(&self.options.only, &article.id, &paths, article.contents.keys());
        if !self.options.only.article(&article.id, &paths) {
            return;
        }
        if self.manifest.default_locale.is_empty() {
            self.manifest.default_locale.clone_from(&article.default_locale);
        }
        if self.options.download_images {
            let bodies = article.contents.values().map(|it| it.body.as_str());
            if let Err(error) = download::images(client, self.folder, &mut self.manifest, bodies).await {
                tell(Outcome::failed(error, Some(&article.id), None));
            }
        }
        let mut whole = true;
        for locale in article.contents.keys().filter(|it| self.options.only.locale(it)) {
            let outcome = self.file(article, locale, &known).unwrap_or_else(|error| {
                let path = known.files.get(locale).map(|it| it.path.as_str());
                Outcome { locale: Some(locale.clone()), ..Outcome::failed(error, Some(&article.id), path) }
            });
            whole &= !matches!(outcome.status, Status::Conflict | Status::Failed);
            tell(outcome);
        }
        if whole {
            self.manifest.note(article);
        }
    }

    /// One language of an article.
    fn file(&mut self, article: &Article, locale: &str, known: &Known) -> Result<Outcome, Error> {
        let id = &article.id;
        let key = (id.clone(), locale.to_owned());
        if let Some(local) = self.found.unknown.remove(&key).filter(|_| !self.options.force) {
            return self.adopt(article, locale, &local);
        }
        let entry = known.files.get(locale);
        let at = self.found.paths.get(&key).cloned();
        let path = at.clone().or_else(|| entry.map(|it| it.path.clone()));
        let path = path.unwrap_or_else(|| self.new_path(article, locale, known));
        let outcome = |status, path: &str| Ok(Outcome::new(status, Some(id), Some(locale), Some(path)));
        let broken = self.found.problems.iter().any(|(problem, _)| *problem == path);
        let local = self.found.changed.get(id).and_then(|it| it.get(locale)).cloned();
        let in_the_way = entry.is_none() && self.folder.has(&path);
        if self.options.force && (broken || local.is_some() || in_the_way) {
            self.back_up(&path)?;
            self.write(article, locale, &path)?;
            return outcome(Status::Updated, &path);
        }
        if broken {
            let position = self.found.problems.iter().position(|(problem, _)| *problem == path);
            let error = position.map(|it| self.found.problems.remove(it).1);
            let reason = || Error::Unusable(format!("{path} cannot be read"));
            return Err(error.unwrap_or_else(reason));
        }
        match (entry, local) {
            (Some(entry), None) => {
                let same = is_same(self.folder, &self.manifest, article, locale, entry)?;
                let target = self.settled_path(article, &path, entry.parent_id.as_ref());
                match (at.is_some(), same) {
                    (true, true) if target == path => outcome(Status::Unchanged, &path),
                    (true, same) => {
                        self.write(article, locale, &target)?;
                        if target != path {
                            self.folder.remove(&path)?;
                        }
                        outcome(if same { Status::Moved } else { Status::Updated }, &target)
                    }
                    (false, _) => {
                        self.write(article, locale, &path)?;
                        outcome(Status::Restored, &path)
                    }
                }
            }
            (Some(entry), Some(local)) => match is_same(self.folder, &self.manifest, article, locale, entry)?
            {
                true => outcome(Status::Kept, &path),
                false => self.merge(article, locale, &local),
            },
            (None, Some(local)) => self.merge(article, locale, &local),
            (None, None) if in_the_way => Err(Error::content(
                self.folder.root().join(&path),
                None,
                "a file that no pull wrote is in the way; move it, or pull with --force",
            )),
            (None, None) => {
                self.write(article, locale, &path)?;
                outcome(Status::Created, &path)
            }
        }
    }

    fn new_path(&self, article: &Article, locale: &str, known: &Known) -> String {
        // Languages of one article share a name, and keep it when the title changes.
        let sibling = known
            .files
            .values()
            .next()
            .or_else(|| self.manifest.articles.get(&article.id)?.files.values().next());
        let stem = sibling
            .and_then(|it| it.path.strip_suffix(".md")?.rsplit_once('.').map(|(stem, _)| stem.to_owned()));
        let stem = stem.unwrap_or_else(|| {
            let name = format!("{}-{}", article.id, slug(&article.contents[&article.default_locale].title));
            match self.collection_folder(article) {
                "" => name,
                folder => format!("{folder}/{name}"),
            }
        });
        format!("{stem}.{locale}.md")
    }

    fn collection_folder(&self, article: &Article) -> &str {
        let of = |id: &String| self.manifest.collections.iter().find(|it| it.id == *id);
        match article.parent_id.as_ref().and_then(of) {
            Some(collection) if self.manifest.tree => &collection.folder,
            _ => "",
        }
    }

    /// Where a file belongs whose article moved, or whose folder changes its layout.
    fn settled_path(&self, article: &Article, path: &str, was: Option<&String>) -> String {
        let moves = self.relocate || self.manifest.tree && was != article.parent_id.as_ref();
        let folder = self.collection_folder(article);
        if !moves || parent(path) == folder {
            return path.to_owned();
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let target = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if self.folder.has(&target) { path.to_owned() } else { target }
    }

    /// Writes a language as the server has it.
    fn write(&mut self, article: &Article, locale: &str, path: &str) -> Result<(), Error> {
        let Some(content) = article.content(locale) else { return Ok(()) };
        let file = self.server_file(article, locale, path);
        self.folder.write(path, file.as_bytes())?;
        manifest::save_html(self.folder, &article.id, locale, &content.body)?;
        self.folder.remove(&conflict_path(path))?;
        self.manifest.note_file(article, locale, path, &file);
        Ok(())
    }

    fn server_file(&self, article: &Article, locale: &str, path: &str) -> String {
        let Some(content) = article.content(locale) else { return String::new() };
        let head = Head { content, parent_id: article.parent_id.as_deref(), tags: &article.tags };
        let document = Document::read(&content.body, &self.manifest.images(path));
        local::file(&self.manifest, &article.id, locale, &head, &document)
    }

    /// A file that an interrupted run wrote, or that lost its manifest.
    fn adopt(&mut self, article: &Article, locale: &str, local: &local::Local) -> Result<Outcome, Error> {
        self.found.problems.retain(|(path, _)| *path != local.path);
        let outcome = self.merge(article, locale, local)?;
        let whole = outcome.status == Status::Merged && outcome.changes.is_empty();
        Ok(if whole { Outcome { status: Status::Created, ..outcome } } else { outcome })
    }

    /// Both sides changed: the author's changes on top of the server's, or a conflict.
    fn merge(&mut self, article: &Article, locale: &str, local: &local::Local) -> Result<Outcome, Error> {
        let id = &article.id;
        let theirs = article.content(locale);
        let combined = combine(self.folder, &self.manifest, id, locale, local, theirs, Prefer::Neither)?;
        let mut outcome = Outcome::new(Status::Merged, Some(id), Some(locale), Some(&local.path));
        if !combined.conflicts.is_empty() {
            let text = conflict_file(local, &combined.conflicts);
            self.folder.write(&conflict_path(&local.path), text.as_bytes())?;
            outcome.status = Status::Conflict;
            outcome.conflicts = combined.conflicts.into_iter().map(|it| (locale.to_owned(), it)).collect();
            return Ok(outcome);
        }
        let Some(content) = theirs else { return Ok(outcome) };
        let canonical = self.server_file(article, locale, &local.path);
        let merged = self.merged_file(article, locale, local, &combined)?;
        self.folder.write(&local.path, merged.as_bytes())?;
        manifest::save_html(self.folder, id, locale, &content.body)?;
        self.folder.remove(&conflict_path(&local.path))?;
        self.manifest.note_file(article, locale, &local.path, &canonical);
        outcome.changes = combined.changes.into_iter().map(|it| (locale.to_owned(), it)).collect();
        Ok(outcome)
    }

    fn merged_file(
        &self,
        article: &Article,
        locale: &str,
        local: &local::Local,
        combined: &Combined,
    ) -> Result<String, Error> {
        let mut content = article.content(locale).cloned().unwrap_or_default();
        let edit = &combined.edit;
        content.title = edit.title.clone().unwrap_or(content.title);
        content.description = edit.description.clone().unwrap_or(content.description);
        content.state = edit.state.clone().or(content.state);
        content.author = edit.author.clone().or(content.author);
        let locals = BTreeMap::from([(locale.to_owned(), local.clone())]);
        let wanted = wanted_parent(self.folder, &self.manifest, Some(&article.id), &locals)?;
        let parent_id = wanted.or_else(|| article.parent_id.clone());
        let head = Head { content: &content, parent_id: parent_id.as_deref(), tags: &article.tags };
        let html = edit.body.as_ref().unwrap_or(&content.body);
        let document = Document::read(html, &self.manifest.images(&local.path));
        let file = local::file(&self.manifest, &article.id, locale, &head, &document);
        Ok(if local.crlf { file.replace('\n', "\r\n") } else { file })
    }

    fn back_up(&self, path: &str) -> Result<(), Error> {
        if let Some(content) = self.folder.read(path)? {
            let short = &manifest::sha256(&content)[..8];
            let name = path.replace('/', "__");
            self.folder.write(&format!(".intercom/backup/{name}.{short}"), &content)?;
        }
        Ok(())
    }

    /// Articles that were not listed. Only the server's word that one is gone makes it gone.
    async fn gone(
        &mut self,
        client: &Client,
        seen: &BTreeSet<String>,
        tell: &mut dyn FnMut(Outcome),
    ) -> Result<(), Error> {
        let unseen: Vec<String> =
            self.manifest.articles.keys().filter(|it| !seen.contains(*it)).cloned().collect();
        for id in unseen {
            let files = self.manifest.articles.get(&id).map(|it| it.files.clone()).unwrap_or_default();
            let paths: Vec<&str> = files.values().map(|it| it.path.as_str()).collect();
            self.met.note(&self.options.only, &id, &paths, files.keys());
            if !self.options.only.article(&id, &paths) {
                continue;
            }
            match remote::article(client, &id).await {
                Ok(article) => self.article(client, &article, tell).await,
                Err(Error::Api(error)) if error.is_gone() => self.prune(&id, tell)?,
                Err(error) => tell(Outcome::failed(error, Some(&id), None)),
            }
        }
        Ok(())
    }

    fn prune(&mut self, id: &str, tell: &mut dyn FnMut(Outcome)) -> Result<(), Error> {
        let files = self.manifest.articles.get(id).map(|it| it.files.clone()).unwrap_or_default();
        let edited = self.found.changed.get(id);
        for (locale, file) in &files {
            let path = self.found.paths.get(&(id.to_owned(), locale.clone())).unwrap_or(&file.path).clone();
            let mut status = Status::DeletedUpstream;
            if self.options.prune {
                if edited.is_some_and(|it| it.contains_key(locale)) {
                    self.back_up(&path)?;
                }
                self.folder.remove(&path)?;
                self.folder.remove(&manifest::html_path(id, locale))?;
                status = Status::Deleted;
            }
            tell(Outcome::new(status, Some(id), Some(locale), Some(&path)));
        }
        if self.options.prune {
            self.manifest.articles.remove(id);
        }
        Ok(())
    }
}

/// Whether the server still has what the file was made from, as far as an author can see.
///
/// # Errors
/// When that cannot be read.
pub fn is_same(
    folder: &Folder,
    manifest: &Manifest,
    article: &Article,
    locale: &str,
    entry: &KnownFile,
) -> Result<bool, Error> {
    let Some(content) = article.content(locale) else { return Ok(true) };
    let fields = entry.title == content.title
        && entry.description == content.description
        && entry.state == content.state
        && entry.author == content.author
        && entry.parent_id == article.parent_id
        && entry.collection == manifest.collection_path(article.parent_id.as_deref());
    let html = || {
        Ok::<_, Error>(steady(&manifest::read_html(folder, &article.id, locale)?) == steady(&content.body))
    };
    Ok(fields && (entry.html_sha256 == manifest::sha256(content.body.as_bytes()) || html()?))
}

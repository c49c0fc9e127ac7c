//! `articles pull`: writes the help center into the folder.
//!
//! A file is written only when the server's text changed in a way that an author can see. Local edits are
//! never overwritten: they are merged, or kept and reported. Files are written before the HTML they were made
//! from, and the manifest last, so that the next pull can continue from any point at which one was killed.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::article::Article;
use super::blocks::Document;
use super::error::Error;
use super::folder::{Folder, slug};
use super::lock::Lock;
use super::manifest::{self, ArticleRecord, FileRecord, Manifest};
use super::merge::Prefer;
use super::normalize::strip_volatile;
use super::outcome::{ArticleOutcome, ArticleStatus};
use super::rebase::{Rebase, conflict_file, conflict_path, parent, rebase, requested_parent};
use super::selection::{ArticleSelection, SelectionMatches};
use super::working_copy::{self, FrontMatterSource, WorkingCopy};
use super::{download, remote};
use crate::api::client::Client;

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
    let working_copy = working_copy::scan(folder, &manifest)?;
    manifest.update_paths(&working_copy.paths);
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
    session.relink()?;
    session.manifest.save(folder)?;
    session.matches.missing(&options.selection).into_iter().for_each(report);
    Ok(())
}

pub(super) struct PullSession<'a> {
    pub(super) folder: &'a Folder,
    options: &'a PullOptions,
    pub(super) manifest: Manifest,
    working_copy: WorkingCopy,
    /// `--tree` or `--flat` changed the layout, so that files move to other folders.
    layout_changed: bool,
    matches: SelectionMatches,
    /// Id and locale of written files that may link to articles which were pulled later.
    pub(super) to_relink: BTreeSet<(String, String)>,
    /// Whether any file was moved.
    pub(super) moved: bool,
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
        let name = format!("{}-{}.md", article.id, slug(&article.contents[&article.default_locale].title));
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
        let key = (id.clone(), locale.to_owned());
        if let Some(local) = self.working_copy.unknown.remove(&key).filter(|_| !self.options.force) {
            return self.adopt(article, locale, &local);
        }
        let entry = known.files.get(locale);
        let current_path = self.working_copy.paths.get(&key).cloned();
        let path = current_path.clone().or_else(|| entry.map(|file| file.path.clone()));
        let path = path.unwrap_or_else(|| self.new_path(article, locale, known));
        let outcome =
            |status, path: &str| Ok(ArticleOutcome::new(status, Some(id), Some(locale), Some(path)));
        let is_invalid = self.working_copy.problems.iter().any(|(problem, _)| *problem == path);
        let local = self.working_copy.changed.get(id).and_then(|locals| locals.get(locale)).cloned();
        let is_occupied = entry.is_none() && self.folder.has(&path);
        if self.options.force && (is_invalid || local.is_some() || is_occupied) {
            self.back_up(&path)?;
            self.write(article, locale, &path)?;
            return outcome(ArticleStatus::Updated, &path);
        }
        if is_invalid {
            let position = self.working_copy.problems.iter().position(|(problem, _)| *problem == path);
            let error = position.map(|at| self.working_copy.problems.remove(at).1);
            let unreadable = || Error::Unusable(format!("{path} cannot be read"));
            return Err(error.unwrap_or_else(unreadable));
        }
        match (entry, local) {
            (Some(entry), None) => {
                let same = is_same(self.folder, &self.manifest, article, locale, entry)?;
                let target = self.target_path(article, &path, entry.parent_id.as_ref());
                match (current_path.is_some(), same) {
                    (true, true) if target == path => {
                        let restored = self.restore_html(article, locale)?;
                        outcome(
                            if restored { ArticleStatus::Restored } else { ArticleStatus::Unchanged },
                            &path,
                        )
                    }
                    (true, same) => {
                        self.write(article, locale, &target)?;
                        if target != path {
                            self.folder.remove(&path)?;
                            self.moved = true;
                        }
                        outcome(if same { ArticleStatus::Moved } else { ArticleStatus::Updated }, &target)
                    }
                    (false, _) => {
                        self.write(article, locale, &path)?;
                        outcome(ArticleStatus::Restored, &path)
                    }
                }
            }
            (Some(entry), Some(local)) => {
                if !is_same(self.folder, &self.manifest, article, locale, entry)? {
                    return self.merge(article, locale, &local);
                }
                self.restore_html(article, locale)?;
                outcome(ArticleStatus::Kept, &path)
            }
            (None, Some(local)) => self.merge(article, locale, &local),
            (None, None) if is_occupied => Err(Error::content(
                self.folder.root().join(&path),
                None,
                "a file that no pull wrote already has this name; move it, or pull with --force",
            )),
            (None, None) => {
                self.write(article, locale, &path)?;
                outcome(ArticleStatus::Created, &path)
            }
        }
    }

    /// Restores the HTML that a file was made from if it is missing. Returns whether it was; call only while
    /// the server's version is the same.
    fn restore_html(&self, article: &Article, locale: &str) -> Result<bool, Error> {
        let Some(content) = article.content(locale) else { return Ok(false) };
        if manifest::read_html(self.folder, &article.id, locale).is_ok() {
            return Ok(false);
        }
        manifest::save_html(self.folder, &article.id, locale, &content.body)?;
        Ok(true)
    }

    fn new_path(&self, article: &Article, locale: &str, known: &ArticleRecord) -> String {
        // All languages of an article share a file name, which stays when the title changes.
        let sibling = known
            .files
            .values()
            .next()
            .or_else(|| self.manifest.articles.get(&article.id)?.files.values().next());
        let stem = sibling.and_then(|file| {
            file.path.strip_suffix(".md")?.rsplit_once('.').map(|(stem, _)| stem.to_owned())
        });
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
        let find = |id: &String| self.manifest.collections.iter().find(|collection| collection.id == *id);
        match article.parent_id.as_ref().and_then(find) {
            Some(collection) if self.manifest.tree => &collection.folder,
            _ => "",
        }
    }

    /// The path of a file after its article moved to another collection, or the folder's layout changed.
    fn target_path(&self, article: &Article, path: &str, old_parent: Option<&String>) -> String {
        let moves = self.layout_changed || self.manifest.tree && old_parent != article.parent_id.as_ref();
        let folder = self.collection_folder(article);
        if !moves || parent(path) == folder {
            return path.to_owned();
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let target = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if self.folder.has(&target) { path.to_owned() } else { target }
    }

    /// Writes the server's version of one language.
    fn write(&mut self, article: &Article, locale: &str, path: &str) -> Result<(), Error> {
        let Some(content) = article.content(locale) else { return Ok(()) };
        let file = self.server_file(article, locale, path);
        self.folder.write(path, file.as_bytes())?;
        manifest::save_html(self.folder, &article.id, locale, &content.body)?;
        self.folder.remove(&conflict_path(path))?;
        self.manifest.record_file(article, locale, path, &file);
        if content.body.contains("/articles/") {
            self.to_relink.insert((article.id.clone(), locale.to_owned()));
        }
        Ok(())
    }

    fn server_file(&self, article: &Article, locale: &str, path: &str) -> String {
        let Some(content) = article.content(locale) else { return String::new() };
        let source =
            FrontMatterSource { content, parent_id: article.parent_id.as_deref(), tags: &article.tags };
        let document = Document::read(&content.body, &self.manifest.address_map(path));
        working_copy::render_file(&self.manifest, &article.id, locale, &source, &document)
    }

    /// Takes over a file that the manifest does not list, because a pull was interrupted or the manifest was
    /// lost.
    fn adopt(
        &mut self,
        article: &Article,
        locale: &str,
        local: &working_copy::LocalFile,
    ) -> Result<ArticleOutcome, Error> {
        self.working_copy.problems.retain(|(path, _)| *path != local.path);
        let outcome = self.merge(article, locale, local)?;
        let is_unedited = outcome.status == ArticleStatus::Merged && outcome.changes.is_empty();
        Ok(if is_unedited { ArticleOutcome { status: ArticleStatus::Created, ..outcome } } else { outcome })
    }

    /// Both sides changed: rebases the author's edits on the server's version, or reports a conflict.
    fn merge(
        &mut self,
        article: &Article,
        locale: &str,
        local: &working_copy::LocalFile,
    ) -> Result<ArticleOutcome, Error> {
        let id = &article.id;
        let theirs = article.content(locale);
        let rebased = rebase(self.folder, &self.manifest, id, locale, local, article, Prefer::Neither)?;
        let mut outcome =
            ArticleOutcome::new(ArticleStatus::Merged, Some(id), Some(locale), Some(&local.path));
        if !rebased.conflicts.is_empty() {
            let text = conflict_file(local, &rebased.conflicts, &theirs.cloned().unwrap_or_default());
            self.folder.write(&conflict_path(&local.path), text.as_bytes())?;
            outcome.status = ArticleStatus::Conflict;
            outcome.conflicts =
                rebased.conflicts.into_iter().map(|conflict| (locale.to_owned(), conflict)).collect();
            return Ok(outcome);
        }
        let Some(content) = theirs else { return Ok(outcome) };
        let canonical = self.server_file(article, locale, &local.path);
        let merged = self.merged_file(article, locale, local, &rebased)?;
        self.folder.write(&local.path, merged.as_bytes())?;
        manifest::save_html(self.folder, id, locale, &content.body)?;
        self.folder.remove(&conflict_path(&local.path))?;
        self.manifest.record_file(article, locale, &local.path, &canonical);
        outcome.changes = rebased.changes.into_iter().map(|change| (locale.to_owned(), change)).collect();
        Ok(outcome)
    }

    fn merged_file(
        &self,
        article: &Article,
        locale: &str,
        local: &working_copy::LocalFile,
        rebased: &Rebase,
    ) -> Result<String, Error> {
        let mut content = article.content(locale).cloned().unwrap_or_default();
        let edit = &rebased.edit;
        content.title = edit.title.clone().unwrap_or(content.title);
        content.description = edit.description.clone().unwrap_or(content.description);
        content.state = edit.state.clone().or(content.state);
        content.author = edit.author.clone().or(content.author);
        let locals = BTreeMap::from([(locale.to_owned(), local.clone())]);
        let requested = requested_parent(self.folder, &self.manifest, Some(&article.id), &locals)?;
        let parent_id = requested.or_else(|| article.parent_id.clone());
        let source =
            FrontMatterSource { content: &content, parent_id: parent_id.as_deref(), tags: &article.tags };
        let html = edit.body.as_ref().unwrap_or(&content.body);
        let document = Document::read(html, &self.manifest.address_map(&local.path));
        let file = working_copy::render_file(&self.manifest, &article.id, locale, &source, &document);
        Ok(if local.crlf { file.replace('\n', "\r\n") } else { file })
    }

    fn back_up(&self, path: &str) -> Result<(), Error> {
        if let Some(content) = self.folder.read(path)? {
            let hash = &manifest::sha256(&content)[..8];
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
            match remote::article(client, &id).await {
                Ok(article) => self.pull_article(client, &article, report).await,
                Err(Error::Api(error)) if error.is_gone() => self.prune(&id, report)?,
                Err(error) => report(ArticleOutcome::failed(error, Some(&id), None)),
            }
        }
        Ok(())
    }

    fn prune(&mut self, id: &str, report: &mut dyn FnMut(ArticleOutcome)) -> Result<(), Error> {
        let files = self.manifest.articles.get(id).map(|record| record.files.clone()).unwrap_or_default();
        let edited = self.working_copy.changed.get(id);
        for (locale, file) in &files {
            let path =
                self.working_copy.paths.get(&(id.to_owned(), locale.clone())).unwrap_or(&file.path).clone();
            let mut status = ArticleStatus::DeletedUpstream;
            if self.options.prune {
                if edited.is_some_and(|locals| locals.contains_key(locale)) {
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

/// Whether the server still has the version that the file was made from, as far as an author can see.
///
/// # Errors
/// When the stored HTML cannot be read.
pub fn is_same(
    folder: &Folder,
    manifest: &Manifest,
    article: &Article,
    locale: &str,
    entry: &FileRecord,
) -> Result<bool, Error> {
    let Some(content) = article.content(locale) else { return Ok(true) };
    let fields = entry.title == content.title
        && entry.description == content.description
        && entry.state == content.state
        && entry.author == content.author
        && entry.parent_id == article.parent_id
        && entry.collection == manifest.collection_path(article.parent_id.as_deref());
    let html = || {
        let base = working_copy::base_html(folder, manifest, &article.id, locale, Some(article));
        base.is_some_and(|base| strip_volatile(&base) == strip_volatile(&content.body))
    };
    Ok(fields && (entry.html_sha256 == manifest::sha256(content.body.as_bytes()) || html()))
}

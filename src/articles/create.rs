//! New files become articles, each once.
//!
//! Before an article is created the manifest says so for each of its files, and the answer's id is noted
//! before anything else happens. A run that is killed before it saw the answer leaves a note without id: the
//! next run looks for the article before it creates another. A run that is killed later leaves a note that
//! says which article the files are. What an author wrote since then is never overwritten.

use std::collections::BTreeMap;

use futures::StreamExt;
use serde_json::Value;

use super::article::{Article, Content, Edit, creation};
use super::combine::{parent, says, wanted_parent};
use super::document::{Document, Text};
use super::error::Error;
use super::folder::slug;
use super::local::Local;
use super::manifest::Creating;
use super::merge::{Prefer, merge};
use super::outcome::{Outcome, Status};
use super::remote;
use super::run::Run;
use crate::mirror::fields;

pub(super) async fn create(run: &mut Run<'_>, locals: &BTreeMap<String, Local>) -> Result<Outcome, Error> {
    let locale = default_locale(run, locals);
    let Some(first) = locals.get(&locale) else {
        let path = locals.values().next().map(|it| it.path.clone()).unwrap_or_default();
        let reason = format!("a new article needs its text in {locale}, the language of this help center");
        return Err(Error::content(run.folder.root().join(path), None, reason));
    };
    for local in locals.values() {
        if local.front.title.as_deref().unwrap_or_default().trim().is_empty() {
            return Err(Error::content(
                run.folder.root().join(&local.path),
                Some(1),
                "a new article needs a title",
            ));
        }
    }
    let author = first.front.author.as_ref().or(run.options.author.as_ref());
    let author_id = match (author, run.owner.admin_id) {
        (Some(author), _) => remote::admin(run.client, author).await?,
        (None, Some(id)) => id,
        (None, None) => {
            return Err(Error::Unusable(format!("{}: name an author, or use --author", first.path)));
        }
    };
    let parent_id = wanted_parent(run.folder, &run.manifest, None, locals)?;
    let mut outcome = Outcome::new(Status::WouldCreate, None, None, Some(&first.path));
    outcome.fields = locals.keys().map(|it| format!("{it}.body")).collect();
    if run.options.plan_only {
        return Ok(outcome);
    }
    let title = first.front.title.clone().unwrap_or_default();
    let article = match find(run, locals, &locale, first).await? {
        Some(article) => {
            note(run, locals, &title, Some(&article))?;
            let found = run.article(&article.id, locals).await?;
            if found.status == Status::Conflict {
                return Ok(found);
            }
            article
        }
        None => {
            note(run, locals, &title, None)?;
            let body = body(run, locals, &locale, author_id, parent_id.as_deref());
            let article = send(run, locals, &body).await?;
            note(run, locals, &title, Some(&article))?;
            run.settle(&article, locals)?;
            article
        }
    };
    adopt(run, &article, locals)?;
    taken(&article, locals)?;
    let known = run.manifest.file(&article.id, &locale);
    outcome.path = known.map(|it| it.path.clone());
    outcome.id = Some(article.id);
    outcome.status = Status::Created;
    Ok(outcome)
}

/// The language that a new article begins with. The API takes what stands first for a text in the help
/// center's own language, whatever it is written in.
fn default_locale(run: &Run<'_>, locals: &BTreeMap<String, Local>) -> String {
    let known = &run.manifest.default_locale;
    let usual = if known.is_empty() { "en" } else { known };
    match locals.keys().next() {
        Some(first) if known.is_empty() && !locals.contains_key(usual) => first.clone(),
        _ => usual.to_owned(),
    }
}

/// The body of the request for a new article.
fn body(
    run: &Run<'_>,
    locals: &BTreeMap<String, Local>,
    default_locale: &str,
    author_id: i64,
    parent_id: Option<&str>,
) -> Value {
    let contents = locals.iter().map(|(locale, local)| {
        let images = run.manifest.images(&local.path);
        let nothing = Document::read("", &images);
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
    creation(default_locale, &contents.collect(), author_id, parent_id)
}

async fn send(run: &mut Run<'_>, locals: &BTreeMap<String, Local>, body: &Value) -> Result<Article, Error> {
    match remote::create(run.client, body).await {
        Err(Error::Api(error)) if certainly_refused(&error) => {
            locals.values().for_each(|it| drop(run.manifest.creating.remove(&it.path)));
            run.manifest.save(run.folder)?;
            Err(error.into())
        }
        article => article,
    }
}

fn certainly_refused(error: &crate::api::Error) -> bool {
    matches!(error.status(), Some(400..=407 | 409..=499)) || error.status().is_none() && error.is_offline()
}

/// Says in the manifest that these files are being created, or which article they have become.
fn note(
    run: &mut Run<'_>,
    locals: &BTreeMap<String, Local>,
    title: &str,
    article: Option<&Article>,
) -> Result<(), Error> {
    let since = jiff::Timestamp::now().as_second();
    let id = article.map(|it| it.id.clone());
    for local in locals.values() {
        let creating = Creating { title: title.to_owned(), since, id: id.clone() };
        run.manifest.creating.insert(local.path.clone(), creating);
    }
    if let Some(article) = article {
        run.manifest.note(article);
    }
    run.manifest.save(run.folder)
}

/// The article that an earlier run created without seeing the answer.
async fn find(
    run: &Run<'_>,
    locals: &BTreeMap<String, Local>,
    locale: &str,
    first: &Local,
) -> Result<Option<Article>, Error> {
    let noted = locals.values().find_map(|it| run.manifest.creating.get(&it.path));
    let Some(noted) = noted.filter(|it| it.id.is_none()) else { return Ok(None) };
    let images = run.manifest.images(&first.path);
    let mut pulled = None;
    let mut pages = std::pin::pin!(remote::pages(run.client)?);
    while let Some(page) = pages.next().await {
        for document in page? {
            // Clocks of two machines may differ by a little.
            let recent = fields::time(&document["created_at"]).is_some_and(|it| it + 300 >= noted.since);
            if !recent || document["title"].as_str() != Some(&noted.title) {
                continue;
            }
            let Some(article) = Article::read(document) else { continue };
            if !run.manifest.articles.contains_key(&article.id) {
                return Ok(Some(article));
            }
            let same = |it: &Content| says(first, &Document::read(&it.body, &images), &images);
            if article.content(locale).is_some_and(same) {
                pulled = Some(article.id);
            }
        }
    }
    match pulled {
        None => Ok(None),
        Some(id) => {
            let reason = format!(
                "an earlier run made article {id} of this file, and it was pulled since; \
                 remove this file, or rename it to make another article"
            );
            Err(Error::content(run.folder.root().join(&first.path), None, reason))
        }
    }
}

/// # Errors
/// When the server kept only some of the languages that it was sent.
pub(super) fn taken(article: &Article, locals: &BTreeMap<String, Local>) -> Result<(), Error> {
    let left: Vec<&str> =
        locals.keys().map(String::as_str).filter(|it| article.content(it).is_none()).collect();
    match left.is_empty() {
        true => Ok(()),
        false => Err(Error::Unusable(format!(
            "article {}: the help center did not take {}; switch the language on there",
            article.id,
            left.join(", ")
        ))),
    }
}

/// Gives the files the names of the article that they are now.
fn adopt(run: &mut Run<'_>, article: &Article, locals: &BTreeMap<String, Local>) -> Result<(), Error> {
    let title = article.content(&article.default_locale).map(|it| it.title.as_str()).unwrap_or_default();
    for (locale, local) in locals {
        let name = format!("{}-{}.{locale}.md", article.id, slug(title));
        let path = match parent(&local.path) {
            "" => name,
            folder => format!("{folder}/{name}"),
        };
        if path == local.path || run.folder.has(&path) {
            continue;
        }
        let (from, to) = (run.folder.path(&local.path)?, run.folder.path(&path)?);
        std::fs::rename(&from, &to).map_err(|error| Error::file(&from, error))?;
        if let Some(file) = run.manifest.articles.get_mut(&article.id).and_then(|it| it.files.get_mut(locale))
        {
            file.path = path;
        }
    }
    run.manifest.save(run.folder)
}

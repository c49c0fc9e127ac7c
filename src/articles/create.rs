//! New files become articles, each once.
//!
//! Before an article is created the manifest says so; a run that is killed before it saw the answer leaves
//! that note, and the next run looks for the article before it creates another.

use std::collections::BTreeMap;

use futures::StreamExt;

use super::article::Article;
use super::combine::{parent, wanted_parent};
use super::error::Error;
use super::folder::slug;
use super::local::Local;
use super::manifest::Creating;
use super::outcome::{Outcome, Status};
use super::push::{Run, creation_body, default_locale};
use super::remote;
use crate::mirror::fields;

pub(super) async fn create(run: &mut Run<'_>, locals: &BTreeMap<String, Local>) -> Result<Outcome, Error> {
    let locale = default_locale(run, locals).to_owned();
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
    let title = first.front.title.clone().unwrap_or_default();
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
    let article = match run.manifest.creating.get(&first.path).cloned() {
        Some(creating) if creating.title == title => find(run, &creating).await?,
        _ => None,
    };
    let article = match article {
        Some(article) => article,
        None => {
            let since = jiff::Timestamp::now().as_second();
            run.manifest.creating.insert(first.path.clone(), Creating { title, since });
            run.manifest.save(run.folder)?;
            let body = creation_body(run, locals, author_id, parent_id.as_deref());
            match remote::create(run.client, &body).await {
                Err(Error::Api(error)) if certainly_refused(&error) => {
                    run.manifest.creating.remove(&first.path);
                    run.manifest.save(run.folder)?;
                    return Err(error.into());
                }
                article => article?,
            }
        }
    };
    run.manifest.creating.remove(&first.path);
    // The files say which article they are before they are renamed: a run that ends here loses nothing.
    run.settle(&article, locals)?;
    adopt(run, &article, locals)?;
    let known = run.manifest.articles.get(&article.id);
    let path = known.and_then(|it| it.files.get(&locale)).map(|it| it.path.clone());
    outcome.id = Some(article.id.clone());
    outcome.path = path;
    outcome.status = Status::Created;
    Ok(outcome)
}

fn certainly_refused(error: &crate::api::Error) -> bool {
    matches!(error.status(), Some(400..=407 | 409..=499)) || error.status().is_none() && error.is_offline()
}

/// The article that an earlier run created without seeing the answer.
async fn find(run: &Run<'_>, creating: &Creating) -> Result<Option<Article>, Error> {
    let mut pages = std::pin::pin!(remote::pages(run.client)?);
    while let Some(page) = pages.next().await {
        for document in page? {
            // Clocks of two machines may differ by a little.
            let recent = fields::time(&document["created_at"]).is_some_and(|it| it + 300 >= creating.since);
            if !recent || document["title"].as_str() != Some(&creating.title) {
                continue;
            }
            let unknown = |it: &Article| !run.manifest.articles.contains_key(&it.id);
            if let Some(article) = Article::read(document).filter(unknown) {
                return Ok(Some(article));
            }
        }
    }
    Ok(None)
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

//! Creates an article from each new file, exactly once.
//!
//! Before the request, the manifest records a pending creation for every file of the article; after the
//! response, the id is added to it before anything else is written. If the push is killed before the
//! response, the entry has no id, and the next push searches for the article before it creates another. If it
//! is killed later, the entry maps the files to their article. Edits made since then must never be
//! overwritten.
//!
//! A clone to which the result of an earlier push was never committed has no such entry. For that case,
//! articles with the same title are looked up in the help center before one is created.

use futures::StreamExt;
use serde_json::Value;

use super::session::PushSession;
use super::update::check_languages;
use crate::articles::article::{Article, ArticleContent, Edit, creation};
use crate::articles::convert::blocks::{Document, EditedDocument};
use crate::articles::convert::merge::{Prefer, merge};
use crate::articles::sync::error::Error;
use crate::articles::sync::layout::{in_folder, parent, stem};
use crate::articles::sync::manifest::PendingCreation;
use crate::articles::sync::outcome::{ArticleOutcome, ArticleStatus};
use crate::articles::sync::outgoing::{OutgoingText, is_equivalent};
use crate::articles::sync::placement::requested_parent;
use crate::articles::sync::remote;
use crate::articles::sync::working_copy::{LocalFile, LocalFiles, default_locale};
use crate::data::lenient;

pub async fn create(session: &mut PushSession<'_>, locals: &LocalFiles) -> Result<ArticleOutcome, Error> {
    let locale = default_locale(&session.manifest, locals);
    let findings = session.findings(None, None, locals);
    let path = locals.values().next().map(|local| local.path.as_str());
    let first = match locals.get(&locale) {
        Some(first) if !findings.iter().any(|finding| finding.blocks_push) => first,
        _ => return Ok(ArticleOutcome::blocked(findings, None, path)),
    };
    let author = first.front.author.as_ref().or(session.options.author.as_ref());
    let author_id = match (author, session.owner.admin_id) {
        (Some(author), _) => remote::admin(session.client, author).await?,
        (None, Some(id)) => id,
        (None, None) => {
            let reason = "no author: add `author: ...` to the file, or use --author";
            return Err(Error::Unusable(format!("{}: {reason}", first.path)));
        }
    };
    let parent_id = requested_parent(session.folder, &session.manifest, None, locals)?;
    let mut outcome = ArticleOutcome::new(ArticleStatus::WouldCreate, None, None, Some(&first.path));
    outcome.fields = locals.keys().map(|locale| format!("{locale}.body")).collect();
    outcome.findings = findings;
    let is_pending = locals.values().any(|local| session.manifest.creating.contains_key(&local.path));
    if !is_pending && !session.options.same_title {
        match find_by_title(session, locals, &locale, first).await? {
            TitleMatch::None => {}
            TitleMatch::Same(article) => return reuse_article(session, locals, article, outcome).await,
            TitleMatch::Other(reason) => {
                outcome.status = ArticleStatus::Conflict;
                outcome.error = Some(Error::content(session.folder.root().join(&first.path), None, reason));
                return Ok(outcome);
            }
        }
    }
    if session.options.plan_only {
        return Ok(outcome);
    }
    let title = first.front.title.clone().unwrap_or_default();
    let article = match find_interrupted(session, locals, &locale, first).await? {
        Some(article) => {
            record_creation(session, locals, &title, Some(&article))?;
            let outcome = session.push_article(&article.id, locals).await?;
            if matches!(outcome.status, ArticleStatus::Conflict | ArticleStatus::Failed) {
                return Ok(outcome);
            }
            article
        }
        None => {
            record_creation(session, locals, &title, None)?;
            let body = request_body(session, locals, &locale, author_id, parent_id.as_deref());
            let article = send(session, locals, &body).await?;
            session.claimed.insert(article.id.clone());
            record_creation(session, locals, &title, Some(&article))?;
            session.record(&article, locals)?;
            article
        }
    };
    rename_files(session, &article, locals)?;
    check_languages(&article, locals)?;
    let known = session.manifest.file(&article.id, &locale);
    outcome.path = known.map(|file| file.path.clone());
    outcome.id = Some(article.id);
    outcome.status = ArticleStatus::Created;
    Ok(outcome)
}

/// Whether the help center already has an article with the title of a new file.
enum TitleMatch {
    None,
    /// Its text is the same: an earlier push created it.
    Same(Box<Article>),
    /// Its text differs, so it may or may not be the file's article; holds the reason to report.
    Other(String),
}

async fn find_by_title(
    session: &mut PushSession<'_>,
    locals: &LocalFiles,
    locale: &str,
    first: &LocalFile,
) -> Result<TitleMatch, Error> {
    if session.title_matches.is_none() {
        let mut found = Vec::new();
        let mut pages = std::pin::pin!(remote::pages(session.client)?);
        while let Some(page) = pages.next().await {
            let articles = page?.into_iter().filter_map(Article::read);
            found.extend(articles.filter(|article| {
                article.contents.values().any(|content| session.titles.contains(content.title.trim()))
            }));
        }
        session.title_matches = Some(found);
    }
    let title = first.front.title.as_deref().unwrap_or_default().trim();
    let all = session.title_matches.as_deref().unwrap_or_default();
    let has_title =
        |article: &&Article| article.content(locale).is_some_and(|content| content.title.trim() == title);
    let mut other = None;
    for article in all.iter().filter(has_title).filter(|article| !session.claimed.contains(&article.id)) {
        let known = session.manifest.articles.get(&article.id);
        if !has_same_text(session, article, locals) {
            // An article with files in the folder is certainly a different one.
            other = other.or(known.is_none().then_some(&article.id));
            continue;
        }
        // A copy of a file that this folder already turned into an article is meant as a second article.
        if known.is_some_and(|known| known.created_from.is_some()) {
            continue;
        }
        return Ok(match known {
            None => TitleMatch::Same(Box::new(article.clone())),
            Some(known) => TitleMatch::Other(format!(
                "article {} ({}) already has this title and text: remove this file, change its title, \
                 or use --allow-same-title for a second article",
                article.id,
                known.files.values().next().map_or("", |file| file.path.as_str())
            )),
        });
    }
    Ok(other.map_or(TitleMatch::None, |id| {
        TitleMatch::Other(format!(
            "article {id} has the same title but a different text: to edit that article, pull it and edit \
             its file; for a second article, change the title or use --allow-same-title"
        ))
    }))
}

/// Whether an article has the same title and text as these files, in every language.
fn has_same_text(session: &PushSession<'_>, article: &Article, locals: &LocalFiles) -> bool {
    locals.iter().all(|(locale, local)| {
        article.content(locale).is_some_and(|content| {
            let title = local.front.title.as_deref().unwrap_or_default().trim();
            let text =
                |html| OutgoingText::read(session.folder, &session.manifest, None, locale, local, html);
            content.title.trim() == title && text(&content.body).is_equivalent()
        })
    })
}

/// Maps the files to an article that already exists.
async fn reuse_article(
    session: &mut PushSession<'_>,
    locals: &LocalFiles,
    article: Box<Article>,
    mut outcome: ArticleOutcome,
) -> Result<ArticleOutcome, Error> {
    outcome.id = Some(article.id.clone());
    outcome.status = ArticleStatus::Unchanged;
    outcome.fields.clear();
    outcome.note = Some(format!(
        "already article {}, which an earlier push created; commit manifest.json, .intercom/ and the \
         renamed file, so that the next push recognizes it",
        article.id
    ));
    session.claimed.insert(article.id.clone());
    if session.options.plan_only {
        return Ok(outcome);
    }
    let title = locals.values().next().and_then(|local| local.front.title.clone()).unwrap_or_default();
    record_creation(session, locals, &title, Some(&article))?;
    let pushed = session.push_article(&article.id, locals).await?;
    if matches!(pushed.status, ArticleStatus::Conflict | ArticleStatus::Failed) {
        return Ok(pushed);
    }
    rename_files(session, &article, locals)?;
    outcome.status = pushed.status;
    outcome.fields = pushed.fields;
    outcome.path = locals
        .keys()
        .find_map(|locale| session.manifest.file(&article.id, locale))
        .map(|file| file.path.clone());
    Ok(outcome)
}

/// The body of the request for a new article.
fn request_body(
    session: &PushSession<'_>,
    locals: &LocalFiles,
    default_locale: &str,
    author_id: i64,
    parent_id: Option<&str>,
) -> Value {
    let contents = locals.iter().map(|(locale, local)| {
        let OutgoingText { base: empty, text, addresses } =
            OutgoingText::read(session.folder, &session.manifest, None, locale, local, "");
        let front = &local.front;
        let edit = Edit {
            title: front.title.clone(),
            description: front.description.clone(),
            body: Some(merge(&empty, &text, &empty, &addresses, Prefer::Neither).html),
            state: Some(front.state.clone().unwrap_or_else(|| "draft".to_owned())),
            author: None,
        };
        (locale.clone(), edit)
    });
    creation(default_locale, &contents.collect(), author_id, parent_id)
}

async fn send(session: &mut PushSession<'_>, locals: &LocalFiles, body: &Value) -> Result<Article, Error> {
    match remote::create(session.client, body).await {
        Err(Error::Api(error)) if is_definite_refusal(&error) => {
            for local in locals.values() {
                session.manifest.creating.remove(&local.path);
            }
            session.manifest.save(session.folder)?;
            Err(error.into())
        }
        article => article,
    }
}

/// Whether the server certainly did not create the article.
fn is_definite_refusal(error: &crate::api::Error) -> bool {
    matches!(error.status(), Some(400..=407 | 409..=499)) || error.status().is_none() && error.is_offline()
}

/// Records in the manifest that an article is being created from these files, and its id once it exists.
fn record_creation(
    session: &mut PushSession<'_>,
    locals: &LocalFiles,
    title: &str,
    article: Option<&Article>,
) -> Result<(), Error> {
    let since = jiff::Timestamp::now().as_second();
    let id = article.map(|article| article.id.clone());
    for local in locals.values() {
        let creating = PendingCreation { title: title.to_owned(), since, id: id.clone() };
        session.manifest.creating.insert(local.path.clone(), creating);
    }
    if let Some(article) = article {
        session.manifest.record_article(article);
    }
    session.manifest.save(session.folder)
}

/// Finds the article that an earlier push created without receiving the response.
async fn find_interrupted(
    session: &PushSession<'_>,
    locals: &LocalFiles,
    locale: &str,
    first: &LocalFile,
) -> Result<Option<Article>, Error> {
    let pending = locals.values().find_map(|local| session.manifest.creating.get(&local.path));
    let Some(pending) = pending.filter(|pending| pending.id.is_none()) else { return Ok(None) };
    let addresses = session.manifest.address_map(&first.path);
    let mut pulled = None;
    let mut pages = std::pin::pin!(remote::pages(session.client)?);
    while let Some(page) = pages.next().await {
        for document in page? {
            // Tolerate 300 seconds of clock skew between this machine and the server.
            let recent =
                lenient::time(&document["created_at"]).is_some_and(|created| created + 300 >= pending.since);
            if !recent || document["title"].as_str() != Some(&pending.title) {
                continue;
            }
            let Some(article) = Article::read(document) else { continue };
            if !session.manifest.articles.contains_key(&article.id) {
                return Ok(Some(article));
            }
            let has_same_text = |content: &ArticleContent| {
                let document = Document::read(&content.body, &addresses);
                let text = EditedDocument::read(&first.body, &document, &addresses);
                is_equivalent(&text, &document, &addresses)
            };
            if article.content(locale).is_some_and(has_same_text) {
                pulled = Some(article.id);
            }
        }
    }
    match pulled {
        None => Ok(None),
        Some(id) => {
            let reason = format!(
                "an earlier push created article {id} from this file, and it was pulled since; \
                 remove this file, or rename it to create another article"
            );
            Err(Error::content(session.folder.root().join(&first.path), None, reason))
        }
    }
}

/// Renames the files after the article that they belong to now.
fn rename_files(session: &mut PushSession<'_>, article: &Article, locals: &LocalFiles) -> Result<(), Error> {
    if let Some(known) = session.manifest.articles.get_mut(&article.id) {
        known.created_from = locals.values().next().map(|local| local.path.clone());
    }
    for (locale, local) in locals {
        let path = in_folder(parent(&local.path), &format!("{}.{locale}.md", stem(article)));
        if path == local.path || session.folder.has(&path) {
            continue;
        }
        let (from, to) = (session.folder.path(&local.path)?, session.folder.path(&path)?);
        std::fs::rename(&from, &to).map_err(|error| Error::file(&from, error))?;
        if let Some(file) =
            session.manifest.articles.get_mut(&article.id).and_then(|record| record.files.get_mut(locale))
        {
            file.path.clone_from(&path);
        }
        std::sync::Arc::make_mut(&mut session.manifest.links).set_path(&article.id, locale, &path);
        session.renamed.push((local.path.clone(), path));
    }
    session.manifest.save(session.folder)
}

//! Articles of the help center.
//!
//! Must keep two dangerous behaviours of the API: an update without `state` publishes the article, and an update
//! with `translated_content` deletes the locales it omits.

use serde_json::{Map, Value, json};

use super::article_versions::record_version;
use super::operations::operations;
use super::plain;
use crate::html::plain as plain_text;
use crate::sandbox::html::{normalize_article, relative_image_url};
use crate::sandbox::model::article::{HelpArticle, article_content};
use crate::sandbox::model::knowledge::ARTICLE;
use crate::sandbox::paging::{PAGES_FIRST, numbered_page};
use crate::sandbox::quirk::Quirk;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listArticles" => list,
    "retrieveArticle" => |workspace, request| respond_with(workspace, request.path("id")),
    "createArticle" => create,
    "updateArticle" => update,
    "deleteArticle" => delete,
    "searchArticles" => search,
}

pub fn document(workspace: &Workspace, article: &HelpArticle) -> Value {
    let mut parents = Vec::new();
    let mut next = article.parent_id.as_deref();
    while let Some(collection) = next.and_then(|id| workspace.collections.get(id)) {
        parents.push(collection.id.clone());
        next = Some(collection.text("parent_id")).filter(|id| parents.iter().all(|parent| parent != id));
    }
    let mut document = article.document(&workspace.id, workspace.locale(), &parents);
    let tags = workspace.knowledge.settings(ARTICLE, &article.id).tags;
    let tags: Vec<_> = tags.iter().map(|tag| tag.document(workspace.tag_name(&tag.tag_id))).collect();
    document["tags"]["tags"] = json!(tags);
    document
}

pub fn respond_with(workspace: &Workspace, id: &str) -> HandlerResult {
    let article = workspace.articles.find(id)?;
    let mut document = document(workspace, article);
    document["statistics"] = article.statistics();
    Ok(document.into())
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let articles: Vec<_> = workspace.articles.newest_first().collect();
    Ok(numbered_page(request, &articles, (25, 150))?
        .list("list", PAGES_FIRST, |article| document(workspace, article)))
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let mut article = HelpArticle {
        id: workspace.next_id(IdSequence::Article),
        title: request.required("title")?.to_owned(),
        created_at: now,
        updated_at: now,
        translations: (workspace.locales.len() > 1).then(Map::new),
        ..HelpArticle::default()
    };
    apply(workspace, &mut article, &request.body)?;
    article.published = request.text("state") == Some("published");
    let id = article.id.clone();
    workspace.articles.insert(article);
    respond_with(workspace, &id)
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    let mut article = workspace.articles.find(id)?.clone();
    let before = article.clone();
    if workspace.quirks.contains(&Quirk::TokenByline)
        && let Some(owner) = workspace.me().map(|admin| admin.id)
    {
        article.author_id = owner;
    }
    apply(workspace, &mut article, &request.body)?;
    article.published = request.text("state") != Some("draft");
    article.touch(workspace.now());
    record_version(workspace, &before, &article);
    workspace.articles.insert(article);
    respond_with(workspace, id)
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let response = plain::delete(&mut workspace.articles, request, "article")?;
    let id = request.path("id");
    workspace.knowledge.drafts.remove(id);
    workspace.knowledge.versions.remove(id);
    workspace.knowledge.forget_settings(ARTICLE, id);
    Ok(response)
}

/// Applies the fields of the body and of the default locale in `translated_content`.
fn apply(workspace: &mut Workspace, article: &mut HelpArticle, body: &Value) -> Result<(), ErrorResponse> {
    let default_content = body["translated_content"][workspace.locale()].clone();
    for source in [&default_content, body] {
        for (name, target) in [
            ("title", &mut article.title),
            ("description", &mut article.description),
            ("body", &mut article.body),
        ] {
            if let Some(text) = source[name].as_str() {
                if name == "body" {
                    require_absolute_image_urls(text)?;
                }
                *target = if name == "body" { normalize(workspace, text) } else { text.to_owned() };
            }
        }
        if let Some(author_id) = source["author_id"].as_i64() {
            workspace.admin(author_id).ok_or_else(|| {
                ErrorResponse::invalid("author_id", "author_id does not match any teammate")
            })?;
            article.author_id = author_id;
        }
    }
    if let Some(parent) = body.get("parent_id") {
        article.parent_id = parse_parent(workspace, parent)?;
    }
    match &body["translated_content"] {
        Value::Object(contents) => replace_translations(workspace, article, contents),
        _ => Ok(()),
    }
}

/// The API fetches images when it saves a body, so it requires absolute URLs.
pub fn require_absolute_image_urls(body: &str) -> Result<(), ErrorResponse> {
    match relative_image_url(body) {
        None => Ok(()),
        Some(src) => Err(ErrorResponse::invalid("body", format!("image {src:?} must be an absolute URL"))),
    }
}

pub fn normalize(workspace: &mut Workspace, body: &str) -> String {
    normalize_article(body, || format!("{:010x}", workspace.random.next() >> 24))
}

/// The id of a collection, given as a number or a string.
fn parse_parent(workspace: &Workspace, parent: &Value) -> Result<Option<String>, ErrorResponse> {
    let id = match parent {
        Value::Null => return Ok(None),
        Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    match workspace.collections.get(&id) {
        Some(_) => Ok(Some(id)),
        None => Err(ErrorResponse::invalid("parent_id", "parent_id does not match any collection")),
    }
}

/// Replaces all translations.
fn replace_translations(
    workspace: &mut Workspace,
    article: &mut HelpArticle,
    contents: &Map<String, Value>,
) -> Result<(), ErrorResponse> {
    let mut translations = Map::new();
    for (locale, content) in contents.iter().filter(|(_, content)| content.is_object()) {
        if !workspace.locales.contains(locale) {
            let message = format!("locale {locale} is not enabled for this help center");
            return Err(ErrorResponse::invalid("translated_content", message));
        }
        if locale == workspace.locale() {
            continue;
        }
        require_absolute_image_urls(content["body"].as_str().unwrap_or_default())?;
        let now = workspace.now();
        let text = |name: &str| content[name].as_str().unwrap_or_default();
        let body = normalize(workspace, text("body"));
        let author_id = content["author_id"].as_i64().unwrap_or(article.author_id);
        let state = content["state"].as_str().unwrap_or("published");
        let texts = [text("title"), text("description"), &body];
        let translation = article_content(texts, author_id, state, [article.created_at, now]);
        translations.insert(locale.clone(), translation);
    }
    if article.translations.is_some() {
        article.translations = Some(translations);
    }
    Ok(())
}

fn search(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let phrase = request.query("phrase").unwrap_or_default().to_lowercase();
    let state = request.query("state").filter(|state| *state != "all");
    let articles: Vec<_> = workspace
        .articles
        .newest_first()
        .filter(|article| state.is_none_or(|state| article.state() == state))
        .filter(|article| in_help_center(workspace, article, request.query("help_center_id")))
        .filter(|article| {
            let text =
                format!("{} {} {}", article.title, article.description, plain_text::text(&article.body));
            text.to_lowercase().contains(&phrase)
        })
        .collect();
    let page = numbered_page(request, &articles, (10, 150))?;
    let documents: Vec<_> = page.records.iter().map(|article| document(workspace, article)).collect();
    let highlights: Vec<_> = if request.is_true("highlight") {
        page.records.iter().map(|article| highlight(article, &phrase)).collect()
    } else {
        Vec::new()
    };
    let response = json!({
        "type": "list",
        "total_count": page.total_count,
        "data": {"articles": documents, "highlights": highlights},
        "pages": page.pages,
    });
    Ok(response.into())
}

fn in_help_center(workspace: &Workspace, article: &HelpArticle, help_center_id: Option<&str>) -> bool {
    let collection = article.parent_id.as_ref().and_then(|id| workspace.collections.get(id));
    help_center_id.is_none_or(|id| {
        let own = collection.and_then(|collection| collection.document["help_center_id"].as_u64());
        own.is_some() && own == id.parse().ok()
    })
}

/// The title, split at the start and the end of the phrase.
fn highlight(article: &HelpArticle, phrase: &str) -> Value {
    let piece = |kind: &str, text: &str| json!({"type": kind, "text": text});
    let at = article.title.to_lowercase().find(phrase).filter(|_| !phrase.is_empty());
    let split = at.and_then(|at| Some((article.title.get(..at)?, article.title.get(at..at + phrase.len())?)));
    let title = match split {
        Some((before, matched)) => {
            let after = &article.title[before.len() + matched.len()..];
            vec![piece("plain", before), piece("highlight", matched), piece("plain", after)]
        }
        None => vec![piece("plain", &article.title)],
    };
    json!({"article_id": article.id, "highlighted_title": title, "highlighted_summary": []})
}

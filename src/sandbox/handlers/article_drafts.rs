//! Drafts that are staged over published articles.
//!
//! Only text is staged. The live text must not change before the draft is published.

use serde_json::{Value, json};

use super::article_versions::record_version;
use super::articles;
use super::operations::operations;
use crate::html::compose;
use crate::sandbox::model::article::HelpArticle;
use crate::sandbox::model::knowledge::{ArticleDraft, ArticleText};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "retrieveArticleDraft" => retrieve,
    "stageArticleDraft" => stage,
    "publishArticleDraft" => publish,
}

fn refused(message: impl Into<String>) -> ErrorResponse {
    ErrorResponse::new(422, "parameter_invalid", message)
}

fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let article = workspace.articles.find(request.path("id"))?;
    let draft = workspace.knowledge.drafts.get(&article.id).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(with_draft(workspace, article, draft).into())
}

/// The document of an article as it would be with the draft. Its address stays that of the live text.
fn with_draft(workspace: &Workspace, article: &HelpArticle, draft: &ArticleDraft) -> Value {
    let mut shown = article.clone();
    for (locale, text) in &draft.texts {
        shown.set_text(locale, workspace.locale(), text.clone(), draft.updated_at);
    }
    let mut document = articles::document(workspace, &shown);
    document["url"] = json!(article.url(workspace.locale()));
    document["statistics"] = article.statistics();
    mark_changes(workspace, &mut document, draft);
    document
}

/// Says which texts have unpublished changes.
fn mark_changes(workspace: &Workspace, document: &mut Value, draft: &ArticleDraft) {
    let mark = |fields: &mut Value, locale: &str| {
        let is_staged = draft.texts.contains_key(locale);
        fields["has_unpublished_changes"] = json!(is_staged);
        fields["draft_updated_at"] = json!(is_staged.then_some(draft.updated_at));
    };
    mark(document, workspace.locale());
    let translations = document.get_mut("translated_content").and_then(Value::as_object_mut);
    for (locale, content) in translations.into_iter().flatten().filter(|(_, content)| content.is_object()) {
        mark(content, locale);
    }
}

fn stage(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let article = workspace.articles.find(request.path("id"))?.clone();
    if !article.published {
        return Err(refused("Article must be published before a draft can be staged"));
    }
    let default = workspace.locale().to_owned();
    let mut draft = workspace.knowledge.drafts.get(&article.id).cloned().unwrap_or_default();
    let live = article.texts(&default);
    let translations = request.body["translated_content"].as_object().into_iter().flatten();
    let translations = translations.filter(|(_, content)| content.is_object());
    let sources = translations.map(|(locale, content)| (locale.clone(), content));
    for (locale, fields) in sources.chain([(default.clone(), &request.body)]) {
        if !workspace.locales.contains(&locale) {
            let message = format!("locale {locale} is not enabled for this help center");
            return Err(ErrorResponse::invalid("translated_content", message));
        }
        let current = draft.texts.get(&locale).or_else(|| live.get(&locale)).cloned().unwrap_or_default();
        let staged = staged_text(workspace, current.clone(), fields)?;
        if staged != current {
            draft.texts.insert(locale, staged);
            draft.updated_at = workspace.now();
        }
    }
    let document = with_draft(workspace, &article, &draft);
    if !draft.texts.is_empty() {
        workspace.knowledge.drafts.insert(article.id, draft);
    }
    Ok(document.into())
}

/// The text with the fields of a request.
fn staged_text(
    workspace: &mut Workspace,
    mut text: ArticleText,
    fields: &Value,
) -> Result<ArticleText, ErrorResponse> {
    let field = |name: &str| fields[name].as_str();
    if let Some(title) = field("title") {
        text.title = title.to_owned();
    }
    if let Some(description) = field("description") {
        text.description = description.to_owned();
    }
    let body = match (field("body"), field("body_markdown")) {
        (Some(_), Some(_)) => {
            return Err(ErrorResponse::invalid("body", "body and body_markdown exclude each other"));
        }
        (body, markdown) => body.map(str::to_owned).or(markdown.map(compose::from_markdown)),
    };
    if let Some(body) = body {
        articles::require_absolute_image_urls(&body)?;
        text.body = articles::normalize(workspace, &body);
    }
    Ok(text)
}

fn publish(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let before = workspace.articles.find(request.path("id"))?.clone();
    let no_draft = || refused("Article has no draft to publish");
    let mut draft = workspace.knowledge.drafts.get(&before.id).cloned().ok_or_else(no_draft)?;
    let named = request.body["locales"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut locales: Vec<String> = named.map(str::to_owned).collect();
    if locales.is_empty() && workspace.locales.len() > 1 {
        let message = "locales must be specified to publish a draft on a multilingual workspace";
        return Err(ErrorResponse::new(422, "parameter_not_found", message));
    }
    if locales.is_empty() {
        locales = draft.texts.keys().cloned().collect();
    }
    let unchanged: Vec<_> =
        locales.iter().filter(|locale| !draft.texts.contains_key(*locale)).cloned().collect();
    if !unchanged.is_empty() {
        let message =
            format!("Cannot publish a draft for locale(s) without pending changes: {}", unchanged.join(", "));
        return Err(refused(message));
    }
    let (now, default) = (workspace.now(), workspace.locale().to_owned());
    let mut article = before.clone();
    for locale in &locales {
        let Some(text) = draft.texts.remove(locale) else { continue };
        article.set_text(locale, &default, text, now);
        let translation = article.translations.as_mut().and_then(|contents| contents.get_mut(locale));
        if let Some(content) = translation {
            content["state"] = json!("published");
        }
    }
    article.touch(now);
    record_version(workspace, &before, &article);
    let id = article.id.clone();
    workspace.articles.insert(article);
    if draft.texts.is_empty() {
        workspace.knowledge.drafts.remove(&id);
    } else {
        workspace.knowledge.drafts.insert(id.clone(), draft.clone());
    }
    let mut response = articles::respond_with(workspace, &id)?;
    if let Some(document) = response.body.as_mut() {
        mark_changes(workspace, document, &draft);
    }
    Ok(response)
}

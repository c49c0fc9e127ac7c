//! Bulk actions on content. The sandbox carries them out before it answers.
//!
//! Content of a type that the action does not support is skipped without an error, as is content that does not exist.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::knowledge::{ARTICLE, ARTICLE_CONTENT, Availability, INTERNAL_ARTICLE, SNIPPET};
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::Workspace;

/// Maximum number of different tags in a request.
const MAX_TAGS: usize = 100;

operations! {
    "bulkContentActions" => run,
}

/// The types that the sandbox has and an action supports.
fn supported_types(action: &str) -> &'static [&'static str] {
    match action {
        "publish" | "unpublish" => &[ARTICLE_CONTENT],
        "update_tags" => &[ARTICLE, SNIPPET, INTERNAL_ARTICLE],
        _ => &[ARTICLE_CONTENT, SNIPPET, INTERNAL_ARTICLE],
    }
}

fn refused(field: &str, message: impl Into<String>) -> ErrorResponse {
    ErrorResponse { status: 422, ..ErrorResponse::invalid(field, message) }
}

fn run(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let action = request.required("action")?;
    check_parameters(workspace, action, &request.body)?;
    let supported = supported_types(action);
    for content in request.body["content_ids"].as_array().into_iter().flatten() {
        let kind = supported.iter().find(|kind| content["type"] == **kind);
        let id = content["id"].as_str().unwrap_or_default();
        if let Some(kind) = kind.filter(|kind| workspace.has_content(kind, id)) {
            apply(workspace, action, (kind, id), &request.body);
        }
    }
    let body = json!({"type": "content_bulk_action", "status": "queued"});
    Ok(SuccessResponse { status: 202, ..body.into() })
}

fn check_parameters(workspace: &Workspace, action: &str, body: &Value) -> Result<(), ErrorResponse> {
    let is_empty = |name: &str| body[name].as_object().is_none_or(serde_json::Map::is_empty);
    match action {
        "set_availability" if is_empty("availability") => {
            Err(refused("availability", "availability is required for set_availability"))
        }
        "set_audience" if is_empty("audience") => {
            Err(refused("audience", "audience is required for set_audience"))
        }
        "update_tags" => {
            let mut ids = numbers(&body["tags"]["add_tag_ids"]);
            ids.extend(numbers(&body["tags"]["remove_tag_ids"]));
            ids.sort_unstable();
            ids.dedup();
            let unknown: Vec<_> =
                ids.iter().map(i64::to_string).filter(|id| workspace.tags.get(id).is_none()).collect();
            if ids.is_empty() {
                Err(refused("tags", "add_tag_ids or remove_tag_ids is required for update_tags"))
            } else if ids.len() > MAX_TAGS {
                Err(refused("tags", format!("at most {MAX_TAGS} tags can be changed at once")))
            } else if unknown.is_empty() {
                Ok(())
            } else {
                Err(refused("tags", format!("unknown tags: {}", unknown.join(", "))))
            }
        }
        _ => Ok(()),
    }
}

fn numbers(list: &Value) -> Vec<i64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
}

fn apply(workspace: &mut Workspace, action: &str, (kind, id): (&'static str, &str), body: &Value) {
    match action {
        "publish" => set_published(workspace, id, true),
        "unpublish" => set_published(workspace, id, false),
        "delete" => delete(workspace, kind, id),
        "set_availability" => {
            let flag = |name: &str, current: bool| body["availability"][name].as_bool().unwrap_or(current);
            let availability = &mut workspace.knowledge.settings_mut(kind, id).availability;
            *availability = Availability {
                ai_agent: flag("ai_agent", availability.ai_agent),
                copilot: flag("copilot", availability.copilot),
                sales_agent: flag("sales_agent", availability.sales_agent),
            };
        }
        "set_audience" => {
            let audience = &body["audience"];
            let removed = numbers(&audience["remove_segment_ids"]);
            let ids = &mut workspace.knowledge.settings_mut(kind, id).audience_ids;
            ids.retain(|id| audience["remove_all"] != true && !removed.contains(id));
            let added = numbers(&audience["add_segment_ids"]);
            ids.extend(added.into_iter().filter(|id| !removed.contains(id)));
            ids.sort_unstable();
            ids.dedup();
        }
        _ => update_tags(workspace, (kind, id), &body["tags"]),
    }
}

fn set_published(workspace: &mut Workspace, content_id: &str, published: bool) {
    let Some((article, locale)) = workspace.article_content(content_id) else { return };
    let (mut article, locale, now) = (article.clone(), locale.to_owned(), workspace.now());
    if locale == workspace.locale() {
        article.published = published;
    } else if let Some(content) = article.translations.as_mut().and_then(|all| all.get_mut(&locale)) {
        content["state"] = json!(if published { "published" } else { "draft" });
    }
    article.touch(now);
    workspace.articles.insert(article);
}

/// Without its text in the default language, an article is gone.
fn delete(workspace: &mut Workspace, kind: &'static str, id: &str) {
    match kind {
        SNIPPET => drop(workspace.knowledge.snippets.remove(id)),
        INTERNAL_ARTICLE => drop(workspace.internal_articles.remove(id)),
        _ => {
            let Some((article, locale)) = workspace.article_content(id) else { return };
            let (mut article, locale) = (article.clone(), locale.to_owned());
            if locale == workspace.locale() {
                workspace.articles.remove(&article.id);
            } else {
                article.translations.iter_mut().for_each(|contents| {
                    contents.shift_remove(&locale);
                });
                article.touch(workspace.now());
                workspace.articles.insert(article);
            }
        }
    }
    workspace.knowledge.forget_settings(kind, id);
}

fn update_tags(workspace: &mut Workspace, (kind, id): (&'static str, &str), change: &Value) {
    let (now, admin_id) = (workspace.now(), workspace.my_id());
    let texts = |name: &str| numbers(&change[name]).iter().map(i64::to_string).collect::<Vec<_>>();
    let (added, removed) = (texts("add_tag_ids"), texts("remove_tag_ids"));
    let tags = &mut workspace.knowledge.settings_mut(kind, id).tags;
    tags.retain(|tag| !removed.contains(&tag.tag_id));
    for tag_id in added {
        if tags.iter().all(|tag| tag.tag_id != tag_id) {
            tags.push(AppliedTag { tag_id, applied_at: now, admin_id });
        }
    }
}

//! Tags of articles, internal articles and snippets.

use super::operations::operations;
use crate::sandbox::model::knowledge::{ARTICLE, INTERNAL_ARTICLE, SNIPPET};
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "attachTagToArticle" => |workspace, request| attach(workspace, request, ARTICLE),
    "detachTagFromArticle" => |workspace, request| detach(workspace, request, ARTICLE),
    "attachTagToInternalArticle" => |workspace, request| attach(workspace, request, INTERNAL_ARTICLE),
    "detachTagFromInternalArticle" => |workspace, request| detach(workspace, request, INTERNAL_ARTICLE),
    "attachTagToContentSnippet" => |workspace, request| attach(workspace, request, SNIPPET),
    "detachTagFromContentSnippet" => |workspace, request| detach(workspace, request, SNIPPET),
}

/// The id in the path, if such content exists.
fn content_id<'a>(
    workspace: &Workspace,
    request: &'a ApiRequest,
    kind: &'static str,
) -> Result<&'a str, ErrorResponse> {
    let (parameter, code, message) = match kind {
        ARTICLE => ("article_id", "article_not_found", "Article not found"),
        INTERNAL_ARTICLE => {
            ("internal_article_id", "internal_article_not_found", "Internal article not found")
        }
        _ => ("content_snippet_id", "content_snippet_not_found", "Content snippet not found"),
    };
    let id = request.path(parameter);
    if workspace.has_content(kind, id) { Ok(id) } else { Err(ErrorResponse::new(404, code, message)) }
}

fn tag_not_found() -> ErrorResponse {
    ErrorResponse::new(404, "tag_not_found", "Tag not found")
}

fn attach(workspace: &mut Workspace, request: &ApiRequest, kind: &'static str) -> HandlerResult {
    let id = content_id(workspace, request, kind)?;
    let tag = workspace.tags.get(request.required("id")?).ok_or_else(tag_not_found)?;
    let (tag_id, name) = (tag.id.clone(), tag.text("name").to_owned());
    let admin_id = match request.text("admin_id") {
        Some(id) => workspace.acting_admin(id)?,
        None => workspace.my_id(),
    };
    let applied = AppliedTag { tag_id, applied_at: workspace.now(), admin_id };
    let document = applied.document(&name);
    let tags = &mut workspace.knowledge.settings_mut(kind, id).tags;
    if tags.iter().all(|tag| tag.tag_id != applied.tag_id) {
        tags.push(applied);
    }
    Ok(document.into())
}

fn detach(workspace: &mut Workspace, request: &ApiRequest, kind: &'static str) -> HandlerResult {
    let (id, tag_id) = (content_id(workspace, request, kind)?, request.path("id"));
    let tags = &mut workspace.knowledge.settings_mut(kind, id).tags;
    let index = tags.iter().position(|tag| tag.tag_id == tag_id).ok_or_else(tag_not_found)?;
    let tag = tags.remove(index);
    Ok(tag.document(workspace.tag_name(tag_id)).into())
}

//! Redirects from old addresses of a help center to articles and collections.

use serde_json::json;

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::{PAGES_FIRST, numbered_page};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listHelpCenterRedirects" => list,
    "createHelpCenterRedirect" => create,
    "retrieveHelpCenterRedirect" => |workspace, request| {
        Ok(find(workspace, request)?.document.clone().into())
    },
    "deleteHelpCenterRedirect" => delete,
}

fn not_found() -> ErrorResponse {
    ErrorResponse::not_found("Resource not found")
}

fn help_center<'a>(workspace: &'a Workspace, request: &ApiRequest) -> Result<&'a PlainRecord, ErrorResponse> {
    workspace.help_centers.get(request.path("help_center_id")).ok_or_else(not_found)
}

fn find<'a>(workspace: &'a Workspace, request: &ApiRequest) -> Result<&'a PlainRecord, ErrorResponse> {
    let center = help_center(workspace, request)?;
    let redirect = workspace.knowledge.redirects.get(request.path("id"));
    redirect.filter(|redirect| redirect.text("help_center_id") == center.id).ok_or_else(not_found)
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let center = help_center(workspace, request)?;
    let redirects: Vec<_> = workspace
        .knowledge
        .redirects
        .newest_first()
        .filter(|redirect| redirect.text("help_center_id") == center.id)
        .collect();
    let page = numbered_page(request, &redirects, (25, 150))?.without_link();
    Ok(page.list("list", PAGES_FIRST, |redirect| redirect.document.clone()))
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let center = help_center(workspace, request)?.clone();
    let (from_url, locale) = (request.required("from_url")?, request.required("locale")?);
    let (target_type, target_id) = (request.required("target_type")?, request.required("target_id")?);
    if !from_url.strip_prefix(center.text("url")).is_some_and(|rest| rest.starts_with('/')) {
        let message = "from_url must be an absolute URL within this help center's URL space";
        return Err(ErrorResponse::new(422, "data_invalid", message));
    }
    if !workspace.locales.iter().any(|enabled| enabled == locale) {
        let message = format!("locale {locale} is not enabled for this help center");
        return Err(ErrorResponse::new(422, "data_invalid", message));
    }
    let target_exists = match target_type {
        "article" => workspace.articles.get(target_id).is_some(),
        _ => workspace.collections.get(target_id).is_some(),
    };
    if !target_exists {
        return Err(not_found());
    }
    if workspace.knowledge.redirects.iter().any(|redirect| redirect.text("from_url") == from_url) {
        let message = "A redirect with that URL already exists";
        return Err(ErrorResponse::new(409, "resource_conflict", message));
    }
    let now = workspace.now();
    let redirect = PlainRecord::new(json!({
        "id": workspace.next_id(IdSequence::Redirect),
        "type": "help_center_redirect",
        "from_url": from_url,
        "locale": locale,
        "help_center_id": center.id,
        "target_type": target_type,
        "target_id": target_id,
        "created_at": now,
        "updated_at": now,
    }));
    let document = redirect.document.clone();
    workspace.knowledge.redirects.insert(redirect);
    Ok(document.into())
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = find(workspace, request)?.id.clone();
    workspace.knowledge.redirects.remove(&id);
    Ok(SuccessResponse::deleted(&id, "help_center_redirect"))
}

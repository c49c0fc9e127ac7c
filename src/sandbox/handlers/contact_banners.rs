//! Banners that contacts see.

use serde_json::json;

use super::operations::operations;
use crate::sandbox::model::banner::{document, view_id};
use crate::sandbox::paging::whole_list;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "listContactBanners" => list,
    "dismissContactBanner" => dismiss,
}

/// Lists the banners that the contact has not dismissed, and remembers when each was first shown.
fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = workspace.contacts.get(request.path("id"));
    let contact = contact.ok_or_else(|| ErrorResponse::not_found("User Not Found"))?;
    let (now, sees_banners) = (workspace.now(), contact.is_user);
    let mut shown = Vec::new();
    for banner in workspace.banners.iter().filter(|_| sees_banners) {
        let id = view_id(&banner.id, &contact.id);
        let view = workspace.banner_views.entry(id.clone()).or_default();
        if !view.dismissed {
            shown.push(document(banner, &id, *view.shown_at.get_or_insert(now)));
        }
    }
    Ok(whole_list("list", "data", shown.into_iter()))
}

fn dismiss(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let missing = || ErrorResponse::not_found("Resource Not Found");
    let contact = workspace.contacts.get(request.path("id")).ok_or_else(missing)?;
    let requested = request.path("view_id");
    let mut views = workspace.banners.iter().map(|banner| view_id(&banner.id, &contact.id));
    let id = views.find(|id| id == requested).ok_or_else(missing)?;
    workspace.banner_views.entry(id.clone()).or_default().dismissed = true;
    Ok(json!({"type": "banner_dismiss", "view_id": id, "dismissed": true}).into())
}

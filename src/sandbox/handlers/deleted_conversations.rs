//! Deletion of conversations, and the list of deleted ones.

use serde_json::json;

use super::operations::operations;
use super::plain;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{DeletedConversation, Workspace};

operations! {
    "deleteConversation" => delete,
    "listDeletedConversationIds" => list,
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let response = plain::delete(&mut workspace.conversations, request, "conversation")?;
    let id = request.path("id").to_owned();
    workspace.side_conversations.remove(&id);
    let metrics_retained = request.query("retain_metrics") != Some("false");
    let deleted_at = workspace.now();
    workspace.deleted_conversations.push(DeletedConversation { id, deleted_at, metrics_retained });
    Ok(response)
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut deleted: Vec<_> = workspace.deleted_conversations.iter().collect();
    match request.query("order") {
        None | Some("desc") => deleted.reverse(),
        Some("asc") => {}
        Some(_) => return Err(ErrorResponse::invalid("order", "order must be asc or desc")),
    }
    let page = numbered_page(request, &deleted, (20, 60))?;
    Ok(page.list("conversations.list", &["conversations", "total_count", "pages"], |conversation| {
        json!({
            "type": "conversation",
            "id": conversation.id,
            "metrics_retained": conversation.metrics_retained,
            "deleted_at": conversation.deleted_at,
        })
    }))
}

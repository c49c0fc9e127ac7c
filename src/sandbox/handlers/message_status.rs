//! What became of WhatsApp messages that were sent to many people at once.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::newest_first;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

/// The fields that a list and a single status share.
const SHARED: [&str; 6] = ["conversation_id", "status", "type", "created_at", "updated_at", "template_name"];

operations! {
    "getWhatsAppMessageStatus" => list,
    "RetrieveWhatsAppMessageStatus" => retrieve,
}

fn shared(message: &PlainRecord) -> Value {
    SHARED.iter().map(|name| ((*name).to_owned(), message.document[*name].clone())).collect()
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let ruleset_id = request.query("ruleset_id").unwrap_or_default();
    let page = newest_first(request, &workspace.whatsapp_messages, 50, |message| {
        message.text("ruleset_id") == ruleset_id
    })?;
    let events: Vec<_> = page
        .records
        .into_iter()
        .map(|message| {
            let mut event = shared(message);
            event["id"] = json!(message.text("event_id"));
            event["whatsapp_message_id"] = json!(message.id);
            event
        })
        .collect();
    let next = page.pages["next"]["starting_after"].as_str().map(|cursor| json!({"starting_after": cursor}));
    let (per_page, total_pages) = (&page.pages["per_page"], &page.pages["total_pages"]);
    let response = json!({
        "type": "list",
        "ruleset_id": ruleset_id,
        "pages": {"type": "pages", "per_page": per_page, "total_pages": total_pages, "next": next},
        "total_count": page.total_count,
        "events": events,
    });
    Ok(response.into())
}

fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "whatsapp_message_not_found", "Whatsapp message not found");
    let id = request.query("message_id").unwrap_or_default();
    let message = workspace.whatsapp_messages.get(id).ok_or_else(missing)?;
    let mut document = shared(message);
    document["message_id"] = json!(message.id);
    if message.text("status") == "failed" {
        document["error"] = message.document["error"].clone();
    }
    Ok(document.into())
}

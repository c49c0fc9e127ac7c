//! Outbound messages from teammates.

use serde_json::json;

use super::conversations::as_html;
use super::{HandlerResult, operations};
use crate::sandbox::model::conversation::{Author, Conversation, SourceMessage};
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "createMessage" => create,
}

/// Without `create_conversation_without_contact_reply`, a message becomes a conversation only when the contact
/// replies, which never happens in the sandbox.
fn create(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let message_type = request.required("message_type")?;
    let body = request.text("body").filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| ErrorResponse::new(400, "parameter_invalid", "body must not be empty"))?;
    let subject = request.text("subject").unwrap_or_default();
    if message_type == "email" && subject.is_empty() {
        return Err(ErrorResponse::new(422, "parameter_not_found", "An email requires a subject"));
    }
    let admin_id = request.body["from"]["id"].as_i64().unwrap_or_default();
    let owner = workspace.acting_admin(&admin_id.to_string())?;
    let contact_id = request.body["to"]["id"].as_str().unwrap_or_default().to_owned();
    let now = request.integer("created_at").unwrap_or_else(|| workspace.now());
    let contact = workspace.touch_contact(&contact_id)?;
    contact.last_contacted_at = contact.last_contacted_at.max(Some(now));

    let message_id = workspace.next_id(IdSequence::Message);
    let mut response = json!({
        "type": "admin_message",
        "id": message_id,
        "created_at": now,
        "subject": subject,
        "body": body,
        "message_type": if message_type == "email" { "email" } else { "inapp" },
        "owner": workspace.admin(owner).map(|admin| admin.author()),
    });
    if request.flag("create_conversation_without_contact_reply") == Some(true) {
        let source = SourceMessage {
            kind: if message_type == "email" { "email" } else { "conversation" },
            id: message_id,
            delivered_as: "admin_initiated",
            subject: subject.to_owned(),
            body: as_html(body),
            author: Author::Admin(owner),
            url: None,
            redacted: false,
        };
        let id = workspace.next_id(IdSequence::Conversation);
        response["conversation_id"] = json!(id);
        workspace.conversations.insert(Conversation::new(id, contact_id, source, now));
    }
    Ok(response.into())
}

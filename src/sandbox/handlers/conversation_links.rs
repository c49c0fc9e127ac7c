//! Changes to a conversation's tags, contacts and content, and its conversion to a ticket.

use serde_json::{Map, json};

use super::conversations::{find_contact, respond_with};
use super::operations::operations;
use super::tags::{attach, detach};
use super::tickets::set_ticket_attributes;
use crate::sandbox::model::conversation::{Author, Conversation, ConversationEvent};
use crate::sandbox::model::ticket::TicketRecord;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

/// Replaces the body of a redacted message.
const REDACTED: &str = "<p><i>Removed on request</i></p>";

operations! {
    "attachTagToConversation" => attach_tag,
    "detachTagFromConversation" => detach_tag,
    "attachContactToConversation" => attach_contact,
    "detachContactFromConversation" => detach_contact,
    "redactConversation" => redact,
    "convertConversationToTicket" => convert,
}

/// A mutable reference to a conversation, with `updated_at` set to now.
fn touch<'a>(workspace: &'a mut Workspace, id: &str) -> Result<&'a mut Conversation, ErrorResponse> {
    let now = workspace.now();
    let conversation = workspace.conversations.find_mut(id)?;
    conversation.touch(now);
    Ok(conversation)
}

fn conversation_not_found() -> ErrorResponse {
    ErrorResponse::not_found("Conversation not found")
}

fn attach_tag(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("conversation_id");
    workspace.conversations.get(id).ok_or_else(conversation_not_found)?;
    let admin_id = workspace.acting_admin(request.required("admin_id")?)?;
    attach(workspace, |workspace| &mut workspace.conversations, id, request, admin_id)
}

fn detach_tag(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("conversation_id");
    workspace.conversations.get(id).ok_or_else(conversation_not_found)?;
    workspace.acting_admin(request.required("admin_id")?)?;
    let missing = || ErrorResponse::new(404, "tag_not_found", "The conversation does not have this tag");
    detach(workspace, |workspace| &mut workspace.conversations, id, request, missing)
}

fn customers(workspace: &Workspace, id: &str) -> HandlerResult {
    let conversation = workspace.conversations.find(id)?;
    let customers: Vec<_> = conversation
        .contacts
        .iter()
        .filter_map(|id| workspace.contacts.get(id))
        .map(|contact| json!({"type": contact.role(), "id": contact.id}))
        .collect();
    Ok(json!({"customers": customers}).into())
}

fn attach_contact(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    workspace.conversations.find(id)?;
    let admin_id = match request.text("admin_id") {
        Some(admin_id) => workspace.acting_admin(admin_id)?,
        None => workspace.my_id(),
    };
    let contact_id = find_contact(workspace, &request.body["customer"])?.id.clone();
    let now = workspace.now();
    workspace.apply_event(id, ConversationEvent::new("participant_added", Author::Admin(admin_id), now))?;
    let conversation = touch(workspace, id)?;
    if !conversation.contacts.contains(&contact_id) {
        conversation.contacts.push(contact_id);
    }
    customers(workspace, id)
}

fn detach_contact(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (id, contact_id) = (request.path("conversation_id"), request.path("contact_id"));
    let conversation = workspace.conversations.find(id)?;
    if !conversation.contacts.iter().any(|id| id == contact_id) {
        return Err(ErrorResponse::contact_not_found());
    }
    if conversation.contacts.len() == 1 {
        let message = "The last contact cannot be removed";
        return Err(ErrorResponse::new(422, "parameter_invalid", message));
    }
    let admin_id = workspace.acting_admin(request.required("admin_id")?)?;
    let now = workspace.now();
    workspace.apply_event(id, ConversationEvent::new("participant_removed", Author::Admin(admin_id), now))?;
    touch(workspace, id)?.contacts.retain(|id| id != contact_id);
    customers(workspace, id)
}

fn redact(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "conversation_part_or_message_not_found", "Message not found");
    let id = request.required("conversation_id")?.to_owned();
    let now = workspace.now();
    let conversation = touch(workspace, &id)?;
    if request.text("type") == Some("source") {
        if request.text("source_id") != Some(&conversation.source.id) {
            return Err(missing());
        }
        REDACTED.clone_into(&mut conversation.source.body);
        conversation.source.redacted = true;
    } else {
        let part_id = request.text("conversation_part_id").unwrap_or_default();
        let part = conversation.parts.iter_mut().find(|part| part.id == part_id).ok_or_else(missing)?;
        part.body = part.body.take().map(|_| REDACTED.to_owned());
        part.redacted = true;
        part.updated_at = now;
    }
    respond_with(workspace, &id, request)
}

fn convert(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let conversation = workspace.conversations.find(request.path("id"))?.clone();
    let type_id = request.required("ticket_type_id")?;
    let ticket_type = workspace.ticket_types.get(type_id);
    if ticket_type.is_none_or(|ticket_type| ticket_type.text("category") != "Customer") {
        let message = "The ticket type must be in the category Customer";
        return Err(ErrorResponse::invalid("ticket_type_id", message));
    }
    let mut attributes = Map::new();
    set_ticket_attributes(workspace, type_id, &request.body["attributes"], &mut attributes)?;
    let now = workspace.now();
    let ticket = TicketRecord {
        attributes,
        contacts: conversation.contacts.clone(),
        admin_assignee_id: conversation.admin_assignee_id,
        team_assignee_id: conversation.team_assignee_id,
        conversation_id: Some(conversation.id.clone()),
        ..workspace.new_ticket(type_id, now)
    };
    let document = workspace.ticket_document(&ticket);
    touch(workspace, &conversation.id)?.tickets.push(ticket.id.clone());
    workspace.apply_event(
        &conversation.id,
        ConversationEvent::new("convert_to_ticket", Author::Admin(workspace.my_id()), now),
    )?;
    workspace.tickets.insert(ticket);
    Ok(document.into())
}

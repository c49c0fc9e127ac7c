//! Changes to a conversation's tags, contacts and content, and its conversion to a ticket.

use serde_json::{Map, json};

use super::conversations::{find_contact, respond_with};
use super::tickets::set_ticket_attributes;
use super::{HandlerResult, operations};
use crate::sandbox::model::contact::AppliedTag;
use crate::sandbox::model::conversation::{Author, Conversation, ConversationEvent};
use crate::sandbox::model::ticket::Ticket;
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

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
fn touch_conversation<'a>(
    workspace: &'a mut Workspace,
    id: &str,
    missing: fn() -> ErrorResponse,
) -> Result<&'a mut Conversation, ErrorResponse> {
    let now = workspace.now();
    let conversation = workspace.conversations.get_mut(id).ok_or_else(missing)?;
    conversation.updated_at = conversation.updated_at.max(now);
    Ok(conversation)
}

fn conversation_not_found() -> ErrorResponse {
    ErrorResponse::not_found("Conversation not found")
}

fn attach_tag(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("conversation_id");
    workspace.conversations.get(id).ok_or_else(conversation_not_found)?;
    let admin_id = workspace.acting_admin(request.required("admin_id")?)?;
    let tag = workspace.tag(request.required("id")?).ok_or_else(ErrorResponse::record_not_found)?.clone();
    let applied = AppliedTag { tag_id: tag.id.clone(), applied_at: workspace.now(), admin_id };
    let document = applied.document(&tag.name);
    let conversation = touch_conversation(workspace, id, conversation_not_found)?;
    if conversation.tags.iter().all(|existing| existing.tag_id != tag.id) {
        conversation.tags.push(applied);
    }
    Ok(document.into())
}

fn detach_tag(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let (id, tag_id) = (request.path("conversation_id"), request.path("id"));
    workspace.conversations.get(id).ok_or_else(conversation_not_found)?;
    workspace.acting_admin(request.required("admin_id")?)?;
    let missing = || ErrorResponse::new(404, "tag_not_found", "The conversation does not have this tag");
    let conversation = touch_conversation(workspace, id, conversation_not_found)?;
    let index = conversation.tags.iter().position(|tag| tag.tag_id == tag_id).ok_or_else(missing)?;
    let tag = conversation.tags.remove(index);
    Ok(tag.document(workspace.tag_name(tag_id)).into())
}

fn customers(workspace: &Workspace, id: &str) -> HandlerResult {
    let conversation = workspace.conversations.get(id).ok_or_else(ErrorResponse::record_not_found)?;
    let customers: Vec<_> = conversation
        .contacts
        .iter()
        .filter_map(|id| workspace.contacts.get(id))
        .map(|contact| json!({"type": contact.role(), "id": contact.id}))
        .collect();
    Ok(json!({"customers": customers}).into())
}

fn attach_contact(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    workspace.conversations.get(id).ok_or_else(ErrorResponse::record_not_found)?;
    let admin_id = match request.text("admin_id") {
        Some(admin_id) => workspace.acting_admin(admin_id)?,
        None => workspace.my_id(),
    };
    let contact_id = find_contact(workspace, &request.body["customer"])?.id.clone();
    let now = workspace.now();
    workspace.apply_event(id, ConversationEvent::new("participant_added", Author::Admin(admin_id), now))?;
    let conversation = touch_conversation(workspace, id, ErrorResponse::record_not_found)?;
    if !conversation.contacts.contains(&contact_id) {
        conversation.contacts.push(contact_id);
    }
    customers(workspace, id)
}

fn detach_contact(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let (id, contact_id) = (request.path("conversation_id"), request.path("contact_id"));
    let conversation = workspace.conversations.get(id).ok_or_else(ErrorResponse::record_not_found)?;
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
    touch_conversation(workspace, id, ErrorResponse::record_not_found)?
        .contacts
        .retain(|id| id != contact_id);
    customers(workspace, id)
}

fn redact(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "conversation_part_or_message_not_found", "Message not found");
    let id = request.required("conversation_id")?.to_owned();
    let now = workspace.now();
    let conversation = touch_conversation(workspace, &id, ErrorResponse::record_not_found)?;
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

fn convert(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let conversation =
        workspace.conversations.get(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?.clone();
    let type_id = request.required("ticket_type_id")?;
    let ticket_type = workspace.ticket_types.iter().find(|candidate| candidate.id == type_id);
    if ticket_type.is_none_or(|ticket_type| ticket_type.category != "Customer") {
        let message = "The ticket type must be in the category Customer";
        return Err(ErrorResponse::invalid_parameter("ticket_type_id", message));
    }
    let mut attributes = Map::new();
    set_ticket_attributes(workspace, type_id, &request.body["attributes"], &mut attributes)?;
    let now = workspace.now();
    let ticket = Ticket {
        attributes,
        contacts: conversation.contacts.clone(),
        admin_assignee_id: conversation.admin_assignee_id,
        team_assignee_id: conversation.team_assignee_id,
        conversation_id: Some(conversation.id.clone()),
        ..workspace.blank_ticket(type_id, now)
    };
    let document = workspace.ticket_document(&ticket);
    touch_conversation(workspace, &conversation.id, ErrorResponse::record_not_found)?
        .tickets
        .push(ticket.id.clone());
    workspace.apply_event(
        &conversation.id,
        ConversationEvent::new("convert_to_ticket", Author::Admin(workspace.my_id()), now),
    )?;
    workspace.tickets.insert(ticket);
    Ok(document.into())
}

impl Workspace {
    /// A new ticket without attributes, contacts or parts.
    pub fn blank_ticket(&mut self, type_id: &str, at: i64) -> Ticket {
        Ticket {
            id: self.next_id(IdSequence::Ticket),
            ticket_id: self.next_id(IdSequence::TicketNumber),
            type_id: type_id.to_owned(),
            state_id: self.ticket_states.first().map(|state| state.id.clone()).unwrap_or_default(),
            attributes: Map::new(),
            contacts: Vec::new(),
            company_id: None,
            admin_assignee_id: None,
            team_assignee_id: None,
            created_at: at,
            updated_at: at,
            open: true,
            snoozed_until: None,
            is_shared: true,
            conversation_id: None,
            parts: Vec::new(),
            tags: Vec::new(),
        }
    }
}

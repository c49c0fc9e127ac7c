//! The type of a ticket, and the conversations that are linked to a tracker ticket.

use serde_json::Map;

use super::conversations;
use super::operations::operations;
use super::tickets::{not_found, respond_with, set_state, set_ticket_attributes};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

/// Maximum number of conversations that one ticket can be linked to.
const MAX_LINKED: usize = 2_500;

operations! {
    "changeTicketType" => change_type,
    "linkConversationToTicket" => link,
    "unlinkConversationFromTicket" => unlink,
}

/// Attributes that the new type has under the same name and with the same data type keep their values.
fn change_type(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let missing = || ErrorResponse::not_found("Resource not found");
    let mut ticket = workspace.tickets.get(request.path("ticket_id")).ok_or_else(missing)?.clone();
    let type_id = request.required("ticket_type_id")?;
    let state_id = request.required("ticket_state_id")?;
    if type_id == ticket.type_id {
        return Err(ErrorResponse::invalid("ticket_type_id", "Cannot change to the same ticket type"));
    }
    let new_type = workspace.ticket_types.get(type_id).filter(|kind| kind.document["archived"] != true);
    let new_type = new_type.ok_or_else(ErrorResponse::ticket_type_not_found)?;
    if new_type.text("category") != workspace.category(&ticket) {
        let message = "The new ticket type must have the category of the current one";
        return Err(ErrorResponse::invalid("ticket_type_id", message));
    }
    let old_attributes = workspace.ticket_attributes(&ticket.type_id);
    let mut attributes = Map::new();
    for attribute in workspace.ticket_attributes(type_id) {
        let is_same = old_attributes
            .iter()
            .any(|old| old["name"] == attribute["name"] && old["data_type"] == attribute["data_type"]);
        let name = attribute["name"].as_str().unwrap_or_default();
        if let Some(value) = ticket.attributes.get(name).filter(|_| is_same) {
            attributes.insert(name.to_owned(), value.clone());
        }
    }
    set_ticket_attributes(workspace, type_id, &request.body["ticket_attributes"], &mut attributes)?;
    ticket.attributes = attributes;
    type_id.clone_into(&mut ticket.type_id);
    set_state(workspace, &mut ticket, state_id)?;
    ticket.touch(workspace.now());
    let id = ticket.id.clone();
    workspace.tickets.insert(ticket);
    respond_with(workspace, &id)
}

/// The id of the conversation with this id, or of the one that became the ticket with this id.
fn conversation_id(workspace: &Workspace, id: &str) -> Option<String> {
    let ticket = || workspace.tickets.get(id)?.conversation_id.as_deref();
    let id = if workspace.conversations.get(id).is_some() { Some(id) } else { ticket() };
    id.map(str::to_owned)
}

fn is_tracker(workspace: &Workspace, ticket_id: &str) -> bool {
    workspace.tickets.get(ticket_id).is_some_and(|ticket| workspace.category(ticket) == "Tracker")
}

/// Fails unless the ticket in the path is a tracker ticket. `action` completes the sentence of the error.
fn require_tracker(workspace: &Workspace, id: &str, action: &str) -> Result<(), ErrorResponse> {
    workspace.tickets.get(id).ok_or_else(not_found)?;
    if is_tracker(workspace, id) {
        return Ok(());
    }
    let message = format!("Only tracker tickets support {action} conversations");
    Err(ErrorResponse::new(400, "invalid_ticket_type", message))
}

fn link(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (now, ticket_id) = (workspace.now(), request.path("ticket_id"));
    require_tracker(workspace, ticket_id, "linking")?;
    let missing = || ErrorResponse::new(404, "conversation_not_found", "Conversation not found");
    let id = conversation_id(workspace, request.required("conversation_id")?).ok_or_else(missing)?;
    let tickets = &workspace.conversations.find(&id)?.tickets;
    if tickets.iter().any(|ticket| is_tracker(workspace, ticket)) {
        let message = "A conversation can only have one tracker ticket";
        return Err(ErrorResponse::new(400, "already_linked_to_tracker", message));
    }
    let ticket = workspace.tickets.find_mut(ticket_id)?;
    if ticket.linked_conversations.len() >= MAX_LINKED {
        let message = format!("The ticket already has {MAX_LINKED} linked conversations");
        return Err(ErrorResponse::new(400, "linked_conversation_limit_exceeded", message));
    }
    ticket.linked_conversations.push(id.clone());
    ticket.touch(now);
    let conversation = workspace.conversations.find_mut(&id)?;
    conversation.tickets.push(ticket_id.to_owned());
    conversation.touch(now);
    conversations::respond_with(workspace, &id, request)
}

fn unlink(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (now, ticket_id) = (workspace.now(), request.path("ticket_id"));
    require_tracker(workspace, ticket_id, "unlinking")?;
    let missing =
        || ErrorResponse::new(404, "conversation_not_found", "Conversation is not linked to this ticket");
    let id = conversation_id(workspace, request.path("id")).ok_or_else(missing)?;
    let ticket = workspace.tickets.find_mut(ticket_id)?;
    let position = ticket.linked_conversations.iter().position(|linked| *linked == id).ok_or_else(missing)?;
    ticket.linked_conversations.remove(position);
    ticket.touch(now);
    let conversation = workspace.conversations.find_mut(&id)?;
    conversation.tickets.retain(|ticket| ticket != ticket_id);
    conversation.touch(now);
    conversations::respond_with(workspace, &id, request)
}

//! What hangs on a conversation: tags, contacts, redactions, the ticket made of it.

use serde_json::{Map, json};

use super::conversations::{named_contact, shown};
use super::tickets::checked_attributes;
use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::model::contact::Applied;
use crate::sandbox::model::conversation::{Author, Conversation, Happening};
use crate::sandbox::model::ticket::Ticket;
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Sequence, Workspace};

/// What stands where a redacted message stood.
const REDACTED: &str = "<p><i>Removed on request</i></p>";

family! {
    "attachTagToConversation" => attach_tag,
    "detachTagFromConversation" => detach_tag,
    "attachContactToConversation" => attach_contact,
    "detachContactFromConversation" => detach_contact,
    "redactConversation" => redact,
    "convertConversationToTicket" => convert,
}

/// The conversation for changing it, with `updated_at` set to now.
fn touched<'a>(
    workspace: &'a mut Workspace,
    id: &str,
    missing: fn() -> Problem,
) -> Result<&'a mut Conversation, Problem> {
    let now = workspace.now();
    let conversation = workspace.conversations.get_mut(id).ok_or_else(missing)?;
    conversation.updated_at = conversation.updated_at.max(now);
    Ok(conversation)
}

fn no_conversation() -> Problem {
    Problem::not_found("There is no such conversation")
}

fn attach_tag(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("conversation_id");
    workspace.conversations.get(id).ok_or_else(no_conversation)?;
    let admin_id = workspace.acting_admin(request.required("admin_id")?)?;
    let tag = workspace.tag(request.required("id")?).ok_or_else(Problem::no_resource)?.clone();
    let applied = Applied { tag_id: tag.id.clone(), applied_at: workspace.now(), admin_id };
    let document = applied.document(&tag.name);
    let conversation = touched(workspace, id, no_conversation)?;
    if conversation.tags.iter().all(|own| own.tag_id != tag.id) {
        conversation.tags.push(applied);
    }
    Ok(document.into())
}

fn detach_tag(workspace: &mut Workspace, request: &Request) -> Outcome {
    let (id, tag_id) = (request.path("conversation_id"), request.path("id"));
    workspace.conversations.get(id).ok_or_else(no_conversation)?;
    workspace.acting_admin(request.required("admin_id")?)?;
    let missing = || Problem::new(404, "tag_not_found", "There is no such tag here");
    let conversation = touched(workspace, id, no_conversation)?;
    let place = conversation.tags.iter().position(|tag| tag.tag_id == tag_id).ok_or_else(missing)?;
    let tag = conversation.tags.remove(place);
    Ok(tag.document(workspace.tag_name(tag_id)).into())
}

fn customers(workspace: &Workspace, id: &str) -> Outcome {
    let conversation = workspace.conversations.get(id).ok_or_else(Problem::no_resource)?;
    let customers: Vec<_> = conversation
        .contacts
        .iter()
        .filter_map(|id| workspace.contacts.get(id))
        .map(|contact| json!({"type": contact.role(), "id": contact.id}))
        .collect();
    Ok(json!({"customers": customers}).into())
}

fn attach_contact(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("id");
    workspace.conversations.get(id).ok_or_else(Problem::no_resource)?;
    let admin_id = match request.text("admin_id") {
        Some(admin_id) => workspace.acting_admin(admin_id)?,
        None => workspace.my_id(),
    };
    let contact_id = named_contact(workspace, &request.body["customer"])?.id.clone();
    let now = workspace.now();
    workspace.happen(id, Happening::new("participant_added", Author::Admin(admin_id), now))?;
    let conversation = touched(workspace, id, Problem::no_resource)?;
    if !conversation.contacts.contains(&contact_id) {
        conversation.contacts.push(contact_id);
    }
    customers(workspace, id)
}

fn detach_contact(workspace: &mut Workspace, request: &Request) -> Outcome {
    let (id, contact_id) = (request.path("conversation_id"), request.path("contact_id"));
    let conversation = workspace.conversations.get(id).ok_or_else(Problem::no_resource)?;
    if !conversation.contacts.iter().any(|own| own == contact_id) {
        return Err(Problem::no_contact());
    }
    if conversation.contacts.len() == 1 {
        let message = "The last contact has to stay";
        return Err(Problem::new(422, "parameter_invalid", message));
    }
    let admin_id = workspace.acting_admin(request.required("admin_id")?)?;
    let now = workspace.now();
    workspace.happen(id, Happening::new("participant_removed", Author::Admin(admin_id), now))?;
    touched(workspace, id, Problem::no_resource)?.contacts.retain(|own| own != contact_id);
    customers(workspace, id)
}

fn redact(workspace: &mut Workspace, request: &Request) -> Outcome {
    let missing = || Problem::new(404, "conversation_part_or_message_not_found", "There is no such message");
    let id = request.required("conversation_id")?.to_owned();
    let now = workspace.now();
    let conversation = touched(workspace, &id, Problem::no_resource)?;
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
    shown(workspace, &id, request)
}

fn convert(workspace: &mut Workspace, request: &Request) -> Outcome {
    let conversation =
        workspace.conversations.get(request.path("id")).ok_or_else(Problem::no_resource)?.clone();
    let type_id = request.required("ticket_type_id")?;
    let kind = workspace.ticket_types.iter().find(|kind| kind.id == type_id);
    if kind.is_none_or(|kind| kind.category != "Customer") {
        return Err(Problem::invalid("ticket_type_id", "The ticket type is not one for customers"));
    }
    let mut attributes = Map::new();
    checked_attributes(workspace, type_id, &request.body["attributes"], &mut attributes)?;
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
    touched(workspace, &conversation.id, Problem::no_resource)?.tickets.push(ticket.id.clone());
    workspace.happen(
        &conversation.id,
        Happening::new("convert_to_ticket", Author::Admin(workspace.my_id()), now),
    )?;
    workspace.tickets.insert(ticket);
    Ok(document.into())
}

impl Workspace {
    /// A ticket that nothing was said in yet.
    pub fn blank_ticket(&mut self, type_id: &str, at: i64) -> Ticket {
        Ticket {
            id: self.issue(Sequence::Ticket),
            ticket_id: self.issue(Sequence::TicketNumber),
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

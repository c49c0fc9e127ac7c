//! Tickets.

use serde_json::{Map, Value};

use super::conversations::{as_html, find_contact};
use super::operations::operations;
use super::tags::{attach, detach};
use crate::api::ApiVersion;
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::model::conversation::Author;
use crate::sandbox::model::ticket::{TicketPart, TicketRecord};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::search::run_search;
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "searchTickets" => search,
    "getTicket" => |workspace, request| respond_with(workspace, request.path("id")),
    "createTicket" => create,
    "updateTicket" => update,
    "replyTicket" => reply,
    "deleteTicket" => delete,
    "attachTagToTicket" => attach_tag,
    "detachTagFromTicket" => detach_tag,
}

pub fn not_found() -> ErrorResponse {
    ErrorResponse::new(404, "ticket_not_found", "Ticket not found")
}

pub fn respond_with(workspace: &Workspace, id: &str) -> HandlerResult {
    let ticket = workspace.tickets.get(id).ok_or_else(not_found)?;
    Ok(workspace.ticket_document(ticket).into())
}

fn search(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let page = run_search(workspace, &workspace.tickets, request, 20)?;
    let keys = &["pages", "total_count", "tickets"];
    Ok(page.list("ticket.list", keys, |ticket| workspace.ticket_document(ticket)))
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let ticket = requested_ticket(workspace, request)?;
    let document = workspace.ticket_document(&ticket);
    workspace.tickets.insert(ticket);
    Ok(document.into())
}

/// The ticket that a body describes, not yet part of the workspace.
pub fn requested_ticket(
    workspace: &mut Workspace,
    request: &ApiRequest,
) -> Result<TicketRecord, ErrorResponse> {
    let type_id = request.required("ticket_type_id")?;
    let ticket_type = workspace.ticket_types.get(type_id);
    if ticket_type.is_none_or(|ticket_type| ticket_type.document["archived"] == true) {
        return Err(ErrorResponse::ticket_type_not_found());
    }
    let mut attributes = Map::new();
    set_ticket_attributes(workspace, type_id, &request.body["ticket_attributes"], &mut attributes)?;
    require_attributes(workspace, type_id, &attributes)?;
    let mut contacts = Vec::new();
    for contact in request.body["contacts"].as_array().into_iter().flatten() {
        contacts.push(find_or_create_contact(workspace, contact)?);
    }
    let company_id = request.text("company_id").map(str::to_owned);
    let now = workspace.now();
    Ok(TicketRecord {
        attributes,
        contacts,
        company_id,
        created_at: request.integer("created_at").unwrap_or(now),
        ..workspace.new_ticket(type_id, now)
    })
}

/// The id of a contact given by id, external id or email. An unknown email creates a contact.
fn find_or_create_contact(workspace: &mut Workspace, contact: &Value) -> Result<String, ErrorResponse> {
    if let Some(id) = contact["id"].as_str() {
        return Ok(workspace.contact(id)?.id.clone());
    }
    if let Some(external_id) = contact["external_id"].as_str() {
        let contact = workspace.contact_by_external_id(external_id);
        return contact.map(|contact| contact.id.clone()).ok_or_else(ErrorResponse::contact_not_found);
    }
    let email = contact["email"].as_str().ok_or_else(|| ErrorResponse::missing("contacts.id"))?;
    if let Some(contact) = workspace.contact_by_email(email) {
        return Ok(contact.id.clone());
    }
    let now = workspace.now();
    let contact = ContactRecord {
        id: workspace.object_id(now),
        is_user: true,
        email: Some(email.to_owned()),
        created_at: now,
        updated_at: now,
        ..ContactRecord::default()
    };
    let id = contact.id.clone();
    workspace.contacts.insert(contact);
    Ok(id)
}

/// Sets ticket attributes, which must be defined by the ticket type.
pub fn set_ticket_attributes(
    workspace: &Workspace,
    type_id: &str,
    values: &Value,
    attributes: &mut Map<String, Value>,
) -> Result<(), ErrorResponse> {
    let defined = workspace.ticket_attributes(type_id);
    for (name, value) in values.as_object().into_iter().flatten() {
        if defined.iter().all(|attribute| attribute["name"] != **name) {
            return Err(ErrorResponse::invalid(
                "ticket_attributes",
                format!("the ticket type has no attribute {name}"),
            ));
        }
        attributes.insert(name.clone(), value.clone());
    }
    Ok(())
}

fn require_attributes(
    workspace: &Workspace,
    type_id: &str,
    values: &Map<String, Value>,
) -> Result<(), ErrorResponse> {
    for attribute in workspace.ticket_attributes(type_id) {
        let name = attribute["name"].as_str().unwrap_or_default();
        if attribute["required_to_create"] == true && values.get(name).is_none_or(Value::is_null) {
            return Err(ErrorResponse::missing(format!("ticket_attributes.{name}")));
        }
    }
    Ok(())
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut ticket = workspace.tickets.get(request.path("id")).ok_or_else(not_found)?.clone();
    let type_id = ticket.type_id.clone();
    set_ticket_attributes(workspace, &type_id, &request.body["ticket_attributes"], &mut ticket.attributes)?;
    if let Some(company_id) = request.text("company_id") {
        ticket.company_id = Some(company_id.to_owned());
    }
    ticket.open = request.flag("open").unwrap_or(ticket.open);
    ticket.is_shared = request.flag("is_shared").unwrap_or(ticket.is_shared);
    ticket.snoozed_until = request.integer("snoozed_until").or(ticket.snoozed_until);
    if let Some(state_id) = request.text("ticket_state_id") {
        set_state(workspace, &mut ticket, state_id)?;
    }
    assign(workspace, &mut ticket, request)?;
    ticket.touch(workspace.now());
    workspace.tickets.insert(ticket);
    respond_with(workspace, request.path("id"))
}

/// Moves a ticket to a state, and notes it in its history.
pub fn set_state(
    workspace: &mut Workspace,
    ticket: &mut TicketRecord,
    state_id: &str,
) -> Result<(), ErrorResponse> {
    let category = |id: &str| workspace.ticket_states.get(id).map(|state| state.text("category").to_owned());
    let Some(after) = category(state_id) else {
        let message = "ticket_state_id does not match any state";
        return Err(ErrorResponse::new(400, "ticket_state_id_invalid", message));
    };
    let before = category(&ticket.state_id).unwrap_or_else(|| after.clone());
    state_id.clone_into(&mut ticket.state_id);
    ticket.open = after != "resolved";
    let part = TicketPart {
        id: workspace.next_id(IdSequence::Part),
        part_type: "ticket_state_updated_by_admin",
        created_at: workspace.now(),
        author: Author::Admin(workspace.my_id()),
        states: Some([before, after]),
        ..TicketPart::default()
    };
    ticket.parts.push(part);
    Ok(())
}

/// Applies `assignment` of the body or, in newer versions, its members at the top level.
fn assign(
    workspace: &Workspace,
    ticket: &mut TicketRecord,
    request: &ApiRequest,
) -> Result<(), ErrorResponse> {
    let is_flat = request.version.has(&ApiVersion::FLAT_TICKET_ASSIGNMENT);
    let assignment = if is_flat { &request.body } else { &request.body["assignment"] };
    let admin_id = match &assignment["admin_id"] {
        Value::String(id) if !is_flat => Some(id.clone()),
        Value::Number(id) if is_flat => Some(id.to_string()),
        Value::Null => None,
        _ => return Err(ErrorResponse::invalid("admin_id", "admin_id has an invalid type")),
    };
    if let Some(admin_id) = admin_id {
        workspace.acting_admin(&admin_id)?;
    }
    if !assignment.is_object() || is_flat && assignment["assignee_id"].is_null() {
        return Ok(());
    }
    let missing =
        || ErrorResponse::new(404, "assignee_not_found", "assignee_id does not match any teammate or team");
    let id = assignment["assignee_id"].as_str().and_then(|id| id.parse::<i64>().ok()).ok_or_else(missing)?;
    if id == 0 {
        (ticket.admin_assignee_id, ticket.team_assignee_id) = (None, None);
    } else if workspace.team(id).is_some() {
        ticket.team_assignee_id = Some(id);
    } else if workspace.admin(id).is_some() {
        ticket.admin_assignee_id = Some(id);
    } else {
        return Err(missing());
    }
    Ok(())
}

fn reply(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let ticket = workspace.tickets.find(request.path("id"))?;
    let is_back_office = workspace.category(ticket) == "Back-office";
    let id = ticket.id.clone();
    let author = if request.text("type") == Some("admin") {
        Author::Admin(workspace.acting_admin(request.required("admin_id")?)?)
    } else if is_back_office {
        let message = "Contacts cannot reply to back-office tickets";
        return Err(ErrorResponse::new(400, "parameter_mismatch", message));
    } else {
        Author::Contact(find_contact(workspace, &request.body)?.id.clone())
    };
    let part_type = match request.text("message_type") {
        Some("note") => "note",
        Some("quick_reply") => "quick_reply",
        _ => "comment",
    };
    let body = request.text("body").filter(|body| !body.is_empty()).map(as_html);
    if body.is_none() && part_type != "quick_reply" {
        return Err(ErrorResponse::invalid("body", "body must not be empty"));
    }
    let now = workspace.now();
    let created_at = request.integer("created_at").unwrap_or(now);
    let part = TicketPart {
        id: workspace.next_id(IdSequence::Part),
        part_type,
        body,
        created_at,
        author,
        states: None,
    };
    let document = part.document(workspace.author(&part.author));
    let ticket = workspace.tickets.find_mut(&id)?;
    ticket.parts.push(part);
    ticket.touch(now);
    Ok(document.into())
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let ticket = workspace.tickets.remove(request.path("id")).ok_or_else(not_found)?;
    Ok(SuccessResponse::deleted(&ticket.id, "ticket"))
}

fn attach_tag(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("ticket_id");
    workspace.tickets.get(id).ok_or_else(not_found)?;
    let admin_id = workspace.acting_admin(request.required("admin_id")?)?;
    attach(workspace, |workspace| &mut workspace.tickets, id, request, admin_id)
}

fn detach_tag(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (id, tag_id) = (request.path("ticket_id"), request.path("id"));
    let ticket = workspace.tickets.get(id).ok_or_else(not_found)?;
    workspace.acting_admin(request.required("admin_id")?)?;
    let missing = || ErrorResponse::new(404, "tag_not_found", "The ticket does not have this tag");
    // Unlike those of contacts and conversations, this attempt leaves `updated_at` as it is.
    if ticket.tags.iter().all(|tag| tag.tag_id != tag_id) {
        return Err(missing());
    }
    detach(workspace, |workspace| &mut workspace.tickets, id, request, missing)
}

//! Ticket types, their attributes, and ticket states.

use serde_json::{Map, Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::whole_list;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

/// Number of keys of a ticket type's short form, with which its document starts.
const REFERENCE_KEYS: usize = 8;

operations! {
    "listTicketTypes" => list,
    "getTicketType" => retrieve,
    "createTicketType" => create,
    "updateTicketType" => update,
    "createTicketTypeAttribute" => create_attribute,
    "updateTicketTypeAttribute" => update_attribute,
    "listTicketStates" => list_states,
}

/// The document with the states, which all ticket types share.
fn document(workspace: &Workspace, ticket_type: &PlainRecord) -> Value {
    let states: Vec<_> = workspace.ticket_states.iter().map(|state| &state.document).collect();
    let mut document = ticket_type.document.clone();
    document["ticket_states"] = json!({"type": "list", "data": states});
    document
}

fn list(workspace: &mut Workspace, _: &ApiRequest) -> HandlerResult {
    let ticket_types = workspace.ticket_types.iter().map(|ticket_type| document(workspace, ticket_type));
    Ok(whole_list("list", "data", ticket_types))
}

fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let ticket_type =
        workspace.ticket_types.get(request.path("id")).ok_or_else(ErrorResponse::ticket_type_not_found)?;
    Ok(document(workspace, ticket_type).into())
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = workspace.next_id(IdSequence::Other);
    let mut ticket_type = workspace.new_ticket_type(&id, request.required("name")?, workspace.now());
    apply(&mut ticket_type, request);
    let document = document(workspace, &ticket_type);
    workspace.ticket_types.insert(ticket_type);
    Ok(document.into())
}

fn apply(ticket_type: &mut PlainRecord, request: &ApiRequest) {
    let fields = ["name", "description", "icon", "category", "is_internal", "archived"];
    ticket_type.update(&request.body, &fields);
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let ticket_type = workspace
        .ticket_types
        .get_mut(request.path("id"))
        .ok_or_else(ErrorResponse::ticket_type_not_found)?;
    apply(ticket_type, request);
    ticket_type.touch(now);
    retrieve(workspace, request)
}

fn create_attribute(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (now, id, type_id) =
        (workspace.now(), workspace.next_id(IdSequence::Other), request.path("ticket_type_id"));
    let defaults = json!({
        "input_options": null,
        "order": workspace.ticket_attributes(type_id).len(),
        "required_to_create": false,
        "required_to_create_for_contacts": false,
        "visible_on_create": true,
        "visible_to_contacts": true,
        "created_at": now,
    });
    let mut attribute = workspace.ticket_type_attribute(id, type_id, &defaults);
    set_fields(&mut attribute, &request.body, now);
    let ticket_type =
        workspace.ticket_types.get_mut(type_id).ok_or_else(ErrorResponse::ticket_type_not_found)?;
    attributes(ticket_type).for_each(|attributes| attributes.push(attribute.clone()));
    ticket_type.touch(now);
    Ok(attribute.into())
}

fn attributes(ticket_type: &mut PlainRecord) -> impl Iterator<Item = &mut Vec<Value>> {
    ticket_type.document["ticket_type_attributes"]["data"].as_array_mut().into_iter()
}

/// Copies the fields of the body; `list_items` and other options become `input_options`.
fn set_fields(attribute: &mut Value, body: &Value, now: i64) {
    let mut options = match &attribute["input_options"] {
        Value::Object(options) => options.clone(),
        _ => Map::new(),
    };
    for (name, value) in body.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("id", _) => {}
            ("list_items", Value::String(items)) => {
                let items = items.split(',').enumerate();
                let items = items.map(|(id, item)| json!({"id": id.to_string(), "name": item.trim()}));
                options.insert("list_items".to_owned(), items.collect());
            }
            ("multiline" | "allow_multiple_values", value) => {
                drop(options.insert(name.clone(), value.clone()))
            }
            (name, value) => attribute[name] = value.clone(),
        }
    }
    if !options.is_empty() {
        attribute["input_options"] = Value::Object(options);
    }
    attribute["updated_at"] = json!(now);
}

fn update_attribute(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (now, id) = (workspace.now(), request.path("id"));
    let ticket_type = workspace
        .ticket_types
        .get_mut(request.path("ticket_type_id"))
        .ok_or_else(ErrorResponse::ticket_type_not_found)?;
    let attribute = attributes(ticket_type).flatten().find(|attribute| attribute["id"] == id);
    let attribute = attribute.ok_or_else(ErrorResponse::record_not_found)?;
    set_fields(attribute, &request.body, now);
    let document = attribute.clone();
    ticket_type.touch(now);
    Ok(document.into())
}

fn list_states(workspace: &mut Workspace, _: &ApiRequest) -> HandlerResult {
    let reference = |ticket_type: &PlainRecord| {
        let fields = ticket_type.document.as_object().into_iter().flatten().take(REFERENCE_KEYS);
        fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>()
    };
    let ticket_types: Vec<_> = workspace.ticket_types.iter().map(reference).collect();
    let states = workspace.ticket_states.iter().map(|state| {
        let mut document = state.document.clone();
        document["archived"] = json!(false);
        document["ticket_types"] = json!({"type": "list", "data": ticket_types});
        document
    });
    Ok(whole_list("list", "data", states))
}

//! Ticket types, their attributes, and ticket states.

use serde_json::{Map, Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::ticket::{TicketAttribute, TicketType};
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listTicketTypes" => list,
    "getTicketType" => retrieve,
    "createTicketType" => create,
    "updateTicketType" => update,
    "createTicketTypeAttribute" => create_attribute,
    "updateTicketTypeAttribute" => update_attribute,
    "listTicketStates" => list_states,
}

fn not_found() -> ErrorResponse {
    ErrorResponse::new(404, "ticket_type_not_found", "Ticket type not found")
}

fn document(workspace: &Workspace, ticket_type: &TicketType) -> Value {
    let states: Vec<_> = workspace.ticket_states.iter().map(|state| state.document()).collect();
    let mut document = ticket_type.document(&workspace.id);
    document["ticket_states"] = json!({"type": "list", "data": states});
    document
}

fn list(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let ticket_types: Vec<_> =
        workspace.ticket_types.iter().map(|ticket_type| document(workspace, ticket_type)).collect();
    Ok(json!({"type": "list", "data": ticket_types}).into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let ticket_type =
        workspace.ticket_types.iter().find(|ticket_type| ticket_type.id == id).ok_or_else(not_found)?;
    Ok(document(workspace, ticket_type).into())
}

fn create(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let mut ticket_type = TicketType {
        id: workspace.next_id(IdSequence::Other),
        name: request.required("name")?.to_owned(),
        description: String::new(),
        icon: "🎟️".to_owned(),
        category: "Customer".to_owned(),
        is_internal: false,
        archived: false,
        created_at: now,
        updated_at: now,
        attributes: Vec::new(),
    };
    ticket_type.attributes = default_attributes(workspace, now);
    apply(&mut ticket_type, request);
    let document = document(workspace, &ticket_type);
    workspace.ticket_types.push(ticket_type);
    Ok(document.into())
}

/// The title and description attributes of every ticket type.
pub fn default_attributes(workspace: &mut Workspace, at: i64) -> Vec<TicketAttribute> {
    ["_default_title_", "_default_description_"]
        .iter()
        .enumerate()
        .map(|(order, name)| TicketAttribute {
            id: workspace.next_id(IdSequence::Other),
            fields: fields(json!({
                "name": name,
                "description": "",
                "data_type": "string",
                "input_options": {"multiline": order == 1},
                "order": order,
                "required_to_create": false,
                "required_to_create_for_contacts": false,
                "visible_on_create": true,
                "visible_to_contacts": true,
                "default": true,
                "created_at": at,
                "updated_at": at,
            })),
        })
        .collect()
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn apply(ticket_type: &mut TicketType, request: &Request) {
    let set = |target: &mut String, name| {
        if let Some(text) = request.text(name) {
            text.clone_into(target);
        }
    };
    set(&mut ticket_type.name, "name");
    set(&mut ticket_type.description, "description");
    set(&mut ticket_type.icon, "icon");
    set(&mut ticket_type.category, "category");
    ticket_type.is_internal = request.flag("is_internal").unwrap_or(ticket_type.is_internal);
    ticket_type.archived = request.flag("archived").unwrap_or(ticket_type.archived);
}

fn update(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let id = request.path("id");
    let ticket_type =
        workspace.ticket_types.iter_mut().find(|ticket_type| ticket_type.id == id).ok_or_else(not_found)?;
    apply(ticket_type, request);
    ticket_type.updated_at = now;
    retrieve(workspace, request)
}

fn create_attribute(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let id = workspace.next_id(IdSequence::Other);
    let type_id = request.path("ticket_type_id");
    let workspace_id = workspace.id.clone();
    let ticket_type = workspace
        .ticket_types
        .iter_mut()
        .find(|ticket_type| ticket_type.id == type_id)
        .ok_or_else(not_found)?;
    let mut fields = fields(json!({
        "input_options": null,
        "order": ticket_type.attributes.len(),
        "required_to_create": false,
        "required_to_create_for_contacts": false,
        "visible_on_create": true,
        "visible_to_contacts": true,
        "created_at": now,
    }));
    apply_fields(&mut fields, &request.body, now);
    let attribute = TicketAttribute { id, fields };
    let document = ticket_type.attribute(&attribute, &workspace_id);
    ticket_type.attributes.push(attribute);
    ticket_type.updated_at = now;
    Ok(document.into())
}

/// Copies the fields of the body; `list_items` and other options become `input_options`.
fn apply_fields(fields: &mut Map<String, Value>, body: &Value, now: i64) {
    let mut options = match fields.get("input_options") {
        Some(Value::Object(options)) => options.clone(),
        _ => Map::new(),
    };
    for (name, value) in body.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("list_items", Value::String(items)) => {
                let items: Vec<_> = items
                    .split(',')
                    .enumerate()
                    .map(|(number, item)| json!({"id": number.to_string(), "name": item.trim()}))
                    .collect();
                options.insert("list_items".to_owned(), json!(items));
            }
            ("multiline" | "allow_multiple_values", value) => {
                options.insert(name.clone(), value.clone());
            }
            (name, value) => {
                fields.insert(name.to_owned(), value.clone());
            }
        }
    }
    if !options.is_empty() {
        fields.insert("input_options".to_owned(), Value::Object(options));
    }
    fields.insert("updated_at".to_owned(), json!(now));
}

fn update_attribute(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let workspace_id = workspace.id.clone();
    let (type_id, id) = (request.path("ticket_type_id"), request.path("id"));
    let ticket_type = workspace
        .ticket_types
        .iter_mut()
        .find(|ticket_type| ticket_type.id == type_id)
        .ok_or_else(not_found)?;
    let attribute = ticket_type
        .attributes
        .iter_mut()
        .find(|attribute| attribute.id == id)
        .ok_or_else(ErrorResponse::record_not_found)?;
    apply_fields(&mut attribute.fields, &request.body, now);
    let attribute = attribute.clone();
    ticket_type.updated_at = now;
    Ok(ticket_type.attribute(&attribute, &workspace_id).into())
}

fn list_states(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let ticket_types: Vec<_> =
        workspace.ticket_types.iter().map(|ticket_type| ticket_type.reference()).collect();
    let states: Vec<_> = workspace
        .ticket_states
        .iter()
        .map(|state| {
            let mut document = state.document();
            document["archived"] = json!(false);
            document["ticket_types"] = json!({"type": "list", "data": ticket_types});
            document
        })
        .collect();
    Ok(json!({"type": "list", "data": states}).into())
}

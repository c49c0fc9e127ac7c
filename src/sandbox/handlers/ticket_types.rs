//! Ticket types, what they ask for, and the states of tickets.

use serde_json::{Map, Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::model::ticket::{TicketAttribute, TicketType};
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Sequence, Workspace};

family! {
    "listTicketTypes" => list,
    "getTicketType" => retrieve,
    "createTicketType" => create,
    "updateTicketType" => update,
    "createTicketTypeAttribute" => create_attribute,
    "updateTicketTypeAttribute" => update_attribute,
    "listTicketStates" => list_states,
}

fn not_found() -> Problem {
    Problem::new(404, "ticket_type_not_found", "There is no such ticket type")
}

fn document(workspace: &Workspace, kind: &TicketType) -> Value {
    let states: Vec<_> = workspace.ticket_states.iter().map(|state| state.document()).collect();
    let mut document = kind.document(&workspace.id);
    document["ticket_states"] = json!({"type": "list", "data": states});
    document
}

fn list(workspace: &mut Workspace, _: &Request) -> Outcome {
    let kinds: Vec<_> = workspace.ticket_types.iter().map(|kind| document(workspace, kind)).collect();
    Ok(json!({"type": "list", "data": kinds}).into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("id");
    let kind = workspace.ticket_types.iter().find(|kind| kind.id == id).ok_or_else(not_found)?;
    Ok(document(workspace, kind).into())
}

fn create(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let mut kind = TicketType {
        id: workspace.issue(Sequence::Other),
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
    kind.attributes = default_attributes(workspace, now);
    apply(&mut kind, request);
    let document = document(workspace, &kind);
    workspace.ticket_types.push(kind);
    Ok(document.into())
}

/// The title and the description that every ticket type asks for.
pub fn default_attributes(workspace: &mut Workspace, at: i64) -> Vec<TicketAttribute> {
    ["_default_title_", "_default_description_"]
        .iter()
        .enumerate()
        .map(|(order, name)| TicketAttribute {
            id: workspace.issue(Sequence::Other),
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

fn apply(kind: &mut TicketType, request: &Request) {
    let set = |target: &mut String, name| {
        if let Some(text) = request.text(name) {
            text.clone_into(target);
        }
    };
    set(&mut kind.name, "name");
    set(&mut kind.description, "description");
    set(&mut kind.icon, "icon");
    set(&mut kind.category, "category");
    kind.is_internal = request.flag("is_internal").unwrap_or(kind.is_internal);
    kind.archived = request.flag("archived").unwrap_or(kind.archived);
}

fn update(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let id = request.path("id");
    let kind = workspace.ticket_types.iter_mut().find(|kind| kind.id == id).ok_or_else(not_found)?;
    apply(kind, request);
    kind.updated_at = now;
    retrieve(workspace, request)
}

fn create_attribute(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let id = workspace.issue(Sequence::Other);
    let type_id = request.path("ticket_type_id");
    let workspace_id = workspace.id.clone();
    let kind = workspace.ticket_types.iter_mut().find(|kind| kind.id == type_id).ok_or_else(not_found)?;
    let mut fields = fields(json!({
        "input_options": null,
        "order": kind.attributes.len(),
        "required_to_create": false,
        "required_to_create_for_contacts": false,
        "visible_on_create": true,
        "visible_to_contacts": true,
        "created_at": now,
    }));
    write_fields(&mut fields, &request.body, now);
    let attribute = TicketAttribute { id, fields };
    let document = kind.attribute(&attribute, &workspace_id);
    kind.attributes.push(attribute);
    kind.updated_at = now;
    Ok(document.into())
}

/// Copies what was sent; list items become the options that are shown.
fn write_fields(fields: &mut Map<String, Value>, body: &Value, now: i64) {
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

fn update_attribute(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let workspace_id = workspace.id.clone();
    let (type_id, id) = (request.path("ticket_type_id"), request.path("id"));
    let kind = workspace.ticket_types.iter_mut().find(|kind| kind.id == type_id).ok_or_else(not_found)?;
    let attribute =
        kind.attributes.iter_mut().find(|attribute| attribute.id == id).ok_or_else(Problem::no_resource)?;
    write_fields(&mut attribute.fields, &request.body, now);
    let attribute = attribute.clone();
    kind.updated_at = now;
    Ok(kind.attribute(&attribute, &workspace_id).into())
}

fn list_states(workspace: &mut Workspace, _: &Request) -> Outcome {
    let kinds: Vec<_> = workspace.ticket_types.iter().map(|kind| kind.reference()).collect();
    let states: Vec<_> = workspace
        .ticket_states
        .iter()
        .map(|state| {
            let mut document = state.document();
            document["archived"] = json!(false);
            document["ticket_types"] = json!({"type": "list", "data": kinds});
            document
        })
        .collect();
    Ok(json!({"type": "list", "data": states}).into())
}

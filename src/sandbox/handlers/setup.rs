//! Segments, data attributes, subscription types and data events.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::contact::Contact;
use crate::sandbox::model::setup::{DataAttribute, DataEvent};
use crate::sandbox::request::Request;
use crate::sandbox::response::{ErrorResponse, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listSegments" => list_segments,
    "retrieveSegment" => retrieve_segment,
    "listSubscriptionTypes" => list_subscription_types,
    "lisDataAttributes" => list_attributes,
    "createDataAttribute" => create_attribute,
    "updateDataAttribute" => update_attribute,
    "createDataEvent" => create_event,
    "lisDataEvents" => list_events,
}

fn list_segments(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let count = |id: &String| {
        let members = workspace.contacts.iter().filter(|contact| contact.segments.contains(id));
        request.is_true("include_count").then(|| members.count())
    };
    let segments: Vec<_> =
        workspace.segments.iter().map(|segment| segment.document(count(&segment.id))).collect();
    Ok(json!({"type": "segment.list", "segments": segments}).into())
}

fn retrieve_segment(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let segment = workspace.segments.iter().find(|segment| segment.id == id);
    Ok(segment.ok_or_else(ErrorResponse::record_not_found)?.document(None).into())
}

fn list_subscription_types(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let types: Vec<_> =
        workspace.subscription_types.iter().map(|subscription_type| subscription_type.document()).collect();
    Ok(json!({"type": "list", "data": types}).into())
}

fn list_attributes(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let attributes: Vec<_> = workspace
        .data_attributes
        .iter()
        .filter(|attribute| request.query("model").is_none_or(|model| attribute.model == model))
        .filter(|attribute| !attribute.archived || request.is_true("include_archived"))
        .map(|attribute| attribute.document())
        .collect();
    Ok(json!({"type": "list", "data": attributes}).into())
}

fn create_attribute(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let (name, model) = (request.required("name")?, request.required("model")?);
    if !name.chars().all(|letter| letter.is_alphanumeric() || "_- $€£".contains(letter)) {
        let message =
            "name may only contain letters, digits, spaces, underscores, hyphens and currency symbols";
        return Err(ErrorResponse::invalid_parameter("name", message));
    }
    let exists = |attribute: &DataAttribute| attribute.name == name && attribute.model == model;
    if workspace.data_attributes.iter().any(exists) {
        let message = format!("an attribute {name} already exists for {model}");
        return Err(ErrorResponse::invalid_parameter("name", message));
    }
    let now = workspace.now();
    let attribute = DataAttribute {
        id: Some(workspace.next_number(IdSequence::Other) as i64),
        model: model.to_owned(),
        name: name.to_owned(),
        data_type: request.required("data_type")?.to_owned(),
        description: request.text("description").unwrap_or_default().to_owned(),
        options: options(&request.body["options"]),
        messenger_writable: request.flag("messenger_writable").unwrap_or_default(),
        archived: false,
        created_at: now,
        updated_at: now,
        admin_id: workspace.my_id(),
    };
    let document = attribute.document();
    workspace.data_attributes.push(attribute);
    Ok(document.into())
}

fn options(value: &Value) -> Vec<String> {
    let options = value.as_array().into_iter().flatten();
    options.filter_map(|option| option.as_str().or(option["value"].as_str()).map(str::to_owned)).collect()
}

fn update_attribute(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "field_not_found", "Custom attribute not found");
    let id: i64 = request.path("id").parse().map_err(|_| missing())?;
    let now = workspace.now();
    let attribute = workspace
        .data_attributes
        .iter_mut()
        .find(|attribute| attribute.id == Some(id))
        .ok_or_else(missing)?;
    attribute.archived = request.flag("archived").unwrap_or(attribute.archived);
    attribute.messenger_writable = request.flag("messenger_writable").unwrap_or(attribute.messenger_writable);
    if let Some(description) = request.text("description") {
        description.clone_into(&mut attribute.description);
    }
    if request.body.get("options").is_some() {
        attribute.options = options(&request.body["options"]);
    }
    attribute.updated_at = now;
    Ok(attribute.document().into())
}

/// The contact of an event: `id` was assigned by Intercom, `user_id` by the customer.
fn event_contact<'a>(
    workspace: &'a Workspace,
    id: Option<&str>,
    user_id: Option<&str>,
    email: Option<&str>,
) -> Result<&'a Contact, ErrorResponse> {
    id.and_then(|id| workspace.contacts.get(id))
        .or_else(|| workspace.contact_by_external_id(user_id?))
        .or_else(|| workspace.contact_by_email(email?))
        .ok_or_else(ErrorResponse::contact_not_found)
}

fn create_event(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact =
        event_contact(workspace, request.text("id"), request.text("user_id"), request.text("email"))?;
    let event = DataEvent {
        contact_id: contact.id.clone(),
        name: request.required("event_name")?.to_owned(),
        created_at: request
            .integer("created_at")
            .ok_or_else(|| ErrorResponse::missing_parameter("created_at"))?,
        metadata: request.body.get("metadata").cloned().unwrap_or_else(|| json!({})),
    };
    workspace.events.push(event);
    Ok(SuccessResponse::empty(202))
}

/// A filter value, in any of the notations that clients use for objects in a query.
fn filter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let notations = [name.to_owned(), format!("filter[{name}]"), format!("filter.{name}")];
    notations.iter().find_map(|notation| request.query(notation))
}

fn list_events(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    if request.query("type") != Some("user") {
        return Err(ErrorResponse::invalid_parameter("type", "type must be user"));
    }
    let (id, user_id, email) =
        (filter(request, "intercom_user_id"), filter(request, "user_id"), filter(request, "email"));
    let contact = event_contact(workspace, id, user_id, email)?;
    let events: Vec<_> = workspace.events.iter().filter(|event| event.contact_id == contact.id).collect();
    let head = json!({
        "email": contact.email,
        "intercom_user_id": contact.id,
        "user_id": contact.external_id,
    });
    if request.is_true("summary") {
        let mut response = head;
        response["type"] = json!("event.summary");
        response["events"] = json!(summaries(&events));
        return Ok(response.into());
    }
    let events: Vec<_> = events
        .iter()
        .rev()
        .map(|event| {
            let mut document = head.clone();
            document["type"] = json!("event");
            document["event_name"] = json!(event.name);
            document["created_at"] = json!(event.created_at);
            document["metadata"] = event.metadata.clone();
            document
        })
        .collect();
    Ok(json!({"type": "event.list", "events": events, "pages": {"next": null}}).into())
}

fn summaries(events: &[&DataEvent]) -> Vec<Value> {
    let mut names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let format_time =
        |at: Option<i64>| at.and_then(|at| Timestamp::from_second(at).ok()).map(|time| time.to_string());
    let summary = |name: &str| {
        let times = events.iter().filter(|event| event.name == name).map(|event| event.created_at);
        json!({
            "name": name,
            "first": format_time(times.clone().min()),
            "last": format_time(times.clone().max()),
            "count": times.count(),
            "description": "",
        })
    };
    names.into_iter().map(summary).collect()
}

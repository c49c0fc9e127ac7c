//! Data attributes and data events.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::operations::operations;
use crate::api::ApiVersion;
use crate::sandbox::model::contact::{ContactRecord, DataEvent};
use crate::sandbox::paging::whole_list;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::Workspace;

operations! {
    "lisDataAttributes" => list_attributes,
    "createDataAttribute" => create_attribute,
    "updateDataAttribute" => update_attribute,
    "createDataEvent" => create_event,
    "lisDataEvents" => list_events,
}

fn list_attributes(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let omits_conversations = request.version.has(&ApiVersion::CONVERSATION_ATTRIBUTES);
    if omits_conversations && request.query("model") == Some("conversation") {
        let message = "model must be contact or company";
        let error = ErrorResponse::new(422, "parameter_invalid", message);
        return Err(ErrorResponse { field: Some("model".to_owned()), ..error });
    }
    let attributes = workspace
        .data_attributes
        .iter()
        .filter(|attribute| !(omits_conversations && attribute.text("model") == "conversation"))
        .filter(|attribute| request.query("model").is_none_or(|model| attribute.text("model") == model))
        .filter(|attribute| attribute.document["archived"] == false || request.is_true("include_archived"));
    Ok(whole_list("list", "data", attributes.map(|attribute| attribute.document.clone())))
}

fn create_attribute(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (name, model) = (request.required("name")?, request.required("model")?);
    if !name.chars().all(|letter| letter.is_alphanumeric() || "_- $€£".contains(letter)) {
        let message =
            "name may only contain letters, digits, spaces, underscores, hyphens and currency symbols";
        return Err(ErrorResponse::invalid("name", message));
    }
    if workspace.data_attribute(model, name).is_some() {
        let message = format!("an attribute {name} already exists for {model}");
        return Err(ErrorResponse::invalid("name", message));
    }
    let data_type = request.required("data_type")?;
    let mut attribute = workspace.new_data_attribute(true, [model, name, data_type], workspace.now());
    attribute.update(&request.body, &["description", "messenger_writable"]);
    set_options(&mut attribute.document, &request.body["options"]);
    let document = attribute.document.clone();
    workspace.data_attributes.insert(attribute);
    Ok(document.into())
}

/// Attributes without options have no such key.
fn set_options(document: &mut Value, options: &Value) {
    let options = options.as_array().into_iter().flatten();
    let options: Vec<_> = options.filter_map(|option| option.as_str().or(option["value"].as_str())).collect();
    if !options.is_empty() {
        document["options"] = json!(options);
    } else if let Some(fields) = document.as_object_mut() {
        fields.shift_remove("options");
    }
}

fn update_attribute(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "field_not_found", "Custom attribute not found");
    let id: i64 = request.path("id").parse().map_err(|_| missing())?;
    let now = workspace.now();
    let attribute = workspace.data_attributes.get_mut(&id.to_string()).ok_or_else(missing)?;
    attribute.update(&request.body, &["archived", "messenger_writable", "description"]);
    if let Some(options) = request.body.get("options") {
        set_options(&mut attribute.document, options);
    }
    attribute.touch(now);
    Ok(attribute.document.clone().into())
}

/// The contact of an event: `id` was assigned by Intercom, `user_id` by the customer.
fn event_contact<'a>(
    workspace: &'a Workspace,
    id: Option<&str>,
    user_id: Option<&str>,
    email: Option<&str>,
) -> Result<&'a ContactRecord, ErrorResponse> {
    id.and_then(|id| workspace.contacts.get(id))
        .or_else(|| workspace.contact_by_external_id(user_id?))
        .or_else(|| workspace.contact_by_email(email?))
        .ok_or_else(ErrorResponse::contact_not_found)
}

fn create_event(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact =
        event_contact(workspace, request.text("id"), request.text("user_id"), request.text("email"))?;
    let event = DataEvent {
        contact_id: contact.id.clone(),
        name: request.required("event_name")?.to_owned(),
        created_at: request.integer("created_at").ok_or_else(|| ErrorResponse::missing("created_at"))?,
        metadata: request.body.get("metadata").cloned().unwrap_or_else(|| json!({})),
    };
    workspace.events.push(event);
    Ok(SuccessResponse::empty(202))
}

/// A filter value, in any of the notations that clients use for objects in a query.
fn filter<'a>(request: &'a ApiRequest, name: &str) -> Option<&'a str> {
    let notations = [name.to_owned(), format!("filter[{name}]"), format!("filter.{name}")];
    notations.iter().find_map(|notation| request.query(notation))
}

fn list_events(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    if request.query("type") != Some("user") {
        return Err(ErrorResponse::invalid("type", "type must be user"));
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

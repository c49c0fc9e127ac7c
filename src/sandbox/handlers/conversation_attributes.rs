//! Attributes that conversations can have, and the options of list attributes.
//!
//! Attributes and options are archived, never removed.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::whole_list;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

/// A list attribute keeps at least this many options.
const MIN_OPTIONS: usize = 2;

operations! {
    "listConversationAttributes" => list,
    "createConversationAttribute" => create,
    "getConversationAttribute" => |workspace, request| Ok(find(workspace, request)?.document.into()),
    "updateConversationAttribute" => update,
    "deleteConversationAttribute" => archive,
    "createConversationAttributeOption" => create_option,
    "updateConversationAttributeOption" => update_option,
    "deleteConversationAttributeOption" => archive_option,
}

fn not_found(message: &str) -> ErrorResponse {
    ErrorResponse::new(404, "conversation_attribute_not_found", message)
}

fn refused(message: impl Into<String>) -> ErrorResponse {
    ErrorResponse::new(422, "parameter_invalid", message)
}

fn find(workspace: &Workspace, request: &ApiRequest) -> Result<PlainRecord, ErrorResponse> {
    let attribute = workspace.conversation_attributes.get(request.path("id"));
    attribute.cloned().ok_or_else(|| not_found("Conversation attribute not found"))
}

fn save(workspace: &mut Workspace, mut attribute: PlainRecord) -> HandlerResult {
    attribute.touch(workspace.now());
    let document = attribute.document.clone();
    workspace.conversation_attributes.insert(attribute);
    Ok(document.into())
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let attributes = workspace.conversation_attributes.iter();
    let shown =
        attributes.filter(|row| row.document["archived"] == false || request.is_true("include_archived"));
    Ok(whole_list("list", "data", shown.map(|row| row.document.clone())))
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (name, data_type) = (request.required("name")?, request.required("data_type")?);
    check_name(workspace, name, None)?;
    let number = workspace.next_number(IdSequence::ConversationAttribute);
    let mut attribute = workspace.new_conversation_attribute(number, [name, data_type], workspace.now());
    apply(workspace, &mut attribute, &request.body)?;
    if let Some(options) = request.body["options"].as_array() {
        if data_type != "list" {
            return Err(refused("options are only valid for list attributes"));
        }
        let labels = options.iter().filter_map(|option| option["label"].as_str());
        let new: Vec<_> = labels.map(|label| option(workspace.random.uuid(), label)).collect();
        attribute.document["options"] = json!(new);
    }
    save(workspace, attribute)
}

fn option(id: String, label: &str) -> Value {
    json!({"id": id, "label": label, "archived": false})
}

/// Names are unique among the attributes in use.
fn check_name(workspace: &Workspace, name: &str, own_id: Option<&str>) -> Result<(), ErrorResponse> {
    let is_taken = workspace.conversation_attributes.iter().any(|row| {
        row.document["archived"] == false && row.text("name") == name && Some(row.id.as_str()) != own_id
    });
    if is_taken { Err(refused(format!("name {name} is already taken"))) } else { Ok(()) }
}

/// Applies the fields of the body, some of which only one type of attribute has.
fn apply(workspace: &Workspace, attribute: &mut PlainRecord, body: &Value) -> Result<(), ErrorResponse> {
    for (field, data_type) in [("multiline", "string"), ("reference", "relationship")] {
        if body.get(field).is_some() && attribute.text("data_type") != data_type {
            return Err(refused(format!("{field} is only valid for {data_type} attributes")));
        }
    }
    let teams = body["visible_to_team_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for id in teams {
        if workspace.teams.get(id).is_none() {
            return Err(refused(format!("visible_to_team_ids contains the unknown team {id}")));
        }
    }
    attribute.update(body, &["name", "description", "required", "visible_to_team_ids", "multiline"]);
    if let Some(reference) = body.get("reference") {
        attribute.document["reference"] = reference.clone();
    }
    Ok(())
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut attribute = find(workspace, request)?;
    if let Some(name) = request.text("name") {
        check_name(workspace, name, Some(&attribute.id))?;
    }
    apply(workspace, &mut attribute, &request.body)?;
    save(workspace, attribute)
}

fn archive(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut attribute = find(workspace, request)?;
    attribute.document["archived"] = json!(true);
    save(workspace, attribute)
}

/// The options of a list attribute.
fn options(attribute: &mut PlainRecord) -> Result<&mut Vec<Value>, ErrorResponse> {
    let options = attribute.document.get_mut("options").and_then(Value::as_array_mut);
    options.ok_or_else(|| refused("Options can only be managed on list attributes"))
}

fn find_option<'a>(options: &'a mut [Value], request: &ApiRequest) -> Result<&'a mut Value, ErrorResponse> {
    let option = options.iter_mut().find(|option| option["id"] == request.path("option_id"));
    option.ok_or_else(|| not_found("List option not found"))
}

/// The label in the body, which must be its only field.
fn label(request: &ApiRequest) -> Result<&str, ErrorResponse> {
    let mut fields = request.body.as_object().into_iter().flatten();
    if fields.any(|(name, _)| name != "label") {
        return Err(refused("only 'label' is accepted"));
    }
    request.text("label").filter(|label| !label.is_empty()).ok_or_else(|| refused("label is required"))
}

fn create_option(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut attribute = find(workspace, request)?;
    let id = workspace.random.uuid();
    options(&mut attribute)?.push(option(id, label(request)?));
    save(workspace, attribute)
}

fn update_option(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut attribute = find(workspace, request)?;
    find_option(options(&mut attribute)?, request)?["label"] = json!(label(request)?);
    save(workspace, attribute)
}

fn archive_option(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut attribute = find(workspace, request)?;
    let all = options(&mut attribute)?;
    find_option(all, request)?["archived"] = json!(true);
    if all.iter().filter(|option| option["archived"] == false).count() < MIN_OPTIONS {
        return Err(refused(format!("A list attribute must have at least {MIN_OPTIONS} active options")));
    }
    save(workspace, attribute)
}

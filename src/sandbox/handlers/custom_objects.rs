//! Instances of custom objects, such as orders.
//!
//! Types are not modelled: any identifier is a type, which has the instances that were created with it.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::{PlainRecord, set_fields};
use crate::sandbox::new_records::new_custom_object;
use crate::sandbox::paging::{PAGES_FIRST, numbered_page};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

const TYPE: &str = "custom_object_type_identifier";
/// Default and maximum.
const PAGE_SIZES: (usize, usize) = (50, 150);

operations! {
    "createCustomObjectInstances" => upsert,
    "getCustomObjectInstancesById" => |workspace, request| Ok(by_id(workspace, request)?.document.clone().into()),
    "getCustomObjectInstancesByExternalId" => find,
    "listCustomObjectInstances" => find_or_list,
    "deleteCustomObjectInstancesById" => |workspace, request| {
        let id = by_external_id(workspace, request)?.id.clone();
        delete(workspace, request, &id)
    },
    "deleteCustomObjectInstancesByExternalId" => |workspace, request| {
        let id = by_id(workspace, request)?.id.clone();
        delete(workspace, request, &id)
    },
}

/// The instances of the type in the path.
fn of_type<'a>(workspace: &'a Workspace, request: &ApiRequest) -> impl Iterator<Item = &'a PlainRecord> {
    let kind = request.path(TYPE).to_owned();
    workspace.custom_objects.newest_first().filter(move |object| object.text("type") == kind)
}

fn by_id<'a>(workspace: &'a Workspace, request: &ApiRequest) -> Result<&'a PlainRecord, ErrorResponse> {
    let id = request.path("id");
    of_type(workspace, request).find(|object| object.id == id).ok_or_else(ErrorResponse::record_not_found)
}

fn by_external_id<'a>(
    workspace: &'a Workspace,
    request: &ApiRequest,
) -> Result<&'a PlainRecord, ErrorResponse> {
    let external_id = request.query("external_id").unwrap_or_default();
    of_type(workspace, request)
        .find(|object| object.text("external_id") == external_id)
        .ok_or_else(ErrorResponse::record_not_found)
}

fn find(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    Ok(by_external_id(workspace, request)?.document.clone().into())
}

fn find_or_list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    if request.query("external_id").is_some() {
        return find(workspace, request);
    }
    let kind = request.path(TYPE);
    let contact = match request.query("references_contact_id") {
        Some(id) => Some(workspace.contact(id)?.custom_attributes.get(kind)),
        None => None,
    };
    let conversation = match request.query("references_conversation_id") {
        Some(id) => Some(workspace.conversations.find(id)?.custom_attributes.get(kind)),
        None => None,
    };
    let is_referred_to = |object: &&PlainRecord| {
        let references = [contact, conversation];
        references.into_iter().flatten().all(|references| refers_to(references, &object.id))
    };
    let objects: Vec<_> = of_type(workspace, request).filter(is_referred_to).collect();
    let page = numbered_page(request, &objects, PAGE_SIZES)?;
    Ok(page.list("list", PAGES_FIRST, |object| object.document.clone()))
}

/// Whether the attribute of a record, a list of ids or of objects with an id, names an instance.
fn refers_to(references: Option<&Value>, id: &str) -> bool {
    let mut references = references.and_then(Value::as_array).into_iter().flatten();
    references.any(|reference| *reference == id || reference["id"] == id)
}

fn upsert(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (now, external_id) = (workspace.now(), request.required("external_id")?);
    let existing =
        of_type(workspace, request).find(|object| object.text("external_id") == external_id).cloned();
    let mut object = match existing {
        Some(object) => object,
        None => {
            let id = workspace.next_id(IdSequence::Other);
            new_custom_object([&id, request.path(TYPE), external_id], now)
        }
    };
    set_fields(&mut object.document["custom_attributes"], &request.body["custom_attributes"], &[]);
    for time in ["external_created_at", "external_updated_at"] {
        if let Some(at) = request.body.get(time) {
            object.document[time] = at.clone();
        }
    }
    object.touch(now);
    let document = object.document.clone();
    workspace.custom_objects.insert(object);
    Ok(document.into())
}

fn delete(workspace: &mut Workspace, request: &ApiRequest, id: &str) -> HandlerResult {
    workspace.custom_objects.remove(id);
    Ok(json!({"object": request.path(TYPE), "id": id, "deleted": true}).into())
}

//! Audiences, to which content for the AI agent can be limited.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::Workspace;

operations! {
    "listAudiences" => list,
    "createAudience" => create,
    "retrieveAudience" => |workspace, request| {
        Ok(workspace.knowledge.audiences.find(request.path("id"))?.document.clone().into())
    },
    "updateAudience" => update,
    "deleteAudience" => delete,
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let audiences = &workspace.knowledge.audiences;
    Ok(numbered_page(request, audiences, (50, 50))?.flat_list(|audience| audience.document.clone()))
}

/// The name in the body, if there is one.
fn name(request: &ApiRequest) -> Result<Option<&str>, ErrorResponse> {
    match request.text("name") {
        Some(name) if name.trim().is_empty() => {
            Err(ErrorResponse::new(422, "validation_error", "Name must not be blank"))
        }
        name => Ok(name),
    }
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let name = name(request)?.unwrap_or_default();
    let audience = workspace.new_audience(name, workspace.now());
    save(workspace, audience, &request.body).map(|response| SuccessResponse { status: 201, ..response })
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut audience = workspace.knowledge.audiences.find(request.path("id"))?.clone();
    if let Some(name) = name(request)? {
        audience.document["name"] = json!(name);
    }
    audience.touch(workspace.now());
    save(workspace, audience, &request.body)
}

/// Applies the conditions in the body, and stores the audience.
fn save(workspace: &mut Workspace, mut audience: PlainRecord, body: &Value) -> HandlerResult {
    audience.update(body, &["predicates", "role_predicates"]);
    let document = audience.document.clone();
    workspace.knowledge.audiences.insert(audience);
    Ok(document.into())
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    workspace.knowledge.audiences.remove(id).ok_or_else(ErrorResponse::record_not_found)?;
    if let Ok(number) = id.parse() {
        workspace.knowledge.remove_audience(number);
    }
    Ok(SuccessResponse::empty(204))
}

/// Checks that all audiences exist. `None` if the body has none.
pub fn audience_ids(workspace: &Workspace, ids: &Value) -> Result<Option<Vec<i64>>, ErrorResponse> {
    let Some(ids) = ids.as_array() else { return Ok(None) };
    let ids: Vec<i64> = ids.iter().filter_map(Value::as_i64).collect();
    let is_unknown = |id: &&i64| workspace.knowledge.audiences.get(&id.to_string()).is_none();
    let unknown: Vec<_> = ids.iter().filter(is_unknown).map(i64::to_string).collect();
    if unknown.is_empty() {
        return Ok(Some(ids));
    }
    let message = format!("audience_ids contains unknown audience IDs: {}", unknown.join(", "));
    Err(ErrorResponse::new(404, "parameter_invalid", message))
}

//! Settings that are only read: brands, the addresses of emails, workflows.

use serde_json::json;

use super::operations::operations;
use super::plain::{list_all, retrieve};
use crate::sandbox::calendar::time_text;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "listBrands" => |workspace, _| list_all(&workspace.brands, "list", "data"),
    "retrieveBrand" => |workspace, request| {
        retrieve(&workspace.brands, request).map_err(|_| ErrorResponse::not_found("Brand not found"))
    },
    "listEmails" => |workspace, _| list_all(&workspace.sender_addresses, "list", "data"),
    "retrieveEmail" => |workspace, request| {
        retrieve(&workspace.sender_addresses, request)
            .map_err(|_| ErrorResponse::not_found("Email setting not found"))
    },
    "exportWorkflow" => export_workflow,
}

fn export_workflow(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let workflow = workspace.workflows.get(request.path("id"));
    let workflow = workflow.ok_or_else(|| ErrorResponse::not_found("Workflow not found"))?;
    let export = json!({
        "export_version": "1.0",
        "exported_at": time_text(workspace.now()),
        "app_id": 1,
        "workflow": workflow.document,
    });
    Ok(export.into())
}

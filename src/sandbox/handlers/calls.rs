//! Phone calls. A workspace without any has no phone, and does not offer them.

use serde_json::{Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::paging::numbered_page;
use crate::sandbox::quirk::Quirk;
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::Workspace;

operations! {
    "listCalls" => list,
    "showCall" => retrieve,
}

fn list(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    if workspace.calls.is_empty() {
        return Err(ErrorResponse::new(501, "not_implemented", "This workspace has no phone: no listCalls"));
    }
    let mut calls: Vec<Value> = workspace.calls.newest_first().map(|call| call.document()).collect();
    if workspace.quirks.contains(&Quirk::OldestCallsFirst) {
        calls.reverse();
    }
    let page = numbered_page(request, &calls, 25, 25)?;
    let (data, total) = (page.records, page.total_count);
    Ok(json!({"type": "list", "pages": page.pages, "data": data, "total_count": total}).into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let call = workspace.calls.get(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(call.document().into())
}

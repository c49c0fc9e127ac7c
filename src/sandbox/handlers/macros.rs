//! Macros, also called saved replies. Their times are ISO text, unlike those of other records.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::{newest_first, parse_integer};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

const DEFAULT_PAGE_SIZE: usize = 50;

operations! {
    "listMacros" => list,
    "getMacro" => retrieve,
}

fn document(record: &PlainRecord) -> Value {
    let mut document = record.document.clone();
    for name in ["created_at", "updated_at"] {
        let time = document[name].as_i64().and_then(|at| Timestamp::from_second(at).ok());
        document[name] = json!(time.map(|time| format!("{time:.3}")));
    }
    document
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let since =
        request.query("updated_since").map(|text| parse_integer("updated_since", text)).transpose()?;
    let is_recent = |record: &PlainRecord| since.is_none_or(|since| record.updated_at() > since);
    let mut page = newest_first(request, &workspace.macros, DEFAULT_PAGE_SIZE, is_recent)?;
    page.pages = json!({
        "type": "pages",
        "per_page": page.pages["per_page"],
        "next": page.pages["next"].get("starting_after").map(|cursor| json!({"starting_after": cursor})),
    });
    Ok(page.list("list", &["data", "pages"], document))
}

fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let record = workspace.macros.get(request.path("id"));
    Ok(document(record.ok_or_else(|| ErrorResponse::not_found("Macro not found"))?).into())
}

//! The history of merges of contacts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::operations::operations;
use crate::sandbox::paging::parse_integer;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

/// Default and maximum.
const PAGE_SIZES: (i64, i64) = (50, 150);

operations! {
    "ListContactMergeHistory" => list,
}

fn encode(position: usize) -> String {
    STANDARD.encode(json!({"id": position}).to_string())
}

/// The position of the last merge on the previous page.
fn decode(cursor: &str) -> Result<usize, ErrorResponse> {
    let read = || {
        let document: serde_json::Value = serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()?;
        usize::try_from(document["id"].as_u64()?).ok()
    };
    read().ok_or_else(|| ErrorResponse::invalid("cursor", "cursor is not valid"))
}

/// Leads have no merge history.
fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = workspace.contacts.get(request.path("id")).filter(|contact| contact.is_user);
    let contact = contact.ok_or_else(ErrorResponse::contact_not_found)?;
    let per_page = request.query("per_page").map(|text| parse_integer("per_page", text)).transpose()?;
    let per_page = per_page.unwrap_or(PAGE_SIZES.0);
    if !(1..=PAGE_SIZES.1).contains(&per_page) {
        let message = format!("per_page must be between 1 and {}", PAGE_SIZES.1);
        return Err(ErrorResponse::invalid("per_page", message));
    }
    let after = request.query("cursor").map(decode).transpose()?;
    let ascending = request.query("order") == Some("asc");
    let mut merges: Vec<_> =
        workspace.merges.iter().enumerate().filter(|(_, merge)| merge.into == contact.id).collect();
    if !ascending {
        merges.reverse();
    }
    let is_left = |position: usize| {
        after.is_none_or(|after| if ascending { position > after } else { position < after })
    };
    merges.retain(|(position, _)| is_left(*position));
    let page = &merges[..merges.len().min(usize::try_from(per_page).unwrap_or(usize::MAX))];
    let has_more = page.len() < merges.len();
    let data: Vec<_> = page
        .iter()
        .map(|(_, merge)| {
            json!({
                "type": "merge_history",
                "source_contact_id": merge.source_id,
                "source_contact_role": merge.source_role,
                "merged_at": merge.at,
            })
        })
        .collect();
    let mut response = json!({"type": "list", "data": data});
    if let Some((position, _)) = page.last().filter(|_| has_more) {
        response["next_cursor"] = json!(encode(*position));
    }
    response["has_more"] = json!(has_more);
    Ok(response.into())
}

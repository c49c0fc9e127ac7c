//! Notes about companies.

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::{DATA_FIRST, numbered_page};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "listCompanyNotes" => list,
}

/// Newest first.
fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let company =
        workspace.companies.get(request.path("company_id")).ok_or_else(ErrorResponse::company_not_found)?;
    let is_about = |note: &&PlainRecord| note.document["company"]["id"] == *company.id;
    let mut notes: Vec<_> = workspace.company_notes.iter().filter(is_about).collect();
    notes.reverse();
    Ok(numbered_page(request, &notes, (50, 150))?.list("list", DATA_FIRST, |note| note.document.clone()))
}

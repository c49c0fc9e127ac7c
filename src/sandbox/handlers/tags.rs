//! Tags, and tagging of companies and users by tag name.

use serde_json::{Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::contact::AppliedTag;
use crate::sandbox::model::setup::Tag;
use crate::sandbox::request::Request;
use crate::sandbox::response::{ErrorResponse, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listTags" => list,
    "findTag" => retrieve,
    "createTag" => create,
    "deleteTag" => delete,
}

fn list(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let tags: Vec<_> = workspace.tags.iter().map(|tag| tag.document()).collect();
    Ok(json!({"type": "list", "data": tags}).into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    Ok(workspace.tag(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?.document().into())
}

fn create(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let name = request.required("name")?;
    if let Some(id) = request.text("id") {
        let tag =
            workspace.tags.iter_mut().find(|tag| tag.id == id).ok_or_else(ErrorResponse::record_not_found)?;
        name.clone_into(&mut tag.name);
        return Ok(tag.document().into());
    }
    let companies = resolve_companies(workspace, &request.body["companies"])?;
    let users = resolve_users(workspace, &request.body["users"])?;
    let tag = find_or_create(workspace, name);
    for (id, untag) in companies {
        tag_company(workspace, &id, &tag.id, untag);
    }
    for id in users {
        tag_contact(workspace, &id, &tag.id)?;
    }
    Ok(tag.document().into())
}

/// The tag with this name, created if missing. Names are compared case-insensitively.
fn find_or_create(workspace: &mut Workspace, name: &str) -> Tag {
    let existing = workspace.tags.iter().find(|tag| tag.name.to_lowercase() == name.to_lowercase());
    if let Some(tag) = existing {
        return tag.clone();
    }
    let tag = Tag { id: workspace.next_id(IdSequence::Other), name: name.to_owned() };
    workspace.tags.push(tag.clone());
    tag
}

/// Ids of the companies in the list, and whether to remove the tag.
fn resolve_companies(workspace: &Workspace, list: &Value) -> Result<Vec<(String, bool)>, ErrorResponse> {
    let missing = || ErrorResponse::new(404, "company_not_found", "Company not found");
    list.as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            let by_id = entry["id"].as_str().and_then(|id| workspace.companies.get(id));
            let by_company_id = || {
                let company_id = entry["company_id"].as_str()?;
                workspace.companies.iter().find(|company| company.company_id == company_id)
            };
            let company = by_id.or_else(by_company_id).ok_or_else(missing)?;
            Ok((company.id.clone(), entry["untag"] == json!(true)))
        })
        .collect()
}

fn resolve_users(workspace: &Workspace, list: &Value) -> Result<Vec<String>, ErrorResponse> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|entry| Ok(workspace.contact(entry["id"].as_str().unwrap_or_default())?.id.clone()))
        .collect()
}

fn tag_company(workspace: &mut Workspace, id: &str, tag_id: &str, untag: bool) {
    let now = workspace.now();
    if let Some(company) = workspace.companies.get_mut(id) {
        company.tags.retain(|id| id != tag_id);
        if !untag {
            company.tags.push(tag_id.to_owned());
        }
        company.updated_at = company.updated_at.max(now);
    }
}

fn tag_contact(workspace: &mut Workspace, id: &str, tag_id: &str) -> Result<(), ErrorResponse> {
    let applied =
        AppliedTag { tag_id: tag_id.to_owned(), applied_at: workspace.now(), admin_id: workspace.my_id() };
    let contact = workspace.touch_contact(id)?;
    if contact.tags.iter().all(|existing| existing.tag_id != tag_id) {
        contact.tags.push(applied);
    }
    Ok(())
}

/// Removes the tag from all records. Responds without content.
fn delete(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let index =
        workspace.tags.iter().position(|tag| tag.id == id).ok_or_else(ErrorResponse::record_not_found)?;
    workspace.tags.remove(index);
    for contact in workspace.contacts.iter_mut() {
        contact.tags.retain(|tag| tag.tag_id != id);
    }
    for company in workspace.companies.iter_mut() {
        company.tags.retain(|tag| tag != id);
    }
    for conversation in workspace.conversations.iter_mut() {
        conversation.tags.retain(|tag| tag.tag_id != id);
    }
    for ticket in workspace.tickets.iter_mut() {
        ticket.tags.retain(|tag| tag.tag_id != id);
    }
    Ok(SuccessResponse::empty(200))
}

//! Changes of tags, and tagging.

use serde_json::{Value, json};

use super::operations::operations;
use crate::api::ApiVersion;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::model::tagging::{AppliedTag, Taggable};
use crate::sandbox::record_set::{RecordSet, WorkspaceRecord};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::Workspace;

operations! {
    "createTag" => create,
    "deleteTag" => delete,
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let name = request.required("name")?;
    if let Some(id) = request.text("id") {
        let tag = workspace.tags.find_mut(id)?;
        tag.document["name"] = json!(name);
        return Ok(tag.document.clone().into());
    }
    let companies = resolve_companies(workspace, &request.body["companies"])?;
    let users = resolve_users(workspace, request)?;
    let tag = find_or_create(workspace, name);
    for (id, untag) in companies {
        tag_company(workspace, &id, &tag.id, untag);
    }
    for id in users {
        let (tag_id, admin_id) = (tag.id.clone(), workspace.my_id());
        let applied = AppliedTag { tag_id, applied_at: workspace.now(), admin_id };
        workspace.contacts.find_mut(&id)?.add_tag(applied);
    }
    Ok(tag.document.into())
}

/// The tag with this name, created if missing. Names are compared case-insensitively.
fn find_or_create(workspace: &mut Workspace, name: &str) -> PlainRecord {
    let has_name = |tag: &&PlainRecord| tag.text("name").to_lowercase() == name.to_lowercase();
    if let Some(tag) = workspace.tags.iter().find(has_name) {
        return tag.clone();
    }
    let tag = workspace.new_tag(name);
    workspace.tags.insert(tag.clone());
    tag
}

/// Ids of the companies in the list, and whether to remove the tag.
fn resolve_companies(workspace: &Workspace, list: &Value) -> Result<Vec<(String, bool)>, ErrorResponse> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            let by_id = entry["id"].as_str().and_then(|id| workspace.companies.get(id));
            let by_company_id = || {
                let company_id = entry["company_id"].as_str()?;
                workspace.companies.iter().find(|company| company.company_id == company_id)
            };
            let company = by_id.or_else(by_company_id).ok_or_else(ErrorResponse::company_not_found)?;
            Ok((company.id.clone(), entry["untag"] == json!(true)))
        })
        .collect()
}

/// Ids of the people in the list. Some versions skip those who do not exist.
fn resolve_users(workspace: &Workspace, request: &ApiRequest) -> Result<Vec<String>, ErrorResponse> {
    let skips_missing = request.version.has(&ApiVersion::TAGGING_SKIPS_MISSING);
    let users = request.body["users"].as_array().into_iter().flatten();
    users
        .map(|user| workspace.contact(user["id"].as_str().unwrap_or_default()))
        .filter(|contact| contact.is_ok() || !skips_missing)
        .map(|contact| Ok(contact?.id.clone()))
        .collect()
}

fn tag_company(workspace: &mut Workspace, id: &str, tag_id: &str, untag: bool) {
    let now = workspace.now();
    if let Some(company) = workspace.companies.get_mut(id) {
        company.tags.retain(|id| id != tag_id);
        if !untag {
            company.tags.push(tag_id.to_owned());
        }
        company.touch(now);
    }
}

/// Applies the tag in the body to a record, and responds with it.
pub fn attach<T: Taggable>(
    workspace: &mut Workspace,
    records: fn(&mut Workspace) -> &mut RecordSet<T>,
    id: &str,
    request: &ApiRequest,
    admin_id: i64,
) -> HandlerResult {
    let tag = workspace.tags.find(request.required("id")?)?.clone();
    let applied = AppliedTag { tag_id: tag.id.clone(), applied_at: workspace.now(), admin_id };
    let document = applied.document(tag.text("name"));
    records(workspace).find_mut(id)?.add_tag(applied);
    Ok(document.into())
}

/// Removes the tag with the id in the path from a record, and responds with it.
pub fn detach<T: Taggable>(
    workspace: &mut Workspace,
    records: fn(&mut Workspace) -> &mut RecordSet<T>,
    id: &str,
    request: &ApiRequest,
    missing: fn() -> ErrorResponse,
) -> HandlerResult {
    let (now, tag_id) = (workspace.now(), request.path("id"));
    let record = records(workspace).find_mut(id)?;
    record.touch(now);
    let tags = record.tags_mut();
    let index = tags.iter().position(|tag| tag.tag_id == tag_id).ok_or_else(missing)?;
    let tag = tags.remove(index);
    Ok(tag.document(workspace.tag_name(tag_id)).into())
}

/// Removes the tag from all records. Responds without content.
fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    workspace.tags.remove(id).ok_or_else(ErrorResponse::record_not_found)?;
    let companies = workspace.companies.matching_mut(|company| company.tags.iter().any(|tag| tag == id));
    companies.for_each(|company| company.tags.retain(|tag| tag != id));
    remove_tag(&mut workspace.contacts, id);
    remove_tag(&mut workspace.conversations, id);
    remove_tag(&mut workspace.tickets, id);
    workspace.knowledge.remove_tag(id);
    Ok(SuccessResponse::empty(200))
}

fn remove_tag<T: Taggable>(records: &mut RecordSet<T>, id: &str) {
    let tagged = records.matching_mut(|record| record.tags().iter().any(|tag| tag.tag_id == id));
    tagged.for_each(|record| record.tags_mut().retain(|tag| tag.tag_id != id));
}

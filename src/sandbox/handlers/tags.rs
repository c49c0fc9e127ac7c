//! Tags, and tagging companies and users by a tag's name.

use serde_json::{Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::{Answer, Problem};
use crate::sandbox::model::contact::Applied;
use crate::sandbox::model::setup::Tag;
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Sequence, Workspace};

family! {
    "listTags" => list,
    "findTag" => find_one,
    "createTag" => create,
    "deleteTag" => delete,
}

fn list(workspace: &mut Workspace, _: &Request) -> Outcome {
    let tags: Vec<_> = workspace.tags.iter().map(|tag| tag.document()).collect();
    Ok(json!({"type": "list", "data": tags}).into())
}

fn find_one(workspace: &mut Workspace, request: &Request) -> Outcome {
    Ok(workspace.tag(request.path("id")).ok_or_else(Problem::no_resource)?.document().into())
}

fn create(workspace: &mut Workspace, request: &Request) -> Outcome {
    let name = request.required("name")?;
    if let Some(id) = request.text("id") {
        let tag = workspace.tags.iter_mut().find(|tag| tag.id == id).ok_or_else(Problem::no_resource)?;
        name.clone_into(&mut tag.name);
        return Ok(tag.document().into());
    }
    let companies = found_companies(workspace, &request.body["companies"])?;
    let users = found_users(workspace, &request.body["users"])?;
    let tag = named(workspace, name);
    for (id, untag) in companies {
        tag_company(workspace, &id, &tag.id, untag);
    }
    for id in users {
        tag_contact(workspace, &id, &tag.id)?;
    }
    Ok(tag.document().into())
}

/// The tag with this name, made if there is none. Names do not differ by case alone.
fn named(workspace: &mut Workspace, name: &str) -> Tag {
    let known = workspace.tags.iter().find(|tag| tag.name.to_lowercase() == name.to_lowercase());
    if let Some(tag) = known {
        return tag.clone();
    }
    let tag = Tag { id: workspace.issue(Sequence::Other), name: name.to_owned() };
    workspace.tags.push(tag.clone());
    tag
}

/// Ids of the companies in the list, and whether the tag is to be taken off.
fn found_companies(workspace: &Workspace, list: &Value) -> Result<Vec<(String, bool)>, Problem> {
    let missing = || Problem::new(404, "company_not_found", "There is no such company");
    list.as_array()
        .into_iter()
        .flatten()
        .map(|named| {
            let by_id = named["id"].as_str().and_then(|id| workspace.companies.get(id));
            let by_name = || {
                let company_id = named["company_id"].as_str()?;
                workspace.companies.iter().find(|company| company.company_id == company_id)
            };
            let company = by_id.or_else(by_name).ok_or_else(missing)?;
            Ok((company.id.clone(), named["untag"] == json!(true)))
        })
        .collect()
}

fn found_users(workspace: &Workspace, list: &Value) -> Result<Vec<String>, Problem> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|named| Ok(workspace.contact(named["id"].as_str().unwrap_or_default())?.id.clone()))
        .collect()
}

fn tag_company(workspace: &mut Workspace, id: &str, tag_id: &str, untag: bool) {
    let now = workspace.now();
    if let Some(company) = workspace.companies.get_mut(id) {
        company.tags.retain(|own| own != tag_id);
        if !untag {
            company.tags.push(tag_id.to_owned());
        }
        company.updated_at = company.updated_at.max(now);
    }
}

fn tag_contact(workspace: &mut Workspace, id: &str, tag_id: &str) -> Result<(), Problem> {
    let applied =
        Applied { tag_id: tag_id.to_owned(), applied_at: workspace.now(), admin_id: workspace.my_id() };
    let contact = workspace.touch_contact(id)?;
    if contact.tags.iter().all(|own| own.tag_id != tag_id) {
        contact.tags.push(applied);
    }
    Ok(())
}

/// Takes the tag off everything that has it, and answers without content.
fn delete(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("id");
    let place = workspace.tags.iter().position(|tag| tag.id == id).ok_or_else(Problem::no_resource)?;
    workspace.tags.remove(place);
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
    Ok(Answer::empty(200))
}

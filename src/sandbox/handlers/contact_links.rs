//! What hangs on a contact: notes, tags, companies, segments, subscriptions.

use serde_json::{Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::model::contact::{Applied, Contact, Note};
use crate::sandbox::paging::{Numbered, by_number};
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Sequence, Workspace};

/// Records of a page when the caller does not say, and the most he may say.
const USUAL: usize = 50;
const MOST: usize = 60;

family! {
    "listNotes" => list_notes,
    "createNote" => create_note,
    "retrieveNote" => retrieve_note,
    "listTagsForAContact" => list_tags,
    "attachTagToContact" => attach_tag,
    "detachTagFromContact" => detach_tag,
    "listCompaniesForAContact" => list_companies,
    "attachContactToACompany" => attach_company,
    "detachContactFromACompany" => detach_company,
    "listSegmentsForAContact" => list_segments,
    "listSubscriptionsForAContact" => list_subscriptions,
    "attachSubscriptionTypeToContact" => attach_subscription,
    "detachSubscriptionTypeToContact" => detach_subscription,
}

/// The contact of a path that calls it `contact_id` or, in some operations, `id`.
fn contact_id(request: &Request) -> &str {
    match request.path("contact_id") {
        "" => request.path("id"),
        id => id,
    }
}

fn owner<'a>(workspace: &'a Workspace, request: &Request) -> Result<&'a Contact, Problem> {
    workspace.contact(contact_id(request))
}

fn numbered<T>(page: &Numbered<'_, T>, data: Vec<Value>) -> Value {
    json!({"type": "list", "data": data, "total_count": page.total_count, "pages": page.pages})
}

fn note_document(workspace: &Workspace, note: &Note) -> Value {
    json!({
        "type": "note",
        "id": note.id,
        "created_at": note.created_at,
        "contact": {"type": "contact", "id": note.contact_id},
        "author": workspace.admin(note.admin_id).map(|admin| admin.author()),
        "body": note.body,
    })
}

fn list_notes(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = owner(workspace, request)?;
    let mut notes: Vec<_> = workspace.notes.iter().filter(|note| note.contact_id == contact.id).collect();
    notes.reverse();
    let page = by_number(request, &notes, USUAL, 150)?;
    let data = page.records.iter().map(|note| note_document(workspace, note)).collect();
    Ok(numbered(&page, data).into())
}

fn create_note(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact_id = owner(workspace, request)?.id.clone();
    let admin_id = match request.text("admin_id") {
        Some(id) => workspace.acting_admin(id).map_err(|_| Problem::no_resource())?,
        None => workspace.my_id(),
    };
    let note = Note {
        id: workspace.issue(Sequence::Other),
        created_at: workspace.now(),
        contact_id: contact_id.clone(),
        admin_id,
        body: request.required("body")?.to_owned(),
    };
    let document = note_document(workspace, &note);
    workspace.touch_contact(&contact_id)?.notes.push(note.id.clone());
    workspace.notes.push(note);
    Ok(document.into())
}

fn retrieve_note(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("id");
    let note = workspace.notes.iter().find(|note| note.id == id).ok_or_else(Problem::no_resource)?;
    Ok(note_document(workspace, note).into())
}

fn list_tags(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = owner(workspace, request)?;
    let page = by_number(request, &contact.tags, USUAL, MOST)?;
    let data = page.records.iter().map(|tag| tag.document(workspace.tag_name(&tag.tag_id))).collect();
    Ok(numbered(&page, data).into())
}

fn attach_tag(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact_id = owner(workspace, request)?.id.clone();
    let tag = workspace.tag(request.required("id")?).ok_or_else(Problem::no_resource)?.clone();
    let applied =
        Applied { tag_id: tag.id.clone(), applied_at: workspace.now(), admin_id: workspace.my_id() };
    let document = applied.document(&tag.name);
    let contact = workspace.touch_contact(&contact_id)?;
    if contact.tags.iter().all(|own| own.tag_id != tag.id) {
        contact.tags.push(applied);
    }
    Ok(document.into())
}

fn detach_tag(workspace: &mut Workspace, request: &Request) -> Outcome {
    let (contact_id, tag_id) = (owner(workspace, request)?.id.clone(), request.path("id"));
    let contact = workspace.touch_contact(&contact_id)?;
    let place = contact.tags.iter().position(|tag| tag.tag_id == tag_id).ok_or_else(Problem::no_resource)?;
    let tag = contact.tags.remove(place);
    Ok(tag.document(workspace.tag_name(tag_id)).into())
}

fn no_company() -> Problem {
    Problem::new(404, "company_not_found", "There is no such company")
}

fn list_companies(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = owner(workspace, request)?;
    let sizes = workspace.company_sizes();
    let page = by_number(request, &contact.companies, USUAL, MOST)?;
    let companies = page.records.iter().filter_map(|id| workspace.companies.get(id));
    let data = companies.map(|company| workspace.company_document(company, &sizes)).collect();
    Ok(numbered(&page, data).into())
}

fn attach_company(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact_id = owner(workspace, request)?.id.clone();
    let company_id = request.required("id")?;
    let now = workspace.now();
    let company = workspace.companies.get_mut(company_id).ok_or_else(no_company)?;
    company.updated_at = company.updated_at.max(now);
    let contact = workspace.touch_contact(&contact_id)?;
    if !contact.companies.iter().any(|id| id == company_id) {
        contact.companies.push(company_id.to_owned());
    }
    let company = workspace.companies.get(company_id).ok_or_else(no_company)?;
    Ok(workspace.company_document(company, &workspace.company_sizes()).into())
}

fn detach_company(workspace: &mut Workspace, request: &Request) -> Outcome {
    let (contact_id, company_id) = (owner(workspace, request)?.id.clone(), request.path("id"));
    let contact = workspace.touch_contact(&contact_id)?;
    let place = contact.companies.iter().position(|id| id == company_id).ok_or_else(no_company)?;
    contact.companies.remove(place);
    let company = workspace.companies.get(company_id).ok_or_else(no_company)?;
    Ok(workspace.company_document(company, &workspace.company_sizes()).into())
}

fn list_segments(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = owner(workspace, request)?;
    let segments = workspace.segments.iter().filter(|segment| contact.segments.contains(&segment.id));
    let data: Vec<_> = segments.map(|segment| segment.document(None)).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

fn list_subscriptions(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = owner(workspace, request)?;
    let own = |id: &str| contact.subscriptions.iter().any(|(subscription, _)| subscription == id);
    let kinds = workspace.subscription_types.iter().filter(|kind| own(&kind.id));
    let data: Vec<_> = kinds.map(|kind| kind.document()).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

fn attach_subscription(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact_id = owner(workspace, request)?.id.clone();
    let (id, consent) = (request.required("id")?, request.required("consent_type")?);
    if !matches!(consent, "opt_in" | "opt_out") {
        return Err(Problem::invalid("consent_type", "consent_type must be opt_in or opt_out"));
    }
    let kind = workspace.subscription_types.iter().find(|kind| kind.id == id);
    let document = kind.ok_or_else(Problem::no_resource)?.document();
    let contact = workspace.touch_contact(&contact_id)?;
    contact.subscriptions.retain(|(own, _)| own != id);
    contact.subscriptions.push((id.to_owned(), consent.to_owned()));
    Ok(document.into())
}

fn detach_subscription(workspace: &mut Workspace, request: &Request) -> Outcome {
    let (contact_id, id) = (owner(workspace, request)?.id.clone(), request.path("id"));
    let kind = workspace.subscription_types.iter().find(|kind| kind.id == id);
    let document = kind.ok_or_else(Problem::no_resource)?.document();
    let contact = workspace.touch_contact(&contact_id)?;
    contact.subscriptions.retain(|(own, _)| own != id);
    Ok(document.into())
}

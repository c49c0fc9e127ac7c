//! Records linked to a contact: notes, tags, companies, segments and subscriptions.

use serde_json::{Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::contact::{AppliedTag, Contact, Note};
use crate::sandbox::paging::{NumberedPage, numbered_page};
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

const DEFAULT_PAGE_SIZE: usize = 50;
const MAX_PAGE_SIZE: usize = 60;

operations! {
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

/// The contact id in the path: the parameter is named `contact_id` or, in some operations, `id`.
fn contact_id(request: &Request) -> &str {
    match request.path("contact_id") {
        "" => request.path("id"),
        id => id,
    }
}

fn contact<'a>(workspace: &'a Workspace, request: &Request) -> Result<&'a Contact, ErrorResponse> {
    workspace.contact(contact_id(request))
}

fn numbered_list<T>(page: &NumberedPage<'_, T>, data: Vec<Value>) -> Value {
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

fn list_notes(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let mut notes: Vec<_> = workspace.notes.iter().filter(|note| note.contact_id == contact.id).collect();
    notes.reverse();
    let page = numbered_page(request, &notes, DEFAULT_PAGE_SIZE, 150)?;
    let data = page.records.iter().map(|note| note_document(workspace, note)).collect();
    Ok(numbered_list(&page, data).into())
}

fn create_note(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let admin_id = match request.text("admin_id") {
        Some(id) => workspace.acting_admin(id).map_err(|_| ErrorResponse::record_not_found())?,
        None => workspace.my_id(),
    };
    let note = Note {
        id: workspace.next_id(IdSequence::Other),
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

fn retrieve_note(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let note =
        workspace.notes.iter().find(|note| note.id == id).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(note_document(workspace, note).into())
}

fn list_tags(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let page = numbered_page(request, &contact.tags, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let data = page.records.iter().map(|tag| tag.document(workspace.tag_name(&tag.tag_id))).collect();
    Ok(numbered_list(&page, data).into())
}

fn attach_tag(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let tag = workspace.tag(request.required("id")?).ok_or_else(ErrorResponse::record_not_found)?.clone();
    let applied =
        AppliedTag { tag_id: tag.id.clone(), applied_at: workspace.now(), admin_id: workspace.my_id() };
    let document = applied.document(&tag.name);
    let contact = workspace.touch_contact(&contact_id)?;
    if contact.tags.iter().all(|existing| existing.tag_id != tag.id) {
        contact.tags.push(applied);
    }
    Ok(document.into())
}

fn detach_tag(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let (contact_id, tag_id) = (contact(workspace, request)?.id.clone(), request.path("id"));
    let contact = workspace.touch_contact(&contact_id)?;
    let index = contact
        .tags
        .iter()
        .position(|tag| tag.tag_id == tag_id)
        .ok_or_else(ErrorResponse::record_not_found)?;
    let tag = contact.tags.remove(index);
    Ok(tag.document(workspace.tag_name(tag_id)).into())
}

fn company_not_found() -> ErrorResponse {
    ErrorResponse::new(404, "company_not_found", "Company not found")
}

fn list_companies(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let sizes = workspace.company_sizes();
    let page = numbered_page(request, &contact.companies, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let companies = page.records.iter().filter_map(|id| workspace.companies.get(id));
    let data = companies.map(|company| workspace.company_document(company, &sizes)).collect();
    Ok(numbered_list(&page, data).into())
}

fn attach_company(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let company_id = request.required("id")?;
    let now = workspace.now();
    let company = workspace.companies.get_mut(company_id).ok_or_else(company_not_found)?;
    company.updated_at = company.updated_at.max(now);
    let contact = workspace.touch_contact(&contact_id)?;
    if !contact.companies.iter().any(|id| id == company_id) {
        contact.companies.push(company_id.to_owned());
    }
    let company = workspace.companies.get(company_id).ok_or_else(company_not_found)?;
    Ok(workspace.company_document(company, &workspace.company_sizes()).into())
}

fn detach_company(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let (contact_id, company_id) = (contact(workspace, request)?.id.clone(), request.path("id"));
    let contact = workspace.touch_contact(&contact_id)?;
    let index = contact.companies.iter().position(|id| id == company_id).ok_or_else(company_not_found)?;
    contact.companies.remove(index);
    let company = workspace.companies.get(company_id).ok_or_else(company_not_found)?;
    Ok(workspace.company_document(company, &workspace.company_sizes()).into())
}

fn list_segments(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let segments = workspace.segments.iter().filter(|segment| contact.segments.contains(&segment.id));
    let data: Vec<_> = segments.map(|segment| segment.document(None)).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

fn list_subscriptions(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let has = |id: &str| contact.subscriptions.iter().any(|(subscription_id, _)| subscription_id == id);
    let types = workspace.subscription_types.iter().filter(|subscription_type| has(&subscription_type.id));
    let data: Vec<_> = types.map(|subscription_type| subscription_type.document()).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

fn attach_subscription(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let (id, consent) = (request.required("id")?, request.required("consent_type")?);
    if !matches!(consent, "opt_in" | "opt_out") {
        return Err(ErrorResponse::invalid_parameter(
            "consent_type",
            "consent_type must be opt_in or opt_out",
        ));
    }
    let subscription_type = workspace.subscription_types.iter().find(|candidate| candidate.id == id);
    let document = subscription_type.ok_or_else(ErrorResponse::record_not_found)?.document();
    let contact = workspace.touch_contact(&contact_id)?;
    contact.subscriptions.retain(|(subscription_id, _)| subscription_id != id);
    contact.subscriptions.push((id.to_owned(), consent.to_owned()));
    Ok(document.into())
}

fn detach_subscription(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let (contact_id, id) = (contact(workspace, request)?.id.clone(), request.path("id"));
    let subscription_type = workspace.subscription_types.iter().find(|candidate| candidate.id == id);
    let document = subscription_type.ok_or_else(ErrorResponse::record_not_found)?.document();
    let contact = workspace.touch_contact(&contact_id)?;
    contact.subscriptions.retain(|(subscription_id, _)| subscription_id != id);
    Ok(document.into())
}

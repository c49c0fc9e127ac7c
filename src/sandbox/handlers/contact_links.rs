//! Records linked to a contact: notes, tags, companies, segments and subscriptions.

use serde_json::{Value, json};

use super::companies::respond_with;
use super::operations::operations;
use super::tags::{attach, detach};
use crate::sandbox::model::contact::{ContactNote, ContactRecord};
use crate::sandbox::paging::{DATA_FIRST, numbered_page, whole_list};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

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
fn contact_id(request: &ApiRequest) -> &str {
    match request.path("contact_id") {
        "" => request.path("id"),
        id => id,
    }
}

fn contact<'a>(workspace: &'a Workspace, request: &ApiRequest) -> Result<&'a ContactRecord, ErrorResponse> {
    workspace.contact(contact_id(request))
}

fn note_document(workspace: &Workspace, note: &ContactNote) -> Value {
    json!({
        "type": "note",
        "id": note.id,
        "created_at": note.created_at,
        "contact": {"type": "contact", "id": note.contact_id},
        "author": workspace.admin(note.admin_id).map(|admin| admin.author()),
        "body": note.body,
    })
}

fn list_notes(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let mut notes: Vec<_> = workspace.notes.iter().filter(|note| note.contact_id == contact.id).collect();
    notes.reverse();
    Ok(numbered_page(request, &notes, (50, 150))?
        .list("list", DATA_FIRST, |note| note_document(workspace, note)))
}

fn create_note(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let admin_id = match request.text("admin_id") {
        Some(id) => workspace.acting_admin(id).map_err(|_| ErrorResponse::record_not_found())?,
        None => workspace.my_id(),
    };
    let note = ContactNote {
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

fn retrieve_note(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    if let Some(note) = workspace.company_notes.get(id) {
        return Ok(note.document.clone().into());
    }
    let note =
        workspace.notes.iter().find(|note| note.id == id).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(note_document(workspace, note).into())
}

fn list_tags(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = contact(workspace, request)?;
    Ok(numbered_page(request, &contact.tags, (50, 60))?
        .list("list", DATA_FIRST, |tag| tag.document(workspace.tag_name(&tag.tag_id))))
}

fn attach_tag(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (id, admin_id) = (contact(workspace, request)?.id.clone(), workspace.my_id());
    attach(workspace, |workspace| &mut workspace.contacts, &id, request, admin_id)
}

fn detach_tag(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = contact(workspace, request)?.id.clone();
    detach(workspace, |workspace| &mut workspace.contacts, &id, request, ErrorResponse::record_not_found)
}

fn list_companies(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let sizes = workspace.company_sizes();
    let page = numbered_page(request, &contact.companies, (50, 60))?;
    let companies = page.records.iter().filter_map(|id| workspace.companies.get(id));
    let data: Vec<_> = companies.map(|company| workspace.company_document(company, &sizes)).collect();
    let (total_count, pages) = (page.total_count, page.pages);
    Ok(json!({"type": "list", "data": data, "total_count": total_count, "pages": pages}).into())
}

fn attach_company(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let company_id = request.required("id")?;
    let now = workspace.now();
    let company = workspace.companies.get_mut(company_id).ok_or_else(ErrorResponse::company_not_found)?;
    company.touch(now);
    let contact = workspace.touch_contact(&contact_id)?;
    if !contact.companies.iter().any(|id| id == company_id) {
        contact.companies.push(company_id.to_owned());
    }
    respond_with(workspace, company_id)
}

fn detach_company(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (contact_id, company_id) = (contact(workspace, request)?.id.clone(), request.path("id"));
    let contact = workspace.touch_contact(&contact_id)?;
    let index = contact
        .companies
        .iter()
        .position(|id| id == company_id)
        .ok_or_else(ErrorResponse::company_not_found)?;
    contact.companies.remove(index);
    respond_with(workspace, company_id)
}

fn list_segments(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = contact(workspace, request)?;
    Ok(whole_list("list", "data", workspace.segment_documents(&contact.segments)))
}

fn list_subscriptions(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact = contact(workspace, request)?;
    let has = |id: &str| contact.subscriptions.iter().any(|(subscription_id, _)| subscription_id == id);
    let types = workspace.subscription_types.iter().filter(|subscription_type| has(&subscription_type.id));
    let documents = types.map(|subscription_type| subscription_type.document.clone());
    Ok(whole_list("list", "data", documents))
}

fn attach_subscription(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact_id = contact(workspace, request)?.id.clone();
    let (id, consent) = (request.required("id")?, request.required("consent_type")?);
    if !matches!(consent, "opt_in" | "opt_out") {
        return Err(ErrorResponse::invalid("consent_type", "consent_type must be opt_in or opt_out"));
    }
    let document = workspace.subscription_types.find(id)?.document.clone();
    let contact = workspace.touch_contact(&contact_id)?;
    contact.subscriptions.retain(|(subscription_id, _)| subscription_id != id);
    contact.subscriptions.push((id.to_owned(), consent.to_owned()));
    Ok(document.into())
}

fn detach_subscription(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (contact_id, id) = (contact(workspace, request)?.id.clone(), request.path("id"));
    let document = workspace.subscription_types.find(id)?.document.clone();
    let contact = workspace.touch_contact(&contact_id)?;
    contact.subscriptions.retain(|(subscription_id, _)| subscription_id != id);
    Ok(document.into())
}

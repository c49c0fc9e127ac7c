//! Contacts: lists, searches, writes and merges.

use serde_json::{Map, Value, json};

use super::operations::operations;
use crate::api::ApiVersion;
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::model::conversation::Conversation;
use crate::sandbox::paging::{PAGES_FIRST, newest_first};
use crate::sandbox::quirk::Quirk;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::search::run_search;
use crate::sandbox::workspace::{ContactMerge, Workspace};

const DEFAULT_PAGE_SIZE: usize = 50;

/// A flag of contacts: its name in responses, and its place.
type ContactFlag = (&'static str, fn(&mut ContactRecord) -> &mut bool);

const ARCHIVED: ContactFlag = ("archived", |contact| &mut contact.archived);
const BLOCKED: ContactFlag = ("blocked", |contact| &mut contact.blocked);

operations! {
    "ListContacts" => list,
    "SearchContacts" => search,
    "ShowContact" => show,
    "ShowContactByExternalId" => show_by_external_id,
    "CreateContact" => create,
    "UpdateContact" => update,
    "DeleteContact" => delete,
    "ArchiveContact" => |workspace, request| set_flag(workspace, request, ARCHIVED, true),
    "UnarchiveContact" => |workspace, request| set_flag(workspace, request, ARCHIVED, false),
    "BlockContact" => |workspace, request| set_flag(workspace, request, BLOCKED, true),
    "MergeContact" => merge,
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let page = newest_first(request, &workspace.contacts, DEFAULT_PAGE_SIZE, |contact| !contact.archived)?;
    Ok(page.list("list", PAGES_FIRST, |contact| workspace.contact_document(contact)))
}

fn search(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let page = run_search(workspace, &workspace.contacts, request, DEFAULT_PAGE_SIZE)?;
    Ok(page.list("list", PAGES_FIRST, |contact| workspace.contact_document(contact)))
}

fn show(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    let contact = workspace.contacts.get(id).ok_or_else(|| missing(workspace, request, id))?;
    if contact.archived && workspace.quirks.contains(&Quirk::HiddenArchived) {
        return Err(ErrorResponse::contact_not_found());
    }
    Ok(workspace.contact_document(contact).into())
}

fn show_by_external_id(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let external_id = request.path("external_id");
    let contact = workspace.contact_by_external_id(external_id).ok_or_else(|| {
        let id = workspace.merged_external_ids.get(external_id).map_or("", String::as_str);
        missing(workspace, request, id)
    })?;
    Ok(workspace.contact_document(contact).into())
}

/// The error of a read for a contact that does not exist.
fn missing(workspace: &Workspace, request: &ApiRequest, id: &str) -> ErrorResponse {
    workspace.missing_contact_error(id, request.version.has(&ApiVersion::MERGED_IS_GONE))
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let mut contact = ContactRecord {
        id: workspace.object_id(now),
        is_user: true,
        created_at: now,
        updated_at: now,
        ..ContactRecord::default()
    };
    apply(workspace, &mut contact, &request.body)?;
    if contact.is_user && contact.email.is_none() && contact.external_id.is_none() {
        return Err(ErrorResponse::new(
            400,
            "parameter_not_found",
            "A user requires an email or an external_id",
        ));
    }
    reject_duplicates(workspace, &contact)?;
    let document = workspace.contact_document(&contact);
    workspace.contacts.insert(contact);
    Ok(document.into())
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut contact = workspace.contact(request.path("id"))?.clone();
    apply(workspace, &mut contact, &request.body)?;
    reject_duplicates(workspace, &contact)?;
    contact.touch(workspace.now());
    let document = workspace.contact_document(&contact);
    workspace.contacts.insert(contact);
    Ok(document.into())
}

/// Applies the fields of the body. Null clears a field; missing fields are unchanged.
fn apply(workspace: &Workspace, contact: &mut ContactRecord, body: &Value) -> Result<(), ErrorResponse> {
    let Value::Object(fields) = body else { return Ok(()) };
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    for (name, value) in fields {
        match name.as_str() {
            "role" => contact.is_user = is_user(value)?,
            "external_id" => contact.external_id = text(value),
            "email" => contact.email = validate_email(text(value))?,
            "phone" => contact.phone = text(value),
            "name" => contact.name = text(value),
            "avatar" => contact.avatar = text(value),
            "signed_up_at" => contact.signed_up_at = value.as_i64(),
            "last_seen_at" => contact.last_seen_at = value.as_i64(),
            "owner_id" => contact.owner_id = validate_owner(workspace, value)?,
            "unsubscribed_from_emails" => {
                contact.unsubscribed_from_emails = value.as_bool().unwrap_or_default();
            }
            "custom_attributes" => set_attributes(workspace, &mut contact.custom_attributes, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn is_user(role: &Value) -> Result<bool, ErrorResponse> {
    match role.as_str() {
        Some("user") => Ok(true),
        Some("lead") => Ok(false),
        _ => Err(ErrorResponse::invalid("role", "role must be user or lead")),
    }
}

fn validate_email(email: Option<String>) -> Result<Option<String>, ErrorResponse> {
    let is_valid = |email: &String| {
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
    };
    match email {
        Some(email) if !is_valid(&email) => {
            Err(ErrorResponse::invalid("email", "email is not a valid email address"))
        }
        email => Ok(email),
    }
}

fn validate_owner(workspace: &Workspace, owner: &Value) -> Result<Option<i64>, ErrorResponse> {
    match owner.as_i64() {
        Some(id) if workspace.admin(id).is_none() => {
            Err(ErrorResponse::invalid("owner_id", "owner_id does not match any teammate"))
        }
        owner => Ok(owner),
    }
}

/// Sets custom attributes, which must be defined. Null removes a value.
fn set_attributes(
    workspace: &Workspace,
    attributes: &mut Map<String, Value>,
    values: &Value,
) -> Result<(), ErrorResponse> {
    for (name, value) in values.as_object().into_iter().flatten() {
        let attribute = workspace.data_attribute("contact", name);
        if attribute.is_none_or(|attribute| attribute.document["archived"] == true) {
            let message = format!("unknown custom attribute {name}");
            return Err(ErrorResponse::invalid("custom_attributes", message));
        }
        if value.is_null() {
            attributes.shift_remove(name);
        } else {
            attributes.insert(name.clone(), value.clone());
        }
    }
    Ok(())
}

/// Rejects a contact with the `external_id` of another contact, and a user with the email of another user.
fn reject_duplicates(workspace: &Workspace, contact: &ContactRecord) -> Result<(), ErrorResponse> {
    let lower = |email: &Option<String>| email.as_ref().map(|email| email.to_lowercase());
    let email = lower(&contact.email);
    let is_duplicate = |other: &&ContactRecord| {
        other.id != contact.id
            && (contact.external_id.is_some() && other.external_id == contact.external_id
                || email.is_some() && contact.is_user && other.is_user && lower(&other.email) == email)
    };
    let duplicates: Vec<&ContactRecord> = workspace.contacts.iter().filter(is_duplicate).collect();
    let message = match duplicates[..] {
        [] => return Ok(()),
        [duplicate] if duplicate.archived => {
            format!("An archived contact with these details already exists: id={}", duplicate.id)
        }
        [duplicate] => format!("A contact with these details already exists: id={}", duplicate.id),
        _ => "Multiple users have these details; use an id instead".to_owned(),
    };
    Err(ErrorResponse::new(409, "conflict", message))
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact =
        workspace.contacts.remove(request.path("id")).ok_or_else(ErrorResponse::contact_not_found)?;
    workspace.notes.retain(|note| note.contact_id != contact.id);
    workspace.events.retain(|event| event.contact_id != contact.id);
    move_calls(workspace, &contact.id, None);
    Ok(reference_with_flag(&contact, "deleted", true))
}

/// Calls follow their contact when it is merged or deleted. Their `updated_at` does not change.
fn move_calls(workspace: &mut Workspace, from: &str, to: Option<&str>) {
    for call in workspace.calls.iter_mut().filter(|call| call.text("contact_id") == from) {
        call.document["contact_id"] = json!(to);
    }
}

fn reference_with_flag(contact: &ContactRecord, flag: &str, value: bool) -> SuccessResponse {
    let mut document = contact.reference();
    document[flag] = json!(value);
    document.into()
}

fn set_flag(
    workspace: &mut Workspace,
    request: &ApiRequest,
    (name, flag): ContactFlag,
    value: bool,
) -> HandlerResult {
    let contact = workspace.touch_contact(request.path("id"))?;
    *flag(contact) = value;
    Ok(reference_with_flag(contact, name, value))
}

/// Moves all data of a lead to a user, then deletes the lead.
fn merge(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (from, into) = (request.required("from")?, request.required("into")?);
    if workspace.contact(from)?.is_user {
        return Err(ErrorResponse::invalid("from", "only a lead can be merged into a user"));
    }
    if !workspace.contact(into)?.is_user {
        return Err(ErrorResponse::invalid("into", "a lead can only be merged into a user"));
    }
    require_duplicates(workspace, request, [from, into])?;
    let lead = workspace.contacts.remove(from).ok_or_else(ErrorResponse::contact_not_found)?;
    workspace.merged.insert(from.to_owned(), into.to_owned());
    let merge = ContactMerge {
        source_id: from.to_owned(),
        source_role: lead.role(),
        into: into.to_owned(),
        at: workspace.now(),
    };
    workspace.merges.push(merge);
    if let Some(external_id) = &lead.external_id {
        workspace.merged_external_ids.insert(external_id.clone(), from.to_owned());
    }
    let user = workspace.touch_contact(into)?;
    copy_missing_fields(user, lead.clone());
    let user_id = user.id.clone();
    for note in workspace.notes.iter_mut().filter(|note| note.contact_id == lead.id) {
        note.contact_id.clone_from(&user_id);
    }
    for event in workspace.events.iter_mut().filter(|event| event.contact_id == lead.id) {
        event.contact_id.clone_from(&user_id);
    }
    let is_participant = |conversation: &Conversation| conversation.contacts.contains(&lead.id);
    for conversation in workspace.conversations.matching_mut(is_participant) {
        conversation.replace_contact(&lead.id, &user_id);
    }
    for ticket in workspace.tickets.matching_mut(|ticket| ticket.contacts.contains(&lead.id)) {
        for contact in ticket.contacts.iter_mut().filter(|contact| **contact == lead.id) {
            contact.clone_from(&user_id);
        }
    }
    move_calls(workspace, &lead.id, Some(&user_id));
    let user = workspace.contact(&user_id)?;
    Ok(workspace.contact_document(user).into())
}

/// Some versions merge only contacts with the same email address or phone number, unless the request waives it.
fn require_duplicates(
    workspace: &Workspace,
    request: &ApiRequest,
    ids: [&str; 2],
) -> Result<(), ErrorResponse> {
    let is_waived = request.flag("skip_duplicate_validation") == Some(true);
    if is_waived || !request.version.has(&ApiVersion::MERGE_REQUIRES_DUPLICATES) {
        return Ok(());
    }
    let [from, into] = [workspace.contact(ids[0])?, workspace.contact(ids[1])?];
    let has_same = |read: fn(&ContactRecord) -> Option<&String>| {
        read(from).zip(read(into)).is_some_and(|(from, into)| from.eq_ignore_ascii_case(into))
    };
    if has_same(|contact| contact.email.as_ref()) || has_same(|contact| contact.phone.as_ref()) {
        return Ok(());
    }
    let message = "These contacts are not duplicates: they share neither email nor phone. Set skip_duplicate_validation to merge them";
    Err(ErrorResponse::invalid("from", message))
}

/// Copies the lead's values to the fields that the user lacks.
fn copy_missing_fields(user: &mut ContactRecord, lead: ContactRecord) {
    user.email = user.email.take().or(lead.email);
    user.phone = user.phone.take().or(lead.phone);
    user.name = user.name.take().or(lead.name);
    user.last_seen_at = user.last_seen_at.max(lead.last_seen_at);
    user.last_replied_at = user.last_replied_at.max(lead.last_replied_at);
    for (name, value) in lead.custom_attributes {
        user.custom_attributes.entry(name).or_insert(value);
    }
    for tag in lead.tags {
        if user.tags.iter().all(|existing| existing.tag_id != tag.tag_id) {
            user.tags.push(tag);
        }
    }
    for company in lead.companies {
        if !user.companies.contains(&company) {
            user.companies.push(company);
        }
    }
    user.notes.extend(lead.notes);
}

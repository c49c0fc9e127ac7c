//! Contacts: listing, finding, writing, merging.

use serde_json::{Map, Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::{Answer, Problem};
use crate::sandbox::model::contact::Contact;
use crate::sandbox::paging::{Wanted, by_cursor, newest_first};
use crate::sandbox::request::Request;
use crate::sandbox::search::{listing, search};
use crate::sandbox::workspace::Workspace;

/// Records of a page when the caller does not say.
const USUAL: usize = 50;

family! {
    "ListContacts" => list,
    "SearchContacts" => find_many,
    "ShowContact" => show,
    "ShowContactByExternalId" => show_by_external_id,
    "CreateContact" => create,
    "UpdateContact" => update,
    "DeleteContact" => delete,
    "ArchiveContact" => archive,
    "UnarchiveContact" => unarchive,
    "BlockContact" => block,
    "MergeContact" => merge,
}

fn list(workspace: &mut Workspace, request: &Request) -> Outcome {
    let wanted = Wanted::in_query(request, USUAL)?;
    let sorted = newest_first(&workspace.contacts, |contact| !contact.archived);
    let page = by_cursor(&sorted, true, &wanted);
    let data = page.records.iter().map(|contact| workspace.contact_document(contact)).collect();
    Ok(listing(&page, "list", "data", data).into())
}

fn find_many(workspace: &mut Workspace, request: &Request) -> Outcome {
    let page = search(workspace, &workspace.contacts, request, USUAL)?;
    let data = page.records.iter().map(|contact| workspace.contact_document(contact)).collect();
    Ok(listing(&page, "list", "data", data).into())
}

fn show(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = workspace.contact(request.path("id"))?;
    Ok(workspace.contact_document(contact).into())
}

fn show_by_external_id(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact =
        workspace.contact_by_external_id(request.path("external_id")).ok_or_else(Problem::no_contact)?;
    Ok(workspace.contact_document(contact).into())
}

fn create(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let mut contact = Contact {
        id: workspace.object_id(now),
        is_user: true,
        created_at: now,
        updated_at: now,
        ..Contact::default()
    };
    apply(workspace, &mut contact, &request.body)?;
    if contact.is_user && contact.email.is_none() && contact.external_id.is_none() {
        return Err(Problem::new(400, "parameter_not_found", "A user needs an email or an external_id"));
    }
    refuse_twins(workspace, &contact)?;
    let document = workspace.contact_document(&contact);
    workspace.contacts.insert(contact);
    Ok(document.into())
}

fn update(workspace: &mut Workspace, request: &Request) -> Outcome {
    let mut contact = workspace.contact(request.path("id"))?.clone();
    apply(workspace, &mut contact, &request.body)?;
    refuse_twins(workspace, &contact)?;
    contact.updated_at = contact.updated_at.max(workspace.now());
    let document = workspace.contact_document(&contact);
    workspace.contacts.insert(contact);
    Ok(document.into())
}

/// Writes the fields of the body; a field that is null is cleared, one that is not there stays.
fn apply(workspace: &Workspace, contact: &mut Contact, body: &Value) -> Result<(), Problem> {
    let Value::Object(fields) = body else { return Ok(()) };
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    for (name, value) in fields {
        match name.as_str() {
            "role" => contact.is_user = is_user(value)?,
            "external_id" => contact.external_id = text(value),
            "email" => contact.email = checked_email(text(value))?,
            "phone" => contact.phone = text(value),
            "name" => contact.name = text(value),
            "avatar" => contact.avatar = text(value),
            "signed_up_at" => contact.signed_up_at = value.as_i64(),
            "last_seen_at" => contact.last_seen_at = value.as_i64(),
            "owner_id" => contact.owner_id = checked_owner(workspace, value)?,
            "unsubscribed_from_emails" => {
                contact.unsubscribed_from_emails = value.as_bool().unwrap_or_default();
            }
            "custom_attributes" => set_attributes(workspace, &mut contact.custom_attributes, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn is_user(role: &Value) -> Result<bool, Problem> {
    match role.as_str() {
        Some("user") => Ok(true),
        Some("lead") => Ok(false),
        _ => Err(Problem::invalid("role", "role must be user or lead")),
    }
}

fn checked_email(email: Option<String>) -> Result<Option<String>, Problem> {
    let is_one = |email: &String| {
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
    };
    match email {
        Some(email) if !is_one(&email) => Err(Problem::invalid("email", "email is no address")),
        email => Ok(email),
    }
}

fn checked_owner(workspace: &Workspace, owner: &Value) -> Result<Option<i64>, Problem> {
    match owner.as_i64() {
        Some(id) if workspace.admin(id).is_none() => {
            Err(Problem::invalid("owner_id", "owner_id is no teammate"))
        }
        owner => Ok(owner),
    }
}

/// Attributes have to exist before they can be set; null takes a value away.
fn set_attributes(
    workspace: &Workspace,
    attributes: &mut Map<String, Value>,
    values: &Value,
) -> Result<(), Problem> {
    for (name, value) in values.as_object().into_iter().flatten() {
        let exists = workspace
            .data_attributes
            .iter()
            .any(|attribute| attribute.model == "contact" && attribute.name == *name && !attribute.archived);
        if !exists {
            let message = format!("there is no custom attribute {name}");
            return Err(Problem::invalid("custom_attributes", message));
        }
        if value.is_null() {
            attributes.shift_remove(name);
        } else {
            attributes.insert(name.clone(), value.clone());
        }
    }
    Ok(())
}

/// Two contacts never share an `external_id`, nor two users an address.
fn refuse_twins(workspace: &Workspace, contact: &Contact) -> Result<(), Problem> {
    let lower = |email: &Option<String>| email.as_ref().map(|email| email.to_lowercase());
    let email = lower(&contact.email);
    let twin = workspace.contacts.iter().find(|other| {
        other.id != contact.id
            && (contact.external_id.is_some() && other.external_id == contact.external_id
                || email.is_some() && contact.is_user && other.is_user && lower(&other.email) == email)
    });
    match twin {
        Some(twin) => {
            let what = if twin.archived { "An archived contact" } else { "A contact" };
            let message = format!("{what} with these details exists already: id={}", twin.id);
            Err(Problem::new(409, "conflict", message))
        }
        None => Ok(()),
    }
}

fn delete(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = workspace.contacts.remove(request.path("id")).ok_or_else(Problem::no_contact)?;
    workspace.notes.retain(|note| note.contact_id != contact.id);
    workspace.events.retain(|event| event.contact_id != contact.id);
    Ok(flagged(&contact, "deleted", true))
}

fn flagged(contact: &Contact, flag: &str, set: bool) -> Answer {
    let mut document = contact.reference();
    document[flag] = json!(set);
    document.into()
}

fn archive(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = workspace.touch_contact(request.path("id"))?;
    contact.archived = true;
    Ok(flagged(contact, "archived", true))
}

fn unarchive(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = workspace.touch_contact(request.path("id"))?;
    contact.archived = false;
    Ok(flagged(contact, "archived", false))
}

fn block(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact = workspace.touch_contact(request.path("id"))?;
    contact.blocked = true;
    Ok(flagged(contact, "blocked", true))
}

/// Moves everything a lead has to a user; the lead is gone afterwards.
fn merge(workspace: &mut Workspace, request: &Request) -> Outcome {
    let (from, into) = (request.required("from")?, request.required("into")?);
    if workspace.contact(from)?.is_user {
        return Err(Problem::invalid("from", "only a lead can be merged into a user"));
    }
    if !workspace.contact(into)?.is_user {
        return Err(Problem::invalid("into", "a lead can be merged into a user only"));
    }
    let lead = workspace.contacts.remove(from).ok_or_else(Problem::no_contact)?;
    let user = workspace.touch_contact(into)?;
    take_over(user, lead.clone());
    let document_id = user.id.clone();
    for note in workspace.notes.iter_mut().filter(|note| note.contact_id == lead.id) {
        note.contact_id.clone_from(&document_id);
    }
    for event in workspace.events.iter_mut().filter(|event| event.contact_id == lead.id) {
        event.contact_id.clone_from(&document_id);
    }
    for conversation in workspace.conversations.iter_mut() {
        conversation.replace_contact(&lead.id, &document_id);
    }
    for ticket in workspace.tickets.iter_mut() {
        for contact in ticket.contacts.iter_mut().filter(|contact| **contact == lead.id) {
            contact.clone_from(&document_id);
        }
    }
    let user = workspace.contact(&document_id)?;
    Ok(workspace.contact_document(user).into())
}

/// What the lead knows fills what the user does not.
fn take_over(user: &mut Contact, lead: Contact) {
    user.email = user.email.take().or(lead.email);
    user.phone = user.phone.take().or(lead.phone);
    user.name = user.name.take().or(lead.name);
    user.last_seen_at = user.last_seen_at.max(lead.last_seen_at);
    user.last_replied_at = user.last_replied_at.max(lead.last_replied_at);
    for (name, value) in lead.custom_attributes {
        user.custom_attributes.entry(name).or_insert(value);
    }
    for tag in lead.tags {
        if user.tags.iter().all(|own| own.tag_id != tag.tag_id) {
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

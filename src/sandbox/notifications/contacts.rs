//! Topics of contacts and companies.

use serde_json::Value;

use super::{Occurrence, items};
use crate::sandbox::model::company::Company;
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::record_set::RecordChange;
use crate::sandbox::workspace::Workspace;

/// Fields whose changes have their own topics, or none.
const APART: [&str; 11] = [
    "updated_at",
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
    "unsubscribed_from_emails",
    "tags",
    "notes",
    "companies",
    "opted_out_subscription_types",
    "opted_in_subscription_types",
    "role",
];

pub fn compare(workspace: &Workspace, change: &RecordChange<ContactRecord>, found: &mut Vec<Occurrence>) {
    match (&change.before, workspace.contacts.get(&change.id)) {
        (None, Some(after)) => {
            let topic = format!("contact.{}.created", after.role());
            found.push(Occurrence::new(topic, workspace.contact_document(after)));
        }
        (Some(before), None) => {
            let survivor = workspace.merged.get(&before.id).and_then(|into| workspace.contacts.get(into));
            found.push(match survivor {
                Some(survivor) => Occurrence::new("contact.merged", workspace.contact_document(survivor)),
                None => Occurrence::new("contact.deleted", items::slim_contact(before, "deleted")),
            });
        }
        (Some(before), Some(after)) => compare_both(workspace, before, after, found),
        (None, None) => {}
    }
}

fn compare_both(
    workspace: &Workspace,
    before: &ContactRecord,
    after: &ContactRecord,
    found: &mut Vec<Occurrence>,
) {
    let document = || workspace.contact_document(after);
    let role = after.role();
    let has_signed_up = !before.is_user && after.is_user;
    let has_new_email = after.email.is_some() && before.email != after.email;
    let has_first_email = has_new_email && before.email.is_none() && !after.is_user;
    for (topic, is_so) in [
        ("contact.unarchive".to_owned(), before.archived && !after.archived),
        ("contact.lead.signed_up".to_owned(), has_signed_up),
        ("contact.lead.added_email".to_owned(), has_first_email),
        ("contact.email.updated".to_owned(), has_new_email && !has_first_email),
        (format!("contact.{role}.updated"), !has_signed_up && fields(before) != fields(after)),
    ] {
        if is_so {
            found.push(Occurrence::new(topic, document()));
        }
    }
    if after.archived && !before.archived {
        found.push(Occurrence::new("contact.archived", items::slim_contact(after, "archived")));
    }
    compare_subscriptions(workspace, before, after, found);
    let has = |contact: &ContactRecord, id: &str| contact.tags.iter().any(|tag| tag.tag_id == id);
    for (what, one, other) in [("created", after, before), ("deleted", before, after)] {
        for tag in one.tags.iter().filter(|tag| !has(other, &tag.tag_id)) {
            // A tag that is deleted everywhere is not announced record by record.
            if workspace.tags.get(&tag.tag_id).is_some() {
                let item = items::contact_tag(workspace, after, &tag.tag_id);
                found.push(Occurrence::new(format!("contact.{role}.tag.{what}"), item));
            }
        }
    }
    for (what, one, other) in [("attached", after, before), ("detached", before, after)] {
        let companies = one.companies.iter().filter(|id| !other.companies.contains(id));
        for company in companies.filter_map(|id| workspace.companies.get(id)) {
            let item = items::company_contact(workspace, company, after);
            found.push(Occurrence::new(format!("company.contact.{what}"), item));
        }
    }
}

/// All that `contact.user.updated` is about.
fn fields(contact: &ContactRecord) -> Value {
    let mut document = contact.document("");
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|name, _| !APART.contains(&name.as_str()));
    }
    document
}

/// Consent to emails as a whole, and to single subscription types.
fn compare_subscriptions(
    workspace: &Workspace,
    before: &ContactRecord,
    after: &ContactRecord,
    found: &mut Vec<Occurrence>,
) {
    let mut push = |is_subscribed: bool, types: &[&str]| {
        let topic = if is_subscribed { "contact.subscribed" } else { "contact.unsubscribed" };
        found.push(Occurrence::new(topic, items::subscription(workspace, after, is_subscribed, types)));
    };
    if before.unsubscribed_from_emails != after.unsubscribed_from_emails {
        push(!after.unsubscribed_from_emails, &[]);
    }
    for (id, consent) in after.subscriptions.iter().filter(|pair| !before.subscriptions.contains(pair)) {
        push(consent == "opt_in", &[id]);
    }
    let is_left = |id: &str| after.subscriptions.iter().all(|(other, _)| other != id);
    for (id, consent) in before.subscriptions.iter().filter(|(id, _)| is_left(id)) {
        push(consent != "opt_in", &[id]);
    }
}

pub fn compare_company(workspace: &Workspace, change: &RecordChange<Company>, found: &mut Vec<Occurrence>) {
    match (&change.before, workspace.companies.get(&change.id)) {
        (None, Some(after)) => {
            found.push(Occurrence::new("company.created", items::company(workspace, after)));
        }
        (Some(before), None) => {
            found.push(Occurrence::new("company.deleted", items::deleted_company(&before.id)));
        }
        (Some(before), Some(after)) if company_fields(before) != company_fields(after) => {
            found.push(Occurrence::new("company.updated", items::company(workspace, after)));
        }
        _ => {}
    }
}

fn company_fields(company: &Company) -> Value {
    let mut document = company.document("", 0);
    document["updated_at"] = Value::Null;
    document["last_request_at"] = Value::Null;
    document
}

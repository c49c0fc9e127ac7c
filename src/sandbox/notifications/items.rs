//! The items of notifications, topic by topic, in the form of the API. `shape.rs` gives them the form of notifications.
//!
//! They are less regular than the API: items of deletions have few fields, and some nest their records.

use serde_json::{Value, json};

use crate::sandbox::handlers;
use crate::sandbox::model::admin::Admin;
use crate::sandbox::model::article::HelpArticle;
use crate::sandbox::model::company::Company;
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::model::conversation::{Conversation, ConversationPart};
use crate::sandbox::model::ticket::{TicketPart, TicketRecord};
use crate::sandbox::workspace::Workspace;

pub fn ping() -> Value {
    json!({"type": "ping", "message": "A test of the sandbox"})
}

/// A conversation with the parts that a notification is about, not with all.
pub fn conversation(
    workspace: &Workspace,
    conversation: &Conversation,
    parts: &[&ConversationPart],
) -> Value {
    let mut item = workspace.conversation_item(conversation);
    let parts: Vec<_> = parts.iter().map(|part| workspace.part_document(part)).collect();
    item["conversation_parts"] = json!({
        "type": "conversation_part.list",
        "conversation_parts": parts,
        "total_count": parts.len(),
    });
    item
}

/// A conversation with its latest message, and the tag that was added to it.
pub fn tagged_conversation(workspace: &Workspace, record: &Conversation, tag_id: &str) -> Value {
    let message = record.parts.iter().rev().find(|part| part.body.is_some());
    let mut item = conversation(workspace, record, message.as_slice());
    item["tags_added"] = json!({"type": "tag.list", "tags": [tag(workspace, tag_id)]});
    item
}

/// The id of a deleted conversation has another name.
pub fn deleted_conversation(id: &str) -> Value {
    json!({"type": "conversation", "conversation_id": id})
}

/// The conversation has the form of the vendor's database, with its id as a number.
pub fn conversation_contact(workspace: &Workspace, conversation: &Conversation, contact_id: &str) -> Value {
    let model = json!({
        "id": conversation.id.parse::<u64>().ok(),
        "user_id": conversation.contacts.first(),
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "message_type": conversation.source.kind,
        "read": conversation.read,
        "deleted": false,
    });
    json!({"conversation": {"parts": [], "model": model}, "contact": contact(workspace, contact_id)})
}

fn contact(workspace: &Workspace, id: &str) -> Value {
    match workspace.contacts.get(id) {
        Some(contact) => workspace.contact_document(contact),
        None => json!({"type": "contact", "id": id}),
    }
}

/// What is left of a contact that was archived or deleted: `what` names the flag.
pub fn slim_contact(contact: &ContactRecord, what: &str) -> Value {
    let mut item = contact.reference();
    item[what] = json!(true);
    item
}

fn tag(workspace: &Workspace, id: &str) -> Value {
    json!({"type": "tag", "id": id, "name": workspace.tag_name(id)})
}

pub fn contact_tag(workspace: &Workspace, contact: &ContactRecord, tag_id: &str) -> Value {
    json!({
        "type": "contact_tag",
        "tag": tag(workspace, tag_id),
        "contact": workspace.contact_document(contact),
    })
}

pub fn subscription(
    workspace: &Workspace,
    contact: &ContactRecord,
    is_subscribed: bool,
    types: &[&str],
) -> Value {
    let types = types.iter().filter_map(|id| workspace.subscription_types.get(id));
    let types: Vec<_> = types.map(|subscription_type| &subscription_type.document).collect();
    json!({
        "type": if is_subscribed { "contact_subscribe" } else { "contact_unsubscribe" },
        "contact": workspace.contact_document(contact),
        "subscription_types": {"type": "list", "data": types},
        "created_at": workspace.now(),
    })
}

pub fn company(workspace: &Workspace, company: &Company) -> Value {
    workspace.company_document(company, &workspace.company_sizes())
}

pub fn deleted_company(id: &str) -> Value {
    json!({"type": "company", "id": id, "deleted": true})
}

pub fn company_contact(workspace: &Workspace, record: &Company, contact: &ContactRecord) -> Value {
    json!({"company": company(workspace, record), "contact": workspace.contact_document(contact)})
}

/// A ticket, and the part that a notification is about. The sandbox keeps no part of some changes.
pub fn ticket_part(workspace: &Workspace, ticket: &TicketRecord, part: Option<&TicketPart>) -> Value {
    json!({
        "type": "ticket_ticket_part",
        "ticket": workspace.ticket_document(ticket),
        "ticket_part": part.map(|part| part.document(workspace.author(&part.author))),
    })
}

pub fn ticket_contact(workspace: &Workspace, ticket: &TicketRecord, contact_id: &str) -> Value {
    json!({"ticket": workspace.ticket_document(ticket), "contact": contact(workspace, contact_id)})
}

pub fn article(workspace: &Workspace, article: &HelpArticle) -> Value {
    let mut item = handlers::article_document(workspace, article);
    item["statistics"] = article.statistics();
    item
}

/// The id of a teammate is a number here.
pub fn admin(admin: &Admin) -> Value {
    let mut item = admin.document();
    item["id"] = json!(admin.id);
    item
}

/// A visitor who became a user, as versions before contacts described people.
pub fn visitor(workspace: &Workspace, contact: &ContactRecord) -> Value {
    json!({
        "type": "user",
        "id": contact.id,
        "user_id": contact.external_id,
        "anonymous": false,
        "email": contact.email,
        "phone": contact.phone,
        "name": contact.name,
        "app_id": workspace.id,
        "created_at": contact.created_at,
        "signed_up_at": contact.signed_up_at,
        "updated_at": contact.updated_at,
        "unsubscribed_from_emails": contact.unsubscribed_from_emails,
        "custom_attributes": contact.custom_attributes,
    })
}

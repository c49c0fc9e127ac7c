//! An item for any topic, from a real record of the workspace. For notifications that are sent by hand.

use serde_json::Value;

use super::conversations::{topic_of_creation, topic_of_part};
use super::{items, others};
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::model::conversation::{Conversation, ConversationState};
use crate::sandbox::workspace::Workspace;

/// Topics of records that a sandbox does not have, by their beginning or their end.
const UNKNOWN_GROUPS: [&str; 4] = ["audience.", "content_stat.", "event.", "granular."];
const UNKNOWN: [&str; 3] = [
    "admin.activity_log_event.created",
    "conversation.admin.replied.translated",
    "ticket.admin.replied.translated",
];

/// Whether [`item`] knows the form of a topic's items.
pub fn is_known(topic: &str) -> bool {
    !UNKNOWN.contains(&topic) && !UNKNOWN_GROUPS.iter().any(|group| topic.starts_with(group))
}

/// The item of a topic; `None` if the workspace has no record for it.
pub fn item(workspace: &Workspace, topic: &str) -> Option<Value> {
    let group = topic.split('.').next().unwrap_or_default();
    match (group, topic) {
        (_, "ping") => Some(items::ping()),
        ("admin", _) => workspace.me().map(items::admin),
        ("article", _) => {
            let is_draft = topic == "article.unpublished";
            let mut articles = workspace.articles.newest_first();
            let article = articles.find(|article| article.published != is_draft);
            let article = article.or_else(|| workspace.articles.newest_first().next());
            article.map(|article| items::article(workspace, article))
        }
        ("company", _) => company(workspace, topic),
        ("contact", _) => contact(workspace, topic),
        ("conversation" | "conversation_part", _) => conversation(workspace, topic),
        ("ticket", _) => ticket(workspace, topic),
        (_, "visitor.signed_up") => user(workspace).map(|contact| items::visitor(workspace, contact)),
        _ => None,
    }
}

fn user(workspace: &Workspace) -> Option<&ContactRecord> {
    workspace.contacts.newest_first().find(|contact| contact.is_user && !contact.archived)
}

fn company(workspace: &Workspace, topic: &str) -> Option<Value> {
    let sizes = workspace.company_sizes();
    let mut companies = workspace.companies.newest_first();
    let inhabited = companies.find(|company| sizes.contains_key(company.id.as_str()));
    if topic.starts_with("company.contact.") {
        let company = inhabited?;
        let mut contacts = workspace.contacts.newest_first();
        let contact = contacts.find(|contact| contact.companies.contains(&company.id))?;
        return Some(items::company_contact(workspace, company, contact));
    }
    let company = inhabited.or_else(|| workspace.companies.newest_first().next())?;
    Some(match topic {
        "company.deleted" => items::deleted_company(&company.id),
        _ => items::company(workspace, company),
    })
}

fn contact(workspace: &Workspace, topic: &str) -> Option<Value> {
    let is_lead = topic.starts_with("contact.lead.") && topic != "contact.lead.signed_up";
    let lead = || workspace.contacts.newest_first().find(|contact| !contact.is_user && !contact.archived);
    let contact = if is_lead { lead() } else { user(workspace) }?;
    Some(match topic {
        "contact.archived" => items::slim_contact(contact, "archived"),
        "contact.deleted" => items::slim_contact(contact, "deleted"),
        "contact.subscribed" => items::subscription(workspace, contact, true, &[]),
        "contact.unsubscribed" => items::subscription(workspace, contact, false, &[]),
        _ if topic.contains(".tag.") => items::contact_tag(workspace, contact, &workspace.tags.first()?.id),
        _ => workspace.contact_document(contact),
    })
}

fn conversation(workspace: &Workspace, topic: &str) -> Option<Value> {
    let all = || workspace.conversations.newest_first();
    let newest = all().next()?;
    let is_begun = |conversation: &&Conversation| topic_of_creation(conversation) == Some(topic);
    let state = match topic {
        "conversation.admin.unsnoozed" => ConversationState::Snoozed,
        _ => ConversationState::Closed,
    };
    let with_part = all().find_map(|conversation| {
        let mut parts = conversation.parts.iter().rev();
        let part = parts.find(|part| topic_of_part(part, state) == Some(topic))?;
        Some(items::conversation(workspace, conversation, &[part]))
    });
    Some(match topic {
        "conversation.deleted" => items::deleted_conversation(&newest.id),
        "conversation.contact.attached" | "conversation.contact.detached" => {
            items::conversation_contact(workspace, newest, newest.contacts.first()?)
        }
        "conversation_part.tag.created" => {
            items::tagged_conversation(workspace, newest, &workspace.tags.first()?.id)
        }
        _ => match (with_part, all().find(is_begun)) {
            (Some(item), _) => item,
            (None, Some(begun)) => items::conversation(workspace, begun, &[]),
            (None, None) => items::conversation(workspace, newest, newest.parts.last().as_slice()),
        },
    })
}

fn ticket(workspace: &Workspace, topic: &str) -> Option<Value> {
    let newest = workspace.tickets.newest_first().next()?;
    let with_part = workspace.tickets.newest_first().find_map(|ticket| {
        let part = ticket.parts.iter().rev().find(|part| others::topic_of_part(part) == Some(topic))?;
        Some(items::ticket_part(workspace, ticket, Some(part)))
    });
    Some(match topic {
        "ticket.created" => workspace.ticket_document(newest),
        "ticket.contact.attached" | "ticket.contact.detached" => {
            let contact_id = newest.contacts.first().map_or("", String::as_str);
            items::ticket_contact(workspace, newest, contact_id)
        }
        _ => with_part.unwrap_or_else(|| items::ticket_part(workspace, newest, newest.parts.last())),
    })
}

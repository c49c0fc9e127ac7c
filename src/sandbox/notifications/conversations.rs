//! Topics of conversations.

use std::collections::HashMap;

use super::Occurrence;
use super::changes::participants;
use super::items;
use crate::sandbox::model::conversation::{Author, Conversation, ConversationPart, ConversationState};
use crate::sandbox::record_set::RecordChange;
use crate::sandbox::workspace::Workspace;

pub fn compare(workspace: &Workspace, change: &RecordChange<Conversation>, found: &mut Vec<Occurrence>) {
    match (&change.before, workspace.conversations.get(&change.id)) {
        (None, Some(after)) => {
            if let Some(topic) = topic_of_creation(after) {
                found.push(Occurrence::new(topic, items::conversation(workspace, after, &[])));
            }
        }
        (Some(before), None) => {
            found.push(Occurrence::new("conversation.deleted", items::deleted_conversation(&before.id)));
        }
        (Some(before), Some(after)) => compare_both(workspace, before, after, found),
        (None, None) => {}
    }
}

fn compare_both(
    workspace: &Workspace,
    before: &Conversation,
    after: &Conversation,
    found: &mut Vec<Occurrence>,
) {
    // A merge moves messages and people of another conversation here. They are not new.
    let is_merge = after.merged_from.len() > before.merged_from.len();
    let earlier: HashMap<&str, bool> =
        before.parts.iter().map(|part| (part.id.as_str(), part.redacted)).collect();
    let mut state = before.state;
    for part in &after.parts {
        let topic = match earlier.get(part.id.as_str()) {
            Some(was_redacted) => (part.redacted && !was_redacted).then_some("conversation_part.redacted"),
            None if is_merge && part.body.is_some() => None,
            None => {
                let topic = topic_of_part(part, state);
                state = part.state;
                topic
            }
        };
        if let Some(topic) = topic {
            found.push(Occurrence::new(topic, items::conversation(workspace, after, &[part])));
        }
    }
    let whole = || items::conversation(workspace, after, &[]);
    for (topic, is_so) in [
        ("conversation_part.redacted", after.source.redacted && !before.source.redacted),
        ("conversation.read", after.read && !before.read),
        ("conversation.priority.updated", after.priority != before.priority),
        ("conversation.rating.added", before.rating.is_null() && !after.rating.is_null()),
    ] {
        if is_so {
            found.push(Occurrence::new(topic, whole()));
        }
    }
    if is_merge {
        return;
    }
    let is_new = |id: &str| before.tags.iter().all(|tag| tag.tag_id != id);
    for tag in after.tags.iter().filter(|tag| is_new(&tag.tag_id)) {
        let item = items::tagged_conversation(workspace, after, &tag.tag_id);
        found.push(Occurrence::new("conversation_part.tag.created", item));
    }
    let (joined, left) = participants(workspace, &before.contacts, &after.contacts);
    for (topic, ids) in [("conversation.contact.attached", joined), ("conversation.contact.detached", left)] {
        for id in ids {
            found.push(Occurrence::new(topic, items::conversation_contact(workspace, after, id)));
        }
    }
}

/// The topic of a new conversation. The bot starts none in a sandbox.
pub fn topic_of_creation(conversation: &Conversation) -> Option<&'static str> {
    match conversation.source.author {
        Author::Contact(_) => Some("conversation.user.created"),
        Author::Admin(_) => Some("conversation.admin.single.created"),
        Author::Bot | Author::AiAgent => None,
    }
}

/// The topic of a new part. `state` is that of the conversation before it.
pub fn topic_of_part(part: &ConversationPart, state: ConversationState) -> Option<&'static str> {
    Some(match (part.part_type, &part.author) {
        ("comment" | "open", Author::Contact(_)) => "conversation.user.replied",
        ("comment", Author::Admin(_)) => "conversation.admin.replied",
        ("note", _) => "conversation.admin.noted",
        ("assignment", _) => "conversation.admin.assigned",
        ("assign_and_reopen", _) => "conversation.admin.open.assigned",
        ("close", _) => "conversation.admin.closed",
        ("snoozed", _) => "conversation.admin.snoozed",
        ("timer_unsnooze", _) => "conversation.admin.unsnoozed",
        ("open", _) if state == ConversationState::Snoozed => "conversation.admin.unsnoozed",
        ("open", _) => "conversation.admin.opened",
        _ => return None,
    })
}

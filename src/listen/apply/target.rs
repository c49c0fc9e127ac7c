//! Which records a notification makes necessary to fetch.

use crate::mirror::ResourceName;
use crate::webhooks::{Event, Notification, Record};

/// A record to request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub resource: ResourceName,
    pub id: String,
}

/// Why a record is requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cause {
    /// A notification says that it is gone.
    pub is_deletion: bool,
    /// A notification says that another contact became a part of it.
    pub is_merge: bool,
}

impl Cause {
    pub fn and(self, other: Cause) -> Cause {
        Cause {
            is_deletion: self.is_deletion || other.is_deletion,
            is_merge: self.is_merge || other.is_merge,
        }
    }
}

pub(super) fn targets(notification: &Notification) -> Vec<(Target, Cause)> {
    let deletion = Cause { is_deletion: true, ..Cause::default() };
    let contact = |id: String| Target { resource: ResourceName::Contacts, id };
    match notification.event() {
        Event::Changed(records) => records.iter().map(|record| (target(record), Cause::default())).collect(),
        Event::Deleted(record) => vec![(target(&record), deletion)],
        Event::Archived(id) => vec![(contact(id.to_string()), deletion)],
        Event::Merged { survivor } => {
            vec![(contact(survivor.to_string()), Cause { is_merge: true, ..Cause::default() })]
        }
        Event::Ping | Event::Other => Vec::new(),
    }
}

fn target(record: &Record) -> Target {
    let (resource, id) = match record {
        Record::Admin(id) => (ResourceName::Admins, id.to_string()),
        Record::Article(id) => (ResourceName::Articles, id.to_string()),
        Record::Company(id) => (ResourceName::Companies, id.clone()),
        Record::Contact(id) => (ResourceName::Contacts, id.to_string()),
        Record::Conversation(id) => (ResourceName::Conversations, id.to_string()),
        Record::Ticket(id) => (ResourceName::Tickets, id.clone()),
    };
    Target { resource, id }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_record_of_a_notification_is_requested_for_its_reason() {
        let of = |topic: &str, item: serde_json::Value| {
            let body = json!({ "topic": topic, "data": { "item": item } }).to_string();
            let found = targets(&Notification::parse(body.as_bytes()).unwrap());
            let found = found.into_iter().map(|(target, cause)| {
                (target.resource.to_string(), target.id, cause.is_deletion, cause.is_merge)
            });
            found.collect::<Vec<_>>()
        };
        let row = |resource: &str, id: &str, is_deletion, is_merge| {
            vec![(resource.to_owned(), id.to_owned(), is_deletion, is_merge)]
        };
        assert_eq!(
            of("conversation.user.replied", json!({ "type": "conversation", "id": "8" })),
            row("conversations", "8", false, false)
        );
        assert_eq!(
            of("conversation.deleted", json!({ "type": "conversation", "conversation_id": "8" })),
            row("conversations", "8", true, false)
        );
        assert_eq!(
            of("contact.archived", json!({ "type": "contact", "id": "c" })),
            row("contacts", "c", true, false)
        );
        assert_eq!(
            of("contact.merged", json!({ "type": "contact", "id": "c" })),
            row("contacts", "c", false, true)
        );
        assert_eq!(of("ping", json!({})), []);
    }
}

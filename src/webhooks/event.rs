//! What a notification means for a copy of the workspace.
//!
//! Most topics mean that a record has to be read again. Only deletions, archiving and merges are taken from the
//! notification itself. An unknown topic about a known record is a change of it, so that new topics need no new code.

use serde_json::{Map, Value};

use super::notification::text;
use crate::api::ids::{AdminId, ArticleId, ContactId, ConversationId};

/// A record that a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "named as what they are")]
pub enum Record {
    Admin(AdminId),
    Article(ArticleId),
    Company(String),
    Contact(ContactId),
    Conversation(ConversationId),
    Ticket(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A test that the receiver answers.
    Ping,
    /// Records to read again, each once. They can be gone by then.
    Changed(Vec<Record>),
    /// A record that was deleted.
    Deleted(Record),
    /// A contact that was archived: it is gone from lists and searches, and can come back.
    Archived(ContactId),
    /// A contact that another contact became a part of. The notification does not name the other one.
    Merged {
        /// The contact that remains.
        survivor: ContactId,
    },
    /// Nothing that changes a record, or nothing that is known.
    Other,
}

impl Event {
    pub(super) fn of(topic: &str, item: &Map<String, Value>) -> Self {
        if topic == "ping" {
            return Event::Ping;
        }
        let records = records(topic, item);
        let action = topic.rsplit('.').next().unwrap_or_default();
        match (action, records.as_slice()) {
            ("deleted", [record, ..]) => Event::Deleted(record.clone()),
            ("archived", [Record::Contact(id)]) => Event::Archived(id.clone()),
            ("merged", [Record::Contact(survivor)]) => Event::Merged { survivor: survivor.clone() },
            (_, []) => Event::Other,
            _ => Event::Changed(records),
        }
    }
}

/// Fields of an item that hold a record or its id, by the kind of the record.
const NESTED: [(&str, &str); 6] = [
    ("contact", "contact"),
    ("user", "contact"),
    ("company", "company"),
    ("conversation", "conversation"),
    ("ticket", "ticket"),
    ("article", "article"),
];

/// The records that an item names: itself, or those inside it.
fn records(topic: &str, item: &Map<String, Value>) -> Vec<Record> {
    let group = topic.split('.').next().unwrap_or_default();
    let kind = item.get("type").and_then(Value::as_str).unwrap_or(group);
    if let Some(record) = text(item.get("id")).and_then(|id| record(kind, id)) {
        return vec![record];
    }
    let mut records = Vec::new();
    for (field, kind) in NESTED {
        let nested = item.get(field).map(|nested| nested.get("model").unwrap_or(nested));
        let id = nested
            .and_then(|nested| text(nested.get("id")))
            .or_else(|| text(item.get(&format!("{field}_id"))));
        if let Some(record) = id.and_then(|id| record(kind, id))
            && !records.contains(&record)
        {
            records.push(record);
        }
    }
    records
}

fn record(kind: &str, id: String) -> Option<Record> {
    Some(match kind {
        "admin" => Record::Admin(id.into()),
        "article" => Record::Article(id.into()),
        "company" => Record::Company(id),
        "contact" | "user" | "lead" | "visitor" => Record::Contact(id.into()),
        "conversation" => Record::Conversation(id.into()),
        "ticket" => Record::Ticket(id),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn topics_mean_what_they_do_to_records() {
        let contact = |id: &str| Record::Contact(id.into());
        let conversation = |id: &str| Record::Conversation(id.into());
        for (topic, item, event) in [
            ("ping", json!({"type": "ping"}), Event::Ping),
            (
                "conversation.user.replied",
                json!({"type": "conversation", "id": "1"}),
                Event::Changed(vec![conversation("1")]),
            ),
            // Integers are ids, and a topic of tomorrow about a known record is a change of it.
            (
                "ticket.telepathy.received",
                json!({"type": "ticket", "id": 5}),
                Event::Changed(vec![Record::Ticket("5".into())]),
            ),
            ("contact.user.updated", json!({"type": "user", "id": "c"}), Event::Changed(vec![contact("c")])),
            ("visitor.signed_up", json!({"type": "visitor", "id": "v"}), Event::Changed(vec![contact("v")])),
            ("article.published", json!({"id": "9"}), Event::Changed(vec![Record::Article("9".into())])),
            (
                "admin.away_mode_updated",
                json!({"type": "admin", "id": "3"}),
                Event::Changed(vec![Record::Admin("3".into())]),
            ),
            // Slim items of deletions.
            (
                "conversation.deleted",
                json!({"conversation_id": "8", "metrics_retained": true}),
                Event::Deleted(conversation("8")),
            ),
            ("contact.deleted", json!({"type": "contact", "id": "c"}), Event::Deleted(contact("c"))),
            (
                "company.deleted",
                json!({"type": "company", "id": "k"}),
                Event::Deleted(Record::Company("k".into())),
            ),
            ("contact.archived", json!({"type": "contact", "id": "c"}), Event::Archived("c".into())),
            ("contact.unarchive", json!({"type": "contact", "id": "c"}), Event::Changed(vec![contact("c")])),
            ("contact.merged", json!({"type": "contact", "id": "c"}), Event::Merged { survivor: "c".into() }),
            // Records inside the item.
            (
                "contact.subscribed",
                json!({"type": "contact_subscription", "contact": {"type": "contact", "id": "c"}}),
                Event::Changed(vec![contact("c")]),
            ),
            (
                "conversation.contact.attached",
                json!({"conversation": {"model": {"id": 4}}, "contact": {"id": "c"}}),
                Event::Changed(vec![contact("c"), conversation("4")]),
            ),
            (
                "company.contact.attached",
                json!({"type": "company_contact", "company": {"id": "k"}, "contact": {"id": "c"}, "user": {"id": "c"}}),
                Event::Changed(vec![contact("c"), Record::Company("k".into())]),
            ),
            (
                "conversation_part.tag.created",
                json!({"type": "conversation_part", "id": "55", "conversation_id": "4"}),
                Event::Changed(vec![conversation("4")]),
            ),
            // Nothing to read again.
            ("content_stat.email", json!({"type": "content_stat", "id": "1"}), Event::Other),
            ("conversation.user.replied", json!({}), Event::Other),
            ("conversation.user.replied", json!({"type": "conversation", "id": ""}), Event::Other),
            ("", json!({}), Event::Other),
        ] {
            let item = item.as_object().unwrap();
            assert_eq!(Event::of(topic, item), event, "{topic} {item:?}");
        }
    }
}

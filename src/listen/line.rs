//! A notification as one JSON object: what it is, what it means, and its item as received.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::webhooks::{Event, Notification, NotificationError, Record};

/// The fields of a line, in order.
#[derive(Serialize)]
struct Line<'a> {
    id: Option<&'a str>,
    topic: &'a str,
    /// In RFC 3339.
    created_at: Option<String>,
    event: &'static str,
    records: Vec<RecordName>,
    item: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct RecordName {
    r#type: &'static str,
    id: String,
}

/// The parts of a body around its item.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    item: Option<&'a RawValue>,
}

/// The line of a body that was verified before.
///
/// # Errors
/// [`NotificationError`], if it is not a notification.
pub fn line(body: &[u8]) -> Result<Box<RawValue>, NotificationError> {
    let notification = Notification::parse(body)?;
    let (event, records) = match notification.event() {
        Event::Ping => ("ping", Vec::new()),
        Event::Changed(records) => ("changed", records.iter().filter_map(name).collect()),
        Event::Deleted(record) => ("deleted", name(&record).into_iter().collect()),
        Event::Archived(contact) => ("archived", vec![RecordName::of("contact", contact)]),
        Event::Merged { survivor } => ("merged", vec![RecordName::of("contact", survivor)]),
        Event::Other => ("other", Vec::new()),
    };
    Ok(to_raw_value(&Line {
        id: notification.id.as_deref(),
        topic: &notification.topic,
        created_at: notification.created_at.map(|time| time.to_string()),
        event,
        records,
        item: item(body),
    })?)
}

/// The item, byte for byte. `data` of another shape has no item, which the notification accepts as well.
fn item(body: &[u8]) -> Option<&RawValue> {
    // Lists would be read as objects without names.
    let is_object = |raw: &&RawValue| raw.get().starts_with('{');
    let data = serde_json::from_slice::<Envelope>(body).ok()?.data.filter(is_object)?;
    serde_json::from_str::<Data>(data.get()).ok()?.item.filter(is_object)
}

impl RecordName {
    fn of(kind: &'static str, id: impl ToString) -> Self {
        RecordName { r#type: kind, id: id.to_string() }
    }
}

fn name(record: &Record) -> Option<RecordName> {
    Some(match record {
        Record::Admin(id) => RecordName::of("admin", id),
        Record::Article(id) => RecordName::of("article", id),
        Record::Company(id) => RecordName::of("company", id),
        Record::Contact(id) => RecordName::of("contact", id),
        Record::Conversation(id) => RecordName::of("conversation", id),
        Record::Ticket(id) => RecordName::of("ticket", id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_a_notification_means_and_keeps_its_item() {
        for (body, expected) in [
            (
                r#"{"type":"notification_event","id":"n1","topic":"conversation.deleted","created_at":1779602400,
                    "data":{"item":{"conversation_id":"8","n":1.10}}}"#,
                concat!(
                    r#"{"id":"n1","topic":"conversation.deleted","created_at":"2026-05-24T06:00:00Z","#,
                    r#""event":"deleted","records":[{"type":"conversation","id":"8"}],"#,
                    r#""item":{"conversation_id":"8","n":1.10}}"#
                ),
            ),
            (
                r#"{"topic":"ping"}"#,
                r#"{"id":null,"topic":"ping","created_at":null,"event":"ping","records":[],"item":null}"#,
            ),
            (
                r#"{"topic":"contact.merged","data":{"item":{"type":"contact","id":"c"}}}"#,
                concat!(
                    r#"{"id":null,"topic":"contact.merged","created_at":null,"event":"merged","#,
                    r#""records":[{"type":"contact","id":"c"}],"item":{"type":"contact","id":"c"}}"#
                ),
            ),
            (
                r#"{"topic":"x.y","data":[1]}"#,
                r#"{"id":null,"topic":"x.y","created_at":null,"event":"other","records":[],"item":null}"#,
            ),
        ] {
            assert_eq!(line(body.as_bytes()).unwrap().get(), expected);
        }
        assert!(line(b"{}").is_err());
    }
}

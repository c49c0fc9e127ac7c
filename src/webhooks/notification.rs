//! The envelope of a notification, read leniently: only an object with a topic is required.
//!
//! The item is kept as received, because its shape depends on the topic and on the API version of the app.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::event::Event;
use super::signature::{SignatureError, verify};
use crate::api::timestamp::Timestamp;

/// Why a body is not a notification.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The signature is missing or wrong: answer 401.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The body is not JSON: answer 400.
    #[error("the body is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The body is JSON, but not a notification: answer 400.
    #[error("not a notification: expected an object with a text `topic`")]
    Shape,
}

/// One notification.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// The id, the same for repeated deliveries. Test notifications can lack it.
    pub id: Option<String>,
    /// What happened, for example `conversation.user.replied`.
    pub topic: String,
    /// The id of the workspace, as in [`types::App`](crate::types::App).
    pub app_id: Option<String>,
    /// When it happened.
    pub created_at: Option<Timestamp>,
    /// When it was sent for the first time.
    pub first_sent_at: Option<Timestamp>,
    /// How many times it was sent before and with this one, as the sender counts.
    pub delivery_attempts: Option<u64>,
    /// What it is about, as received. Times are text in RFC 3339; bodies are plain text for apps on API 2.15 and later.
    pub item: Map<String, Value>,
}

impl Notification {
    /// Verifies and reads a body. `signature` is the value of the header
    /// [`SIGNATURE_HEADER`](super::SIGNATURE_HEADER), empty if it is missing.
    ///
    /// # Errors
    /// [`NotificationError`], which says what to answer. The body is not looked at before its signature is verified.
    pub fn receive(client_secret: &str, body: &[u8], signature: &str) -> Result<Self, NotificationError> {
        verify(client_secret, body, signature)?;
        Self::parse(body)
    }

    /// Reads a body that was verified before.
    ///
    /// # Errors
    /// [`NotificationError::Json`] and [`NotificationError::Shape`].
    pub fn parse(body: &[u8]) -> Result<Self, NotificationError> {
        let Value::Object(mut envelope) = serde_json::from_slice(body)? else {
            return Err(NotificationError::Shape);
        };
        let Some(Value::String(topic)) = envelope.shift_remove("topic") else {
            return Err(NotificationError::Shape);
        };
        let item = match envelope.get_mut("data").and_then(|data| data.get_mut("item")).map(Value::take) {
            Some(Value::Object(item)) => item,
            _ => Map::new(),
        };
        let time = |name: &str| serde_json::from_value(envelope.get(name)?.clone()).ok();
        Ok(Notification {
            id: text(envelope.get("id")),
            app_id: text(envelope.get("app_id")),
            created_at: time("created_at"),
            first_sent_at: time("first_sent_at"),
            delivery_attempts: envelope.get("delivery_attempts").and_then(Value::as_u64),
            topic,
            item,
        })
    }

    /// What a copy of the workspace has to do about it.
    pub fn event(&self) -> Event {
        Event::of(&self.topic, &self.item)
    }

    /// The item as a type, for example [`types::Conversation`](crate::types::Conversation).
    ///
    /// # Errors
    /// If the item does not have this type.
    pub fn item_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(Value::Object(self.item.clone()))
    }
}

/// An id, as text or as an integer. Empty text is not an id.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Record, sign};
    use super::*;
    use crate::types;

    const BODY: &str = r#"{
        "type": "notification_event", "app_id": "ws1", "id": "notif_1", "topic": "conversation.admin.closed",
        "created_at": 1779602400, "first_sent_at": "2026-05-24T06:00:01Z", "delivery_attempts": 2,
        "data": {"type": "notification_event_data",
                 "item": {"type": "conversation", "id": 77, "created_at": "2026-05-24T05:00:00.250Z", "tomorrow": [1]}}}"#;

    #[test]
    fn a_notification_is_read_with_its_item_as_received() {
        let notification = Notification::receive("s", BODY.as_bytes(), &sign("s", BODY.as_bytes())).unwrap();
        assert_eq!(notification.id.as_deref(), Some("notif_1"));
        assert_eq!(notification.app_id.as_deref(), Some("ws1"));
        assert_eq!(notification.created_at.map(|time| time.as_second()), Some(1_779_602_400));
        assert_eq!(notification.first_sent_at.map(|time| time.as_second()), Some(1_779_602_401));
        assert_eq!(notification.delivery_attempts, Some(2));
        assert_eq!(notification.item["tomorrow"], serde_json::json!([1]));
        assert_eq!(notification.event(), Event::Changed(vec![Record::Conversation("77".into())]));
        let item: types::Conversation = notification.item_as().unwrap();
        assert_eq!(item.created_at.map(|time| time.as_second()), Some(1_779_598_800));
    }

    #[test]
    fn a_forged_body_is_refused_before_it_is_read() {
        let refused = Notification::receive("s", b"not JSON", &sign("other", b"not JSON"));
        assert!(matches!(refused, Err(NotificationError::Signature(SignatureError::Mismatch))));
    }

    #[test]
    fn only_an_object_with_a_topic_is_a_notification() {
        assert!(matches!(Notification::parse(b"{"), Err(NotificationError::Json(_))));
        assert!(matches!(Notification::parse(b"\xff"), Err(NotificationError::Json(_))));
        for body in ["[]", "null", "{}", r#"{"topic":5}"#, r#""topic""#] {
            assert!(matches!(Notification::parse(body.as_bytes()), Err(NotificationError::Shape)), "{body}");
        }
        for body in [
            r#"{"topic":"ping","id":null,"data":{"item":{"type":"ping","message":"hello"}}}"#,
            r#"{"topic":"ping","data":null}"#,
            r#"{"topic":"ping","data":{"item":[]},"created_at":"soon","delivery_attempts":-1}"#,
        ] {
            let ping = Notification::parse(body.as_bytes()).unwrap();
            assert_eq!((ping.id.clone(), ping.event()), (None, Event::Ping), "{body}");
            assert_eq!((ping.created_at, ping.delivery_attempts), (None, None));
        }
    }
}

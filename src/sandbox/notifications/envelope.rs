//! The envelope of a notification, as the vendor sends it.

use serde_json::{Value, json};

/// A notification to deliver. Its id and its item are the same in every attempt.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The app's `id_code`.
    pub app_id: String,
    /// Pings have none.
    pub id: Option<String>,
    pub topic: String,
    pub item: Value,
    /// Epoch seconds.
    pub created_at: i64,
}

impl Envelope {
    /// The document of an attempt, counted from 1.
    pub fn document(&self, attempt: u32) -> Value {
        json!({
            "type": "notification_event",
            "app_id": self.app_id,
            "data": {"type": "notification_event_data", "item": self.item},
            "links": {},
            "id": self.id,
            "topic": self.topic,
            "delivery_status": self.id.as_ref().map(|_| "pending"),
            "delivery_attempts": attempt,
            "delivered_at": 0,
            "first_sent_at": self.created_at,
            "created_at": self.created_at,
            "self": null,
        })
    }
}

/// The id of a notification.
pub fn notification_id(uuid: &str) -> String {
    format!("notif_{uuid}")
}

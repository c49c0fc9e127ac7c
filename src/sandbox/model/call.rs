//! Phone calls.

use serde_json::{Value, json};

use crate::sandbox::table::Record;

/// One call that is over. Times are epoch seconds.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: String,
    pub conversation_id: Option<String>,
    pub admin_id: i64,
    /// Follows a merge and a deletion of the contact; `updated_at` does not.
    pub contact_id: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Call {
    pub fn document(&self) -> Value {
        json!({
            "type": "call",
            "id": self.id,
            "conversation_id": self.conversation_id,
            "admin_id": self.admin_id.to_string(),
            "contact_id": self.contact_id,
            "state": "completed",
            "initiated_at": self.created_at,
            "answered_at": self.created_at + 5,
            "ended_at": self.updated_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "recording_url": null,
            "call_type": "phone",
            "direction": "inbound",
            "ended_reason": "completed",
            "phone": "+15550100",
        })
    }
}

impl Record for Call {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

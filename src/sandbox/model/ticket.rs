//! Tickets.

use serde_json::{Map, Value, json};

use super::conversation::Author;
use super::tagging::{AppliedTag, taggable};
use crate::sandbox::record_set::workspace_records;

/// One entry in the history of a ticket.
#[derive(Debug, Clone, Default)]
pub struct TicketPart {
    pub id: String,
    pub part_type: &'static str,
    pub body: Option<String>,
    pub created_at: i64,
    pub author: Author,
    /// Categories of the old and the new state, if the part changed the state.
    pub states: Option<[String; 2]>,
}

impl TicketPart {
    /// `author` is the rendered author.
    pub fn document(&self, author: Value) -> Value {
        let mut document = json!({
            "type": "ticket_part",
            "id": self.id,
            "part_type": self.part_type,
            "body": self.body,
            "created_at": self.created_at,
            "updated_at": self.created_at,
            "author": author,
            "attachments": [],
            "redacted": false,
        });
        if let Some([before, after]) = &self.states {
            document["previous_ticket_state"] = json!(before);
            document["ticket_state"] = json!(after);
        }
        document
    }
}

/// A ticket. Times are epoch seconds.
#[derive(Debug, Clone, Default)]
pub struct TicketRecord {
    pub id: String,
    /// The number shown to users.
    pub ticket_id: String,
    pub type_id: String,
    pub state_id: String,
    pub attributes: Map<String, Value>,
    pub contacts: Vec<String>,
    pub company_id: Option<String>,
    pub admin_assignee_id: Option<i64>,
    pub team_assignee_id: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub open: bool,
    pub snoozed_until: Option<i64>,
    pub is_shared: bool,
    /// Id of the conversation it was created from.
    pub conversation_id: Option<String>,
    /// Ids of the conversations about the problem that a tracker ticket is for.
    pub linked_conversations: Vec<String>,
    /// Oldest first.
    pub parts: Vec<TicketPart>,
    pub tags: Vec<AppliedTag>,
}

workspace_records!(TicketRecord);
taggable!(TicketRecord);

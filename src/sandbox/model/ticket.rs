//! Tickets, their types and their states.

use serde_json::{Map, Value, json};

use super::contact::AppliedTag;
use super::conversation::Author;
use crate::sandbox::table::Record;

/// A ticket state. All ticket types share the same states.
#[derive(Debug, Clone)]
pub struct TicketState {
    pub id: String,
    pub category: &'static str,
    pub internal_label: String,
    pub external_label: String,
}

impl TicketState {
    pub fn document(&self) -> Value {
        json!({
            "type": "ticket_state",
            "id": self.id,
            "category": self.category,
            "internal_label": self.internal_label,
            "external_label": self.external_label,
        })
    }
}

/// A field of a ticket type.
#[derive(Debug, Clone)]
pub struct TicketAttribute {
    pub id: String,
    /// Stored as sent, plus the defaults set by the handler.
    pub fields: Map<String, Value>,
}

/// A ticket type.
#[derive(Debug, Clone)]
pub struct TicketType {
    pub id: String,
    pub name: String,
    pub description: String,
    pub icon: String,
    /// `Customer`, `Back-office` or `Tracker`.
    pub category: String,
    pub is_internal: bool,
    pub archived: bool,
    pub created_at: i64,
    pub updated_at: i64,
    pub attributes: Vec<TicketAttribute>,
}

impl TicketType {
    /// The form used in tickets: with attributes, without states.
    pub fn document(&self, workspace_id: &str) -> Value {
        let attributes: Vec<_> =
            self.attributes.iter().map(|attribute| self.attribute(attribute, workspace_id)).collect();
        let mut document = self.reference();
        document["workspace_id"] = json!(workspace_id);
        document["created_at"] = json!(self.created_at);
        document["updated_at"] = json!(self.updated_at);
        document["ticket_type_attributes"] = json!({"type": "list", "data": attributes});
        document
    }

    /// The short form used in ticket states.
    pub fn reference(&self) -> Value {
        json!({
            "type": "ticket_type",
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "icon": self.icon,
            "archived": self.archived,
            "is_internal": self.is_internal,
            "category": self.category,
        })
    }

    pub fn attribute(&self, attribute: &TicketAttribute, workspace_id: &str) -> Value {
        let mut document = json!({
            "type": "ticket_type_attribute",
            "id": attribute.id,
            "workspace_id": workspace_id,
            "ticket_type_id": self.id.parse::<i64>().unwrap_or_default(),
            "default": false,
            "archived": false,
        });
        for (name, value) in &attribute.fields {
            document[name] = value.clone();
        }
        document
    }
}

/// One entry in the history of a ticket.
#[derive(Debug, Clone)]
pub struct TicketPart {
    pub id: String,
    pub part_type: &'static str,
    pub body: Option<String>,
    pub created_at: i64,
    pub author: Author,
    /// Categories of the old and the new state, if the part changed the state.
    pub states: Option<(&'static str, &'static str)>,
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
        if let Some((before, after)) = self.states {
            document["previous_ticket_state"] = json!(before);
            document["ticket_state"] = json!(after);
        }
        document
    }
}

/// A ticket. Times are epoch seconds.
#[derive(Debug, Clone)]
pub struct Ticket {
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
    /// Oldest first.
    pub parts: Vec<TicketPart>,
    pub tags: Vec<AppliedTag>,
}

impl Record for Ticket {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

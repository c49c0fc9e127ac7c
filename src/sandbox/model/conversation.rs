//! Conversations and their parts.
//!
//! Seed and handlers must change conversations through [`Conversation::append`] only, so that state, assignees
//! and `waiting_since` always agree with the parts.

use serde_json::{Map, Value, json};

use super::tagging::{AppliedTag, taggable};
use crate::sandbox::record_set::workspace_records;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConversationState {
    #[default]
    Open,
    Closed,
    Snoozed,
}

impl ConversationState {
    pub fn as_str(self) -> &'static str {
        match self {
            ConversationState::Open => "open",
            ConversationState::Closed => "closed",
            ConversationState::Snoozed => "snoozed",
        }
    }
}

/// How urgent a conversation is. Versions without grades only know whether it is a priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConversationPriority {
    #[default]
    None,
    Low,
    Medium,
    High,
    Urgent,
}

impl ConversationPriority {
    const ALL: [ConversationPriority; 5] = [
        ConversationPriority::None,
        ConversationPriority::Low,
        ConversationPriority::Medium,
        ConversationPriority::High,
        ConversationPriority::Urgent,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ConversationPriority::None => "none",
            ConversationPriority::Low => "low",
            ConversationPriority::Medium => "medium",
            ConversationPriority::High => "high",
            ConversationPriority::Urgent => "urgent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == text)
    }

    /// Whether versions without grades call it a priority.
    pub fn is_priority(self) -> bool {
        matches!(self, ConversationPriority::High | ConversationPriority::Urgent)
    }
}

/// The author of a message or an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Author {
    /// Contact id.
    Contact(String),
    /// Teammate id.
    Admin(i64),
    /// The bot that runs workflows.
    #[default]
    Bot,
    /// The AI agent, shown as a bot.
    AiAgent,
}

/// The new assignee; `None` inside a variant removes the assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeChange {
    Admin(Option<i64>),
    Team(Option<i64>),
}

/// An event to apply to a conversation.
#[derive(Debug, Clone)]
pub struct ConversationEvent {
    /// `comment`, `note`, `assignment`, `close`, `open`, `snoozed`, ...
    pub kind: &'static str,
    /// HTML.
    pub body: Option<String>,
    pub author: Author,
    /// Epoch seconds.
    pub at: i64,
    pub assigned_to: Option<AssigneeChange>,
    pub snoozed_until: Option<i64>,
}

impl ConversationEvent {
    pub fn new(kind: &'static str, author: Author, at: i64) -> Self {
        ConversationEvent { kind, body: None, author, at, assigned_to: None, snoozed_until: None }
    }

    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn with_assignee(mut self, assignee: AssigneeChange) -> Self {
        self.assigned_to = Some(assignee);
        self
    }
}

/// One entry in the history of a conversation.
#[derive(Debug, Clone)]
pub struct ConversationPart {
    pub id: String,
    pub part_type: &'static str,
    pub body: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub author: Author,
    pub assigned_to: Option<AssigneeChange>,
    /// The conversation's state after this part.
    pub state: ConversationState,
    pub redacted: bool,
}

impl ConversationPart {
    /// Whether the part is a reply that contacts see and that a human wrote.
    pub fn is_admin_reply(&self) -> bool {
        matches!(self.author, Author::Admin(_)) && self.body.is_some() && self.part_type != "note"
    }

    pub fn is_contact_reply(&self) -> bool {
        matches!(self.author, Author::Contact(_)) && self.body.is_some()
    }

    /// `author` is the rendered author: names are stored with contacts and teammates.
    pub fn document(&self, author: Value) -> Value {
        let assigned_to = self.assigned_to.map(|assignee| {
            let (kind, id) = match assignee {
                AssigneeChange::Admin(id) => ("admin", id),
                AssigneeChange::Team(id) => ("team", id),
            };
            match id {
                Some(id) => json!({"type": kind, "id": id.to_string()}),
                None => json!({"type": "nobody_".to_owned() + kind, "id": null}),
            }
        });
        json!({
            "type": "conversation_part",
            "id": self.id,
            "part_type": self.part_type,
            "body": self.body,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "notified_at": self.created_at,
            "assigned_to": assigned_to,
            "author": author,
            "attachments": [],
            "external_id": null,
            "redacted": self.redacted,
            "metadata": {},
            "email_message_metadata": null,
            "state": self.state.as_str(),
            "tags": [],
            "event_details": null,
            "app_package_code": null,
        })
    }
}

/// The message that started a conversation.
#[derive(Debug, Clone, Default)]
pub struct SourceMessage {
    /// `conversation`, `email`, `whatsapp`, ...
    pub kind: &'static str,
    pub id: String,
    /// `customer_initiated`, `admin_initiated`, `automated`, ...
    pub delivered_as: &'static str,
    pub subject: String,
    /// HTML.
    pub body: String,
    pub author: Author,
    pub url: Option<String>,
    pub redacted: bool,
}

/// A conversation. Times are epoch seconds.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    pub id: String,
    pub title: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub waiting_since: Option<i64>,
    pub snoozed_until: Option<i64>,
    pub state: ConversationState,
    pub read: bool,
    pub priority: ConversationPriority,
    pub admin_assignee_id: Option<i64>,
    pub team_assignee_id: Option<i64>,
    pub source: SourceMessage,
    /// Ids of the participating contacts.
    pub contacts: Vec<String>,
    /// Oldest first.
    pub parts: Vec<ConversationPart>,
    pub tags: Vec<AppliedTag>,
    pub custom_attributes: Map<String, Value>,
    /// The contact's rating, as the API returns it; null without one.
    pub rating: Value,
    /// The AI agent's part in it, as the API returns it; null without one.
    pub ai_agent: Value,
    /// Ids of tickets created from it, and of the tracker ticket that it is linked to.
    pub tickets: Vec<String>,
    /// Id of the conversation that it was merged into.
    pub merged_into: Option<String>,
    /// Ids of the conversations that were merged into it.
    pub merged_from: Vec<String>,
}

workspace_records!(Conversation);
taggable!(Conversation);

impl Conversation {
    /// A conversation that consists of its first message only.
    pub fn new(id: String, contact_id: String, source: SourceMessage, at: i64) -> Self {
        let is_waiting = matches!(source.author, Author::Contact(_));
        Conversation {
            id,
            created_at: at,
            updated_at: at,
            waiting_since: is_waiting.then_some(at),
            source,
            contacts: vec![contact_id],
            ..Conversation::default()
        }
    }

    /// Appends an event as a part with this id, and updates the conversation accordingly. `now` becomes
    /// `updated_at`; the event itself may be older.
    pub fn append(&mut self, part_id: String, event: ConversationEvent, now: i64) {
        let is_from_contact = matches!(event.author, Author::Contact(_));
        let part_type = match event.kind {
            "comment" if is_from_contact && self.state != ConversationState::Open => "open",
            "assignment" if self.state == ConversationState::Closed => "assign_and_reopen",
            kind => kind,
        };
        match part_type {
            "close" => self.set_state(ConversationState::Closed, None),
            "snoozed" => self.set_state(ConversationState::Snoozed, event.snoozed_until),
            "open" | "assign_and_reopen" | "timer_unsnooze" => self.set_state(ConversationState::Open, None),
            _ => {}
        }
        match event.assigned_to {
            Some(AssigneeChange::Admin(id)) => self.admin_assignee_id = id,
            Some(AssigneeChange::Team(id)) => self.team_assignee_id = id,
            None => {}
        }
        let part = ConversationPart {
            id: part_id,
            part_type,
            body: event.body,
            created_at: event.at,
            updated_at: event.at,
            author: event.author,
            assigned_to: event.assigned_to,
            state: self.state,
            redacted: false,
        };
        if part.is_contact_reply() {
            self.waiting_since.get_or_insert(part.created_at);
            self.read = false;
        } else if part.is_admin_reply() || part_type == "close" {
            self.waiting_since = None;
        }
        let index = self.parts.partition_point(|other| other.created_at <= part.created_at);
        self.parts.insert(index, part);
        self.updated_at = self.updated_at.max(now);
    }

    /// Takes over the messages, people, tags and tickets of another conversation; `source_part_id` is the new id of its
    /// first message. Events of the other one stay behind, and the state of this one does not change.
    pub fn absorb(&mut self, other: &mut Conversation, source_part_id: String) {
        let first = ConversationPart {
            id: source_part_id,
            part_type: "comment",
            body: Some(other.source.body.clone()),
            created_at: other.created_at,
            updated_at: other.created_at,
            author: other.source.author.clone(),
            assigned_to: None,
            state: ConversationState::Open,
            redacted: other.source.redacted,
        };
        let (messages, events) =
            std::mem::take(&mut other.parts).into_iter().partition(|part| part.body.is_some());
        other.parts = events;
        let messages: Vec<ConversationPart> = messages;
        for mut part in std::iter::once(first).chain(messages) {
            let index = self.parts.partition_point(|own| own.created_at <= part.created_at);
            let before = index.checked_sub(1).map(|index| self.parts[index].state);
            part.state = before.unwrap_or_default();
            part.assigned_to = None;
            if part.part_type != "note" {
                part.part_type = "comment";
            }
            self.parts.insert(index, part);
        }
        self.waiting_since = self.waiting_since.into_iter().chain(other.waiting_since.take()).min();
        for contact in &other.contacts {
            if !self.contacts.contains(contact) {
                self.contacts.push(contact.clone());
            }
        }
        for tag in &other.tags {
            if self.tags.iter().all(|own| own.tag_id != tag.tag_id) {
                self.tags.push(tag.clone());
            }
        }
        self.tickets.append(&mut other.tickets);
        self.merged_from.push(other.id.clone());
        other.merged_into = Some(self.id.clone());
    }

    fn set_state(&mut self, state: ConversationState, snoozed_until: Option<i64>) {
        self.state = state;
        self.snoozed_until = snoozed_until;
    }

    /// Time of the first message from a contact, in epoch seconds.
    pub fn first_contact_reply_at(&self) -> Option<i64> {
        match self.source.author {
            Author::Contact(_) => Some(self.created_at),
            _ => self.parts.iter().find(|part| part.is_contact_reply()).map(|part| part.created_at),
        }
    }

    /// Ids of the teammates who acted in the conversation, in order of first appearance.
    pub fn teammates(&self) -> Vec<i64> {
        let authors = std::iter::once(&self.source.author).chain(self.parts.iter().map(|part| &part.author));
        let mut ids = Vec::new();
        for author in authors {
            if let Author::Admin(id) = author
                && !ids.contains(id)
            {
                ids.push(*id);
            }
        }
        ids
    }

    /// Replaces one contact by another after a merge.
    pub fn replace_contact(&mut self, old: &str, new: &str) {
        if !self.contacts.iter().any(|contact| contact == old) {
            return;
        }
        self.contacts.retain(|contact| contact != new);
        for contact in self.contacts.iter_mut().filter(|contact| *contact == old) {
            new.clone_into(contact);
        }
        let authors = self.parts.iter_mut().map(|part| &mut part.author);
        for author in authors.chain(std::iter::once(&mut self.source.author)) {
            if matches!(author, Author::Contact(id) if id == old) {
                *author = Author::Contact(new.to_owned());
            }
        }
    }
}

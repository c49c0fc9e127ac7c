//! Conversations and their parts.
//!
//! Everything that happens in a conversation goes through [`Conversation::append`], in the seed as
//! in the handlers; so state, assignees and `waiting_since` always follow from the parts.

use serde_json::{Map, Value, json};

use super::contact::Applied;
use crate::sandbox::table::Record;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Closed,
    Snoozed,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
            State::Snoozed => "snoozed",
        }
    }
}

/// Who wrote a message or did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// Id of a contact.
    Contact(String),
    /// Id of a teammate.
    Admin(i64),
    /// The bot that runs workflows.
    Bot,
    /// The AI agent, which answers as a bot.
    AiAgent,
}

/// Whom a part assigned the conversation to; `None` in it takes the assignment away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignee {
    Admin(Option<i64>),
    Team(Option<i64>),
}

/// What happened, before the conversation decides what it means.
#[derive(Debug, Clone)]
pub struct Happening {
    /// `comment`, `note`, `assignment`, `close`, `open`, `snoozed`, ...
    pub kind: &'static str,
    /// HTML.
    pub body: Option<String>,
    pub author: Author,
    /// Epoch seconds.
    pub at: i64,
    pub assigned_to: Option<Assignee>,
    pub snoozed_until: Option<i64>,
}

impl Happening {
    pub fn new(kind: &'static str, author: Author, at: i64) -> Self {
        Happening { kind, body: None, author, at, assigned_to: None, snoozed_until: None }
    }

    pub fn saying(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn assigning(mut self, assignee: Assignee) -> Self {
        self.assigned_to = Some(assignee);
        self
    }
}

/// One entry of a conversation's history.
#[derive(Debug, Clone)]
pub struct Part {
    pub id: String,
    pub part_type: &'static str,
    pub body: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub author: Author,
    pub assigned_to: Option<Assignee>,
    /// The conversation's state after this part.
    pub state: State,
    pub redacted: bool,
}

impl Part {
    /// Whether a contact would see it as an answer written by a person.
    pub fn is_admin_reply(&self) -> bool {
        matches!(self.author, Author::Admin(_)) && self.body.is_some() && self.part_type != "note"
    }

    pub fn is_contact_reply(&self) -> bool {
        matches!(self.author, Author::Contact(_)) && self.body.is_some()
    }

    /// `author` as rendered elsewhere, since names live with contacts and teammates.
    pub fn document(&self, author: Value) -> Value {
        let assigned_to = self.assigned_to.map(|assignee| {
            let (kind, id) = match assignee {
                Assignee::Admin(id) => ("admin", id),
                Assignee::Team(id) => ("team", id),
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

/// The message that began a conversation.
#[derive(Debug, Clone)]
pub struct Source {
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

/// How the contact rated the conversation.
#[derive(Debug, Clone)]
pub struct Rating {
    /// 1 to 5.
    pub score: i64,
    pub remark: Option<String>,
    pub created_at: i64,
    pub contact_id: String,
    pub admin_id: i64,
}

/// What the AI agent did in a conversation.
#[derive(Debug, Clone)]
pub struct AiAgent {
    pub resolution_state: &'static str,
    pub last_answer_type: &'static str,
    pub rating: Option<i64>,
}

/// A conversation. Times are epoch seconds.
#[derive(Debug, Clone)]
pub struct Conversation {
    pub id: String,
    pub title: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub waiting_since: Option<i64>,
    pub snoozed_until: Option<i64>,
    pub state: State,
    pub read: bool,
    pub priority: bool,
    pub admin_assignee_id: Option<i64>,
    pub team_assignee_id: Option<i64>,
    pub source: Source,
    /// Ids of the contacts that take part.
    pub contacts: Vec<String>,
    /// Oldest first.
    pub parts: Vec<Part>,
    pub tags: Vec<Applied>,
    pub custom_attributes: Map<String, Value>,
    pub rating: Option<Rating>,
    pub ai_agent: Option<AiAgent>,
    /// Ids of tickets made from it.
    pub tickets: Vec<String>,
}

impl Record for Conversation {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

impl Conversation {
    /// A conversation that consists of its first message.
    pub fn started(id: String, contact_id: String, source: Source, at: i64) -> Self {
        let waiting = matches!(source.author, Author::Contact(_));
        Conversation {
            id,
            title: None,
            created_at: at,
            updated_at: at,
            waiting_since: waiting.then_some(at),
            snoozed_until: None,
            state: State::Open,
            read: false,
            priority: false,
            admin_assignee_id: None,
            team_assignee_id: None,
            source,
            contacts: vec![contact_id],
            parts: Vec::new(),
            tags: Vec::new(),
            custom_attributes: Map::new(),
            rating: None,
            ai_agent: None,
            tickets: Vec::new(),
        }
    }

    /// Adds what happened as a part with this id, and lets the conversation follow. `now` becomes
    /// `updated_at`; the happening itself may lie in the past.
    pub fn append(&mut self, part_id: String, happening: Happening, now: i64) {
        let from_contact = matches!(happening.author, Author::Contact(_));
        let part_type = match happening.kind {
            "comment" if from_contact && self.state != State::Open => "open",
            "assignment" if self.state == State::Closed => "assign_and_reopen",
            kind => kind,
        };
        match part_type {
            "close" => self.enter(State::Closed, None),
            "snoozed" => self.enter(State::Snoozed, happening.snoozed_until),
            "open" | "assign_and_reopen" | "timer_unsnooze" => self.enter(State::Open, None),
            _ => {}
        }
        match happening.assigned_to {
            Some(Assignee::Admin(id)) => self.admin_assignee_id = id,
            Some(Assignee::Team(id)) => self.team_assignee_id = id,
            None => {}
        }
        let part = Part {
            id: part_id,
            part_type,
            body: happening.body,
            created_at: happening.at,
            updated_at: happening.at,
            author: happening.author,
            assigned_to: happening.assigned_to,
            state: self.state,
            redacted: false,
        };
        if part.is_contact_reply() {
            self.waiting_since.get_or_insert(part.created_at);
            self.read = false;
        } else if part.is_admin_reply() || part_type == "close" {
            self.waiting_since = None;
        }
        let place = self.parts.partition_point(|earlier| earlier.created_at <= part.created_at);
        self.parts.insert(place, part);
        self.updated_at = self.updated_at.max(now);
    }

    fn enter(&mut self, state: State, snoozed_until: Option<i64>) {
        self.state = state;
        self.snoozed_until = snoozed_until;
    }

    /// The first message or reply of a contact, epoch seconds.
    pub fn first_contact_reply_at(&self) -> Option<i64> {
        match self.source.author {
            Author::Contact(_) => Some(self.created_at),
            _ => self.parts.iter().find(|part| part.is_contact_reply()).map(|part| part.created_at),
        }
    }

    /// Everyone of the team who wrote or did something, in order of appearance.
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

    /// Lets one contact stand where another stood, after a merge.
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

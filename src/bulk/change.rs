//! What can be done to a record: the request that does it, how to tell that it is done, and what takes
//! it back.
//!
//! A state is the part of a record that a change is about. It is read from the record's document
//! leniently; a document that does not tell it gives no state, and then nothing is concluded from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api;
use crate::api::executor::{Arguments, operation};
use crate::api::operation::Operation;
use crate::mirror::{fields, plain};

/// The kind of record that a run changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Conversations,
    Contacts,
    Companies,
}

impl Target {
    pub fn read_operation(self) -> &'static str {
        match self {
            Target::Conversations => "retrieveConversation",
            Target::Contacts => "ShowContact",
            Target::Companies => "RetrieveACompanyById",
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Target::Conversations => "conversations",
            Target::Contacts => "contacts",
            Target::Companies => "companies",
        }
    }
}

/// Whom a conversation is given to; id `0` is nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    Admin(String),
    Team(String),
}

impl Assignee {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Assignee::Admin(id) => ("admin", id),
            Assignee::Team(id) => ("team", id),
        }
    }
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Change {
    Tag {
        tag_id: String,
        tag: String,
    },
    Untag {
        tag_id: String,
        tag: String,
    },
    Assign {
        to: Assignee,
        /// Close it again afterwards: to be assigned opens a closed conversation.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        close: bool,
    },
    Close,
    Open,
    /// Until epoch seconds.
    Snooze {
        until: i64,
    },
    /// A note that only the team sees.
    Note {
        body: String,
    },
    /// Fields of a contact.
    Update {
        fields: Map<String, Value>,
    },
    Archive,
    Unarchive,
}

/// A change that cannot be taken back, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irrevocable(pub &'static str);

impl Change {
    /// The call that makes the change. `admin_id` is who acts.
    ///
    /// # Errors
    /// When there is no such call for this kind of record.
    pub fn request(
        &self,
        target: Target,
        id: &str,
        admin_id: &str,
    ) -> Result<(&'static Operation, Arguments), api::Error> {
        let path = || vec![id.to_owned()];
        let manage = |mut body: Value| {
            body["admin_id"] = json!(admin_id);
            ("manageConversation", path(), Some(body))
        };
        let (name, path, body) = match (self, target) {
            (Change::Tag { tag_id, .. }, Target::Conversations) => {
                let body = json!({ "id": tag_id, "admin_id": admin_id });
                ("attachTagToConversation", path(), Some(body))
            }
            (Change::Tag { tag_id, .. }, Target::Contacts) => {
                ("attachTagToContact", path(), Some(json!({ "id": tag_id })))
            }
            (Change::Tag { tag, .. }, Target::Companies) => {
                ("createTag", Vec::new(), Some(json!({ "name": tag, "companies": [{ "id": id }] })))
            }
            (Change::Untag { tag_id, .. }, Target::Conversations) => {
                let path = vec![id.to_owned(), tag_id.clone()];
                ("detachTagFromConversation", path, Some(json!({ "admin_id": admin_id })))
            }
            (Change::Untag { tag_id, .. }, Target::Contacts) => {
                ("detachTagFromContact", vec![id.to_owned(), tag_id.clone()], None)
            }
            (Change::Untag { tag, .. }, Target::Companies) => {
                let companies = json!([{ "id": id, "untag": true }]);
                ("createTag", Vec::new(), Some(json!({ "name": tag, "companies": companies })))
            }
            (Change::Assign { to, .. }, _) => {
                let (kind, assignee) = to.parts();
                manage(json!({ "message_type": "assignment", "type": kind, "assignee_id": assignee }))
            }
            (Change::Close, _) => manage(json!({ "message_type": "close", "type": "admin" })),
            (Change::Open, _) => manage(json!({ "message_type": "open" })),
            (Change::Snooze { until }, _) => {
                manage(json!({ "message_type": "snoozed", "snoozed_until": until }))
            }
            (Change::Note { body }, _) => {
                let body = json!({
                    "message_type": "note", "type": "admin", "admin_id": admin_id, "body": body,
                });
                ("replyConversation", path(), Some(body))
            }
            (Change::Update { fields }, _) => ("UpdateContact", path(), Some(json!(fields))),
            (Change::Archive, _) => ("ArchiveContact", path(), None),
            (Change::Unarchive, _) => ("UnarchiveContact", path(), None),
        };
        let body = body.map(|body| body.to_string().into_bytes());
        Ok((operation(name)?, Arguments { path, body, ..Arguments::default() }))
    }

    /// The part of the record that this is about; `None` when the document does not tell.
    pub fn state(&self, target: Target, admin_id: &str, document: &Value) -> Option<Value> {
        match self {
            Change::Tag { tag_id, .. } | Change::Untag { tag_id, .. } => {
                tagged(target, document, tag_id).map(|tagged| json!({ "tagged": tagged }))
            }
            Change::Assign { .. } => {
                // Nobody is null or 0; a document that has neither field tells nothing.
                let assignee = |field: &str| Some(json!(fields::reference(document.get(field)?)));
                Some(json!({
                    "admin_assignee_id": assignee("admin_assignee_id")?,
                    "team_assignee_id": assignee("team_assignee_id")?,
                    "state": document["state"],
                }))
            }
            Change::Close | Change::Open | Change::Snooze { .. } => {
                let state = document["state"].as_str()?;
                let until = fields::time(&document["snoozed_until"]).filter(|_| state == "snoozed");
                Some(json!({ "state": state, "snoozed_until": until }))
            }
            Change::Note { body } => own_notes(document, admin_id, body).map(|ids| json!({ "notes": ids })),
            Change::Update { fields } => current(fields, document).map(Value::Object),
            Change::Archive | Change::Unarchive => {
                fields::flag(&document["archived"]).map(|archived| json!({ "archived": archived }))
            }
        }
    }

    /// Whether a state is the one that the change leads to. `before` is the state at planning time.
    pub fn is_done(&self, before: &Value, now: &Value) -> bool {
        if now.is_null() {
            return false;
        }
        match self {
            Change::Tag { .. } => now["tagged"] == true,
            Change::Untag { .. } => now["tagged"] == false,
            Change::Assign { to, close } => {
                let (kind, id) = to.parts();
                let is_theirs =
                    fields::reference(&now[format!("{kind}_assignee_id")]) == fields::reference(&json!(id));
                is_theirs && (!close || now["state"] == "closed")
            }
            Change::Close => now["state"] == "closed",
            Change::Open => now["state"] == "open",
            Change::Snooze { until } => now["snoozed_until"] == *until,
            Change::Note { .. } => {
                let known = before["notes"].as_array().map_or(&[][..], Vec::as_slice);
                now["notes"].as_array().is_some_and(|notes| notes.iter().any(|note| !known.contains(note)))
            }
            Change::Update { fields } => fields.iter().all(|(name, value)| same(value, &now[name])),
            Change::Archive => now["archived"] == true,
            Change::Unarchive => now["archived"] == false,
        }
    }

    /// Whether a record in this state needs the change no more. A note can be written any number of
    /// times.
    pub fn is_needless(&self, state: &Value) -> bool {
        !matches!(self, Change::Note { .. }) && self.is_done(&Value::Null, state)
    }

    /// Whether taking the change back takes more than the change itself: what was there before.
    pub fn needs_before(&self) -> bool {
        // The documents of contacts do not tell whether they are archived.
        !matches!(self, Change::Archive | Change::Unarchive)
    }

    /// The calls that make the change, in order; most take one.
    pub fn steps(&self) -> Vec<Change> {
        match self {
            Change::Assign { to, close: true } => {
                vec![Change::Assign { to: to.clone(), close: false }, Change::Close]
            }
            other => vec![other.clone()],
        }
    }

    /// Whether making the change twice leaves the same record as making it once.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self, Change::Note { .. })
    }

    /// What is said of a record that needs the change no more.
    pub fn needless(&self) -> &'static str {
        match self {
            Change::Tag { .. } => "already_tagged",
            Change::Untag { .. } => "not_tagged",
            Change::Assign { .. } => "already_assigned",
            Change::Close => "already_closed",
            Change::Open => "already_open",
            Change::Snooze { .. } => "already_snoozed",
            Change::Note { .. } => "already_noted",
            Change::Update { .. } => "already_so",
            Change::Archive => "already_archived",
            Change::Unarchive => "not_archived",
        }
    }

    /// What takes the change back on a record that was in the state `before`.
    ///
    /// # Errors
    /// [`Irrevocable`] with the reason.
    pub fn inverse(&self, before: &Value) -> Result<Change, Irrevocable> {
        Ok(match self {
            Change::Tag { tag_id, tag } => Change::Untag { tag_id: tag_id.clone(), tag: tag.clone() },
            Change::Untag { tag_id, tag } => Change::Tag { tag_id: tag_id.clone(), tag: tag.clone() },
            Change::Assign { to, .. } => {
                let (kind, _) = to.parts();
                let id = fields::id(&before[format!("{kind}_assignee_id")]).unwrap_or_else(|| "0".to_owned());
                let to = if kind == "team" { Assignee::Team(id) } else { Assignee::Admin(id) };
                Change::Assign { to, close: before["state"] == "closed" }
            }
            Change::Close | Change::Open | Change::Snooze { .. } => match before["state"].as_str() {
                Some("open") => Change::Open,
                Some("closed") => Change::Close,
                Some("snoozed") => match before["snoozed_until"].as_i64() {
                    Some(until) => Change::Snooze { until },
                    None => return Err(Irrevocable("it is not known until when it was snoozed")),
                },
                _ => return Err(Irrevocable("its state before is not known")),
            },
            Change::Note { .. } => return Err(Irrevocable("a note cannot be removed through the API")),
            Change::Update { fields } => {
                let mut old = before.as_object().cloned().unwrap_or_default();
                old.retain(|name, _| fields.contains_key(name));
                Change::Update { fields: old }
            }
            Change::Archive => Change::Unarchive,
            Change::Unarchive => Change::Archive,
        })
    }
}

/// Whether a record has a tag; `None` when the document shows only some of its tags, or none at all.
fn tagged(target: Target, document: &Value, tag_id: &str) -> Option<bool> {
    let list = document.get("tags").filter(|list| !list.is_null())?;
    let key = if target == Target::Contacts { "data" } else { "tags" };
    let tags = list.as_array().or_else(|| list[key].as_array())?;
    let has = tags.iter().any(|tag| fields::id(&tag["id"]).as_deref() == Some(tag_id));
    match !has && target == Target::Contacts && fields::is_cut(list) {
        true => None,
        false => Some(has),
    }
}

/// Ids of the notes of this teammate that say this.
fn own_notes(document: &Value, admin_id: &str, body: &str) -> Option<Vec<String>> {
    let parts = document["conversation_parts"]["conversation_parts"].as_array()?;
    let wanted = plain::text(body);
    let notes = parts.iter().filter(|part| {
        part["part_type"] == "note"
            && fields::id(&part["author"]["id"]).as_deref() == Some(admin_id)
            && plain::text(part["body"].as_str().unwrap_or_default()) == wanted
    });
    Some(notes.filter_map(|part| fields::id(&part["id"])).collect())
}

/// What the fields are now, custom attributes one by one. A field that is missing is null.
fn current(wanted: &Map<String, Value>, document: &Value) -> Option<Map<String, Value>> {
    document.as_object().filter(|it| it.contains_key("id"))?;
    let field = |(name, value): (&String, &Value)| {
        let now = match value {
            Value::Object(inside) => {
                let inner = inside
                    .keys()
                    .map(|key| (key.clone(), document[name].get(key).cloned().unwrap_or_default()));
                Value::Object(inner.collect())
            }
            _ => document.get(name).cloned().unwrap_or_default(),
        };
        (name.clone(), now)
    };
    Some(wanted.iter().map(field).collect())
}

/// Numbers and texts may change places between a request and an answer.
fn same(wanted: &Value, now: &Value) -> bool {
    match (wanted, now) {
        (Value::Object(wanted), now) => wanted.iter().all(|(key, value)| same(value, &now[key])),
        (Value::Null, now) => now.is_null(),
        (wanted, now) => wanted == now || (!now.is_null() && fields::text(wanted) == fields::text(now)),
    }
}

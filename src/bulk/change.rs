//! What can be done to a record: the request that does it, how to tell that it is done, and what takes
//! it back.
//!
//! A state is the part of a record that a change is about. It is read from the record's document
//! leniently; a document that does not tell it gives no state, and then nothing is concluded from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::state::{current, is_same_minute, own_notes, same_field, tagged, was_set};
use crate::api;
use crate::api::operation::Operation;
use crate::api::request_builder::{Arguments, operation};
use crate::filter::By;
use crate::mirror::fields;

/// How requests name nobody.
const NOBODY: &str = "0";

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

    pub const fn one(self) -> &'static str {
        match self {
            Target::Conversations => "conversation",
            Target::Contacts => "contact",
            Target::Companies => "company",
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
    /// Both assignees of a conversation as they were; `None` is nobody.
    Reassign {
        admin: Option<String>,
        team: Option<String>,
        /// Close it again afterwards.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        close: bool,
        /// Snooze it again afterwards, until epoch seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snooze: Option<i64>,
    },
    /// A lead goes into the user with this id.
    Merge {
        into: String,
        /// What both must still have in common when the merge is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sharing: Option<Sharing>,
    },
}

/// A value that makes two contacts the same person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    pub by: By,
    /// As [`By::key`] spells it.
    pub value: String,
}

impl Sharing {
    /// Why a lead must not be merged into a user, given the documents of both.
    pub fn misfit(&self, lead: &Value, user: &Value) -> Option<String> {
        let has_value = |contact: &Value| {
            let stored = fields::text(&contact[self.by.field()]).and_then(|value| self.by.key(&value));
            stored.as_deref() == Some(self.value.as_str())
        };
        let (field, value) = (self.by.field(), &self.value);
        for (contact, role, part) in [(lead, "lead", "merge"), (user, "user", "keep")] {
            if contact["role"] != role {
                return Some(format!(
                    "changed since the plan: the contact to {part} is not a {role} any more"
                ));
            }
            if !has_value(contact) {
                return Some(format!(
                    "changed since the plan: the {role} no longer has the {field} {value:?}"
                ));
            }
        }
        None
    }
}

/// The code of a change that was left out because its record is not what the plan saw.
pub const CHANGED_SINCE_PLAN: &str = "changed_since_plan";

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
            (Change::Merge { into, .. }, _) => {
                ("MergeContact", Vec::new(), Some(json!({ "from": id, "into": into })))
            }
            // It is sent step by step.
            (Change::Reassign { admin, .. }, _) => {
                let admin = admin.as_deref().unwrap_or(NOBODY);
                manage(json!({ "message_type": "assignment", "type": "admin", "assignee_id": admin }))
            }
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
            Change::Assign { .. } | Change::Reassign { .. } => {
                // Nobody is null, 0, or a missing field; what has no id is not a record.
                fields::id(document.get("id")?)?;
                let assignee = |field: &str| json!(fields::reference(&document[field]));
                let mut state = json!({
                    "admin_assignee_id": assignee("admin_assignee_id"),
                    "team_assignee_id": assignee("team_assignee_id"),
                    "state": document["state"],
                });
                if document["state"] == "snoozed" {
                    state["snoozed_until"] = json!(fields::time(&document["snoozed_until"]));
                }
                Some(state)
            }
            Change::Close | Change::Open | Change::Snooze { .. } => {
                let state = document["state"].as_str()?;
                let until = fields::time(&document["snoozed_until"]).filter(|_| state == "snoozed");
                Some(json!({ "state": state, "snoozed_until": until }))
            }
            Change::Note { body } => own_notes(document, admin_id, body)
                .map(|notes| json!({ "notes": notes.same_text, "latest_own": notes.latest })),
            // A merged lead either is gone, or its id answers with the user's document.
            Change::Merge { into, .. } => {
                fields::id(&document["id"]).map(|id| json!({ "merged": id == *into }))
            }
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
            Change::Snooze { until } => is_same_minute(now["snoozed_until"].as_i64(), *until),
            Change::Reassign { admin, team, close, snooze } => {
                let is = |field: &str, wanted: &Option<String>| fields::reference(&now[field]) == *wanted;
                is("admin_assignee_id", admin)
                    && is("team_assignee_id", team)
                    && (!close || now["state"] == "closed")
                    && snooze.is_none_or(|until| is_same_minute(now["snoozed_until"].as_i64(), until))
            }
            Change::Merge { .. } => now["merged"] == true,
            Change::Note { .. } => {
                let known = before["notes"].as_array().map_or(&[][..], Vec::as_slice);
                now["notes"].as_array().is_some_and(|notes| notes.iter().any(|note| !known.contains(note)))
            }
            Change::Update { fields } => {
                fields.iter().all(|(name, value)| same_field(name, value, &now[name]))
            }
            Change::Archive => now["archived"] == true,
            Change::Unarchive => now["archived"] == false,
        }
    }

    /// Whether a state shows a change that the workspace answered with success. Less than [`Self::is_done`]
    /// asks: values may have been rewritten, but something must have moved.
    pub fn is_shown(&self, before: &Value, now: &Value) -> bool {
        match self {
            Change::Note { .. } => {
                let is_new = !now["latest_own"].is_null() && now["latest_own"] != before["latest_own"];
                is_new || self.is_done(before, now)
            }
            Change::Update { fields } if !now.is_null() => {
                let is_set = |(name, value): (&String, &Value)| {
                    same_field(name, value, &now[name]) || was_set(value, &before[name], &now[name])
                };
                fields.iter().all(is_set)
            }
            _ => self.is_done(before, now),
        }
    }

    /// Whether a run can find that somebody else has made the change already.
    pub fn can_be_found_done(&self) -> bool {
        !matches!(self, Change::Note { .. })
    }

    /// Whether a record in this state needs the change no more. A note can be written any number of
    /// times.
    pub fn is_needless(&self, state: &Value) -> bool {
        !matches!(self, Change::Note { .. }) && self.is_done(&Value::Null, state)
    }

    /// Whether this answer to reading the record, after the change was sent, shows the change: archived contacts
    /// cannot always be read.
    pub fn has_removed(&self, error: &api::Error) -> bool {
        matches!(self, Change::Archive) && error.is_gone() && error.merged_into().is_none()
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
            // The teammate last: taking the team away may take the teammate away as well.
            Change::Reassign { admin, team, close, snooze } => {
                let someone = |id: &Option<String>| id.clone().unwrap_or_else(|| NOBODY.to_owned());
                let to = |to: Assignee| Change::Assign { to, close: false };
                let assignments = [to(Assignee::Team(someone(team))), to(Assignee::Admin(someone(admin)))];
                let state = match snooze {
                    Some(until) => Some(Change::Snooze { until: *until }),
                    None => close.then_some(Change::Close),
                };
                assignments.into_iter().chain(state).collect()
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
            Change::Reassign { .. } => "already_assigned",
            Change::Merge { .. } => "already_merged",
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
            Change::Assign { .. } | Change::Reassign { .. } => {
                let id = |field: &str| fields::reference(&before[field]);
                let is_snoozed = before["state"] == "snoozed";
                Change::Reassign {
                    admin: id("admin_assignee_id"),
                    team: id("team_assignee_id"),
                    close: before["state"] == "closed",
                    snooze: before["snoozed_until"].as_i64().filter(|_| is_snoozed),
                }
            }
            Change::Merge { .. } => return Err(Irrevocable("a merge cannot be undone")),
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

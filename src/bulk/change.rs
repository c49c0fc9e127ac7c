//! Changes of a record: how to make them, how to verify them, and their inverse.
//!
//! The state of a record is limited to the fields that a change affects. A document without these fields has no state,
//! and nothing must be concluded from it.

mod request;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::shared_identifier::SharedIdentifier;
use super::state::{current, is_same_minute, own_parts, same_field, tagged, was_set};
use super::target::BulkTarget;
use crate::api;
use crate::data::lenient;

/// Id of "unassigned" in requests.
const NOBODY: &str = "0";

/// Assignee of a conversation; id `0` unassigns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    Admin(String),
    Team(String),
}

impl Assignee {
    pub fn nobody() -> Self {
        Assignee::Admin(NOBODY.to_owned())
    }

    fn type_and_id(&self) -> (&'static str, &str) {
        match self {
            Assignee::Admin(id) => ("admin", id),
            Assignee::Team(id) => ("team", id),
        }
    }
}

/// A change of one record. Serialized in journals and plan files.
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
        /// Close it again afterwards: an assignment reopens a closed conversation.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        close: bool,
    },
    Close,
    Open,
    /// Epoch seconds.
    Snooze {
        until: i64,
    },
    /// An internal note.
    Note {
        body: String,
    },
    /// A message to the customer.
    Reply {
        body: String,
        /// Addresses of files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<String>,
        /// Close the conversation afterwards.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        close: bool,
    },
    /// Moves a ticket to a state.
    MoveTicket {
        state_id: String,
        state: String,
    },
    /// Fields of a contact.
    Update {
        fields: Map<String, Value>,
    },
    Archive,
    Unarchive,
    /// Restores both assignees of a conversation; `None` is unassigned.
    Reassign {
        admin: Option<String>,
        team: Option<String>,
        /// Close it again afterwards.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        close: bool,
        /// Snooze it again afterwards, until then (epoch seconds).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snooze: Option<i64>,
    },
    /// Merges a lead into the user with this id.
    Merge {
        into: String,
        /// Identifier that both must still share when the merge is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sharing: Option<SharedIdentifier>,
    },
}

/// The reason why a change cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irreversible(pub &'static str);

impl Change {
    /// The state of the record that the change affects; `None` if the document lacks it.
    pub fn state(&self, target: BulkTarget, admin_id: &str, document: &Value) -> Option<Value> {
        match self {
            Change::Tag { tag_id, .. } | Change::Untag { tag_id, .. } => {
                tagged(target, document, tag_id).map(|tagged| json!({ "tagged": tagged }))
            }
            Change::Assign { .. } | Change::Reassign { .. } => {
                // Unassigned is null, 0 or a missing field, so check that this is a record at all.
                lenient::id(document.get("id")?)?;
                let assignee = |field: &str| json!(lenient::reference(&document[field]));
                let mut state = json!({
                    "admin_assignee_id": assignee("admin_assignee_id"),
                    "team_assignee_id": assignee("team_assignee_id"),
                    "state": document["state"],
                });
                if document["state"] == "snoozed" {
                    state["snoozed_until"] = json!(lenient::time(&document["snoozed_until"]));
                }
                Some(state)
            }
            Change::Close | Change::Open | Change::Snooze { .. } => {
                let state = document["state"].as_str()?;
                let until = lenient::time(&document["snoozed_until"]).filter(|_| state == "snoozed");
                Some(json!({ "state": state, "snoozed_until": until }))
            }
            Change::Note { body } => own_parts(document, "note", admin_id, body)
                .map(|notes| json!({ "notes": notes.same_text, "latest_own": notes.latest })),
            Change::Reply { body, close, .. } => {
                let replies = own_parts(document, "comment", admin_id, body)?;
                let mut state = json!({ "replies": replies.same_text, "latest_own": replies.latest });
                if *close {
                    state["state"] = document["state"].clone();
                }
                Some(state)
            }
            Change::MoveTicket { .. } => {
                let state = &document["ticket_state"];
                let label = ["internal_label", "category"].iter().find_map(|name| state[*name].as_str());
                lenient::id(&state["id"]).map(|id| json!({ "ticket_state_id": id, "ticket_state": label }))
            }
            // The id of a merged lead is gone, or returns the user's document.
            Change::Merge { into, .. } => {
                lenient::id(&document["id"]).map(|id| json!({ "merged": id == *into }))
            }
            Change::Update { fields } => current(fields, document).map(Value::Object),
            Change::Archive | Change::Unarchive => {
                lenient::flag(&document["archived"]).map(|archived| json!({ "archived": archived }))
            }
        }
    }

    /// Whether `now` is the result of the change. `before` is the state at planning time.
    pub fn is_done(&self, before: &Value, now: &Value) -> bool {
        if now.is_null() {
            return false;
        }
        match self {
            Change::Tag { .. } => now["tagged"] == true,
            Change::Untag { .. } => now["tagged"] == false,
            Change::Assign { to, close } => {
                let (kind, id) = to.type_and_id();
                let is_assigned =
                    lenient::reference(&now[format!("{kind}_assignee_id")]) == lenient::reference(&json!(id));
                is_assigned && (!close || now["state"] == "closed")
            }
            Change::Close => now["state"] == "closed",
            Change::Open => now["state"] == "open",
            Change::Snooze { until } => is_same_minute(now["snoozed_until"].as_i64(), *until),
            Change::Reassign { admin, team, close, snooze } => {
                let is = |field: &str, id: &Option<String>| lenient::reference(&now[field]) == *id;
                is("admin_assignee_id", admin)
                    && is("team_assignee_id", team)
                    && (!close || now["state"] == "closed")
                    && snooze.is_none_or(|until| is_same_minute(now["snoozed_until"].as_i64(), until))
            }
            Change::Merge { .. } => now["merged"] == true,
            Change::Note { .. } => has_new("notes", before, now),
            Change::Reply { close, .. } => {
                has_new("replies", before, now) && (!close || now["state"] == "closed")
            }
            Change::MoveTicket { state_id, .. } => {
                lenient::id(&now["ticket_state_id"]).as_ref() == Some(state_id)
            }
            Change::Update { fields } => {
                fields.iter().all(|(name, value)| same_field(name, value, &now[name]))
            }
            Change::Archive => now["archived"] == true,
            Change::Unarchive => now["archived"] == false,
        }
    }

    /// Whether `now` shows the change after a successful response. Less strict than [`Self::is_done`]: the API may have
    /// normalized values, but something must have changed.
    pub fn is_shown(&self, before: &Value, now: &Value) -> bool {
        match self {
            Change::Note { .. } => {
                let is_new = !now["latest_own"].is_null() && now["latest_own"] != before["latest_own"];
                is_new || self.is_done(before, now)
            }
            Change::Reply { close, .. } => {
                let is_new = !now["latest_own"].is_null() && now["latest_own"] != before["latest_own"];
                (is_new && (!close || now["state"] == "closed")) || self.is_done(before, now)
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

    /// Whether a run can detect that somebody else has already made the change.
    pub fn can_be_found_done(&self) -> bool {
        !self.adds_message()
    }

    /// Whether the change has no effect on a record in this state. A message always has an effect.
    pub fn is_no_op(&self, state: &Value) -> bool {
        !self.adds_message() && self.is_done(&Value::Null, state)
    }

    /// Whether the change adds a note or a reply, which two requests would add twice.
    fn adds_message(&self) -> bool {
        matches!(self, Change::Note { .. } | Change::Reply { .. })
    }

    /// Whether this error of reading the record confirms the change: archived contacts cannot always be read.
    pub fn confirms_removal(&self, error: &api::Error) -> bool {
        matches!(self, Change::Archive) && error.is_gone() && error.merged_into().is_none()
    }

    /// Whether the inverse depends on the previous state.
    pub fn needs_before(&self) -> bool {
        // Contacts do not always show whether they are archived.
        !matches!(self, Change::Archive | Change::Unarchive)
    }

    /// The requests that make the change, in order; most changes need one.
    pub fn steps(&self, target: BulkTarget) -> Vec<Change> {
        match self {
            Change::Reply { body, attachments, close: true } => {
                let reply =
                    Change::Reply { body: body.clone(), attachments: attachments.clone(), close: false };
                vec![reply, Change::Close]
            }
            // A ticket has one request for all assignees: it removes both or sets one.
            Change::Reassign { admin, team, .. } if target == BulkTarget::Tickets => {
                let nobody = Change::Reassign { admin: None, team: None, close: false, snooze: None };
                let set = [team.clone().map(Assignee::Team), admin.clone().map(Assignee::Admin)];
                let set = set.into_iter().flatten().map(|to| Change::Assign { to, close: false });
                std::iter::once(nobody).chain(set).collect()
            }
            Change::Assign { to, close: true } => {
                vec![Change::Assign { to: to.clone(), close: false }, Change::Close]
            }
            // The teammate last: removing the team may remove the teammate too.
            Change::Reassign { admin, team, close, snooze } => {
                let id_or_nobody = |id: &Option<String>| id.clone().unwrap_or_else(|| NOBODY.to_owned());
                let to = |to: Assignee| Change::Assign { to, close: false };
                let assignments =
                    [to(Assignee::Team(id_or_nobody(team))), to(Assignee::Admin(id_or_nobody(admin)))];
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
        !self.adds_message()
    }

    /// Status of a record on which the change has no effect.
    pub fn no_op_reason(&self) -> &'static str {
        match self {
            Change::Tag { .. } => "already_tagged",
            Change::Untag { .. } => "not_tagged",
            Change::Assign { .. } => "already_assigned",
            Change::Close => "already_closed",
            Change::Open => "already_open",
            Change::Snooze { .. } => "already_snoozed",
            Change::Note { .. } => "already_noted",
            Change::Reply { .. } => "already_replied",
            Change::MoveTicket { .. } => "already_in_that_state",
            Change::Update { .. } => "already_so",
            Change::Archive => "already_archived",
            Change::Unarchive => "not_archived",
            Change::Reassign { .. } => "already_assigned",
            Change::Merge { .. } => "already_merged",
        }
    }

    /// The change that restores the state `before`.
    ///
    /// # Errors
    /// [`Irreversible`] with the reason.
    pub fn inverse(&self, before: &Value) -> Result<Change, Irreversible> {
        Ok(match self {
            Change::Tag { tag_id, tag } => Change::Untag { tag_id: tag_id.clone(), tag: tag.clone() },
            Change::Untag { tag_id, tag } => Change::Tag { tag_id: tag_id.clone(), tag: tag.clone() },
            Change::Assign { .. } | Change::Reassign { .. } => {
                let id = |field: &str| lenient::reference(&before[field]);
                let is_snoozed = before["state"] == "snoozed";
                Change::Reassign {
                    admin: id("admin_assignee_id"),
                    team: id("team_assignee_id"),
                    close: before["state"] == "closed",
                    snooze: before["snoozed_until"].as_i64().filter(|_| is_snoozed),
                }
            }
            Change::Merge { .. } => return Err(Irreversible("a merge cannot be undone")),
            Change::Close | Change::Open | Change::Snooze { .. } => match before["state"].as_str() {
                Some("open") => Change::Open,
                Some("closed") => Change::Close,
                Some("snoozed") => match before["snoozed_until"].as_i64() {
                    Some(until) => Change::Snooze { until },
                    None => return Err(Irreversible("previous snooze time unknown")),
                },
                _ => return Err(Irreversible("previous state unknown")),
            },
            Change::Note { .. } => return Err(Irreversible("a note cannot be removed through the API")),
            Change::Reply { .. } => return Err(Irreversible("a reply cannot be taken back")),
            Change::MoveTicket { .. } => match lenient::id(&before["ticket_state_id"]) {
                Some(state_id) => {
                    let state = before["ticket_state"].as_str().unwrap_or_default().to_owned();
                    Change::MoveTicket { state_id, state }
                }
                None => return Err(Irreversible("previous state unknown")),
            },
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

/// Whether `now` has a message that `before` had not. `kind` is the field with the ids.
fn has_new(kind: &str, before: &Value, now: &Value) -> bool {
    let existing = before[kind].as_array().map_or(&[][..], Vec::as_slice);
    now[kind].as_array().is_some_and(|ids| ids.iter().any(|id| !existing.contains(id)))
}

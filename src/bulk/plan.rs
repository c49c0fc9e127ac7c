//! What a run is about, decided before anything is sent.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{Change, Target};
use crate::mirror::{ResourceName, predicate};

/// A run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Name of the run, also of its journal.
    pub run: String,
    /// The command that made it, e.g. `conversations incident-tag`.
    pub command: String,
    pub target: Target,
    /// The service's short code of the workspace.
    pub workspace: String,
    /// Who acts.
    pub admin_id: String,
    /// Epoch seconds.
    pub started_at: i64,
    /// The run that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The filter that the records were chosen by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// What else the command wants to remember.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub about: Value,
}

/// A filter that chose records. A search can be behind, so each record must pass it again right before it is
/// changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// For [`crate::mirror::predicate`].
    pub exact: Value,
    /// Name of the workspace's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Selection {
    /// Whether a record shows that it is not meant any more.
    pub fn refuses(&self, target: Target, record: &Value) -> bool {
        let resource = match target {
            Target::Conversations => ResourceName::Conversations,
            Target::Contacts => ResourceName::Contacts,
            Target::Companies => ResourceName::Companies,
        };
        let zone = self.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        predicate::holds(resource, &self.exact, record, zone.as_ref()) == Some(false)
    }
}

/// What is to happen to one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    pub change: Change,
    /// The state that the change is about, when the plan was made; null when it could not be read.
    pub before: Value,
    /// Why nothing is to be sent: `already_tagged`, `limit`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// What people want to see of the record.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub shown: Value,
}

impl Record {
    /// A record whose state is known.
    pub fn new(id: String, change: Change, before: Value) -> Self {
        let skip = change.is_needless(&before).then(|| change.needless().to_owned());
        Record { id, change, before, skip, shown: Value::Null }
    }

    /// Whether something is to be sent.
    pub fn is_due(&self) -> bool {
        self.skip.is_none()
    }
}

/// Marks what goes beyond `limit` changes as skipped; returns whether there was any.
pub fn cut(records: &mut [Record], limit: Option<u64>) -> bool {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return false };
    let mut reached = false;
    for record in records.iter_mut().filter(|record| record.is_due()).skip(limit) {
        record.skip = Some(LIMIT.to_owned());
        reached = true;
    }
    reached
}

/// The reason of a record that a limit left out.
pub const LIMIT: &str = "limit";

//! The plan of a run, made before anything is sent.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{BulkTarget, Change};
use crate::mirror::{ResourceName, search_sql};

/// Header of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Name of the run and of its journal.
    pub run: String,
    /// The command that started it, for example `conversations incident-tag`.
    pub command: String,
    pub target: BulkTarget,
    /// Short code of the workspace (`id_code`).
    pub workspace: String,
    /// The acting teammate.
    pub admin_id: String,
    /// Epoch seconds.
    pub started_at: i64,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The filter that selected the records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<SelectionFilter>,
    /// Other fields of the result, set by the command.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub about: Value,
}

/// The filter that selected the records. The search index can be outdated, so each record must match again right before
/// it is changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectionFilter {
    /// Condition for [`crate::mirror::search_sql`].
    pub exact: Value,
    /// Name of the workspace's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl SelectionFilter {
    /// Whether the record certainly no longer matches.
    pub fn excludes(&self, target: BulkTarget, record: &Value) -> bool {
        let resource = match target {
            BulkTarget::Conversations => ResourceName::Conversations,
            BulkTarget::Contacts => ResourceName::Contacts,
            BulkTarget::Companies => ResourceName::Companies,
        };
        let zone = self.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        search_sql::holds(resource, &self.exact, record, zone.as_ref()) == Some(false)
    }
}

/// A record and the change planned for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRecord {
    pub id: String,
    pub change: Change,
    /// State at planning time, limited to what the change affects; null if it could not be read.
    pub before: Value,
    /// Reason for sending nothing: `already_tagged`, `limit`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// Columns of the result that describe the record.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub shown: Value,
}

impl PlannedRecord {
    /// Plans a change of a record in a known state.
    pub fn new(id: String, change: Change, before: Value) -> Self {
        let skip = change.is_no_op(&before).then(|| change.no_op_reason().to_owned());
        PlannedRecord { id, change, before, skip, shown: Value::Null }
    }

    /// Whether a change must be sent.
    pub fn is_due(&self) -> bool {
        self.skip.is_none()
    }
}

/// Skips records beyond `limit` changes; returns whether there were any.
pub fn apply_limit(records: &mut [PlannedRecord], limit: Option<u64>) -> bool {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return false };
    let mut reached = false;
    for record in records.iter_mut().filter(|record| record.is_due()).skip(limit) {
        record.skip = Some(LIMIT.to_owned());
        reached = true;
    }
    reached
}

/// Skip reason of records beyond the limit.
pub const LIMIT: &str = "limit";

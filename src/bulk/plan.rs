//! The plan of a run, made before anything is sent, and its file.
//!
//! A plan from a file must never make changes that its command cannot make.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Change;
use super::error::Error;
use super::target::BulkTarget;
use crate::filter::{Searchable, judge};
use crate::selection::WhereFilter;

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
    /// Condition for [`crate::filter::judge`].
    pub exact: Value,
    /// Name of the workspace's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl From<&WhereFilter> for SelectionFilter {
    fn from(filter: &WhereFilter) -> Self {
        let zone = filter.zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
        SelectionFilter { exact: filter.compiled.exact.clone(), zone }
    }
}

impl SelectionFilter {
    /// Whether the record certainly no longer matches.
    pub fn excludes(&self, target: BulkTarget, record: &Value) -> bool {
        let searched = match target {
            BulkTarget::Conversations => Searchable::Conversations,
            BulkTarget::Contacts => Searchable::Contacts,
            BulkTarget::Tickets => Searchable::Tickets,
            // No filter selects companies.
            BulkTarget::Companies => return false,
        };
        let zone = self.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        judge::holds(searched, &self.exact, record, zone.as_ref()) == Some(false)
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

    /// Whether it is skipped regardless of its current state.
    pub fn is_excluded(&self) -> bool {
        self.skip.as_ref().is_some_and(|reason| reason != self.change.no_op_reason())
    }
}

/// Skip reason of records beyond the limit.
pub const LIMIT: &str = "limit";

/// The changes that a command plans, before they are a run. Serialized in plan files.
#[derive(Debug, Serialize, Deserialize)]
pub struct BulkPlan {
    pub command: String,
    pub target: BulkTarget,
    pub workspace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Filter that selected the records; each must still match it when it is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<SelectionFilter>,
    /// Printed before the counts of the result.
    pub about: Value,
    pub records: Vec<PlannedRecord>,
    /// Added to the `meta` of the result.
    #[serde(skip)]
    pub meta: Value,
    /// Number of records that may belong to the plan but could not be read.
    #[serde(skip)]
    pub unread: usize,
}

impl BulkPlan {
    pub fn new(command: &str, target: BulkTarget, workspace: &str, records: Vec<PlannedRecord>) -> Self {
        BulkPlan {
            command: command.to_owned(),
            target,
            workspace: workspace.to_owned(),
            undoes: None,
            selection: None,
            about: Value::Null,
            records,
            meta: Value::Null,
            unread: 0,
        }
    }

    /// Parses a plan file for this command and workspace. `name` is that of the file.
    ///
    /// # Errors
    /// [`Error::InvalidFile`] if it is not a plan; other errors if it belongs to another command or workspace, or has a
    /// change that the command cannot make.
    pub fn parse(content: &str, name: &str, command: &str, workspace: &str) -> Result<Self, Error> {
        let invalid = |_| Error::InvalidFile { path: name.into(), what: "a plan of this program" };
        let plan: BulkPlan = serde_json::from_str(content).map_err(invalid)?;
        if plan.command != command {
            let message = format!("{name} is a plan for `{}`, not for `{command}`", plan.command);
            return Err(Error::InvalidInput(message));
        }
        // Permission to run one command must not extend to another command's changes through a file.
        let is_foreign = |record: &&PlannedRecord| {
            !record.is_excluded() && !can_make(command, plan.target, &record.change)
        };
        if let Some(record) = plan.records.iter().find(is_foreign) {
            return Err(Error::ForeignChange {
                plan: name.to_owned(),
                command: command.to_owned(),
                record: format!("{} {}", plan.target.singular(), record.id),
            });
        }
        if plan.workspace != workspace {
            return Err(Error::OtherWorkspace { found: plan.workspace, given: workspace.to_owned() });
        }
        Ok(plan)
    }

    /// Skips records beyond `limit` changes.
    pub fn apply_limit(&mut self, limit: u64) {
        let Ok(limit) = usize::try_from(limit) else { return };
        for record in self.records.iter_mut().filter(|record| record.is_due()).skip(limit) {
            record.skip = Some(LIMIT.to_owned());
        }
    }

    /// Number of records with a change to send.
    pub fn due(&self) -> usize {
        self.records.iter().filter(|record| record.is_due()).count()
    }

    /// What happens to the records, in the imperative.
    pub fn verb(&self) -> &'static str {
        if self.undoes.is_some() {
            return "Undo the changes to";
        }
        match self.records.first().map(|record| &record.change) {
            Some(Change::Tag { .. }) => "Tag",
            Some(Change::Untag { .. }) => "Untag",
            Some(Change::Assign { .. }) => "Assign",
            Some(Change::Close) => "Close",
            Some(Change::Snooze { .. }) => "Snooze",
            Some(Change::Note { .. }) => "Add a note to",
            Some(Change::Reply { .. }) => "Reply to",
            Some(Change::MoveTicket { .. }) => "Change the state of",
            Some(Change::Open) => "Reopen",
            Some(Change::Archive) => "Archive",
            _ => "Change",
        }
    }
}

/// Whether the command can make this change to this kind of record.
fn can_make(command: &str, target: BulkTarget, change: &Change) -> bool {
    let Some((group, action)) = command.split_once(' ') else { return false };
    if (group, action) == ("bulk", "undo") {
        // An undo never adds messages or merges.
        return !matches!(change, Change::Note { .. } | Change::Reply { .. } | Change::Merge { .. });
    }
    let is_allowed = match change {
        Change::Tag { .. } => ["bulk-tag", "incident-tag", "tag"].contains(&action),
        Change::Untag { .. } => ["bulk-untag", "untag"].contains(&action),
        Change::Assign { .. } => ["bulk-assign", "assign"].contains(&action),
        Change::Close => ["bulk-close", "close"].contains(&action),
        Change::Snooze { .. } => ["bulk-snooze", "snooze"].contains(&action),
        Change::Note { .. } => ["bulk-reply-note", "note", "reply"].contains(&action),
        Change::Reply { .. } => action == "reply",
        Change::Open => action == "open",
        Change::MoveTicket { .. } => action == "resolve",
        Change::Update { .. } => action == "bulk-update",
        Change::Archive => action == "bulk-archive",
        Change::Merge { .. } => action == "dupes",
        Change::Unarchive | Change::Reassign { .. } => false,
    };
    is_allowed && target.as_str() == group
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plan_file_is_only_accepted_for_its_command_and_workspace() {
        let tag = Change::Tag { tag_id: "1".to_owned(), tag: "vip".to_owned() };
        let file = |change: Change| {
            let records = vec![PlannedRecord::new("5".to_owned(), change, Value::Null)];
            json!(BulkPlan::new("contacts bulk-tag", BulkTarget::Contacts, "abc", records)).to_string()
        };
        let parse = |text: &str, command: &str, workspace: &str| {
            BulkPlan::parse(text, "file", command, workspace)
                .map(|plan| plan.verb())
                .map_err(|error| error.to_string())
        };
        let tagging = file(tag);
        assert_eq!(parse(&tagging, "contacts bulk-tag", "abc"), Ok("Tag"));
        for (text, command, workspace, message) in [
            ("{}", "contacts bulk-tag", "abc", "file is not a plan of this program"),
            (&tagging, "contacts bulk-untag", "abc", "file is a plan for `contacts bulk-tag`, not for"),
            (&tagging, "contacts bulk-tag", "xyz", "this belongs to workspace abc"),
            (&file(Change::Archive), "contacts bulk-tag", "abc", "that is planned for contact 5"),
        ] {
            let error = parse(text, command, workspace).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}

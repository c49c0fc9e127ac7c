//! Plans merges of leads into users, and checks their outcome.
//!
//! A merge cannot be undone, so its record must name what both contacts still have to share when it is sent.

use serde::Serialize;
use serde_json::json;

use super::change::Change;
use super::journal::RecordStatus;
use super::plan::PlannedRecord;
use super::shared_identifier::{CHANGED_SINCE_PLAN, SharedIdentifier};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeStatus {
    Planned,
    Merged,
    /// Somebody else merged or deleted the lead.
    Gone,
    Skipped,
    Failed,
    Unknown,
}

/// Plans to merge the lead `from` into the user `into`.
pub fn plan(from: &str, into: &str, sharing: SharedIdentifier) -> PlannedRecord {
    let shown = json!({ "value": sharing.value });
    let change = Change::Merge { into: into.to_owned(), sharing: Some(sharing) };
    PlannedRecord { shown, ..PlannedRecord::new(from.to_owned(), change, json!({ "merged": false })) }
}

/// The outcome of a merge, and the reason if it was not made.
pub fn outcome(status: &RecordStatus) -> (MergeStatus, Option<&str>) {
    match status {
        RecordStatus::Done { .. } => (MergeStatus::Merged, None),
        RecordStatus::FoundDone { .. } => (MergeStatus::Gone, None),
        RecordStatus::Unmatched => (MergeStatus::Skipped, None),
        RecordStatus::Failed { error } => {
            let message = error["message"].as_str().unwrap_or("the server refused the merge");
            let is_skipped = error["code"] == CHANGED_SINCE_PLAN;
            (if is_skipped { MergeStatus::Skipped } else { MergeStatus::Failed }, Some(message))
        }
        RecordStatus::Sending | RecordStatus::Unconfirmed { .. } => {
            let message = "no response received and the lead cannot be read: check it before merging again";
            (MergeStatus::Unknown, Some(message))
        }
        RecordStatus::Planned => (MergeStatus::Failed, Some("interrupted before it was sent")),
    }
}

/// Whether the server refused the token of a merge.
pub fn is_refused(status: &RecordStatus) -> bool {
    match status {
        RecordStatus::Failed { error } => matches!(error["http_status"].as_u64(), Some(401 | 403)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_record_has_an_outcome() {
        let failed = |code: &str| RecordStatus::Failed { error: json!({ "code": code, "message": "m" }) };
        for (status, expected, has_reason) in [
            (RecordStatus::Planned, MergeStatus::Failed, true),
            (RecordStatus::Sending, MergeStatus::Unknown, true),
            (RecordStatus::Done { before: json!(null), after: json!(null) }, MergeStatus::Merged, false),
            (RecordStatus::FoundDone { state: json!(null) }, MergeStatus::Gone, false),
            (RecordStatus::Unmatched, MergeStatus::Skipped, false),
            (failed("other"), MergeStatus::Failed, true),
            (failed(CHANGED_SINCE_PLAN), MergeStatus::Skipped, true),
        ] {
            let (outcome, reason) = outcome(&status);
            assert_eq!((outcome, reason.is_some()), (expected, has_reason), "{status:?}");
        }
    }
}

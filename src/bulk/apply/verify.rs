//! Verifies changes by reading their records, since a successful response proves nothing.
//!
//! Nothing here sends a change, and a record that cannot be read must never count as changed.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Applier, SendOutcome, UnverifiedRecord};
use crate::bulk::error::{Error, error_json};
use crate::bulk::journal::RecordStatus;
use crate::bulk::plan::{Head, PlannedRecord};
use crate::bulk::read;

/// Delays before reading a record again that does not show its change yet.
const VERIFY_DELAYS: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(2)];

impl Applier<'_> {
    /// Verifies the changes that the responses did not show: conversations with one search, and then each that does not
    /// show its change by reading it. The search index can be outdated, so a search proves changes but not failures.
    pub(super) async fn verify_batch(
        &self,
        head: &Head,
        chunk: Vec<Result<Option<SendOutcome>, Error>>,
        settle: &(impl Fn(&str, &RecordStatus) -> Result<(), Error> + Sync),
    ) -> Vec<Result<Option<RecordStatus>, Error>> {
        let (mut results, mut unverified) = (Vec::new(), Vec::new());
        for outcome in chunk {
            match outcome {
                Ok(Some(SendOutcome::Unverified(record))) => unverified.push(record),
                Ok(Some(SendOutcome::Settled(status))) => results.push(Ok(Some(status))),
                Ok(None) => results.push(Ok(None)),
                Err(error) => results.push(Err(error)),
            }
        }
        let documents = match unverified.as_slice() {
            [] | [_] => HashMap::new(),
            several => {
                read::search_by_ids(
                    self.client,
                    several.iter().map(|unverified| unverified.record.id.as_str()),
                )
                .await
            }
        };
        let verifications = unverified.into_iter().map(|unverified| {
            let UnverifiedRecord { record, before, after } = *unverified;
            let shown = documents
                .get(&record.id)
                .and_then(|document| record.change.state(head.target, &head.admin_id, document))
                .filter(|state| record.change.is_shown(&before, state));
            async move {
                let status = match shown {
                    Some(after) => RecordStatus::Done { before, after },
                    None => self.verify(head, &record, before, after).await,
                };
                settle(&record.id, &status).map(|()| Some(status))
            }
        });
        results.extend(futures::future::join_all(verifications).await);
        results
    }

    /// Verifies that the record shows the change, since a successful response proves nothing. The API can take a moment
    /// to show a change.
    async fn verify(
        &self,
        head: &Head,
        record: &PlannedRecord,
        before: Value,
        mut after: Value,
    ) -> RecordStatus {
        for wait in VERIFY_DELAYS.into_iter().map(Some).chain([None]) {
            if record.change.is_shown(&before, &after) {
                return RecordStatus::Done { before, after };
            }
            match self.read_state_with_retries(head, record).await.map(|read| read.state) {
                Ok(Some(state)) => after = state,
                Ok(None) => return RecordStatus::Unconfirmed { before },
                Err(error) if record.change.confirms_removal(&error) => after = json!({ "archived": true }),
                Err(error) if error.is_not_found() => {
                    return RecordStatus::Failed { error: error_json(&error) };
                }
                Err(_) => return RecordStatus::Sending,
            }
            if record.change.is_shown(&before, &after) {
                return RecordStatus::Done { before, after };
            }
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
        }
        RecordStatus::Failed {
            error: json!({
                "code": "not_applied",
                "message": "the request succeeded, but the record does not show the change",
                "now": after,
            }),
        }
    }

    /// Waits for a message that the server may still be adding. Its outcome stays unknown if it does not appear.
    pub(super) async fn await_late_message(
        &self,
        head: &Head,
        record: &PlannedRecord,
    ) -> Result<Value, RecordStatus> {
        for wait in VERIFY_DELAYS {
            tokio::time::sleep(wait).await;
            match self.read_state_after_send(head, record).await {
                Ok(Some(state)) if record.change.is_done(&record.before, &state) => return Ok(state),
                _ => {}
            }
        }
        Err(RecordStatus::Sending)
    }

    /// The status of a change after the last attempt, whose response was lost.
    pub(super) async fn final_status(
        &self,
        head: &Head,
        record: &PlannedRecord,
        last_error: Value,
    ) -> Result<Value, RecordStatus> {
        match self.read_state_after_send(head, record).await {
            Ok(Some(state)) if record.change.is_done(&record.before, &state) => Ok(state),
            Ok(Some(_)) => Err(RecordStatus::Failed { error: last_error }),
            Ok(None) | Err(_) => Err(RecordStatus::Sending),
        }
    }
}

//! Sends the changes of a run, many in parallel, each exactly once.
//!
//! The rule that must hold: after a lost response, a change is sent again only once the record was read and does not
//! show it. If the change must not happen twice, and the record cannot show it or the server may still be working on it,
//! its outcome stays unknown. The transport enforces the rate limit.

mod verify;

use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::change::Change;
use super::error::{Error, error_json};
use super::journal::{RecordStatus, RunJournal};
use super::plan::{Head, PlannedRecord};
use super::read;
use super::record_state::{RecordState, read_record};
use super::shared_identifier::CHANGED_SINCE_PLAN;
use super::target::BulkTarget;
use crate::api;
use crate::api::ErrorBudget;
use crate::api::client::Client;

/// Attempts per record, not counting retries of the transport.
const ATTEMPTS: u32 = 12;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// This many consecutive failures, over all records, are an outage: stop retrying each record for half a minute.
const OUTAGE_FAILURES: usize = 40;
/// Attempts per record during an outage.
const ATTEMPTS_IN_OUTAGE: u32 = 3;
/// How often the steps of a change are repeated: a later step can undo an earlier one.
const ROUNDS: u32 = 2;
/// Attempts to read one record.
const READ_ATTEMPTS: u32 = 6;
/// Number of conversations that are verified with a single search.
const VERIFY_BATCH: usize = 50;
/// Number of verifications that run while further changes are sent.
const CONCURRENT_VERIFICATIONS: usize = 64;

enum SendOutcome {
    Settled(RecordStatus),
    /// The request succeeded, but its response does not show the change.
    Unverified(Box<UnverifiedRecord>),
}

struct UnverifiedRecord {
    record: PlannedRecord,
    before: Value,
    after: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplyProgress {
    pub done: usize,
    pub failed: usize,
    /// Records with a change to send.
    pub total: usize,
}

/// Sends the changes of runs.
pub struct Applier<'a> {
    pub client: &'a Client,
    /// On cancellation, requests in progress are finished and no others are started.
    pub stop: CancellationToken,
    /// Number of records in parallel.
    pub concurrency: usize,
    /// Shared by all records.
    budget: Mutex<ErrorBudget>,
}

impl<'a> Applier<'a> {
    pub fn new(client: &'a Client, stop: CancellationToken, concurrency: usize) -> Self {
        Applier { client, stop, concurrency, budget: Mutex::new(ErrorBudget::new(OUTAGE_FAILURES)) }
    }

    /// Sends the pending changes of the run and records the outcomes in the journal.
    ///
    /// # Errors
    /// If the journal cannot be written; nothing more is sent then.
    pub async fn apply(
        &self,
        journal: &mut RunJournal,
        observe: &mut (dyn FnMut(ApplyProgress) + Send),
    ) -> Result<(), Error> {
        let head = journal.run().head.clone();
        let mut due: Vec<(PlannedRecord, bool)> = journal
            .run()
            .due()
            .map(|record| (record.clone(), journal.run().status(&record.id).was_sent()))
            .collect();
        // Shuffled per run, so that runs on other machines start with other records and each finds the other's changes.
        due.sort_by_cached_key(|(record, _)| {
            let mut hasher = std::hash::DefaultHasher::new();
            (&head.run, &record.id).hash(&mut hasher);
            hasher.finish()
        });
        let mut progress = ApplyProgress { done: 0, failed: 0, total: due.len() };
        observe(progress);
        // Conversations are verified in batches, so that a record takes two requests instead of three.
        let (requests_per_record, batch) =
            if head.target == BulkTarget::Conversations { (2, VERIFY_BATCH) } else { (3, 1) };
        self.client.transport().expect(due.len() * requests_per_record);
        let journal = Mutex::new(journal);
        let set_status = |id: &str, status: RecordStatus, sync: bool| {
            journal.lock().unwrap_or_else(PoisonError::into_inner).set_status(id, status, sync)
        };
        let set_status = &set_status;
        let settle = |id: &str, status: &RecordStatus| match status {
            RecordStatus::Sending => Ok(()),
            status => set_status(id, status.clone(), false),
        };
        let settle = &settle;
        let head = &head;
        let mut results = stream::iter(due)
            .map(|(record, was_sent)| async move {
                if self.stop.is_cancelled() {
                    return Ok(None);
                }
                // A change that must not happen twice needs a journal line that survives a crash of the machine.
                set_status(&record.id, RecordStatus::Sending, !record.change.is_repeatable())?;
                let outcome = self.change(head, &record, was_sent).await;
                if let SendOutcome::Settled(status) = &outcome {
                    settle(&record.id, status)?;
                }
                Ok::<_, Error>(Some(outcome))
            })
            .buffer_unordered(self.concurrency.max(1))
            .chunks(batch)
            .map(|chunk| self.verify_batch(head, chunk, settle))
            .buffer_unordered(CONCURRENT_VERIFICATIONS);
        let mut failure = None;
        while let Some(verified) = results.next().await {
            for result in verified {
                match result {
                    Ok(Some(
                        RecordStatus::Done { .. } | RecordStatus::FoundDone { .. } | RecordStatus::Unmatched,
                    )) => progress.done += 1,
                    Ok(Some(_)) => progress.failed += 1,
                    Ok(None) => {}
                    Err(error) => {
                        self.stop.cancel();
                        failure.get_or_insert(error);
                    }
                }
            }
            observe(progress);
        }
        drop(results);
        let journal = journal.into_inner().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(error) => Err(error),
            None if journal.run().counts().open == 0 => journal.finish(),
            None => Ok(()),
        }
    }

    /// Makes one change, step by step.
    async fn change(&self, head: &Head, record: &PlannedRecord, was_sent: bool) -> SendOutcome {
        let mut before = record.before.clone();
        // If an earlier process may have sent the change, the current state may be its result.
        if !was_sent && (record.change.can_be_found_done() || head.selection.is_some()) {
            match self.read_state_with_retries(head, record).await {
                Ok(RecordState { state: Some(state), .. }) if record.change.is_no_op(&state) => {
                    return SendOutcome::Settled(RecordStatus::FoundDone { state });
                }
                Ok(RecordState { is_excluded: true, .. }) => {
                    return SendOutcome::Settled(RecordStatus::Unmatched);
                }
                Ok(RecordState { state: Some(state), .. }) => before = state,
                Ok(_) => {}
                Err(error) => {
                    return SendOutcome::Settled(RecordStatus::Failed { error: error_json(&error) });
                }
            }
        }
        if let Some(status) = self.check_merge(head, record, was_sent).await {
            return SendOutcome::Settled(status);
        }
        let record = &PlannedRecord { before: before.clone(), ..record.clone() };
        let steps = record.change.steps(head.target);
        let (several, mut now) = (steps.len() > 1, before.clone());
        for round in 0..ROUNDS {
            if round > 0 && (!several || now.is_null() || record.change.is_done(&before, &now)) {
                break;
            }
            for change in &steps {
                // A message that was sent is never sent again, even if a later step has to be repeated.
                if several && (change.is_no_op(&now) || (round > 0 && !change.is_repeatable())) {
                    continue;
                }
                match self
                    .step(head, &PlannedRecord { change: change.clone(), ..record.clone() }, was_sent)
                    .await
                {
                    Ok(state) => now = self.state_between_steps(head, record, state, several).await,
                    Err(status) => return SendOutcome::Settled(status),
                }
            }
        }
        if record.change.is_shown(&before, &now) {
            return SendOutcome::Settled(RecordStatus::Done { before, after: now });
        }
        SendOutcome::Unverified(Box::new(UnverifiedRecord { record: record.clone(), before, after: now }))
    }

    /// Fails a merge if the two contacts have changed since the plan. A merge cannot be undone, so both are read right
    /// before it.
    async fn check_merge(&self, head: &Head, record: &PlannedRecord, was_sent: bool) -> Option<RecordStatus> {
        let Change::Merge { into, sharing: Some(sharing) } = &record.change else { return None };
        if was_sent {
            return None;
        }
        let (lead, user) = futures::join!(
            self.with_retries(|| read::document(self.client, head.target, &record.id)),
            self.with_retries(|| read::document(self.client, head.target, into))
        );
        match (lead, user) {
            (Ok(lead), Ok(user)) => sharing.mismatch(&lead, &user).map(|message| RecordStatus::Failed {
                error: json!({ "code": CHANGED_SINCE_PLAN, "message": message }),
            }),
            (Err(error), _) | (_, Err(error)) => Some(RecordStatus::Failed { error: error_json(&error) }),
        }
    }

    /// The state for the whole change between two of its steps. Each step returns only a part of it.
    async fn state_between_steps(
        &self,
        head: &Head,
        record: &PlannedRecord,
        state: Value,
        several: bool,
    ) -> Value {
        if !several || state.get("admin_assignee_id").is_some() {
            return state;
        }
        // If reading fails, the next step is sent anyway, which is harmless.
        self.read_state_with_retries(head, record)
            .await
            .ok()
            .and_then(|read| read.state)
            .unwrap_or(Value::Null)
    }

    /// Reads the state of the record, with retries.
    async fn read_state_with_retries(
        &self,
        head: &Head,
        record: &PlannedRecord,
    ) -> Result<RecordState, api::Error> {
        self.with_retries(|| read_record(self.client, head, &record.change, &record.id)).await
    }

    /// Reads with retries and backoff.
    async fn with_retries<T, F: Future<Output = Result<T, api::Error>>>(
        &self,
        read: impl Fn() -> F,
    ) -> Result<T, api::Error> {
        let mut delay = FIRST_DELAY;
        for _ in 1..READ_ATTEMPTS {
            match read().await {
                Err(error)
                    if is_retryable(&error) && !self.stop.is_cancelled() && !self.budget().is_spent() =>
                {
                    self.budget().record_failure();
                }
                result => return result,
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
        read().await
    }

    /// Sends one request of a change, with retries. Returns the state in the response, null if it has none. The error is
    /// the final status of the record, [`RecordStatus::Sending`] if the outcome is unknown.
    async fn step(&self, head: &Head, record: &PlannedRecord, was_sent: bool) -> Result<Value, RecordStatus> {
        let mut is_outcome_unknown = was_sent;
        let mut may_arrive_late = false;
        let mut last_error = json!({ "message": "the run was interrupted" });
        let mut delay = FIRST_DELAY;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                if self.stop.is_cancelled() || (attempt >= ATTEMPTS_IN_OUTAGE && self.budget().is_spent()) {
                    break;
                }
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
            if is_outcome_unknown {
                match self.read_state_after_send(head, record).await {
                    Ok(Some(state)) if record.change.is_done(&record.before, &state) => {
                        return Ok(state);
                    }
                    Ok(_) if record.change.is_repeatable() => {}
                    // The record does not show the message yet, and a second one could not be taken back.
                    Ok(Some(_)) if may_arrive_late => {
                        return self.await_late_message(head, record).await;
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => return Err(RecordStatus::Sending),
                    Err(error) if is_retryable(&error) => {
                        last_error = error_json(&error);
                        continue;
                    }
                    Err(error) => return Err(RecordStatus::Failed { error: error_json(&error) }),
                }
            }
            match self.send(head, record).await {
                Ok(after) => {
                    self.budget().record_success();
                    return Ok(after);
                }
                Err(error) if is_retryable(&error) => {
                    self.budget().record_failure();
                    is_outcome_unknown = is_outcome_unknown_after(&error);
                    may_arrive_late |= error.is_possibly_unfinished();
                    last_error = error_json(&error);
                }
                // An earlier attempt may have removed it.
                Err(error) if error.is_not_found() && matches!(record.change, Change::Untag { .. }) => {
                    return match self.read_state(head, record).await {
                        Ok(Some(state)) if record.change.is_done(&record.before, &state) => Ok(state),
                        _ => Err(RecordStatus::Failed { error: error_json(&error) }),
                    };
                }
                Err(error) => return Err(RecordStatus::Failed { error: error_json(&error) }),
            }
        }
        if is_outcome_unknown && may_arrive_late && !record.change.is_repeatable() {
            self.await_late_message(head, record).await
        } else if is_outcome_unknown {
            self.final_status(head, record, last_error).await
        } else {
            Err(RecordStatus::Failed { error: last_error })
        }
    }

    fn budget(&self) -> MutexGuard<'_, ErrorBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the request once, apart from retries of the transport. Returns the state in the response, if any.
    async fn send(&self, head: &Head, record: &PlannedRecord) -> Result<Value, api::Error> {
        let version = self.client.api_version();
        let (operation, arguments) =
            record.change.request(head.target, &record.id, &head.admin_id, &version)?;
        let reply = self.client.execute(operation, &arguments).await?;
        // A merge returns the user's document, which does not show that the lead is gone.
        if matches!(record.change, Change::Merge { .. }) {
            return Ok(Value::Null);
        }
        let Ok(document) = serde_json::from_slice(&reply.body) else { return Ok(Value::Null) };
        Ok(record.change.state(head.target, &head.admin_id, &document).unwrap_or(Value::Null))
    }

    /// Like [`Self::read_state`] after a change was sent: some records can no longer be read then.
    async fn read_state_after_send(
        &self,
        head: &Head,
        record: &PlannedRecord,
    ) -> Result<Option<Value>, api::Error> {
        match self.read_state(head, record).await {
            Err(error) if record.change.confirms_removal(&error) => Ok(Some(json!({ "archived": true }))),
            result => result,
        }
    }

    async fn read_state(&self, head: &Head, record: &PlannedRecord) -> Result<Option<Value>, api::Error> {
        Ok(read_record(self.client, head, &record.change, &record.id).await?.state)
    }
}

/// Whether the same request may succeed later.
pub fn is_retryable(error: &api::Error) -> bool {
    is_outcome_unknown_after(error) || error.is_rate_limited() || error.is_offline()
}

/// Whether the workspace may have processed the request despite this error.
fn is_outcome_unknown_after(error: &api::Error) -> bool {
    error.is_outcome_unknown() || matches!(error.failure(), api::Error::UnexpectedResponse(_))
}

//! Fetches records that take one request each, many of them concurrently.
//!
//! The store says which records are pending, so an interrupted run needs no cursor: what is stored is done. Single
//! records may fail, but an outage ends the run. A record that answers "not found" must only be removed once the
//! workspace neither lists nor counts it.

use std::pin::pin;
use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::events::Cause;
use super::presence;
use super::sync_context::{Ending, ResourceSync, SyncContext, local_now};
use crate::api;
use crate::api::ErrorBudget;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::pending::PendingRecord;
use crate::mirror::store::quarantine::FailedRecord;

/// Responses per transaction, and how long to wait for them. SQLite writes whole pages, so a transaction for each
/// response would write many times its size.
const CHUNK: usize = 128;
const GATHER: Duration = Duration::from_millis(250);
/// Bytes of responses that fill a transaction.
const CHUNK_BYTES: usize = 8 << 20;
/// Records named in a message.
const NAMED: usize = 20;

/// What came back for a record.
pub(super) struct FetchAnswer<T> {
    pub record: PendingRecord,
    pub requests: u64,
    pub result: Result<T, FetchError>,
}

pub(super) enum FetchError {
    /// The API says that the record does not exist.
    Gone,
    Failed(api::Error),
    /// Why the response cannot be used.
    Unusable(String),
}

impl From<api::Error> for FetchError {
    fn from(error: api::Error) -> Self {
        if error.is_gone() { FetchError::Gone } else { FetchError::Failed(error) }
    }
}

/// All pending records. `after` reads the next batch after an id, ordered by id.
pub(super) fn pending<'s>(
    run: &'s SyncContext<'_>,
    after: impl Fn(&Store, &str) -> Result<Vec<PendingRecord>, Error> + Copy + 's,
) -> impl Stream<Item = Result<PendingRecord, Error>> + 's {
    let batches = stream::try_unfold(String::new(), move |last| async move {
        let batch = run.with_store(|store| after(store, &last))?;
        let last = batch.last().map(|record| record.id.clone());
        Ok::<_, Error>(last.map(|last| (batch, last)))
    });
    batches.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(batch.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}

/// Requests each record once, and stores what came in transactions of many records. `store` also counts the records
/// that it stored, or could not store. Removes the records that are gone.
///
/// # Errors
/// [`Error::Api`] if the error budget is spent, another one if the database fails.
pub(super) async fn fetch_each<T, F: Future<Output = Result<FetchAnswer<T>, Error>>>(
    sync: &mut ResourceSync<'_>,
    mut failures: FetchFailures,
    records: impl Stream<Item = Result<PendingRecord, Error>>,
    request: impl Fn(PendingRecord) -> F,
    size: impl Fn(&T) -> usize,
    store: impl Fn(&mut ResourceSync<'_>, &mut FetchFailures, Vec<(PendingRecord, T)>) -> Result<(), Error>,
) -> Result<FetchFailures, Error> {
    let request = &request;
    let answers = records.map(|record| async move { request(record?).await });
    let mut answers = pin!(answers.buffer_unordered(sync.run.options.concurrency.max(1)));
    let size = |answer: &Result<FetchAnswer<T>, Error>| match answer {
        Ok(FetchAnswer { result: Ok(detail), .. }) => size(detail),
        _ => 0,
    };
    let mut gone = Vec::new();
    while let Some(chunk) = next_chunk(&mut answers, size).await {
        let mut fetched = Vec::with_capacity(chunk.len());
        let mut last_error = None;
        for answer in chunk {
            let FetchAnswer { record, requests, result } = answer?;
            sync.progress.requests += requests;
            match result {
                Ok(detail) => fetched.push((record, detail)),
                // Deleted since it was listed.
                Err(FetchError::Gone) => gone.push(record.id),
                Err(FetchError::Failed(error)) => {
                    failures.add_error(sync, &record.id, &error);
                    last_error = Some(error);
                }
                Err(FetchError::Unusable(message)) => failures.add_failure(sync, &record.id, &message),
            }
        }
        store(sync, &mut failures, fetched)?;
        if failures.budget.is_spent() {
            sync.progress.add_cause(failures.cause);
            return last_error.map_or(Ok(failures), |error| Err(error.into()));
        }
    }
    failures.remove_gone(sync, gone).await?;
    Ok(failures)
}

/// Responses to store in one transaction: those that arrive within [`GATHER`] of the first, up to [`CHUNK`] of them
/// or [`CHUNK_BYTES`]. `None` at the end.
async fn next_chunk<S: Stream + Unpin>(
    responses: &mut S,
    size: impl Fn(&S::Item) -> usize,
) -> Option<Vec<S::Item>> {
    let first = responses.next().await?;
    let deadline = Instant::now() + GATHER;
    let mut bytes = size(&first);
    let mut chunk = vec![first];
    while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
        let Ok(Some(response)) = timeout_at(deadline, responses.next()).await else { break };
        bytes += size(&response);
        chunk.push(response);
    }
    Some(chunk)
}

/// Whether every further request would fail with this error. A 403 may concern a single record.
pub(super) fn is_final(error: &api::Error) -> bool {
    error.affects_all() && error.status() != Some(403)
}

/// Records that could not be fetched in one pass, and the error budget of that pass.
#[derive(Debug)]
pub(super) struct FetchFailures {
    /// Resource of the records.
    owners: ResourceName,
    /// Noun for a record, for example `conversation`.
    noun: &'static str,
    failed: Vec<FailedRecord>,
    budget: ErrorBudget,
    cause: Option<Cause>,
}

impl FetchFailures {
    pub fn new(owners: ResourceName, noun: &'static str) -> Self {
        FetchFailures { owners, noun, failed: Vec::new(), budget: ErrorBudget::default(), cause: None }
    }

    pub fn add_success(&mut self) {
        self.budget.record_success();
    }

    fn add_error(&mut self, sync: &ResourceSync<'_>, id: &str, error: &api::Error) {
        if is_final(error) {
            self.budget.block();
        }
        self.cause = self.cause.into_iter().chain(Cause::of(error)).min();
        self.add_failure(sync, id, &error.to_string());
    }

    pub fn add_failure(&mut self, sync: &ResourceSync<'_>, id: &str, message: &str) {
        self.budget.record_failure();
        self.failed.push(FailedRecord { id: id.to_owned(), reason: message.to_owned() });
        sync.warn(format!("{} {id}: {message}", self.noun));
    }

    /// Removes records that answered "not found". Those that the workspace still lists or counts are kept and count
    /// as failures, and so do all of them if most of the requested records seem to be gone.
    async fn remove_gone(&mut self, sync: &mut ResourceSync<'_>, ids: Vec<String>) -> Result<(), Error> {
        if ids.len() > self.budget.most_expected() {
            for id in ids {
                self.add_failure(sync, &id, "not found, like most others");
            }
            return Ok(());
        }
        let mut owners = ResourceSync::new(sync.run, self.owners);
        let absence = presence::verify(&mut owners, ids).await?;
        for id in absence.doubtful {
            self.add_failure(sync, &id, "not found, although the workspace still lists or counts it");
        }
        owners.remove_gone(&absence.gone)?;
        sync.progress.requests += owners.progress.requests;
        sync.progress.written.add(owners.progress.written);
        Ok(())
    }

    /// Whether another pass may succeed. Of many thousand requests to an unreliable server a few always fail, but
    /// rarely twice.
    pub fn can_retry(&self) -> bool {
        !self.failed.is_empty() && !self.budget.is_spent()
    }

    /// Ends the last pass of a run. Records that failed in several runs are quarantined and then do not count.
    pub fn finish(self, sync: &mut ResourceSync<'_>) -> Result<Ending, Error> {
        if self.budget.is_spent() || self.budget.is_exceeded() {
            sync.progress.add_cause(self.cause);
            return Ok(Ending::Incomplete(self.message()));
        }
        let record =
            |store: &mut Store| store.record_failures(sync.name(), self.owners, &self.failed, local_now());
        let report = sync.with_store(record)?;
        if report.new.is_empty() && report.quarantined.is_empty() {
            return Ok(Ending::Complete);
        }
        sync.progress.add_cause(self.cause);
        let mut message = self.message();
        if !report.quarantined.is_empty() {
            let named = report.quarantined.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            message += &format!("; set aside after several failed runs, see `status`: {named}");
        }
        Ok(Ending::Incomplete(message))
    }

    fn message(&self) -> String {
        let plural = if self.failed.len() == 1 { "" } else { "s" };
        format!("{} {}{plural} could not be fetched", self.failed.len(), self.noun)
    }
}

//! Fetches records that take one request each, many of them concurrently.
//!
//! The store says which records are pending, so an interrupted run needs no cursor: what is stored is done.

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::events::Cause;
use super::presence;
use super::sync_context::{Ending, ResourceProgress, SyncContext, local_now};
use crate::api;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::quarantine::FailedRecord;

/// Ids per query.
pub(super) const BATCH: u32 = 500;
/// Responses per transaction, and how long to wait for them. SQLite writes whole pages, so a transaction for each
/// response would write many times its size.
const CHUNK: usize = 128;
const GATHER: Duration = Duration::from_millis(250);
/// Bytes of responses that fill a transaction.
const CHUNK_BYTES: usize = 8 << 20;
/// Records named in a message.
const NAMED: usize = 20;
/// After this many failures in a row, the rest would fail too.
const FAILURES: u32 = 20;
/// Times a record is requested per run, not counting the transport's retries. Of many thousand requests to an
/// unreliable server a few always fail, but rarely twice.
pub(super) const PASSES: u32 = 2;
/// Seconds. A record that changed this shortly before it was fetched may change again within the same second,
/// unnoticed, so it stays pending.
pub(super) const SETTLE_SECONDS: i64 = 2;

/// A record to fetch.
pub(super) trait Pending {
    fn id(&self) -> &str;
}

/// All pending records. `after` reads the next batch after an id, ordered by id.
pub(super) fn pending<'a, P: Pending + 'a>(
    run: &'a SyncContext<'_>,
    after: impl Fn(&Store, &str) -> Result<Vec<P>, Error> + Copy + 'a,
) -> impl Stream<Item = Result<P, Error>> + 'a {
    let batches = stream::try_unfold(String::new(), move |last| async move {
        let batch = run.with_store(|store| after(store, &last))?;
        let last = batch.last().map(|record| record.id().to_owned());
        Ok::<_, Error>(last.map(|last| (batch, last)))
    });
    batches.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(batch.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}

/// Responses to store in one transaction: those that arrive within [`GATHER`] of the first, up to [`CHUNK`] of them
/// or [`CHUNK_BYTES`]. `None` at the end.
pub(super) async fn next_chunk<S: Stream + Unpin>(
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

/// Records that could not be fetched in one pass, and the error budget of that pass.
#[derive(Debug)]
pub(super) struct FetchFailures {
    resource: ResourceName,
    /// Resource of the records.
    owners: ResourceName,
    /// Noun for a record, for example `conversation`.
    noun: &'static str,
    failed: Vec<FailedRecord>,
    successes: u64,
    in_a_row: u32,
    /// Whether an error affects every request: a refused token, no connection, the rate limit.
    is_blocked: bool,
    cause: Option<Cause>,
}

impl FetchFailures {
    pub fn new(resource: ResourceName, owners: ResourceName, noun: &'static str) -> Self {
        FetchFailures {
            resource,
            owners,
            noun,
            failed: Vec::new(),
            successes: 0,
            in_a_row: 0,
            is_blocked: false,
            cause: None,
        }
    }

    pub fn add_success(&mut self) {
        self.successes += 1;
        self.in_a_row = 0;
    }

    pub fn add_error(&mut self, run: &SyncContext<'_>, id: &str, error: &api::error::Error) {
        self.is_blocked |= error.status() == Some(401) || error.is_offline() || error.is_rate_limited();
        self.cause = self.cause.into_iter().chain(Cause::of(error)).min();
        self.add_failure(run, id, &error.to_string());
    }

    pub fn add_failure(&mut self, run: &SyncContext<'_>, id: &str, message: &str) {
        self.in_a_row += 1;
        self.failed.push(FailedRecord { id: id.to_owned(), reason: message.to_owned() });
        run.warn(self.resource, format!("{} {id}: {message}", self.noun));
    }

    /// Removes records that answered "not found". Those that the workspace still lists or counts are kept and count
    /// as failures, and so do all of them if most of the requested records seem to be gone.
    pub async fn remove_gone(
        &mut self,
        run: &SyncContext<'_>,
        owners: ResourceName,
        ids: Vec<String>,
        progress: &mut ResourceProgress,
    ) -> Result<(), Error> {
        if ids.len() > self.most_expected() {
            for id in ids {
                self.add_failure(run, &id, "not found, like most others");
            }
            return Ok(());
        }
        let absence = presence::verify(run, owners.resource(), ids, progress).await?;
        for id in absence.doubtful {
            self.add_failure(run, &id, "not found, although the workspace still lists or counts it");
        }
        progress.written.deleted += run.with_store(|store| store.remove_gone(owners, &absence.gone))?;
        Ok(())
    }

    /// Whether another pass may succeed.
    pub fn can_retry(&self) -> bool {
        !self.failed.is_empty() && !self.must_stop()
    }

    /// The most urgent cause, where programs can act on it.
    pub fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Whether every further request would fail.
    pub fn must_stop(&self) -> bool {
        self.is_blocked || self.in_a_row >= FAILURES
    }

    /// Whether the failures are due to the service rather than to single records.
    fn is_outage(&self) -> bool {
        self.must_stop() || self.failed.len() > self.most_expected()
    }

    /// The largest number of failures, or of missing records, that single records may explain.
    fn most_expected(&self) -> usize {
        (FAILURES as usize).max(self.successes as usize)
    }

    /// Ends the last pass of a run. Records that failed in several runs are quarantined and then do not count.
    pub fn finish(self, run: &SyncContext<'_>, progress: &mut ResourceProgress) -> Result<Ending, Error> {
        if self.is_outage() {
            progress.add_cause(self.cause);
            return Ok(Ending::Incomplete(self.message()));
        }
        let record =
            |store: &mut Store| store.record_failures(self.resource, self.owners, &self.failed, local_now());
        let report = run.with_store(record)?;
        if report.new.is_empty() && report.quarantined.is_empty() {
            return Ok(Ending::Complete);
        }
        progress.add_cause(self.cause);
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

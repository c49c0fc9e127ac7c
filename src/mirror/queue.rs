//! Work that is one call per record: read from the store as it is needed, many calls under way at once.
//!
//! What is due is a question to the store, so an interrupted run needs no cursor: what it has done is
//! done.

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::error::Error;
use super::events::Cause;
use super::presence;
use super::quarantine::Failed;
use super::resources::ResourceName;
use super::run::{Ending, Run, Tally, local};
use super::store::Store;
use crate::api;

/// Ids read from the store at a time.
pub(super) const BATCH: u32 = 500;
/// The most answers stored in one transaction, and how long to wait for that many. Every transaction writes whole
/// pages, so a transaction for each answer would write many times the size of the answer.
const CHUNK: usize = 128;
const GATHER: Duration = Duration::from_millis(250);
/// So many records are named in a message.
const NAMED: usize = 20;
/// After so many failures in a row the rest would fail as well.
const FAILURES: u32 = 20;
/// Bytes of answers that are enough for one transaction.
const CHUNK_BYTES: usize = 8 << 20;
/// How often what could not be fetched is tried, the transport's own retries aside: of many thousand
/// calls to a shaky server some few fail every time, and mostly not twice.
pub(super) const PASSES: u32 = 2;
/// Seconds. A record that changed so shortly before it was fetched may have changed once more in the
/// same second, and nobody could tell: it stays due.
pub(super) const SETTLED: i64 = 2;

/// A record about which something is to be fetched.
pub(super) trait Due {
    fn id(&self) -> &str;
}

/// Everything that is due. `after` reads a batch of the records behind an id, in order.
pub(super) fn due<'a, D: Due + 'a>(
    run: &'a Run<'_>,
    after: impl Fn(&Store, &str) -> Result<Vec<D>, Error> + Copy + 'a,
) -> impl Stream<Item = Result<D, Error>> + 'a {
    let batches = stream::try_unfold(String::new(), move |last| async move {
        let batch = run.with_store(|store| after(store, &last))?;
        let last = batch.last().map(|due| due.id().to_owned());
        Ok::<_, Error>(last.map(|last| (batch, last)))
    });
    batches.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(batch.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}

/// Answers to be stored in one transaction: those that arrive within [`GATHER`] of the first, up to [`CHUNK`] of them or
/// [`CHUNK_BYTES`]. `None` when all have come.
pub(super) async fn arrived<S: Stream + Unpin>(
    answers: &mut S,
    size: impl Fn(&S::Item) -> usize,
) -> Option<Vec<S::Item>> {
    let first = answers.next().await?;
    let until = Instant::now() + GATHER;
    let mut bytes = size(&first);
    let mut chunk = vec![first];
    while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
        let Ok(Some(answer)) = timeout_at(until, answers.next()).await else { break };
        bytes += size(&answer);
        chunk.push(answer);
    }
    Some(chunk)
}

/// Records that could not be fetched in one pass.
#[derive(Debug)]
pub(super) struct Failures {
    resource: ResourceName,
    /// What the records are.
    owners: ResourceName,
    /// What a record is called, e.g. `conversation`.
    kind: &'static str,
    failed: Vec<Failed>,
    successes: u64,
    in_a_row: u32,
    /// The service as a whole did not answer.
    refused: bool,
    cause: Option<Cause>,
}

impl Failures {
    pub fn new(resource: ResourceName, owners: ResourceName, kind: &'static str) -> Self {
        let failed = Vec::new();
        Failures { resource, owners, kind, failed, successes: 0, in_a_row: 0, refused: false, cause: None }
    }

    pub fn success(&mut self) {
        self.successes += 1;
        self.in_a_row = 0;
    }

    pub fn refusal(&mut self, run: &Run<'_>, id: &str, error: &api::error::Error) {
        self.refused |= error.status() == Some(401) || error.is_offline() || error.is_rate_limited();
        self.cause = self.cause.into_iter().chain(Cause::of(error)).min();
        self.failure(run, id, &error.to_string());
    }

    pub fn failure(&mut self, run: &Run<'_>, id: &str, message: &str) {
        self.in_a_row += 1;
        self.failed.push(Failed { id: id.to_owned(), reason: message.to_owned() });
        run.warn(self.resource, format!("{} {id}: {message}", self.kind));
    }

    /// Removes records that a pass found gone. Those that the workspace still shows or counts stay and count as
    /// failures, and so do all of them where most of what was asked for seems to be gone.
    pub async fn gone(
        &mut self,
        run: &Run<'_>,
        owners: ResourceName,
        ids: Vec<String>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        if ids.len() > (FAILURES as usize).max(self.successes as usize) {
            for id in ids {
                self.failure(run, &id, "not found, like most others");
            }
            return Ok(());
        }
        let absence = presence::verify(run, owners.resource(), ids, tally).await?;
        for id in absence.doubtful {
            self.failure(run, &id, "not found, although the workspace still lists or counts it");
        }
        tally.written.deleted += run.with_store(|store| store.remove_gone(owners, &absence.gone))?;
        Ok(())
    }

    /// Whether the same ones may well come along when they are asked for again.
    pub fn may_pass(&self) -> bool {
        !self.failed.is_empty() && !self.hopeless()
    }

    /// The kind of trouble that the failures are, as far as programs act on it.
    pub fn cause(&self) -> Option<Cause> {
        self.cause
    }

    pub fn hopeless(&self) -> bool {
        self.refused || self.in_a_row >= FAILURES
    }

    /// Whether so much failed that the service is to blame, not single records.
    fn is_outage(&self) -> bool {
        self.hopeless() || self.failed.len() > (FAILURES as usize).max(self.successes as usize)
    }

    /// What the last pass of a run came to. Records that failed in several runs are set aside and do not count.
    pub fn ending(self, run: &Run<'_>, tally: &mut Tally) -> Result<Ending, Error> {
        if self.is_outage() {
            tally.blame(self.cause);
            return Ok(Ending::Incomplete(self.message()));
        }
        let note = |store: &mut Store| store.note_failures(self.resource, self.owners, &self.failed, local());
        let noted = run.with_store(note)?;
        if noted.new.is_empty() && noted.set_aside.is_empty() {
            return Ok(Ending::Complete);
        }
        tally.blame(self.cause);
        let mut message = self.message();
        if !noted.set_aside.is_empty() {
            let aside = format!(
                "; set aside after several runs, see `status`: {}",
                noted.set_aside.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ")
            );
            message.push_str(&aside);
        }
        Ok(Ending::Incomplete(message))
    }

    fn message(&self) -> String {
        format!("{} {}s could not be fetched", self.failed.len(), self.kind)
    }
}

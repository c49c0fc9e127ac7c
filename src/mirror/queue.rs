//! Work that is one call per record: read from the store as it is needed, many calls under way at once.
//!
//! What is due is a question to the store, so an interrupted run needs no cursor: what it has done is
//! done.

use futures::stream::{self, Stream, StreamExt};

use super::error::Error;
use super::resources::ResourceName;
use super::run::{Ending, Run};
use super::store::Store;
use crate::api;

/// Ids read from the store at a time.
pub(super) const BATCH: u32 = 500;
/// Answers stored in one transaction, when so many are there.
pub(super) const CHUNK: usize = 32;
/// After so many failures in a row the rest would fail as well.
const FAILURES: u32 = 20;
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

/// Records that could not be fetched.
#[derive(Debug)]
pub(super) struct Failures {
    resource: ResourceName,
    /// What a record is called, e.g. `conversation`.
    kind: &'static str,
    count: u64,
    in_a_row: u32,
    refused: bool,
}

impl Failures {
    pub fn new(resource: ResourceName, kind: &'static str) -> Self {
        Failures { resource, kind, count: 0, in_a_row: 0, refused: false }
    }

    pub fn success(&mut self) {
        self.in_a_row = 0;
    }

    pub fn refusal(&mut self, run: &Run<'_>, id: &str, error: &api::error::Error) {
        self.refused |= error.status() == Some(401) || error.is_offline() || error.is_rate_limited();
        self.failure(run, id, &error.to_string());
    }

    pub fn failure(&mut self, run: &Run<'_>, id: &str, message: &str) {
        self.count += 1;
        self.in_a_row += 1;
        run.warn(self.resource, format!("{} {id}: {message}", self.kind));
    }

    /// Whether the same ones may well come along when they are asked for again.
    pub fn may_pass(&self) -> bool {
        self.count > 0 && !self.hopeless()
    }

    pub fn hopeless(&self) -> bool {
        self.refused || self.in_a_row >= FAILURES
    }

    pub fn ending(&self) -> Ending {
        match self.count {
            0 => Ending::Complete,
            count => Ending::Incomplete(format!("{count} {}s could not be fetched", self.kind)),
        }
    }
}

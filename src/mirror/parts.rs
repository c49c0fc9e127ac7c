//! Fetches the parts of every conversation that changed since they were last fetched.
//!
//! Lists carry no parts, so each conversation is one call; many are under way at once. Which ones are
//! due is a question to the store, so an interrupted run needs no cursor: what it has done is done.

use futures::stream::{self, Stream, StreamExt};
use rusqlite::params;

use super::conversation::Detail;
use super::error::Error;
use super::events::Event;
use super::resources::ResourceName;
use super::store::Store;
use super::sync::{Run, Tally, date, local};
use crate::api;
use crate::api::executor::{Arguments, operation};
use crate::api::reply::Reply;

const NAME: ResourceName = ResourceName::ConversationParts;
/// Ids read from the store at a time.
const BATCH: u32 = 500;
/// Conversations stored in one transaction, when so many answers are there.
const CHUNK: usize = 8;
/// After so many failures in a row the rest would fail as well.
const FAILURES: u32 = 20;
/// Seconds. A conversation that changed so shortly before it was fetched may have changed once more in
/// the same second, and nobody could tell: it stays due.
const SETTLED: i64 = 2;

/// A conversation whose parts are to be fetched.
#[derive(Debug, Clone)]
struct Due {
    id: String,
    updated_at: Option<i64>,
}

const DUE: &str = "
    FROM conversations c LEFT JOIN conversation_parts_state s ON s.conversation_id = c.id
    WHERE c.id > ?1
      AND (s.conversation_id IS NULL OR c.updated_at IS NULL OR s.updated_at IS NOT c.updated_at
           OR s.fetched_at < s.updated_at + ?2)";

impl Store {
    /// How many conversations have parts to be fetched.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn conversations_due(&self) -> Result<u64, Error> {
        let count: i64 = self
            .connection
            .prepare_cached(&format!("SELECT count(*) {DUE}"))?
            .query_row(params!["", SETTLED], |row| row.get(0))?;
        Ok(count.try_into().unwrap_or(0))
    }

    fn due_after(&self, id: &str) -> Result<Vec<Due>, Error> {
        let sql = format!("SELECT c.id, c.updated_at {DUE} ORDER BY c.id LIMIT ?3");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![id, SETTLED, BATCH], |row| {
            Ok(Due { id: row.get(0)?, updated_at: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Fetches what is due. `Some` tells why not everything could be fetched.
///
/// # Errors
/// [`Error::Api`] when the API refuses for good, anything else when the store does.
pub(super) async fn fetch(run: &Run<'_>, tally: &mut Tally) -> Result<Option<String>, Error> {
    run.with_store(|store| store.begin(NAME, run.clock.server()))?;
    let total = Some(run.with_store(|store| store.conversations_due())?);
    let one = operation("retrieveConversation")?;
    let fetched = due(run).map(|due| async move {
        let due = due?;
        let arguments = Arguments { path: vec![due.id.clone()], ..Arguments::default() };
        let answer = run.client.execute(one, &arguments).await;
        Ok::<_, Error>((due, answer))
    });
    let concurrency = run.options.concurrency.max(1);
    let mut chunks = std::pin::pin!(fetched.buffer_unordered(concurrency).ready_chunks(CHUNK));
    let mut failures = Failures::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
        tally.requests += chunk.len() as u64;
        let details: Vec<_> =
            chunk.iter().filter_map(|(due, answer)| failures.sort(run, due, answer)).collect();
        let written = run.with_store(|store| store.store_details(&details, local()))?;
        drop(details);
        tally.written.add(written);
        if written.skipped > 0 {
            run.warn(NAME, format!("{} parts without an id were left out", written.skipped));
        }
        run.tell(Event::SyncProgress { resource: NAME, rows: tally.requests, total });
        if failures.hopeless() {
            let last = chunk.into_iter().rev().find_map(|(_, answer)| answer.err());
            return last.map_or(Ok(failures.reason()), |error| Err(error.into()));
        }
    }
    Ok(failures.reason())
}

/// The due conversations, read from the store as they are needed.
fn due<'a>(run: &'a Run<'_>) -> impl Stream<Item = Result<Due, Error>> + 'a {
    let batches = stream::try_unfold(String::new(), move |after| async move {
        let batch = run.with_store(|store| store.due_after(&after))?;
        Ok::<_, Error>(batch.last().map(|last| last.id.clone()).map(|last| (batch, last)))
    });
    batches.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(batch.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}

/// Conversations that could not be fetched.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
    in_a_row: u32,
    refused: bool,
}

impl Failures {
    /// What to store for an answer; `None` when it is a failure.
    fn sort<'a>(
        &mut self,
        run: &Run<'_>,
        due: &Due,
        answer: &'a Result<Reply, api::error::Error>,
    ) -> Option<Detail<'a>> {
        let message = match answer {
            Ok(reply) => {
                let fetched_at = date(reply).unwrap_or_else(|| run.clock.server());
                let read = reply.json_text().map_err(|error| error.to_string()).and_then(|document| {
                    Detail::read(document, due.updated_at, fetched_at).map_err(|error| error.to_string())
                });
                match read {
                    Ok(detail) => {
                        self.in_a_row = 0;
                        return Some(detail);
                    }
                    Err(message) => message,
                }
            }
            Err(error) if error.is_not_found() => {
                self.in_a_row = 0;
                let fetched_at = run.clock.server();
                return Some(Detail::Gone { id: due.id.clone(), updated_at: due.updated_at, fetched_at });
            }
            Err(error) => {
                self.refused |= error.status() == Some(401) || error.is_offline() || error.is_rate_limited();
                error.to_string()
            }
        };
        self.count += 1;
        self.in_a_row += 1;
        run.warn(NAME, format!("conversation {}: {message}", due.id));
        None
    }

    fn hopeless(&self) -> bool {
        self.refused || self.in_a_row >= FAILURES
    }

    fn reason(&self) -> Option<String> {
        (self.count > 0).then(|| format!("{} conversations could not be fetched", self.count))
    }
}

//! Fetches the parts of all conversations or tickets that have changed since their parts were last fetched.
//!
//! Lists do not contain parts, so each conversation costs one request. All parts of a changed conversation must be
//! fetched again, because any of them may have changed.

use futures::stream::StreamExt;
use rusqlite::params;

use super::events::Event;
use super::pending::{BATCH, FetchFailures, PASSES, Pending, SETTLE_SECONDS, next_chunk, pending};
use super::sync_context::{Ending, ResourceProgress, SyncContext, local_now};
use crate::api;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::conversation::{Detail, Nesting};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::quarantine::is_retryable;

/// A conversation or ticket whose parts are due.
#[derive(Debug)]
struct Owner {
    id: String,
    updated_at: Option<i64>,
}

impl Pending for Owner {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The FROM clause for owners that are due, after the id `?1`; `?2` is [`SETTLE_SECONDS`].
fn from_due(nesting: &Nesting) -> String {
    let (owners, parts) = (nesting.owner, nesting.parts);
    let parent = parts.resource().parent.unwrap_or("id");
    format!(
        "FROM {owners} c LEFT JOIN {parts}_state s ON s.{parent} = c.id
         WHERE c.id > ?1
           AND (s.{parent} IS NULL OR c.updated_at IS NULL OR s.updated_at IS NOT c.updated_at
                OR s.fetched_at < s.updated_at + ?2)
           AND {}",
        is_retryable(parts)
    )
}

impl Store {
    /// The number of conversations or tickets whose parts are due.
    ///
    /// # Errors
    /// If the database fails.
    pub fn parts_due(&self, nesting: &Nesting) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) {}", from_due(nesting));
        let count: i64 =
            self.connection.prepare_cached(&sql)?.query_row(params!["", SETTLE_SECONDS], |row| row.get(0))?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// Marks all parts as due. The stored ones are kept until they are replaced.
    fn mark_parts_due(&mut self, nesting: &Nesting) -> Result<(), Error> {
        self.connection.execute(&format!("DELETE FROM {}_state", nesting.parts), [])?;
        Ok(())
    }

    fn owners_due(&self, nesting: &Nesting, after: &str) -> Result<Vec<Owner>, Error> {
        let sql = format!("SELECT c.id, c.updated_at {} ORDER BY c.id LIMIT ?3", from_due(nesting));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, SETTLE_SECONDS, BATCH], |row| {
            Ok(Owner { id: row.get(0)?, updated_at: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Fetches the parts that are due.
///
/// # Errors
/// [`Error::Api`] if the error budget is spent, another one if the database fails.
pub(super) async fn fetch(
    run: &SyncContext<'_>,
    nesting: &'static Nesting,
    progress: &mut ResourceProgress,
) -> Result<Ending, Error> {
    let owners = run.with_store(|store| store.sync_state(nesting.owner))?;
    if run.with_store(|store| store.is_empty(nesting.owner))? {
        match &owners {
            Some(state) if state.skipped => {
                return Ok(Ending::Skipped(state.reason.clone().unwrap_or_default()));
            }
            Some(state) if state.watermark.is_some() => {}
            _ => return Ok(Ending::Incomplete(format!("no {}s in the mirror: sync them too", nesting.noun))),
        }
    }
    // Parts are as current as their owners' list, however late they are fetched.
    let as_of = owners.as_ref().and_then(|state| state.watermark);
    run.with_store(|store| store.begin(nesting.parts, as_of.unwrap_or_else(|| run.clock.now())))?;
    run.with_store(|store| store.take_rereads(nesting, run.clock.now()))?;
    if run.options.full {
        run.with_store(|store| store.mark_parts_due(nesting))?;
        run.with_store(|store| store.retry_quarantined(nesting.parts))?;
    }
    if nesting.parts == ResourceName::TicketParts {
        progress.written.add(run.ticket_parts());
    }
    let mut failures = pass(run, nesting, progress).await?;
    for _ in 1..PASSES {
        if failures.can_retry() {
            failures = pass(run, nesting, progress).await?;
        }
    }
    match failures.finish(run, progress)? {
        Ending::Complete if owners.is_some_and(|state| state.complete) => {
            run.with_store(|store| store.finish(nesting.parts, None, local_now()))?;
            Ok(Ending::Complete)
        }
        Ending::Complete => Ok(Ending::Incomplete(format!("the {}s are incomplete", nesting.noun))),
        ending => Ok(ending),
    }
}

/// Requests each owner that is due once, and removes those that are gone.
async fn pass(
    run: &SyncContext<'_>,
    nesting: &'static Nesting,
    progress: &mut ResourceProgress,
) -> Result<FetchFailures, Error> {
    let due_now = run.with_store(|store| store.parts_due(nesting))?;
    let total = Some(progress.requests + due_now);
    let get = operation(nesting.operation)?;
    let fetched = pending(run, move |store: &Store, after: &str| store.owners_due(nesting, after)).map(
        |owner| async move {
            let owner = owner?;
            let arguments = Arguments { path: vec![owner.id.clone()], ..Arguments::default() };
            let answer = run.client.fetch(get, &arguments).await;
            Ok::<_, Error>((owner, answer))
        },
    );
    let concurrency = run.options.concurrency.max(1);
    let mut answers = std::pin::pin!(fetched.buffer_unordered(concurrency));
    let size = |answer: &Result<FetchResult, Error>| match answer {
        Ok((_, Ok(reply))) => reply.body.len(),
        _ => 0,
    };
    let mut failures = FetchFailures::new(nesting.parts, nesting.owner, nesting.noun);
    let mut gone = Vec::new();
    while let Some(chunk) = next_chunk(&mut answers, size).await {
        let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
        progress.requests += chunk.len() as u64;
        gone.extend(store(run, nesting, &chunk, &mut failures, progress)?);
        let requests_left = run.requests_left();
        run.emit(Event::SyncProgress {
            resource: nesting.parts,
            rows: progress.requests,
            total,
            requests_left,
        });
        if failures.must_stop() {
            progress.add_cause(failures.cause());
            let last = chunk.into_iter().rev().find_map(|(_, answer)| answer.err());
            return last.map_or_else(|| Ok(failures), |error| Err(error.into()));
        }
    }
    failures.remove_gone(run, nesting.owner, gone, progress).await?;
    Ok(failures)
}

type FetchResult = (Owner, Result<Reply, api::error::Error>);

fn store(
    run: &SyncContext<'_>,
    nesting: &'static Nesting,
    chunk: &[FetchResult],
    failures: &mut FetchFailures,
    progress: &mut ResourceProgress,
) -> Result<Vec<String>, Error> {
    let mut details = Vec::with_capacity(chunk.len());
    let mut gone = Vec::new();
    for (owner, answer) in chunk {
        match answer {
            Ok(reply) => match read(run, nesting, owner, reply) {
                Ok(detail) => details.push(detail),
                Err(message) => failures.add_failure(run, &owner.id, &message),
            },
            // Deleted since it was listed.
            Err(error) if error.is_gone() => gone.push(owner.id.clone()),
            Err(error) => failures.add_error(run, &owner.id, error),
        }
    }
    let written = run.with_store(|store| store.store_each(&details, local_now()))?;
    for (detail, written) in details.iter().zip(written) {
        progress.written.add(written);
        let problem = match written.unidentified {
            0 if detail.withholds_parts() => Some("the response has no list of parts".to_owned()),
            0 => None,
            count => Some(format!("{count} of its parts have no id")),
        };
        match problem {
            None => failures.add_success(),
            Some(problem) => failures.add_failure(run, &detail.id, &problem),
        }
    }
    Ok(gone)
}

fn read<'a>(
    run: &SyncContext<'_>,
    nesting: &'static Nesting,
    owner: &Owner,
    reply: &'a Reply,
) -> Result<Detail<'a>, String> {
    let fetched_at = reply.date().unwrap_or_else(|| run.clock.now());
    // The transport has validated JSON responses. Others must be checked here.
    let document = std::str::from_utf8(&reply.body).unwrap_or_default();
    Detail::read(nesting, document, owner.updated_at, fetched_at)
        .map_err(|error| reply.json_text().err().map_or(error.to_string(), |error| error.to_string()))
}

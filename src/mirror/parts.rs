//! Fetches the parts of every conversation, or ticket, that changed since they were last fetched.
//!
//! Lists of conversations carry no parts, so each conversation is one call. When one changed, all its
//! parts are fetched again: any of them may have changed.

use futures::stream::StreamExt;
use rusqlite::params;

use super::conversation::{Detail, Nesting};
use super::error::Error;
use super::events::Event;
use super::quarantine::is_awake;
use super::queue::{BATCH, Due, Failures, PASSES, SETTLED, arrived, due};
use super::resources::ResourceName;
use super::run::{Ending, Run, Tally, local};
use super::store::Store;
use crate::api;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};

/// A conversation or ticket whose parts are to be fetched.
#[derive(Debug)]
struct Owner {
    id: String,
    updated_at: Option<i64>,
}

impl Due for Owner {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Selects what is due behind the id `?1`; `?2` is [`SETTLED`].
fn from_due(of: &Nesting) -> String {
    let (owners, parts) = (of.owner, of.parts);
    let parent = parts.resource().parent.unwrap_or("id");
    format!(
        "FROM {owners} c LEFT JOIN {parts}_state s ON s.{parent} = c.id
         WHERE c.id > ?1
           AND (s.{parent} IS NULL OR c.updated_at IS NULL OR s.updated_at IS NOT c.updated_at
                OR s.fetched_at < s.updated_at + ?2)
           AND {}",
        is_awake(parts)
    )
}

impl Store {
    /// How many conversations, or tickets, have parts to be fetched.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn parts_due(&self, of: &Nesting) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) {}", from_due(of));
        let count: i64 =
            self.connection.prepare_cached(&sql)?.query_row(params!["", SETTLED], |row| row.get(0))?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// Makes all parts due. They stay until they have been fetched anew.
    fn forget_parts(&mut self, of: &Nesting) -> Result<(), Error> {
        self.connection.execute(&format!("DELETE FROM {}_state", of.parts), [])?;
        Ok(())
    }

    fn owners_due(&self, of: &Nesting, after: &str) -> Result<Vec<Owner>, Error> {
        let sql = format!("SELECT c.id, c.updated_at {} ORDER BY c.id LIMIT ?3", from_due(of));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, SETTLED, BATCH], |row| {
            Ok(Owner { id: row.get(0)?, updated_at: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Fetches what is due.
///
/// # Errors
/// [`Error::Api`] when the API refuses for good, anything else when the store does.
pub(super) async fn fetch(run: &Run<'_>, of: &'static Nesting, tally: &mut Tally) -> Result<Ending, Error> {
    let owners = run.with_store(|store| store.sync_state(of.owner))?;
    if run.with_store(|store| store.is_empty(of.owner))? {
        match &owners {
            Some(state) if state.skipped => {
                return Ok(Ending::Skipped(state.reason.clone().unwrap_or_default()));
            }
            Some(state) if state.watermark.is_some() => {}
            _ => return Ok(Ending::Incomplete(format!("no {}s are in the mirror: sync them too", of.noun))),
        }
    }
    // Parts are as new as what they are parts of, however late they are fetched.
    let as_of = owners.as_ref().and_then(|state| state.watermark);
    run.with_store(|store| store.begin(of.parts, as_of.unwrap_or_else(|| run.clock.server())))?;
    run.with_store(|store| store.take_rereads(of, run.clock.server()))?;
    if run.options.full {
        run.with_store(|store| store.forget_parts(of))?;
        run.with_store(|store| store.wake(of.parts))?;
    }
    if of.parts == ResourceName::TicketParts {
        tally.written.add(run.carried());
    }
    let mut failures = pass(run, of, tally).await?;
    for _ in 1..PASSES {
        if failures.may_pass() {
            failures = pass(run, of, tally).await?;
        }
    }
    match failures.ending(run, tally)? {
        Ending::Complete if owners.is_some_and(|state| state.complete) => {
            run.with_store(|store| store.finish(of.parts, None, local()))?;
            Ok(Ending::Complete)
        }
        Ending::Complete => Ok(Ending::Incomplete(format!("the {}s are not complete", of.noun))),
        ending => Ok(ending),
    }
}

/// Asks once for each that is due, and removes those that are gone.
async fn pass(run: &Run<'_>, of: &'static Nesting, tally: &mut Tally) -> Result<Failures, Error> {
    let due_now = run.with_store(|store| store.parts_due(of))?;
    let total = Some(tally.requests + due_now);
    let one = operation(of.operation)?;
    let fetched =
        due(run, move |store: &Store, after: &str| store.owners_due(of, after)).map(|owner| async move {
            let owner = owner?;
            let arguments = Arguments { path: vec![owner.id.clone()], ..Arguments::default() };
            let answer = run.client.fetch(one, &arguments).await;
            Ok::<_, Error>((owner, answer))
        });
    let concurrency = run.options.concurrency.max(1);
    let mut answers = std::pin::pin!(fetched.buffer_unordered(concurrency));
    let size = |answer: &Result<Answer, Error>| match answer {
        Ok((_, Ok(reply))) => reply.body.len(),
        _ => 0,
    };
    let mut failures = Failures::new(of.parts, of.owner, of.noun);
    let mut gone = Vec::new();
    while let Some(chunk) = arrived(&mut answers, size).await {
        let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
        tally.requests += chunk.len() as u64;
        gone.extend(store(run, of, &chunk, &mut failures, tally)?);
        let requests_left = run.requests_left();
        run.tell(Event::SyncProgress { resource: of.parts, rows: tally.requests, total, requests_left });
        if failures.hopeless() {
            tally.blame(failures.cause());
            let last = chunk.into_iter().rev().find_map(|(_, answer)| answer.err());
            return last.map_or_else(|| Ok(failures), |error| Err(error.into()));
        }
    }
    failures.gone(run, of.owner, gone, tally).await?;
    Ok(failures)
}

type Answer = (Owner, Result<Reply, api::error::Error>);

fn store(
    run: &Run<'_>,
    of: &'static Nesting,
    chunk: &[Answer],
    failures: &mut Failures,
    tally: &mut Tally,
) -> Result<Vec<String>, Error> {
    let mut details = Vec::with_capacity(chunk.len());
    let mut gone = Vec::new();
    for (owner, answer) in chunk {
        match answer {
            Ok(reply) => match read(run, of, owner, reply) {
                Ok(detail) => details.push(detail),
                Err(message) => failures.failure(run, &owner.id, &message),
            },
            // Listed a moment ago, and deleted since.
            Err(error) if error.is_gone() => gone.push(owner.id.clone()),
            Err(error) => failures.refusal(run, &owner.id, error),
        }
    }
    let written = run.with_store(|store| store.store_each(&details, local()))?;
    for (detail, written) in details.iter().zip(written) {
        tally.written.add(written);
        let trouble = match written.unidentified {
            0 if detail.withholds_parts() => Some("the answer has no list of its parts".to_owned()),
            0 => None,
            nameless => Some(format!("{nameless} of its parts came without an id")),
        };
        match trouble {
            None => failures.success(),
            Some(trouble) => failures.failure(run, &detail.id, &trouble),
        }
    }
    Ok(gone)
}

fn read<'a>(
    run: &Run<'_>,
    of: &'static Nesting,
    owner: &Owner,
    reply: &'a Reply,
) -> Result<Detail<'a>, String> {
    let fetched_at = reply.date().unwrap_or_else(|| run.clock.server());
    // The transport has made sure that what calls itself JSON is; anything else is looked at closely.
    let document = std::str::from_utf8(&reply.body).unwrap_or_default();
    Detail::read(of, document, owner.updated_at, fetched_at)
        .map_err(|error| reply.json_text().err().map_or(error.to_string(), |error| error.to_string()))
}

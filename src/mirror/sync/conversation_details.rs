//! Fetches the parts of all conversations or tickets that have changed since their parts were last fetched.
//!
//! Lists do not contain parts, so each conversation costs one request. All parts of a changed conversation must be
//! fetched again, because any of them may have changed.

use super::fetch_each::{FetchAnswer, FetchFailures, fetch_each, pending};
use super::sync_context::{Ending, ResourceSync, local_now};
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::conversation::{Detail, Nesting};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::pending::PendingRecord;

/// Fetches the parts that are due.
///
/// # Errors
/// [`Error::Api`] if the error budget is spent, another one if the database fails.
pub(super) async fn fetch(sync: &mut ResourceSync<'_>, nesting: &'static Nesting) -> Result<Ending, Error> {
    let owners = sync.with_store(|store| store.sync_state(nesting.owner))?;
    if sync.with_store(|store| store.is_empty(nesting.owner))? {
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
    sync.with_store(|store| {
        let now = sync.run.clock.now();
        store.begin(nesting.parts, as_of.unwrap_or(now))?;
        store.take_rereads(nesting, now)?;
        if sync.run.options.full { store.mark_due(nesting.parts) } else { Ok(()) }
    })?;
    if nesting.parts == ResourceName::TicketParts {
        sync.progress.written.add(sync.run.ticket_parts());
    }
    let mut failures = pass(sync, nesting).await?;
    if failures.can_retry() {
        failures = pass(sync, nesting).await?;
    }
    match failures.finish(sync)? {
        Ending::Complete if owners.is_some_and(|state| state.complete) => {
            sync.with_store(|store| store.finish(nesting.parts, None, local_now()))?;
            Ok(Ending::Complete)
        }
        Ending::Complete => Ok(Ending::Incomplete(format!("the {}s are incomplete", nesting.noun))),
        ending => Ok(ending),
    }
}

/// Requests each owner that is due once.
async fn pass(sync: &mut ResourceSync<'_>, nesting: &'static Nesting) -> Result<FetchFailures, Error> {
    let run = sync.run;
    let total = sync.progress.requests + sync.with_store(|store| store.parts_due(nesting))?;
    let get = operation(nesting.operation)?;
    let request = |record: PendingRecord| async move {
        let result = run.client.fetch(get, &Arguments::of_record(&record.id)).await;
        Ok(FetchAnswer { record, requests: 1, result: result.map_err(Into::into) })
    };
    fetch_each(
        sync,
        FetchFailures::new(nesting.owner, nesting.noun),
        pending(run, |store: &Store, after: &str| store.owners_due(nesting, after)),
        request,
        |reply| reply.body.len(),
        |sync, failures, replies| {
            store(sync, nesting, failures, &replies)?;
            sync.emit_progress(sync.progress.requests, Some(total));
            Ok(())
        },
    )
    .await
}

fn store(
    sync: &mut ResourceSync<'_>,
    nesting: &'static Nesting,
    failures: &mut FetchFailures,
    replies: &[(PendingRecord, Reply)],
) -> Result<(), Error> {
    let mut details = Vec::with_capacity(replies.len());
    for (owner, reply) in replies {
        let fetched_at = reply.date().unwrap_or_else(|| sync.run.clock.now());
        match read(nesting, owner, reply, fetched_at) {
            Ok(detail) => details.push(detail),
            Err(message) => failures.add_failure(sync, &owner.id, &message),
        }
    }
    let written = sync.with_store(|store| store.store_each(&details, local_now()))?;
    for (detail, written) in details.iter().zip(written) {
        sync.progress.written.add(written);
        let problem = match written.unidentified {
            0 if detail.withholds_parts() => Some("the response has no list of parts".to_owned()),
            0 => None,
            count => Some(format!("{count} of its parts have no id")),
        };
        match problem {
            None => failures.add_success(),
            Some(problem) => failures.add_failure(sync, &detail.id, &problem),
        }
    }
    Ok(())
}

fn read<'a>(
    nesting: &'static Nesting,
    owner: &PendingRecord,
    reply: &'a Reply,
    fetched_at: i64,
) -> Result<Detail<'a>, String> {
    // The transport has validated JSON responses. Others must be checked here.
    let document = std::str::from_utf8(&reply.body).unwrap_or_default();
    Detail::read(nesting, document, owner.updated_at, fetched_at)
        .map_err(|error| reply.json_text().err().map_or(error.to_string(), |error| error.to_string()))
}

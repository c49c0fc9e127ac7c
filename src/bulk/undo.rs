//! What takes a run back: another run, with the opposite changes.
//!
//! Only what the run itself has changed is taken back, and only where the record is still as the run
//! left it. Everything else is listed with its reason.

use futures::StreamExt;
use serde_json::{Value, json};

use super::change::Change;
use super::error::{Error, told};
use super::journal::{Run, Status};
use super::plan::Record;
use super::read;
use super::state::tagged_by;
use crate::api::client::Client;

/// The records of the run that takes `run` back. Those that cannot be taken back carry the reason in
/// `skip`.
///
/// # Errors
/// When the workspace does not answer.
pub async fn plan(client: &Client, run: &Run, concurrency: usize) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    // What the run did not change there is nothing to say of.
    let changed = |record: &&Record| {
        let status = run.status(&record.id);
        record.is_due() && (matches!(status, Status::Done { .. }) || status.was_sent())
    };
    let mut ids = Vec::new();
    for record in run.records.iter().filter(changed) {
        let before = run.before(record);
        match record.change.inverse(before) {
            _ if before.is_null() && record.change.needs_before() => {
                records.push(left(record, "its state before is not known"))
            }
            Err(reason) => records.push(left(record, reason.0)),
            Ok(_) => ids.push(record.id.clone()),
        }
    }
    let mut answers = std::pin::pin!(read::documents(client, run.head.target, ids, concurrency));
    while let Some((id, answer)) = answers.next().await {
        let Some(record) = run.records.iter().find(|record| record.id == id) else { continue };
        let document = match answer {
            Ok(mut document) => {
                read::complete(client, run.head.target, &record.change, &mut document, &id).await?;
                document
            }
            Err(error) if error.is_not_found() => json!({}),
            Err(error) if error.is_unauthorized() => return Err(error.into()),
            Err(error) => {
                let mut kept = left(record, "its state now is not known");
                kept.shown["error"] = told(&error);
                records.push(kept);
                continue;
            }
        };
        if let Change::Tag { tag_id, .. } = &record.change
            && tagged_by(&document, tag_id).is_some_and(|teammate| teammate != run.head.admin_id)
        {
            records.push(left(record, "tagged by another teammate"));
            continue;
        }
        let now = record.change.state(run.head.target, &run.head.admin_id, &document);
        records.push(taken_back(record, run, now));
    }
    let place = |record: &Record| run.records.iter().position(|other| other.id == record.id);
    records.sort_by_cached_key(place);
    Ok(records)
}

/// What is to happen to a record that the run has changed, given its state now. The workspace may have
/// written a value in another way than it was sent.
fn taken_back(record: &Record, run: &Run, now: Option<Value>) -> Record {
    let before = run.before(record);
    let Ok(inverse) = record.change.inverse(before) else { return left(record, "irrevocable") };
    let Some(now) = now else {
        // An archived contact tells nothing of itself, and sending it twice does no harm.
        let mut record = Record { change: inverse, before: Value::Null, ..record.clone() };
        record.skip = None;
        return record;
    };
    let is_as_left = matches!(run.status(&record.id), Status::Done { after, .. } if *after == now);
    if !is_as_left && !record.change.is_done(before, &now) {
        return left(record, "changed since");
    }
    Record { shown: record.shown.clone(), ..Record::new(record.id.clone(), inverse, now) }
}

fn left(record: &Record, reason: &str) -> Record {
    Record { skip: Some(reason.to_owned()), ..record.clone() }
}

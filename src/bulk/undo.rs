//! Plans the undo of a run: another run with the inverse changes.
//!
//! An undo must only touch records that the run itself changed and that have not changed since. All others are listed
//! with a reason.

use futures::StreamExt;
use serde_json::{Value, json};

use super::change::Change;
use super::error::{Error, error_json};
use super::journal::{BulkRun, RecordStatus};
use super::plan::PlannedRecord;
use super::read;
use super::state::{is_same_state, tagged_by};
use crate::api::client::Client;

/// Plans the undo of `run`. Records that cannot be undone have the reason in `skip`.
///
/// # Errors
/// API errors.
pub async fn plan(client: &Client, run: &BulkRun, concurrency: usize) -> Result<Vec<PlannedRecord>, Error> {
    let mut records = Vec::new();
    let was_changed = |record: &&PlannedRecord| {
        let status = run.status(&record.id);
        record.is_due() && (matches!(status, RecordStatus::Done { .. }) || status.was_sent())
    };
    let mut ids = Vec::new();
    for record in run.records.iter().filter(was_changed) {
        let before = run.before(record);
        match record.change.inverse(before) {
            _ if before.is_null() && record.change.needs_before() => {
                records.push(skip(record, "previous state unknown"))
            }
            Err(reason) => records.push(skip(record, reason.0)),
            Ok(_) => ids.push(record.id.clone()),
        }
    }
    let mut answers = std::pin::pin!(read::documents(client, run.head.target, ids, concurrency));
    while let Some((id, answer)) = answers.next().await {
        let Some(record) = run.records.iter().find(|record| record.id == id) else { continue };
        let document = match answer {
            Ok(mut document) => {
                read::complete_tags(client, run.head.target, &record.change, &mut document, &id).await?;
                document
            }
            Err(error) if error.is_not_found() => json!({}),
            Err(error) if error.is_unauthorized() => return Err(error.into()),
            Err(error) => {
                let mut skipped = skip(record, "current state unknown");
                skipped.shown["error"] = error_json(&error);
                records.push(skipped);
                continue;
            }
        };
        if let Change::Tag { tag_id, .. } = &record.change
            && tagged_by(&document, tag_id).is_some_and(|teammate| teammate != run.head.admin_id)
        {
            records.push(skip(record, "tagged by another teammate"));
            continue;
        }
        let now = record.change.state(run.head.target, &run.head.admin_id, &document);
        records.push(undo_record(record, run, now));
    }
    let position = |record: &PlannedRecord| run.records.iter().position(|other| other.id == record.id);
    records.sort_by_cached_key(position);
    Ok(records)
}

/// Plans the undo of one record from its current state. The API may have normalized the value that was sent.
fn undo_record(record: &PlannedRecord, run: &BulkRun, now: Option<Value>) -> PlannedRecord {
    let before = run.before(record);
    let Ok(inverse) = record.change.inverse(before) else { return skip(record, "irrevocable") };
    let Some(now) = now else {
        // The state of an archived contact cannot be read; sending the inverse twice is harmless.
        let mut record = PlannedRecord { change: inverse, before: Value::Null, ..record.clone() };
        record.skip = None;
        return record;
    };
    let is_unchanged =
        matches!(run.status(&record.id), RecordStatus::Done { after, .. } if is_same_state(after, &now));
    if !is_unchanged && !record.change.is_done(before, &now) {
        return skip(record, "changed since");
    }
    PlannedRecord { shown: record.shown.clone(), ..PlannedRecord::new(record.id.clone(), inverse, now) }
}

fn skip(record: &PlannedRecord, reason: &str) -> PlannedRecord {
    PlannedRecord { skip: Some(reason.to_owned()), ..record.clone() }
}

//! Finds out which contacts are in which segment.
//!
//! A contact's document does not tell, and asking for each contact would cost a call per contact. So the
//! members of a segment are searched for, when its count has moved or everything is fetched anyway. What
//! leaves a segment while something else enters it is found by the next full run only.

use std::pin::pin;

use futures::StreamExt;
use serde_json::{Value, json};

use super::error::Error;
use super::fields;
use super::store::Store;
use super::sync::{Run, Tally};
use crate::api::executor::{Arguments, operation};
use crate::api::paging::Page;

/// A segment, as the API counts it.
#[derive(Debug)]
struct Segment {
    id: String,
    count: Option<i64>,
}

impl Store {
    /// The count with which a segment's members were last read.
    fn segment_count(&self, segment: &str) -> Result<Option<i64>, Error> {
        let sql = "SELECT max(count) FROM contact_segments_state WHERE segment_id = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([segment], |row| row.get(0))?)
    }

    /// Contacts that are not stored are left out.
    fn put_members(&mut self, segment: &str, members: &[String]) -> Result<(), Error> {
        let transaction = self.write()?;
        {
            let mut link = transaction.prepare_cached(
                "INSERT OR IGNORE INTO contact_segments (contact_id, segment_id)
                 SELECT id, ?2 FROM contacts WHERE id = ?1",
            )?;
            let mut see = transaction
                .prepare_cached("INSERT OR IGNORE INTO sync_seen (resource, id) VALUES (?1, ?2)")?;
            for member in members {
                link.execute((member, segment))?;
                see.execute((seen_as(segment), member))?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Takes out everybody who did not come along, or starts anew without taking out anybody.
    fn end_members(&mut self, segment: &Segment, complete: bool) -> Result<(), Error> {
        let transaction = self.write()?;
        if complete {
            transaction.execute(
                "DELETE FROM contact_segments WHERE segment_id = ?1
                 AND contact_id NOT IN (SELECT id FROM sync_seen WHERE resource = ?2)",
                (&segment.id, seen_as(&segment.id)),
            )?;
            transaction.execute(
                "INSERT OR REPLACE INTO contact_segments_state (segment_id, count) VALUES (?1, ?2)",
                (&segment.id, segment.count),
            )?;
        }
        transaction.execute("DELETE FROM sync_seen WHERE resource = ?1", [seen_as(&segment.id)])?;
        Ok(transaction.commit()?)
    }

    /// Forgets the members of segments that are not among these.
    fn keep_segments(&mut self, segments: &[Segment]) -> Result<(), Error> {
        let ids: Vec<&str> = segments.iter().map(|segment| segment.id.as_str()).collect();
        let ids = json!(ids).to_string();
        let transaction = self.write()?;
        for table in ["contact_segments", "contact_segments_state"] {
            let sql =
                format!("DELETE FROM {table} WHERE segment_id NOT IN (SELECT value FROM json_each(?1))");
            transaction.execute(&sql, [&ids])?;
        }
        Ok(transaction.commit()?)
    }
}

fn seen_as(segment: &str) -> String {
    format!("segment {segment}")
}

/// Brings the members of all segments up to date. Segments that the workspace does not offer have none.
///
/// # Errors
/// [`Error::Api`] when a search fails, anything else when the store refuses.
pub(super) async fn fetch(run: &Run<'_>, tally: &mut Tally) -> Result<(), Error> {
    tally.requests += 1;
    let arguments =
        Arguments { query: vec![("include_count".into(), "true".into())], ..Arguments::default() };
    let list = operation("listSegments")?;
    let segments = match run.client.fetch(list, &arguments).await {
        Ok(reply) => segments(&Page::read(list, &arguments, reply)?),
        Err(error) if matches!(error.status(), Some(402..=404 | 501)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    run.with_store(|store| store.keep_segments(&segments))?;
    let everything = run.options.full || run.options.prune;
    for segment in &segments {
        let known = run.with_store(|store| store.segment_count(&segment.id))?;
        if everything || known.is_none() || known != segment.count {
            members(run, segment, tally).await?;
        }
    }
    Ok(())
}

fn segments(page: &Page) -> Vec<Segment> {
    let read = |item: &str| {
        let segment: Value = serde_json::from_str(item).ok()?;
        Some(Segment { id: fields::id(&segment["id"])?, count: fields::integer(&segment["count"]) })
    };
    page.items.iter().filter_map(|item| read(item.get())).collect()
}

async fn members(run: &Run<'_>, segment: &Segment, tally: &mut Tally) -> Result<(), Error> {
    let body = json!({"query": {"field": "segment_id", "operator": "=", "value": segment.id}});
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    run.with_store(|store| store.end_members(segment, false))?;
    let mut pages = pin!(run.client.pages(operation("SearchContacts")?, arguments, run.options.per_page));
    while let Some(page) = pages.next().await {
        tally.requests += 1;
        let page = page?;
        let id = |item: &str| fields::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let members: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        run.with_store(|store| store.put_members(&segment.id, &members))?;
    }
    run.with_store(|store| store.end_members(segment, true))
}

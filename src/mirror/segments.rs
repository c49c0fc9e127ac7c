//! Finds out which contacts are in which segment.
//!
//! A contact's document does not tell, and asking for each contact would cost a call per contact. So the
//! members of a segment are searched for, when its count has moved or everything is fetched anyway. Who
//! leaves while somebody else enters moves no count, so they are searched for once a day as well. A server
//! that does not count is asked whenever contacts have changed.

use std::pin::pin;

use futures::StreamExt;
use rusqlite::{OptionalExtension, Row};
use serde_json::{Value, json};

use super::error::Error;
use super::fields;
use super::run::{Run, Tally};
use super::store::Store;
use crate::api::executor::{Arguments, operation};
use crate::api::paging::Page;

/// Seconds after which a count that has not moved is no longer relied on.
const STALE: i64 = 24 * 3_600;

/// A segment, as the API counts it.
#[derive(Debug)]
struct Segment {
    id: String,
    count: Option<i64>,
}

/// The last complete reading of a segment's members.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// What the API counted then.
    count: Option<i64>,
    /// Epoch seconds, by the server's clock.
    read_at: i64,
}

impl Segment {
    /// Whether the members may be others than those of the last reading.
    fn is_due(&self, last: Option<Reading>, now: i64, contacts_changed: bool) -> bool {
        let uncounted = self.count.is_none() && contacts_changed;
        uncounted || last.is_none_or(|last| last.count != self.count || now - last.read_at >= STALE)
    }
}

impl Store {
    fn last_reading(&self, segment: &str) -> Result<Option<Reading>, Error> {
        let sql = "SELECT count, read_at FROM contact_segments_state WHERE segment_id = ?1";
        let mut find = self.connection.prepare_cached(sql)?;
        let reading = |row: &Row<'_>| Ok(Reading { count: row.get(0)?, read_at: row.get(1)? });
        Ok(find.query_row([segment], reading).optional()?)
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

    /// Starts anew: whoever came along before the end does not count.
    fn begin_members(&mut self, segment: &Segment) -> Result<(), Error> {
        self.connection.execute("DELETE FROM sync_seen WHERE resource = ?1", [seen_as(&segment.id)])?;
        Ok(())
    }

    /// Takes out everybody who did not come along. `now` is epoch seconds.
    fn end_members(&mut self, segment: &Segment, now: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute(
            "DELETE FROM contact_segments WHERE segment_id = ?1
             AND contact_id NOT IN (SELECT id FROM sync_seen WHERE resource = ?2)",
            (&segment.id, seen_as(&segment.id)),
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO contact_segments_state (segment_id, count, read_at) VALUES (?1, ?2, ?3)",
            (&segment.id, segment.count, now),
        )?;
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
    let changed = tally.written.inserted + tally.written.updated + tally.written.deleted > 0;
    for segment in &segments {
        let last = run.with_store(|store| store.last_reading(&segment.id))?;
        if everything || segment.is_due(last, run.clock.server(), changed) {
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
    let began = run.clock.server();
    run.with_store(|store| store.begin_members(segment))?;
    let mut pages = pin!(run.client.pages(operation("SearchContacts")?, arguments, run.options.per_page));
    while let Some(page) = pages.next().await {
        tally.requests += 1;
        let page = page?;
        let id = |item: &str| fields::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let members: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        run.with_store(|store| store.put_members(&segment.id, &members))?;
    }
    run.with_store(|store| store.end_members(segment, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_again_when_the_count_moves_and_once_a_day() {
        let segment = |count| Segment { id: "1".to_owned(), count };
        let last = |count, read_at| Some(Reading { count, read_at });
        for (segment, last, due) in [
            (segment(Some(3)), None, true),
            (segment(Some(3)), last(Some(3), 1_000), false),
            (segment(Some(4)), last(Some(3), 1_000), true),
            (segment(Some(3)), last(Some(3), 1_000 - STALE), true),
            // A server that does not count.
            (segment(None), None, true),
            (segment(None), last(None, 1_000), false),
            (segment(None), last(None, 1_000 - STALE), true),
        ] {
            assert_eq!(segment.is_due(last, 1_000, false), due, "{segment:?} {last:?}");
        }
        assert!(!segment(Some(3)).is_due(last(Some(3), 1_000), 1_000, true));
        assert!(segment(None).is_due(last(None, 1_000), 1_000, true));
    }
}

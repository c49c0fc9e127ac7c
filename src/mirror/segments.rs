//! Finds out which contacts are in which segment.
//!
//! A contact's document does not tell, and asking for each contact would cost a call per contact. So the
//! members of a segment are searched for, when its count has moved or everything is fetched anyway. Who
//! leaves while somebody else enters moves no count, so they are searched for once a day as well. A server
//! that does not count is asked whenever contacts have changed.
//!
//! Where few contacts have changed each of them is asked, and a segment whose count agrees with what is known
//! then is not searched. A large segment is searched no more often than its size allows.

use std::pin::pin;

use futures::StreamExt;
use rusqlite::{OptionalExtension, Row};
use serde_json::{Value, json};

use super::cadence::DAILY;
use super::error::Error;
use super::events::Cause;
use super::resources::ResourceName;
use super::run::{Ending, Run, Tally};
use super::store::Store;
use super::walk::is_not_offered;
use super::{cadence, fields, prune};
use crate::api;
use crate::api::paging::Page;
use crate::api::request_builder::{Arguments, operation};

/// So many changed contacts are asked one by one.
const FEW: u32 = 20;
/// Segments that may fail before the rest is left to the next run.
const MOST_UNREAD: usize = 5;
/// Members on a page of a search.
const PAGE: u64 = 150;

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
    /// How many members are stored now.
    members: i64,
}

impl Segment {
    /// Whether the members may be others than those of the last reading. `interval` is the least time between
    /// two readings, in seconds.
    fn is_due(&self, last: Option<Reading>, now: i64, contacts_changed: bool, interval: i64) -> bool {
        let Some(last) = last else { return true };
        let age = (now - last.read_at).abs();
        let moved = match self.count {
            Some(count) => last.members != count && (contacts_changed || last.count != Some(count)),
            None => contacts_changed || last.count.is_some(),
        };
        (moved && age >= interval) || age >= DAILY
    }
}

impl Store {
    fn last_reading(&self, segment: &str) -> Result<Option<Reading>, Error> {
        let sql = "SELECT count, read_at,
                          (SELECT count(*) FROM contact_segments WHERE segment_id = ?1)
                   FROM contact_segments_state WHERE segment_id = ?1";
        let mut find = self.connection.prepare_cached(sql)?;
        let reading =
            |row: &Row<'_>| Ok(Reading { count: row.get(0)?, read_at: row.get(1)?, members: row.get(2)? });
        Ok(find.query_row([segment], reading).optional()?)
    }

    /// Whether the members of any segment have been read.
    fn has_members(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM contact_segments_state)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Contacts that have changed since their texts were last read, unless those are many.
    fn few_changed(&self) -> Result<Vec<String>, Error> {
        let sql = "SELECT record_id FROM texts_due t WHERE resource = 'contacts'
                   AND EXISTS (SELECT 1 FROM contacts WHERE id = t.record_id) LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids: Vec<String> = statement.query_map([FEW + 1], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(if ids.len() > FEW as usize { Vec::new() } else { ids })
    }

    /// Puts a contact into these of the segments whose members are known, and into no others.
    fn put_segments_of(&mut self, contact: &str, segments: &[String]) -> Result<(), Error> {
        let segments = json!(segments).to_string();
        let transaction = self.write()?;
        transaction.execute(
            "DELETE FROM contact_segments WHERE contact_id = ?1
             AND segment_id NOT IN (SELECT value FROM json_each(?2))",
            (contact, &segments),
        )?;
        transaction.execute(
            "INSERT OR IGNORE INTO contact_segments (contact_id, segment_id)
             SELECT ?1, value FROM json_each(?2) WHERE value IN (SELECT segment_id FROM contact_segments_state)",
            (contact, &segments),
        )?;
        Ok(transaction.commit()?)
    }

    /// Begins to gather the members of a segment. They are kept in a temporary table until all have arrived: the
    /// search returns them in no order, so storing each page of it would write most pages of the index.
    fn begin_members(&mut self) -> Result<(), Error> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS members (id TEXT PRIMARY KEY);
             DELETE FROM temp.members;",
        )?;
        Ok(())
    }

    fn gather_members(&mut self, members: &[String]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let sql = "INSERT OR IGNORE INTO temp.members (id) VALUES (?1)";
            let mut insert = transaction.prepare_cached(sql)?;
            for member in members {
                insert.execute([member])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Makes the gathered contacts the members of the segment. Contacts that are not stored are
    /// left out. `now` is epoch seconds.
    fn end_members(&mut self, segment: &Segment, now: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute(
            "DELETE FROM contact_segments WHERE segment_id = ?1 AND contact_id NOT IN (SELECT id FROM temp.members)",
            [&segment.id],
        )?;
        transaction.execute(
            "INSERT OR IGNORE INTO contact_segments (contact_id, segment_id)
             SELECT id, ?1 FROM temp.members WHERE id IN (SELECT id FROM contacts) ORDER BY id",
            [&segment.id],
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO contact_segments_state (segment_id, count, read_at) VALUES (?1, ?2, ?3)",
            (&segment.id, segment.count, now),
        )?;
        transaction.commit()?;
        self.connection.execute("DELETE FROM temp.members", [])?;
        Ok(())
    }

    fn forget_members(&mut self, segment: &str) -> Result<(), Error> {
        let transaction = self.write()?;
        for table in ["contact_segments", "contact_segments_state"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE segment_id = ?1"), [segment])?;
        }
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

/// Brings the members of all segments up to date. Segments that the workspace does not offer have none. One that
/// cannot be read keeps its members and does not hold up the others.
///
/// # Errors
/// [`Error::Api`] when the segments cannot be listed, or no call succeeds any more; anything else when the store
/// refuses.
pub(super) async fn fetch(run: &Run<'_>, tally: &mut Tally) -> Result<Ending, Error> {
    let segments = match listed(run, tally).await {
        Ok(segments) => segments,
        // What was there once and is refused now is missing, not absent.
        Err(error) if is_not_offered(&error) && !run.with_store(|store| store.has_members())? => {
            return Ok(Ending::Complete);
        }
        Err(error) => {
            if is_not_offered(&error) {
                tally.blame(Some(Cause::Refused));
            }
            return Err(error.into());
        }
    };
    run.with_store(|store| store.keep_segments(&segments))?;
    let everything = run.options.full || run.options.prune;
    let changed = tally.written.inserted + tally.written.updated + tally.written.deleted > 0;
    if changed && !everything {
        few(run, &segments, tally).await?;
    }
    // A mirror of what changed since a moment never holds all members, so their number says nothing there.
    let state = run.with_store(|store| store.sync_state(ResourceName::Contacts))?;
    let changed = changed && state.is_some_and(|state| state.floor.is_none());
    let mut unread = Vec::new();
    for segment in &segments {
        let last = run.with_store(|store| store.last_reading(&segment.id))?;
        let size = segment.count.or(last.map(|last| last.members)).unwrap_or(0);
        let interval = cadence::interval(run, u64::try_from(size).unwrap_or(0).div_ceil(PAGE));
        if everything || segment.is_due(last, run.clock.server(), changed, interval) {
            match members(run, segment, tally).await {
                Err(Error::Api(error)) if !is_final(&error) && is_gone(run, segment, tally).await? => {}
                Err(Error::Api(error)) if !is_final(&error) && unread.len() < MOST_UNREAD => {
                    tally.blame(Cause::of(&error));
                    unread.push(segment.id.as_str());
                    run.warn(ResourceName::Contacts, format!("segment {}: {error}", segment.id));
                }
                result => result?,
            }
        }
    }
    if unread.is_empty() {
        return Ok(Ending::Complete);
    }
    Ok(Ending::Incomplete(format!("the members of segments could not be read: {}", unread.join(", "))))
}

/// The segments that the workspace lists, with their counts.
async fn listed(run: &Run<'_>, tally: &mut Tally) -> Result<Vec<Segment>, api::Error> {
    tally.requests += 1;
    let arguments =
        Arguments { query: vec![("include_count".into(), "true".into())], ..Arguments::default() };
    let list = operation("listSegments")?;
    let page = Page::read(list, &arguments, run.client.fetch(list, &arguments).await?)?;
    page.require_list()?;
    page.require_ids()?;
    Ok(segments(&page))
}

/// Whether every further call would fail as well.
fn is_final(error: &api::Error) -> bool {
    error.status() == Some(401) || error.is_offline() || error.is_rate_limited()
}

/// Whether a segment was deleted since it was listed; then nobody is in it. One that is still listed is there,
/// whatever it answers itself.
async fn is_gone(run: &Run<'_>, segment: &Segment, tally: &mut Tally) -> Result<bool, Error> {
    let segments = ResourceName::Segments.resource();
    let Some(one) = segments.one else { return Ok(false) };
    match prune::gone(run, segments, one, vec![segment.id.clone()], tally).await {
        Ok(gone) if gone.is_empty() => Ok(false),
        Ok(_) => match listed(run, tally).await {
            Ok(segments) if !segments.iter().any(|listed| listed.id == segment.id) => {
                run.with_store(|store| store.forget_members(&segment.id))?;
                Ok(true)
            }
            _ => Ok(false),
        },
        Err(Error::Api(error)) => {
            tracing::debug!(%error, segment = %segment.id, "not known whether it is there");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Asks the contacts that have changed for their segments, where they are few. What cannot be had so is left to
/// the search.
async fn few(run: &Run<'_>, segments: &[Segment], tally: &mut Tally) -> Result<(), Error> {
    let known = |segment: &Segment| run.with_store(|store| Ok(store.last_reading(&segment.id)?.is_some()));
    if segments.is_empty() || !segments.iter().map(known).collect::<Result<Vec<_>, _>>()?.contains(&true) {
        return Ok(());
    }
    let list = operation("listSegmentsForAContact")?;
    for contact in run.with_store(|store| store.few_changed())? {
        let arguments = Arguments { path: vec![contact.clone()], ..Arguments::default() };
        tally.requests += 1;
        let page = match run.client.fetch(list, &arguments).await {
            Ok(reply) => Page::read(list, &arguments, reply)?,
            Err(error) => {
                tracing::debug!(%error, %contact, "segments are left to the search");
                return Ok(());
            }
        };
        if page.key.is_none() || page.next.is_some() {
            continue;
        }
        let id = |item: &str| fields::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let ids: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        run.with_store(|store| store.put_segments_of(&contact, &ids))?;
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
    run.with_store(Store::begin_members)?;
    let mut pages = pin!(run.client.pages(operation("SearchContacts")?, arguments, run.options.per_page));
    while let Some(page) = pages.next().await {
        tally.requests += 1;
        let page = page?;
        page.require_whole()?;
        page.require_ids()?;
        let id = |item: &str| fields::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let members: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        run.with_store(|store| store.gather_members(&members))?;
    }
    run.with_store(|store| store.end_members(segment, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_again_when_the_count_moves_and_once_a_day() {
        let segment = |count| Segment { id: "1".to_owned(), count };
        let last = |count, read_at| Some(Reading { count, read_at, members: 3 });
        let now = 1_000;
        for (segment, last, due) in [
            (segment(Some(3)), None, true),
            (segment(Some(3)), last(Some(3), now), false),
            (segment(Some(4)), last(Some(3), now), true),
            // Those who came are known already.
            (segment(Some(3)), last(Some(2), now), false),
            (segment(Some(3)), last(Some(3), now - DAILY), true),
            // A server that does not count.
            (segment(None), None, true),
            (segment(None), last(None, now), false),
            (segment(None), last(None, now - DAILY), true),
        ] {
            assert_eq!(segment.is_due(last, now, false, 0), due, "{segment:?} {last:?}");
        }
        assert!(!segment(Some(3)).is_due(last(Some(3), now), now, true, 0));
        // Members were deleted and others created: the count stays, and the stored members are too few.
        assert!(segment(Some(9)).is_due(last(Some(9), now), now, true, 0));
        assert!(!segment(Some(9)).is_due(last(Some(9), now), now, false, 0));
        assert!(segment(None).is_due(last(None, now), now, true, 0));
        // A large one waits.
        assert!(!segment(Some(4)).is_due(last(Some(3), now - 99), now, true, 100));
        assert!(segment(Some(4)).is_due(last(Some(3), now - 100), now, true, 100));
    }
}

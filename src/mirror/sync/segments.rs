//! Fetches the members of segments.
//!
//! Contacts do not list their segments, and querying each contact would take one request per contact. Members are
//! therefore searched per segment, when its count has changed or everything is fetched anyway. One contact may leave
//! while another enters, so every segment is also searched once a day. If the server reports no count, a segment is
//! searched whenever contacts have changed.
//!
//! If only a few contacts have changed, each of them is queried instead, and segments whose count then matches the
//! stored members are not searched. The larger a segment, the less often it is searched.

use std::pin::pin;

use futures::StreamExt;
use rusqlite::{OptionalExtension, Row};
use serde_json::{Value, json};

use super::cadence::DAILY;
use super::events::Cause;
use super::list::is_not_offered;
use super::sync_context::{Ending, ResourceProgress, SyncContext};
use super::{cadence, prune};
use crate::api;
use crate::api::paging::Page;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;

/// Up to this many changed contacts are queried one by one.
const FEW: u32 = 20;
/// Error budget: after this many failed segments, the next failure ends the run.
const MAX_FAILED: usize = 5;
/// Members per page of a search.
const PAGE: u64 = 150;

/// A segment with its count from the API.
#[derive(Debug)]
struct Segment {
    id: String,
    count: Option<i64>,
}

/// The last complete fetch of a segment's members.
#[derive(Debug, Clone, Copy)]
struct MembersState {
    /// The API's count at that time.
    count: Option<i64>,
    /// Epoch seconds, by the server's clock.
    read_at: i64,
    /// Number of stored members.
    members: i64,
}

impl Segment {
    /// Whether the members may have changed since the last fetch. `interval` is the minimum time between two fetches,
    /// in seconds.
    fn is_due(&self, last: Option<MembersState>, now: i64, contacts_changed: bool, interval: i64) -> bool {
        let Some(last) = last else { return true };
        let age = (now - last.read_at).abs();
        let count_changed = match self.count {
            Some(count) => last.members != count && (contacts_changed || last.count != Some(count)),
            None => contacts_changed || last.count.is_some(),
        };
        (count_changed && age >= interval) || age >= DAILY
    }
}

impl Store {
    fn members_state(&self, segment: &str) -> Result<Option<MembersState>, Error> {
        let sql = "SELECT count, read_at,
                          (SELECT count(*) FROM contact_segments WHERE segment_id = ?1)
                   FROM contact_segments_state WHERE segment_id = ?1";
        let mut find = self.connection.prepare_cached(sql)?;
        let state = |row: &Row<'_>| {
            Ok(MembersState { count: row.get(0)?, read_at: row.get(1)?, members: row.get(2)? })
        };
        Ok(find.query_row([segment], state).optional()?)
    }

    /// Whether the members of any segment were fetched.
    fn has_members(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM contact_segments_state)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Contacts that changed since their texts were last indexed; empty if there are more than [`FEW`].
    fn few_changed(&self) -> Result<Vec<String>, Error> {
        let sql = "SELECT record_id FROM texts_due t WHERE resource = 'contacts'
                   AND EXISTS (SELECT 1 FROM contacts WHERE id = t.record_id) LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids: Vec<String> = statement.query_map([FEW + 1], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(if ids.len() > FEW as usize { Vec::new() } else { ids })
    }

    /// Sets the segments of a contact, among those whose members were fetched.
    fn set_segments_of(&mut self, contact: &str, segments: &[String]) -> Result<(), Error> {
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

    /// Starts to collect the members of a segment in a temporary table. The search returns them in random order, so
    /// storing each page directly would rewrite most pages of the index.
    fn start_collecting(&mut self) -> Result<(), Error> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS members (id TEXT PRIMARY KEY);
             DELETE FROM temp.members;",
        )?;
        Ok(())
    }

    fn collect_members(&mut self, members: &[String]) -> Result<(), Error> {
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

    /// Replaces the members of the segment with the collected ones. Omits contacts that are not stored. `now` is epoch
    /// seconds.
    fn store_collected(&mut self, segment: &Segment, now: i64) -> Result<(), Error> {
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

    fn remove_members(&mut self, segment: &str) -> Result<(), Error> {
        let transaction = self.write()?;
        for table in ["contact_segments", "contact_segments_state"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE segment_id = ?1"), [segment])?;
        }
        Ok(transaction.commit()?)
    }

    /// Removes the members of all other segments.
    fn retain_segments(&mut self, segments: &[Segment]) -> Result<(), Error> {
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

/// Brings the members of all segments up to date. Does nothing if the workspace does not offer segments. A segment that
/// fails keeps its members and does not stop the others.
///
/// # Errors
/// [`Error::Api`] if the segments cannot be listed or the error budget is spent, another one if the database fails.
pub(super) async fn fetch(run: &SyncContext<'_>, progress: &mut ResourceProgress) -> Result<Ending, Error> {
    let segments = match list_segments(run, progress).await {
        Ok(segments) => segments,
        // If members were fetched before, a refusal means that they are missing.
        Err(error) if is_not_offered(&error) && !run.with_store(|store| store.has_members())? => {
            return Ok(Ending::Complete);
        }
        Err(error) => {
            if is_not_offered(&error) {
                progress.add_cause(Some(Cause::Refused));
            }
            return Err(error.into());
        }
    };
    run.with_store(|store| store.retain_segments(&segments))?;
    let everything = run.options.full || run.options.prune;
    let changed = progress.written.inserted + progress.written.updated + progress.written.deleted > 0;
    if changed && !everything {
        query_changed_contacts(run, &segments, progress).await?;
    }
    // A mirror with a start date lacks members, so their number proves nothing.
    let state = run.with_store(|store| store.sync_state(ResourceName::Contacts))?;
    let changed = changed && state.is_some_and(|state| state.floor.is_none());
    let mut failed = Vec::new();
    for segment in &segments {
        let last = run.with_store(|store| store.members_state(&segment.id))?;
        let size = segment.count.or(last.map(|last| last.members)).unwrap_or(0);
        let interval = cadence::interval(run, u64::try_from(size).unwrap_or(0).div_ceil(PAGE));
        if everything || segment.is_due(last, run.clock.now(), changed, interval) {
            match fetch_members(run, segment, progress).await {
                Err(Error::Api(error)) if !is_final(&error) && is_gone(run, segment, progress).await? => {}
                Err(Error::Api(error)) if !is_final(&error) && failed.len() < MAX_FAILED => {
                    progress.add_cause(Cause::of(&error));
                    failed.push(segment.id.as_str());
                    run.warn(ResourceName::Contacts, format!("segment {}: {error}", segment.id));
                }
                result => result?,
            }
        }
    }
    if failed.is_empty() {
        return Ok(Ending::Complete);
    }
    Ok(Ending::Incomplete(format!("could not read the members of these segments: {}", failed.join(", "))))
}

/// The segments that the workspace lists, with their counts.
async fn list_segments(
    run: &SyncContext<'_>,
    progress: &mut ResourceProgress,
) -> Result<Vec<Segment>, api::Error> {
    progress.requests += 1;
    let arguments =
        Arguments { query: vec![("include_count".into(), "true".into())], ..Arguments::default() };
    let list = operation("listSegments")?;
    let page = Page::read(list, &arguments, run.client.fetch(list, &arguments).await?)?;
    page.require_list()?;
    page.require_ids()?;
    Ok(read_segments(&page))
}

/// Whether every further request would fail too.
fn is_final(error: &api::Error) -> bool {
    error.status() == Some(401) || error.is_offline() || error.is_rate_limited()
}

/// Whether a segment was deleted since it was listed; if so, removes its members. A segment that is still listed
/// exists, even if it answers "not found".
async fn is_gone(
    run: &SyncContext<'_>,
    segment: &Segment,
    progress: &mut ResourceProgress,
) -> Result<bool, Error> {
    let segments = ResourceName::Segments.resource();
    let Some(get) = segments.get_operation else { return Ok(false) };
    match prune::confirm_gone(run, segments, get, vec![segment.id.clone()], progress).await {
        Ok(gone) if gone.is_empty() => Ok(false),
        Ok(_) => match list_segments(run, progress).await {
            Ok(segments) if !segments.iter().any(|listed| listed.id == segment.id) => {
                run.with_store(|store| store.remove_members(&segment.id))?;
                Ok(true)
            }
            _ => Ok(false),
        },
        Err(Error::Api(error)) => {
            tracing::debug!(%error, segment = %segment.id, "unknown whether the segment still exists");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// If few contacts have changed, queries the segments of each. If that fails, the search covers them.
async fn query_changed_contacts(
    run: &SyncContext<'_>,
    segments: &[Segment],
    progress: &mut ResourceProgress,
) -> Result<(), Error> {
    let is_fetched =
        |segment: &Segment| run.with_store(|store| Ok(store.members_state(&segment.id)?.is_some()));
    if segments.is_empty() || !segments.iter().map(is_fetched).collect::<Result<Vec<_>, _>>()?.contains(&true)
    {
        return Ok(());
    }
    let list = operation("listSegmentsForAContact")?;
    for contact in run.with_store(|store| store.few_changed())? {
        let arguments = Arguments { path: vec![contact.clone()], ..Arguments::default() };
        progress.requests += 1;
        let page = match run.client.fetch(list, &arguments).await {
            Ok(reply) => Page::read(list, &arguments, reply)?,
            Err(error) => {
                tracing::debug!(%error, %contact, "falling back to the search for members");
                return Ok(());
            }
        };
        if page.key.is_none() || page.next.is_some() {
            continue;
        }
        let id = |item: &str| lenient::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let ids: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        run.with_store(|store| store.set_segments_of(&contact, &ids))?;
    }
    Ok(())
}

fn read_segments(page: &Page) -> Vec<Segment> {
    let read = |item: &str| {
        let segment: Value = serde_json::from_str(item).ok()?;
        Some(Segment { id: lenient::id(&segment["id"])?, count: lenient::integer(&segment["count"]) })
    };
    page.items.iter().filter_map(|item| read(item.get())).collect()
}

async fn fetch_members(
    run: &SyncContext<'_>,
    segment: &Segment,
    progress: &mut ResourceProgress,
) -> Result<(), Error> {
    let body = json!({"query": {"field": "segment_id", "operator": "=", "value": segment.id}});
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let began = run.clock.now();
    run.with_store(Store::start_collecting)?;
    let mut pages = pin!(run.client.pages(operation("SearchContacts")?, arguments, run.options.per_page));
    while let Some(page) = pages.next().await {
        progress.requests += 1;
        let page = page?;
        page.require_whole()?;
        page.require_ids()?;
        let id = |item: &str| lenient::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let members: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        run.with_store(|store| store.collect_members(&members))?;
    }
    run.with_store(|store| store.store_collected(segment, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_due_when_the_count_changes_and_once_a_day() {
        let segment = |count| Segment { id: "1".to_owned(), count };
        let last = |count, read_at| Some(MembersState { count, read_at, members: 3 });
        let now = 1_000;
        for (segment, last, due) in [
            (segment(Some(3)), None, true),
            (segment(Some(3)), last(Some(3), now), false),
            (segment(Some(4)), last(Some(3), now), true),
            // The new members are already stored.
            (segment(Some(3)), last(Some(2), now), false),
            (segment(Some(3)), last(Some(3), now - DAILY), true),
            // A server without counts.
            (segment(None), None, true),
            (segment(None), last(None, now), false),
            (segment(None), last(None, now - DAILY), true),
        ] {
            assert_eq!(segment.is_due(last, now, false, 0), due, "{segment:?} {last:?}");
        }
        assert!(!segment(Some(3)).is_due(last(Some(3), now), now, true, 0));
        // As many contacts entered as were deleted: the count is unchanged, but members are missing.
        assert!(segment(Some(9)).is_due(last(Some(9), now), now, true, 0));
        assert!(!segment(Some(9)).is_due(last(Some(9), now), now, false, 0));
        assert!(segment(None).is_due(last(None, now), now, true, 0));
        // A large segment waits for its interval.
        assert!(!segment(Some(4)).is_due(last(Some(3), now - 99), now, true, 100));
        assert!(segment(Some(4)).is_due(last(Some(3), now - 100), now, true, 100));
    }
}

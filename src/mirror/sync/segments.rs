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
use serde_json::{Value, json};

use super::events::Cause;
use super::fetch_each::is_final;
use super::plan;
use super::presence;
use super::sync_context::{Ending, ResourceSync};
use crate::api;
use crate::api::paging::RawPage;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::segments::{MembersState, SegmentCount};
use crate::mirror::store::state::DAILY;

/// Error budget: after this many failed segments, the next failure ends the sync.run.
const MAX_FAILED: usize = 5;
/// Members per page of a search.
const PAGE: u64 = 150;

/// Whether the members of a segment may have changed since the last fetch. `count` is the segment's count,
/// `interval` the minimum time between two fetches, in seconds.
fn is_due(
    count: Option<i64>,
    last: Option<MembersState>,
    now: i64,
    contacts_changed: bool,
    interval: i64,
) -> bool {
    let Some(last) = last else { return true };
    let age = (now - last.read_at).abs();
    let count_changed = match count {
        Some(count) => last.members != count && (contacts_changed || last.count != Some(count)),
        None => contacts_changed || last.count.is_some(),
    };
    (count_changed && age >= interval) || age >= DAILY
}

/// Brings the members of all segments up to date. Does nothing if the workspace does not offer segments. A segment that
/// fails keeps its members and does not stop the others.
///
/// # Errors
/// [`Error::Api`] if the segments cannot be listed or the error budget is spent, another one if the database fails.
pub(super) async fn fetch(sync: &mut ResourceSync<'_>) -> Result<Ending, Error> {
    let segments = match list_segments(sync).await {
        Ok(segments) => segments,
        // If members were fetched before, a refusal means that they are missing.
        Err(error) if error.is_not_offered() && !sync.with_store(|store| store.has_members())? => {
            return Ok(Ending::Complete);
        }
        Err(error) => {
            if error.is_not_offered() {
                sync.progress.add_cause(Some(Cause::Refused));
            }
            return Err(error.into());
        }
    };
    sync.with_store(|store| store.retain_segments(&segments))?;
    let everything = sync.run.options.full || sync.run.options.prune;
    let changed =
        sync.progress.written.inserted + sync.progress.written.updated + sync.progress.written.deleted > 0;
    if changed && !everything {
        query_changed_contacts(sync, &segments).await?;
    }
    // A mirror with a start date lacks members, so their number proves nothing.
    let changed = changed && sync.state()?.is_some_and(|state| state.floor.is_none());
    let mut failed = Vec::new();
    for segment in &segments {
        let last = sync.with_store(|store| store.members_state(&segment.id))?;
        let size = segment.count.or(last.map(|last| last.members)).unwrap_or(0);
        let interval =
            plan::interval(sync.run.options.refresh, u64::try_from(size).unwrap_or(0).div_ceil(PAGE));
        if everything || is_due(segment.count, last, sync.run.clock.now(), changed, interval) {
            match fetch_members(sync, segment).await {
                Err(Error::Api(error)) if !is_final(&error) && is_gone(sync, segment).await? => {}
                Err(Error::Api(error)) if !is_final(&error) && failed.len() < MAX_FAILED => {
                    sync.progress.add_cause(Cause::of(&error));
                    failed.push(segment.id.as_str());
                    sync.warn(format!("segment {}: {error}", segment.id));
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
async fn list_segments(sync: &mut ResourceSync<'_>) -> Result<Vec<SegmentCount>, api::Error> {
    sync.progress.requests += 1;
    let arguments =
        Arguments { query: vec![("include_count".into(), "true".into())], ..Arguments::default() };
    let list = operation("listSegments")?;
    let page = RawPage::read(list, &arguments, sync.run.client.fetch(list, &arguments).await?)?;
    page.require_list()?;
    page.require_ids()?;
    Ok(read_segments(&page))
}

/// Whether a segment was deleted since it was listed; if so, removes its members. A segment that is still listed
/// exists, even if it answers "not found".
async fn is_gone(sync: &mut ResourceSync<'_>, segment: &SegmentCount) -> Result<bool, Error> {
    let mut segments = ResourceSync::new(sync.run, ResourceName::Segments);
    let gone = presence::try_confirm_gone(&mut segments, vec![segment.id.clone()]).await?;
    sync.progress.requests += segments.progress.requests;
    if gone.is_none_or(|gone| gone.is_empty()) {
        return Ok(false);
    }
    match list_segments(sync).await {
        Ok(segments) if !segments.iter().any(|listed| listed.id == segment.id) => {
            sync.with_store(|store| store.remove_members(&segment.id))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// If few contacts have changed, queries the segments of each. If that fails, the search covers them.
async fn query_changed_contacts(sync: &mut ResourceSync<'_>, segments: &[SegmentCount]) -> Result<(), Error> {
    let is_fetched =
        |segment: &SegmentCount| sync.with_store(|store| Ok(store.members_state(&segment.id)?.is_some()));
    if segments.is_empty() || !segments.iter().map(is_fetched).collect::<Result<Vec<_>, _>>()?.contains(&true)
    {
        return Ok(());
    }
    let list = operation("listSegmentsForAContact")?;
    for contact in sync.with_store(|store| store.few_changed())? {
        let arguments = Arguments::of_record(&contact);
        sync.progress.requests += 1;
        let page = match sync.run.client.fetch(list, &arguments).await {
            Ok(reply) => RawPage::read(list, &arguments, reply)?,
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
        sync.with_store(|store| store.set_segments_of(&contact, &ids))?;
    }
    Ok(())
}

fn read_segments(page: &RawPage) -> Vec<SegmentCount> {
    let read = |item: &str| {
        let segment: Value = serde_json::from_str(item).ok()?;
        Some(SegmentCount { id: lenient::id(&segment["id"])?, count: lenient::integer(&segment["count"]) })
    };
    page.items.iter().filter_map(|item| read(item.get())).collect()
}

async fn fetch_members(sync: &mut ResourceSync<'_>, segment: &SegmentCount) -> Result<(), Error> {
    let body = json!({"query": {"field": "segment_id", "operator": "=", "value": segment.id}});
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let began = sync.run.clock.now();
    sync.with_store(Store::start_collecting)?;
    let mut pages =
        pin!(sync.run.client.pages(operation("SearchContacts")?, arguments, sync.run.options.per_page));
    while let Some(page) = pages.next().await {
        sync.progress.requests += 1;
        let page = page?;
        page.require_whole()?;
        page.require_ids()?;
        let id = |item: &str| lenient::id(&serde_json::from_str::<Value>(item).ok()?["id"]);
        let members: Vec<String> = page.items.iter().filter_map(|item| id(item.get())).collect();
        sync.with_store(|store| store.collect_members(&members))?;
    }
    sync.with_store(|store| store.store_collected(segment, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_due_when_the_count_changes_and_once_a_day() {
        let last = |count, read_at| Some(MembersState { count, read_at, members: 3 });
        let now = 1_000;
        for (count, last, due) in [
            (Some(3), None, true),
            (Some(3), last(Some(3), now), false),
            (Some(4), last(Some(3), now), true),
            // The new members are already stored.
            (Some(3), last(Some(2), now), false),
            (Some(3), last(Some(3), now - DAILY), true),
            // A server without counts.
            (None, None, true),
            (None, last(None, now), false),
            (None, last(None, now - DAILY), true),
        ] {
            assert_eq!(is_due(count, last, now, false, 0), due, "{count:?} {last:?}");
        }
        assert!(!is_due(Some(3), last(Some(3), now), now, true, 0));
        // As many contacts entered as were deleted: the count is unchanged, but members are missing.
        assert!(is_due(Some(9), last(Some(9), now), now, true, 0));
        assert!(!is_due(Some(9), last(Some(9), now), now, false, 0));
        assert!(is_due(None, last(None, now), now, true, 0));
        // A large segment waits for its interval.
        assert!(!is_due(Some(4), last(Some(3), now - 99), now, true, 100));
        assert!(is_due(Some(4), last(Some(3), now - 100), now, true, 100));
    }
}

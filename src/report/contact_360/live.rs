//! The report about a contact from the workspace, through the mirror.
//!
//! Fetches only missing and outdated records. The contact itself must be looked up in the workspace, because an address
//! may have moved to another contact since the last sync.

use super::find::{ContactMatch, find_contact};
use super::overview::{Contact360, ContactOptions, contact_360};
use crate::data::lenient;
use crate::mirror::{RecordRefresh, ResourceName, Store};
use crate::report::error::Error;

/// A report, and where its data came from.
#[derive(Debug)]
pub struct ContactReport {
    pub found: Contact360,
    /// Whether the workspace was queried.
    pub is_live: bool,
    /// Epoch seconds.
    pub synced_at: Option<i64>,
    pub requests: u64,
}

/// As [`contact_360`], after fetching what is not in the mirror or older than `max_age` seconds; without `max_age`,
/// everything is.
///
/// # Errors
/// [`Error::NotInWorkspace`], [`Error::SeveralContacts`], and if a request or the store fails.
pub async fn refreshed_contact_360(
    mut refresh: RecordRefresh<'_>,
    query: &str,
    options: &ContactOptions,
    max_age: Option<i64>,
) -> Result<ContactReport, Error> {
    let known_id = match contact_360(refresh.store, query, options) {
        // The workspace decides which of them it is, and whether they are still several.
        Err(Error::NothingSynced { .. } | Error::NoContact { .. }) => None,
        stored => {
            let synced_at = synced_at(refresh.store)?;
            let age = synced_at.map(|synced_at| refresh.now - synced_at);
            if age.zip(max_age).is_some_and(|(age, max_age)| age <= max_age) {
                return Ok(ContactReport { found: stored?, is_live: false, synced_at, requests: 0 });
            }
            match stored {
                Err(Error::SeveralContacts { .. }) => None,
                stored => lenient::id(&stored?.contact["id"]),
            }
        }
    };
    let ContactMatch { id, merged } = fetch_contact(&mut refresh, query, known_id.as_deref()).await?;
    refresh.conversations(&id).await?;
    let listed = contact_360(refresh.store, &id, options)?;
    refresh.threads(&incomplete_threads(&listed)).await?;
    refresh.related_records(&id).await?;
    let mut found = contact_360(refresh.store, &id, options)?;
    found.never_synced.clear();
    found.merged.extend(merged);
    found.merged.dedup();
    let (synced_at, requests) = (Some(refresh.now), refresh.requests);
    Ok(ContactReport { found, is_live: true, synced_at, requests })
}

/// The oldest watermark of contacts, conversations and parts.
fn synced_at(store: &Store) -> Result<Option<i64>, Error> {
    let mut oldest = Some(i64::MAX);
    for resource in [ResourceName::Contacts, ResourceName::Conversations, ResourceName::ConversationParts] {
        // `None` orders before any time.
        oldest = oldest.min(store.sync_state(resource)?.and_then(|state| state.watermark));
    }
    Ok(oldest)
}

/// Fetches the contact, or the one that it was merged into. `known_id` is the id of the contact that the mirror finds.
async fn fetch_contact(
    refresh: &mut RecordRefresh<'_>,
    query: &str,
    known_id: Option<&str>,
) -> Result<ContactMatch, Error> {
    let is_id = query.len() == 24 && query.chars().all(|letter| letter.is_ascii_hexdigit());
    let fetched = |asked: &str, id: String| {
        let merged = Some(asked.to_owned()).filter(|asked| *asked != id);
        ContactMatch { id, merged: merged.into_iter().collect() }
    };
    if is_id && let Some(id) = refresh.contact(known_id.unwrap_or(query)).await? {
        return Ok(fetched(query, id));
    }
    match &refresh.matching_contacts(query).await?[..] {
        [] => {}
        [only] => return Ok(ContactMatch { id: only.clone(), merged: Vec::new() }),
        _ => return find_contact(refresh.store.connection(), query),
    }
    // The search index can be minutes behind.
    if !is_id
        && let Some(known_id) = known_id
        && let Some(id) = refresh.contact(known_id).await?
    {
        if id != known_id {
            return Ok(fetched(known_id, id));
        }
        match find_contact(refresh.store.connection(), query) {
            Err(Error::NoContact { .. }) => {}
            found => return found,
        }
    }
    Err(Error::NotInWorkspace { query: query.to_owned(), is_mirrored: known_id.is_some() })
}

/// The ids of the threads to show whose parts are missing or outdated in the mirror.
fn incomplete_threads(found: &Contact360) -> Vec<&str> {
    let shown = found.open_conversations.iter().chain(&found.recent_conversations);
    let incomplete = shown.filter(|conversation| conversation.parts != "complete");
    let mut ids: Vec<&str> = incomplete.map(|conversation| conversation.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

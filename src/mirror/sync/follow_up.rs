//! What follows once all resources are up to date: dangling links, and records that may have changed unnoticed.
//!
//! Links to missing records occur because resources are fetched in parallel, and because some documents keep
//! references to deleted records. Each missing record is requested: it is stored if it exists, otherwise its links are
//! removed. Links to incomplete resources must stay.
//!
//! Triggers and checks schedule rereads of records that do not count as changed, and every run takes some of them. In
//! addition, a slice of all conversations, tickets and contact lists is reread every day, those that were read longest
//! ago first. This must never remove a record that the workspace still has.

use super::deletions;
use super::events::ResourceOutcome;
use super::presence;
use super::sync_context::{ResourceSync, SyncContext};
use crate::mirror::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Resolves links and rereads records of the resources that this run has brought up to date. Failed requests are left
/// to the next run.
///
/// # Errors
/// If the database fails.
pub(super) async fn follow_up<'a>(
    run: &'a SyncContext<'a>,
    outcomes: &mut [ResourceOutcome],
    is_later_sync: bool,
) -> Result<(), Error> {
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.complete) {
        let mut sync = ResourceSync::new(run, outcome.resource);
        resolve_links(&mut sync).await?;
        outcome.requests += sync.progress.requests;
    }
    for outcome in outcomes.iter_mut().filter(|outcome| is_later_sync && outcome.complete) {
        let mut sync = ResourceSync::new(run, outcome.resource);
        reread(&mut sync).await?;
        outcome.requests += sync.progress.requests;
        outcome.written.add(sync.progress.written);
    }
    Ok(())
}

/// Resolves the links to a resource.
async fn resolve_links(sync: &mut ResourceSync<'_>) -> Result<(), Error> {
    if sync.resource.get_operation.is_none() || !sync.state()?.is_some_and(|state| state.is_whole()) {
        return Ok(());
    }
    let missing = sync.with_store(|store| store.missing_records(sync.name()))?;
    if let Some(gone) = presence::try_confirm_gone(sync, missing).await? {
        // These were never stored, so they do not count as deleted.
        sync.with_store(|store| store.remove(sync.name(), &gone))?;
    }
    Ok(())
}

/// Rereads scheduled records. Those of conversations and tickets are reread together with their parts.
async fn reread(sync: &mut ResourceSync<'_>) -> Result<(), Error> {
    let is_nested = [&OF_CONVERSATIONS, &OF_TICKETS].iter().any(|nesting| nesting.owner == sync.name());
    if is_nested || sync.resource.get_operation.is_none() {
        return Ok(());
    }
    if sync.name() == ResourceName::Contacts {
        // A reply changes the contact's `last_replied_at`, but not its `updated_at`.
        let ids = sync.with_store(|store| store.active_contacts(sync.run.began))?;
        deletions::reread(sync, &ids).await?;
    }
    let ids = sync.with_store(|store| store.scheduled(sync.name()))?;
    if ids.is_empty() {
        return Ok(());
    }
    if let Some(gone) = presence::try_confirm_gone(sync, ids.clone()).await? {
        let absence = presence::verify(sync, gone).await?;
        sync.remove_gone(&absence.gone)?;
        sync.with_store(|store| store.unschedule(sync.name(), &ids))?;
    }
    Ok(())
}

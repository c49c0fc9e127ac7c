//! Fetches what contact documents omit: notes, and tags, companies and subscriptions after the tenth.
//!
//! A missing list does not mean that the contact is gone: a contact must only be removed after requesting it.

use futures::stream::TryStreamExt;

use super::fetch_each::{FetchAnswer, FetchError, FetchFailures, fetch_each, pending};
use super::presence;
use super::sync_context::{Ending, ResourceSync, SyncContext, local_now};
use crate::api;
use crate::api::paging::RawPage;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::pending::{FetchedLists, PendingRecord};

/// Fetches the lists that are due.
///
/// # Errors
/// If the database fails, or the error budget is spent.
pub(super) async fn fetch(sync: &mut ResourceSync<'_>) -> Result<Ending, Error> {
    if sync.run.options.full {
        sync.with_store(|store| store.mark_due(ResourceName::Contacts))?;
    }
    sync.with_store(|store| store.take_contact_lists(sync.run.clock.now()))?;
    let mut failures = pass(sync).await?;
    if failures.can_retry() {
        failures = pass(sync).await?;
    }
    failures.finish(sync)
}

/// Requests each list that is due once.
async fn pass(sync: &mut ResourceSync<'_>) -> Result<FetchFailures, Error> {
    let run = sync.run;
    fetch_each(
        sync,
        FetchFailures::new(ResourceName::Contacts, "contact"),
        pending(run, Store::contacts_due),
        |contact| request(run, contact),
        |fetched| fetched.lists.iter().flat_map(|(_, items)| items).map(|item| item.get().len()).sum(),
        |sync, failures, contacts| {
            sync.with_store(|store| store.store_lists(&contacts, local_now()))?;
            contacts.iter().for_each(|_| failures.add_success());
            Ok(())
        },
    )
    .await
}

/// Fetches the lists of a contact. If one is not found, requests the contact: it may exist without the list.
async fn request(run: &SyncContext<'_>, record: PendingRecord) -> Result<FetchAnswer<FetchedLists>, Error> {
    let (requests, result) = match all_lists(run, &record).await {
        Ok((requests, lists)) => (requests, Ok(lists)),
        Err(error) if error.is_gone() => {
            match presence::is_gone(run, ResourceName::Contacts.resource(), &record.id).await {
                Ok(true) => (1, Err(FetchError::Gone)),
                Ok(false) | Err(Error::Api(_)) => (1, Err(FetchError::Unusable(error.to_string()))),
                Err(error) => return Err(error),
            }
        }
        Err(error) => (0, Err(FetchError::Failed(error))),
    };
    Ok(FetchAnswer { record, requests, result })
}

/// The lists of a contact, and how many requests they took.
async fn all_lists(
    run: &SyncContext<'_>,
    contact: &PendingRecord,
) -> Result<(u64, FetchedLists), api::Error> {
    let fetched_at = run.clock.now();
    let (mut lists, mut requests) = (Vec::new(), 0);
    for name in contact.unlisted.split(',') {
        let Some(list) = list_operation(name) else { continue };
        let arguments = Arguments::of_record(&contact.id);
        let pages: Vec<_> =
            run.client.pages(operation(list)?, arguments, run.options.per_page).try_collect().await?;
        requests += pages.len() as u64;
        pages.iter().try_for_each(RawPage::require_whole)?;
        pages.iter().try_for_each(RawPage::require_ids)?;
        lists.push((name.to_owned(), pages.into_iter().flat_map(|page| page.items).collect()));
    }
    Ok((requests, FetchedLists { lists, fetched_at }))
}

/// The operation for a list of a contact.
fn list_operation(list: &str) -> Option<&'static str> {
    match list {
        "tags" => Some("listTagsForAContact"),
        "companies" => Some("listCompaniesForAContact"),
        "subscriptions" => Some("listSubscriptionsForAContact"),
        "notes" => Some("listNotes"),
        _ => None,
    }
}

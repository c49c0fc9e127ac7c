//! Fetches what contact documents omit: notes, and tags, companies and subscriptions after the tenth.
//!
//! A missing list does not mean that the contact is gone: a contact must only be removed after requesting it.

use futures::stream::{StreamExt, TryStreamExt};
use rusqlite::params;
use serde_json::value::RawValue;

use super::pending::{BATCH, FetchFailures, PASSES, Pending, SETTLE_SECONDS, next_chunk, pending};
use super::prune;
use super::sync_context::{Ending, ResourceProgress, SyncContext, local_now};
use crate::api;
use crate::api::paging::Page;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::quarantine::is_retryable;
use crate::mirror::store::upsert_contact::{put_links, put_notes};

/// A contact with lists to fetch.
#[derive(Debug)]
struct PendingContact {
    id: String,
    updated_at: Option<i64>,
    /// Names of the lists, comma-separated.
    unlisted: String,
}

/// The lists of a contact.
#[derive(Debug)]
struct FetchedLists {
    contact: PendingContact,
    lists: Vec<(String, Vec<Box<RawValue>>)>,
    requests: u64,
    /// Epoch seconds by the server's clock.
    fetched_at: i64,
}

/// The id of a contact, and its lists.
type FetchResult = Result<(String, Result<FetchedLists, api::error::Error>), Error>;

impl FetchedLists {
    /// Size in bytes.
    fn size(answer: &FetchResult) -> usize {
        let Ok((_, Ok(lists))) = answer else { return 0 };
        lists.lists.iter().flat_map(|(_, items)| items).map(|item| item.get().len()).sum()
    }
}

impl Pending for PendingContact {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Store {
    fn contacts_due(&self, after: &str) -> Result<Vec<PendingContact>, Error> {
        let sql = format!(
            "SELECT c.id, c.updated_at, c.unlisted
             FROM contacts c LEFT JOIN contact_lists_state s ON s.contact_id = c.id
             WHERE c.id > ?1 AND c.unlisted IS NOT NULL
               AND (s.contact_id IS NULL OR c.updated_at IS NULL OR s.updated_at IS NOT c.updated_at
                    OR s.fetched_at < s.updated_at + ?2)
               AND {}
             ORDER BY c.id LIMIT ?3",
            is_retryable(ResourceName::Contacts)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, SETTLE_SECONDS, BATCH], |row| {
            Ok(PendingContact { id: row.get(0)?, updated_at: row.get(1)?, unlisted: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Marks all lists as due. The stored ones are kept until they are replaced.
    fn mark_lists_due(&mut self) -> Result<(), Error> {
        self.connection.execute("DELETE FROM contact_lists_state", [])?;
        Ok(())
    }

    fn store_lists(&mut self, contacts: &[FetchedLists], synced_at: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        for FetchedLists { contact, lists, fetched_at, .. } in contacts {
            for (name, items) in lists {
                match name.as_str() {
                    "notes" => put_notes(&transaction, &contact.id, items, synced_at)?,
                    name => put_links(&transaction, &contact.id, name, items)?,
                }
            }
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO contact_lists_state (contact_id, updated_at, fetched_at)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute((&contact.id, contact.updated_at, fetched_at))?;
        }
        Ok(transaction.commit()?)
    }
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

/// Fetches the lists that are due.
///
/// # Errors
/// If the database fails, or the error budget is spent.
pub(super) async fn fetch(run: &SyncContext<'_>, progress: &mut ResourceProgress) -> Result<Ending, Error> {
    if run.options.full {
        run.with_store(Store::mark_lists_due)?;
        run.with_store(|store| store.retry_quarantined(ResourceName::Contacts))?;
    }
    run.with_store(|store| store.take_contact_lists(run.clock.now()))?;
    let mut failures = pass(run, progress).await?;
    for _ in 1..PASSES {
        if failures.can_retry() {
            failures = pass(run, progress).await?;
        }
    }
    failures.finish(run, progress)
}

/// Requests each list that is due once.
async fn pass(run: &SyncContext<'_>, progress: &mut ResourceProgress) -> Result<FetchFailures, Error> {
    let fetched = pending(run, Store::contacts_due).map(|contact| async move {
        let contact = contact?;
        let id = contact.id.clone();
        Ok::<_, Error>((id, all_lists(run, contact).await))
    });
    let concurrency = run.options.concurrency.max(1);
    let mut answers = std::pin::pin!(fetched.buffer_unordered(concurrency));
    let mut failures = FetchFailures::new(ResourceName::Contacts, ResourceName::Contacts, "contact");
    let mut gone = Vec::new();
    while let Some(chunk) = next_chunk(&mut answers, FetchedLists::size).await {
        let (mut fetched, mut not_found) = (Vec::new(), Vec::new());
        let mut refused = None;
        for answer in chunk {
            let (id, answer) = answer?;
            match answer {
                Ok(lists) => {
                    failures.add_success();
                    progress.requests += lists.requests;
                    fetched.push(lists);
                }
                Err(error) if error.is_gone() => not_found.push((id, error)),
                Err(error) => {
                    failures.add_error(run, &id, &error);
                    refused = Some(error);
                }
            }
        }
        run.with_store(|store| store.store_lists(&fetched, local_now()))?;
        gone.extend(gone_contacts(run, not_found, &mut failures, progress).await?);
        if let Some(error) = refused.filter(|_| failures.must_stop()) {
            progress.add_cause(failures.cause());
            return Err(error.into());
        }
    }
    failures.remove_gone(run, ResourceName::Contacts, gone, progress).await?;
    Ok(failures)
}

/// The contacts that no longer exist, among those with a missing list. For the others this is a failure: a contact
/// may exist without the list.
async fn gone_contacts(
    run: &SyncContext<'_>,
    not_found: Vec<(String, api::error::Error)>,
    failures: &mut FetchFailures,
    progress: &mut ResourceProgress,
) -> Result<Vec<String>, Error> {
    let ids: Vec<String> = not_found.iter().map(|(id, _)| id.clone()).collect();
    let contacts = ResourceName::Contacts.resource();
    let gone = match contacts.get_operation {
        Some(get) if !ids.is_empty() => prune::confirm_gone(run, contacts, get, ids, progress).await,
        _ => Ok(Vec::new()),
    };
    let gone = match gone {
        Ok(gone) => gone,
        Err(Error::Api(error)) => {
            tracing::debug!(%error, "cannot check whether contacts are gone");
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    for (id, error) in not_found.iter().filter(|(id, _)| !gone.contains(id)) {
        failures.add_error(run, id, error);
    }
    Ok(gone)
}

async fn all_lists(
    run: &SyncContext<'_>,
    contact: PendingContact,
) -> Result<FetchedLists, api::error::Error> {
    let fetched_at = run.clock.now();
    let (mut lists, mut requests) = (Vec::new(), 0);
    for name in contact.unlisted.split(',') {
        let Some(operation_id) = list_operation(name) else { continue };
        let arguments = Arguments { path: vec![contact.id.clone()], ..Arguments::default() };
        let pages: Vec<_> =
            run.client.pages(operation(operation_id)?, arguments, run.options.per_page).try_collect().await?;
        requests += pages.len() as u64;
        pages.iter().try_for_each(Page::require_whole)?;
        pages.iter().try_for_each(Page::require_ids)?;
        lists.push((name.to_owned(), pages.into_iter().flat_map(|page| page.items).collect()));
    }
    Ok(FetchedLists { contact, lists, requests, fetched_at })
}

//! Fetches what a contact's document does not show: its notes, and the tags, companies and
//! subscriptions beyond the tenth.

use futures::stream::{StreamExt, TryStreamExt};
use rusqlite::{Connection, params};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Error;
use super::fields;
use super::prune;
use super::quarantine::is_awake;
use super::queue::{BATCH, Due, Failures, PASSES, SETTLED, arrived, due};
use super::resources::ResourceName;
use super::run::{Ending, Run, Tally, local};
use super::store::Store;
use super::write::Links;
use crate::api;
use crate::api::paging::Page;
use crate::api::request_builder::{Arguments, operation};

/// A contact with lists to be fetched.
#[derive(Debug)]
struct Contact {
    id: String,
    updated_at: Option<i64>,
    /// Names of the lists, separated by commas.
    unlisted: String,
}

/// What was fetched for a contact.
#[derive(Debug)]
struct Lists {
    contact: Contact,
    lists: Vec<(String, Vec<Box<RawValue>>)>,
    requests: u64,
    /// Epoch seconds by the server's clock.
    fetched_at: i64,
}

/// A contact and what came of asking for its lists.
type Answer = Result<(String, Result<Lists, api::error::Error>), Error>;

impl Lists {
    /// Bytes of an answer.
    fn size(answer: &Answer) -> usize {
        let Ok((_, Ok(lists))) = answer else { return 0 };
        lists.lists.iter().flat_map(|(_, items)| items).map(|item| item.get().len()).sum()
    }
}

impl Due for Contact {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Store {
    fn contacts_due(&self, after: &str) -> Result<Vec<Contact>, Error> {
        let sql = format!(
            "SELECT c.id, c.updated_at, c.unlisted
             FROM contacts c LEFT JOIN contact_lists_state s ON s.contact_id = c.id
             WHERE c.id > ?1 AND c.unlisted IS NOT NULL
               AND (s.contact_id IS NULL OR c.updated_at IS NULL OR s.updated_at IS NOT c.updated_at
                    OR s.fetched_at < s.updated_at + ?2)
               AND {}
             ORDER BY c.id LIMIT ?3",
            is_awake(ResourceName::Contacts)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, SETTLED, BATCH], |row| {
            Ok(Contact { id: row.get(0)?, updated_at: row.get(1)?, unlisted: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Makes all lists due. They stay until they have been fetched anew.
    fn forget_lists(&mut self) -> Result<(), Error> {
        self.connection.execute("DELETE FROM contact_lists_state", [])?;
        Ok(())
    }

    fn store_lists(&mut self, contacts: &[Lists], synced_at: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        for Lists { contact, lists, fetched_at, .. } in contacts {
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

/// The operation that lists one kind of what hangs on a contact.
fn lister(list: &str) -> Option<&'static str> {
    match list {
        "tags" => Some("listTagsForAContact"),
        "companies" => Some("listCompaniesForAContact"),
        "subscriptions" => Some("listSubscriptionsForAContact"),
        "notes" => Some("listNotes"),
        _ => None,
    }
}

/// Fetches what is due.
///
/// # Errors
/// When the store refuses, and when it is certain that the API will not answer any more.
pub(super) async fn fetch(run: &Run<'_>, tally: &mut Tally) -> Result<Ending, Error> {
    if run.options.full {
        run.with_store(Store::forget_lists)?;
        run.with_store(|store| store.wake(ResourceName::Contacts))?;
    }
    run.with_store(|store| store.take_contact_lists(run.clock.server()))?;
    let mut failures = pass(run, tally).await?;
    for _ in 1..PASSES {
        if failures.may_pass() {
            failures = pass(run, tally).await?;
        }
    }
    failures.ending(run, tally)
}

/// Asks once for each that is due.
async fn pass(run: &Run<'_>, tally: &mut Tally) -> Result<Failures, Error> {
    let fetched = due(run, Store::contacts_due).map(|contact| async move {
        let contact = contact?;
        let id = contact.id.clone();
        Ok::<_, Error>((id, all_lists(run, contact).await))
    });
    let concurrency = run.options.concurrency.max(1);
    let mut answers = std::pin::pin!(fetched.buffer_unordered(concurrency));
    let mut failures = Failures::new(ResourceName::Contacts, ResourceName::Contacts, "contact");
    let mut gone = Vec::new();
    while let Some(chunk) = arrived(&mut answers, Lists::size).await {
        let (mut found, mut lost) = (Vec::new(), Vec::new());
        let mut refused = None;
        for answer in chunk {
            let (id, answer) = answer?;
            match answer {
                Ok(lists) => {
                    failures.success();
                    tally.requests += lists.requests;
                    found.push(lists);
                }
                Err(error) if error.is_gone() => lost.push((id, error)),
                Err(error) => {
                    failures.refusal(run, &id, &error);
                    refused = Some(error);
                }
            }
        }
        run.with_store(|store| store.store_lists(&found, local()))?;
        gone.extend(missing(run, lost, &mut failures, tally).await?);
        if let Some(error) = refused.filter(|_| failures.hopeless()) {
            tally.blame(failures.cause());
            return Err(error.into());
        }
    }
    failures.gone(run, ResourceName::Contacts, gone, tally).await?;
    Ok(failures)
}

/// Those of the contacts without a list that do not exist themselves. The others have failed: a contact may
/// well be there while one of its lists is not.
async fn missing(
    run: &Run<'_>,
    lost: Vec<(String, api::error::Error)>,
    failures: &mut Failures,
    tally: &mut Tally,
) -> Result<Vec<String>, Error> {
    let ids: Vec<String> = lost.iter().map(|(id, _)| id.clone()).collect();
    let contacts = ResourceName::Contacts.resource();
    let gone = match contacts.one {
        Some(one) if !ids.is_empty() => prune::gone(run, contacts, one, ids, tally).await,
        _ => Ok(Vec::new()),
    };
    let gone = match gone {
        Ok(gone) => gone,
        Err(Error::Api(error)) => {
            tracing::debug!(%error, "nobody is taken for gone");
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    for (id, error) in lost.iter().filter(|(id, _)| !gone.contains(id)) {
        failures.refusal(run, id, error);
    }
    Ok(gone)
}

async fn all_lists(run: &Run<'_>, contact: Contact) -> Result<Lists, api::error::Error> {
    let fetched_at = run.clock.server();
    let (mut lists, mut requests) = (Vec::new(), 0);
    for name in contact.unlisted.split(',') {
        let Some(lister) = lister(name) else { continue };
        let arguments = Arguments { path: vec![contact.id.clone()], ..Arguments::default() };
        let pages: Vec<_> =
            run.client.pages(operation(lister)?, arguments, run.options.per_page).try_collect().await?;
        requests += pages.len() as u64;
        pages.iter().try_for_each(Page::require_whole)?;
        pages.iter().try_for_each(Page::require_ids)?;
        lists.push((name.to_owned(), pages.into_iter().flat_map(|page| page.items).collect()));
    }
    Ok(Lists { contact, lists, requests, fetched_at })
}

pub(super) fn put_links(
    connection: &Connection,
    contact: &str,
    name: &str,
    items: &[Box<RawValue>],
) -> Result<(), Error> {
    let ids: Vec<String> = items.iter().filter_map(|item| fields::id(&parsed(item)["id"])).collect();
    let links = ResourceName::Contacts.resource().links;
    match links.iter().find(|link| link.table.strip_prefix("contact_") == Some(name)) {
        Some(link) => Links::new(connection, link)?.set(contact, &ids, true),
        None => Ok(()),
    }
}

pub(super) fn put_notes(
    connection: &Connection,
    contact: &str,
    items: &[Box<RawValue>],
    synced_at: i64,
) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM contact_notes WHERE contact_id = ?1")?.execute([contact])?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO contact_notes (id, contact_id, author_id, created_at, synced_at, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for item in items {
        let note = parsed(item);
        let Some(id) = fields::id(&note["id"]) else { continue };
        let (author, created_at) = (fields::id(&note["author"]["id"]), fields::time(&note["created_at"]));
        insert.execute(params![id, contact, author, created_at, synced_at, item.get()])?;
    }
    Ok(())
}

fn parsed(item: &RawValue) -> Value {
    serde_json::from_str(item.get()).unwrap_or_default()
}

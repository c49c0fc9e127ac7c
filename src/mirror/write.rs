//! Puts received records into the store.
//!
//! A page, its cursor and everything derived from it are one transaction. A record is kept as it was
//! received, after `api::repair`; an older version never replaces a newer one, whatever order they come in.

mod links;
mod lists;
mod parts;
mod record;

use rusqlite::{Transaction, TransactionBehavior};
use serde::Serialize;
use serde_json::value::RawValue;

use super::conversation::{Detail, OF_TICKETS};
use super::error::Error;
use super::outline::Outline;
use super::resources::{Resource, ResourceName};
use super::state::advance;
use super::store::Store;
pub(super) use links::{Links, links_to};
use parts::Details;
pub use parts::lacks;
pub(super) use record::Table;

/// What storing a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Records received, repeated ones included.
    pub fetched: u64,
    pub inserted: u64,
    /// Records that were there and are different now.
    pub updated: u64,
    /// Records that the workspace no longer has.
    pub deleted: u64,
    /// Records that could not be stored: they had no id.
    pub unidentified: u64,
}

impl Written {
    pub fn add(&mut self, other: Written) {
        self.fetched += other.fetched;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.unidentified += other.unidentified;
    }

    fn count(&mut self, outcome: Outcome) {
        self.fetched += 1;
        match outcome {
            Outcome::Inserted => self.inserted += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Kept => {}
            Outcome::Skipped => self.unidentified += 1,
        }
    }
}

/// What storing one record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Inserted,
    Updated,
    Kept,
    Skipped,
}

/// Records of a list, on their way into the store. Times are epoch seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    pub items: &'a [&'a str],
    /// Where the list goes on after them.
    pub cursor: Option<&'a str>,
    /// By our clock.
    pub synced_at: i64,
    /// By the server's clock.
    pub fetched_at: i64,
    /// Whether to note that they exist.
    pub seen: bool,
}

impl Store {
    /// Stores a page of a list and where the list goes on after it. `synced_at` is epoch seconds.
    ///
    /// # Errors
    /// When the database refuses; nothing of the page is stored then.
    pub fn store_page<'a>(
        &mut self,
        resource: &'static Resource,
        items: impl IntoIterator<Item = &'a str>,
        cursor: Option<&str>,
        synced_at: i64,
    ) -> Result<Written, Error> {
        let items: Vec<&str> = items.into_iter().collect();
        let page = Listed { items: &items, cursor, synced_at, fetched_at: synced_at, seen: false };
        Ok(self.store_listed(resource, &page)?.0)
    }

    /// Also returns what came of the parts that the records carried with them.
    pub(super) fn store_listed(
        &mut self,
        resource: &'static Resource,
        page: &Listed<'_>,
    ) -> Result<(Written, Written), Error> {
        let transaction = self.write()?;
        let (mut written, mut parts) = (Written::default(), Written::default());
        {
            let mut table = Table::new(&transaction, resource, page.synced_at)?;
            let mut shown = ShownParts::new(&transaction, resource.name, page)?;
            for raw in page.items {
                let (outcome, id) = table.upsert(raw, None)?;
                written.count(outcome);
                if let Some(shown) = &mut shown {
                    parts.add(shown.store(raw, outcome)?);
                }
                if let Some(id) = id.filter(|_| page.seen) {
                    see(&transaction, resource.name, &id)?;
                }
            }
        }
        advance(&transaction, resource.name, written.fetched, page.cursor)?;
        transaction.commit()?;
        Ok((written, parts))
    }

    /// Stores records that were fetched one by one, all of one kind, each with its parts. Counts the parts.
    ///
    /// # Errors
    /// As [`Store::store_page`].
    pub fn store_details(&mut self, details: &[Detail<'_>], synced_at: i64) -> Result<Written, Error> {
        let mut all = Written::default();
        self.store_each(details, synced_at)?.into_iter().for_each(|written| all.add(written));
        Ok(all)
    }

    /// As [`Store::store_details`], with what became of the parts of each.
    pub(super) fn store_each(
        &mut self,
        details: &[Detail<'_>],
        synced_at: i64,
    ) -> Result<Vec<Written>, Error> {
        let transaction = self.write()?;
        let mut written = Vec::with_capacity(details.len());
        if let Some(of) = details.first().map(|detail| detail.of) {
            let mut tables = Details::new(&transaction, of, synced_at)?;
            for detail in details {
                written.push(tables.store(detail)?);
            }
            let fetched = written.iter().map(|written| written.fetched).sum();
            advance(&transaction, of.parts, fetched, None)?;
        }
        transaction.commit()?;
        Ok(written)
    }

    /// Removes records and all that hangs on them. Returns how many there were.
    ///
    /// # Errors
    /// When the database refuses; nothing is removed then.
    pub fn remove(&mut self, resource: ResourceName, ids: &[String]) -> Result<u64, Error> {
        let transaction = self.write()?;
        let mut removed = 0;
        {
            let mut delete = transaction.prepare_cached(&format!("DELETE FROM {resource} WHERE id = ?1"))?;
            let mut unlink = links::all_to(&transaction, resource)?;
            for id in ids {
                for unlink in &mut unlink {
                    unlink.execute([id])?;
                }
                removed += delete.execute([id])? as u64;
            }
        }
        transaction.commit()?;
        Ok(removed)
    }

    pub(super) fn write(&mut self) -> Result<Transaction<'_>, Error> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

/// Records by themselves, outside of any walk.
pub(super) fn records(
    transaction: &Transaction<'_>,
    resource: &'static Resource,
    items: &[Box<RawValue>],
    synced_at: i64,
) -> Result<Written, Error> {
    let mut table = Table::new(transaction, resource, synced_at)?;
    let mut written = Written::default();
    for item in items {
        written.count(table.upsert(item.get(), None)?.0);
    }
    Ok(written)
}

fn see(transaction: &Transaction<'_>, resource: ResourceName, id: &str) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO sync_seen (resource, id) VALUES (?1, ?2)";
    transaction.prepare_cached(sql)?.execute((resource.as_str(), id))?;
    Ok(())
}

/// The parts in a list of tickets: where a ticket shows all of its own, and its links, nothing is left to fetch.
struct ShownParts<'c> {
    tables: Details<'c>,
    outline: Outline,
    /// Epoch seconds, by the server's clock.
    fetched_at: i64,
}

impl<'c> ShownParts<'c> {
    fn new(
        transaction: &'c Transaction<'_>,
        resource: ResourceName,
        page: &Listed<'_>,
    ) -> Result<Option<Self>, Error> {
        if resource != OF_TICKETS.owner {
            return Ok(None);
        }
        let tables = Details::new(transaction, &OF_TICKETS, page.synced_at)?;
        let outline = OF_TICKETS.owner.resource().outline();
        Ok(Some(ShownParts { tables, outline, fetched_at: page.fetched_at }))
    }

    /// What is stored of a ticket that stays as it is holds its parts already, or newer ones.
    fn store(&mut self, raw: &str, outcome: Outcome) -> Result<Written, Error> {
        if matches!(outcome, Outcome::Kept | Outcome::Skipped) {
            return Ok(Written::default());
        }
        match Detail::read(&OF_TICKETS, raw, None, self.fetched_at) {
            Ok(detail) if detail.is_whole() && self.shows_links(raw) => {
                self.tables.store_parts(&detail, outcome == Outcome::Inserted)
            }
            _ => Ok(Written::default()),
        }
    }

    fn shows_links(&self, raw: &str) -> bool {
        let links = OF_TICKETS.owner.resource().links;
        self.outline.read(raw).is_ok_and(|ticket| links.iter().all(|link| link.is_whole(&ticket)))
    }
}

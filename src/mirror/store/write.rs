//! Writes received records to the store.
//!
//! A page, its cursor and everything derived from it are one transaction. A record is stored as received, after
//! `api::json_repair`. An older version must never replace a newer one, whatever their order of arrival.

mod contact_lists;
mod counts;
pub(super) mod links;
mod parts;
mod record;

use rusqlite::{Transaction, TransactionBehavior};
use serde_json::value::RawValue;

use super::Store;
use super::state::advance;
use crate::mirror::conversation::{Detail, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::projection::Projection;
use crate::mirror::resources::{Resource, ResourceName};
use counts::Upsert;
pub use counts::WriteCounts;
use parts::DetailTables;
pub use parts::lacks_parts;
pub(super) use record::Table;

/// A page of a list to store. Times are epoch seconds.
#[derive(Debug, Clone, Copy)]
pub(in crate::mirror) struct ListPage<'a> {
    pub items: &'a [&'a str],
    /// Where the list continues after this page.
    pub cursor: Option<&'a str>,
    /// By the local clock.
    pub synced_at: i64,
    /// By the server's clock.
    pub fetched_at: i64,
    /// Whether to record that the listing returned these records.
    pub mark_seen: bool,
}

impl Store {
    /// Stores a page of a list and its cursor. `synced_at` is epoch seconds.
    ///
    /// # Errors
    /// If the database fails; then nothing of the page is stored.
    pub fn store_page<'a>(
        &mut self,
        resource: &'static Resource,
        items: impl IntoIterator<Item = &'a str>,
        cursor: Option<&str>,
        synced_at: i64,
    ) -> Result<WriteCounts, Error> {
        let items: Vec<&str> = items.into_iter().collect();
        let page = ListPage { items: &items, cursor, synced_at, fetched_at: synced_at, mark_seen: false };
        Ok(self.store_list_page(resource, &page)?.0)
    }

    /// Also returns the counts of the parts that the records contain.
    pub(in crate::mirror) fn store_list_page(
        &mut self,
        resource: &'static Resource,
        page: &ListPage<'_>,
    ) -> Result<(WriteCounts, WriteCounts), Error> {
        let transaction = self.write()?;
        let (mut written, mut parts) = (WriteCounts::default(), WriteCounts::default());
        {
            let mut table = Table::new(&transaction, resource, page.synced_at)?;
            let mut embedded = EmbeddedParts::new(&transaction, resource.name, page)?;
            for raw in page.items {
                let (upsert, id) = table.upsert(raw, None)?;
                written.count(upsert);
                if let Some(embedded) = &mut embedded {
                    parts.add(embedded.store(raw, upsert)?);
                }
                if let Some(id) = id.filter(|_| page.mark_seen) {
                    mark_seen(&transaction, resource.name, &id)?;
                }
            }
        }
        advance(&transaction, resource.name, written.fetched, page.cursor)?;
        transaction.commit()?;
        Ok((written, parts))
    }

    /// Stores records of one resource that were fetched one by one, each with its parts. Counts the parts.
    ///
    /// # Errors
    /// As [`Store::store_page`].
    pub fn store_details(&mut self, details: &[Detail<'_>], synced_at: i64) -> Result<WriteCounts, Error> {
        let mut all = WriteCounts::default();
        self.store_each(details, synced_at)?.into_iter().for_each(|written| all.add(written));
        Ok(all)
    }

    /// As [`Store::store_details`], with counts per record.
    pub(in crate::mirror) fn store_each(
        &mut self,
        details: &[Detail<'_>],
        synced_at: i64,
    ) -> Result<Vec<WriteCounts>, Error> {
        let transaction = self.write()?;
        let mut written = Vec::with_capacity(details.len());
        if let Some(of) = details.first().map(|detail| detail.nesting) {
            let mut tables = DetailTables::new(&transaction, of, synced_at)?;
            for detail in details {
                written.push(tables.store(detail)?);
            }
            let fetched = written.iter().map(|written| written.fetched).sum();
            advance(&transaction, of.parts, fetched, None)?;
        }
        transaction.commit()?;
        Ok(written)
    }

    /// Counts records that meet an SQL condition as listed, because no list could have returned them.
    pub(in crate::mirror) fn mark_unlisted(
        &mut self,
        resource: ResourceName,
        condition: &str,
    ) -> Result<(), Error> {
        let sql = format!(
            "INSERT OR IGNORE INTO sync_seen (resource, id) SELECT '{resource}', id FROM {resource} WHERE {condition}"
        );
        self.connection.execute(&sql, [])?;
        Ok(())
    }

    pub(super) fn write(&mut self) -> Result<Transaction<'_>, Error> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

/// Stores records outside of a listing.
pub(super) fn store_records(
    transaction: &Transaction<'_>,
    resource: &'static Resource,
    items: &[Box<RawValue>],
    synced_at: i64,
) -> Result<WriteCounts, Error> {
    let mut table = Table::new(transaction, resource, synced_at)?;
    let mut written = WriteCounts::default();
    for item in items {
        written.count(table.upsert(item.get(), None)?.0);
    }
    Ok(written)
}

fn mark_seen(transaction: &Transaction<'_>, resource: ResourceName, id: &str) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO sync_seen (resource, id) VALUES (?1, ?2)";
    transaction.prepare_cached(sql)?.execute((resource.as_str(), id))?;
    Ok(())
}

/// The parts in a list of tickets. If a ticket contains all its parts and links, nothing is left to fetch.
struct EmbeddedParts<'c> {
    tables: DetailTables<'c>,
    projection: Projection,
    /// Epoch seconds, by the server's clock.
    fetched_at: i64,
}

impl<'c> EmbeddedParts<'c> {
    fn new(
        transaction: &'c Transaction<'_>,
        resource: ResourceName,
        page: &ListPage<'_>,
    ) -> Result<Option<Self>, Error> {
        if resource != OF_TICKETS.owner {
            return Ok(None);
        }
        let tables = DetailTables::new(transaction, &OF_TICKETS, page.synced_at)?;
        let projection = OF_TICKETS.owner.resource().projection();
        Ok(Some(EmbeddedParts { tables, projection, fetched_at: page.fetched_at }))
    }

    /// The parts of an unchanged ticket are already stored.
    fn store(&mut self, raw: &str, upsert: Upsert) -> Result<WriteCounts, Error> {
        if matches!(upsert, Upsert::Unchanged | Upsert::Respelled | Upsert::Skipped) {
            return Ok(WriteCounts::default());
        }
        match Detail::read(&OF_TICKETS, raw, None, self.fetched_at) {
            Ok(detail) if detail.is_whole() && self.has_all_links(raw) => {
                self.tables.store_parts(&detail, upsert == Upsert::Inserted)
            }
            _ => Ok(WriteCounts::default()),
        }
    }

    fn has_all_links(&self, raw: &str) -> bool {
        let links = OF_TICKETS.owner.resource().links;
        self.projection.read(raw).is_ok_and(|ticket| links.iter().all(|link| link.is_complete_in(&ticket)))
    }
}

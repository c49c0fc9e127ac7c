//! Records whose details are still to be fetched: parts of conversations, lists of contacts, statistics of articles.
//!
//! Stored details are complete, so an interrupted run needs no cursor. A record that is due must stay due until all its
//! details are stored.

use rusqlite::{Params, params};
use serde_json::value::RawValue;

use super::Store;
use super::quarantine::is_retryable;
use super::state::DAILY;
use super::upsert_contact::{put_links, put_notes};
use super::write::Table;
use crate::mirror::conversation::Nesting;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Records per query.
const BATCH: u32 = 500;
/// Unchanged articles per run.
const MAX_UNCHANGED: u32 = 500;
/// Seconds. A record that changed this shortly before it was fetched may change again within the same second,
/// unnoticed, so it stays pending.
const SETTLE_SECONDS: i64 = 2;

/// A record to fetch.
#[derive(Debug, Clone)]
pub(in crate::mirror) struct PendingRecord {
    pub id: String,
    pub updated_at: Option<i64>,
    /// For contacts: names of the lists to fetch, comma-separated.
    pub unlisted: String,
}

/// The lists of a contact.
#[derive(Debug)]
pub(in crate::mirror) struct FetchedLists {
    pub lists: Vec<(String, Vec<Box<RawValue>>)>,
    /// Epoch seconds by the server's clock.
    pub fetched_at: i64,
}

/// The condition that the details of `c`, whose state is `s`, are older than `c`. `?1` is [`SETTLE_SECONDS`].
fn is_outdated(state_id: &str) -> String {
    format!(
        "(s.{state_id} IS NULL OR c.updated_at IS NULL OR s.updated_at IS NOT c.updated_at
          OR s.fetched_at < s.updated_at + ?1)"
    )
}

/// The FROM clause for owners whose parts are due.
fn from_due(nesting: &Nesting) -> String {
    let (owners, parts) = (nesting.owner, nesting.parts);
    let parent = parts.resource().parent.unwrap_or("id");
    format!(
        "FROM {owners} c LEFT JOIN {parts}_state s ON s.{parent} = c.id WHERE {} AND {}",
        is_outdated(parent),
        is_retryable(parts)
    )
}

impl Store {
    /// The number of conversations or tickets whose parts are due.
    ///
    /// # Errors
    /// If the database fails.
    pub fn parts_due(&self, nesting: &Nesting) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) {}", from_due(nesting));
        let count: i64 =
            self.connection.prepare_cached(&sql)?.query_row([SETTLE_SECONDS], |row| row.get(0))?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// Marks the details of all records as due. The stored ones are kept until they are replaced.
    pub(in crate::mirror) fn mark_due(&mut self, resource: ResourceName) -> Result<(), Error> {
        let table = if resource == ResourceName::Contacts { "contact_lists" } else { resource.as_str() };
        self.connection.execute(&format!("DELETE FROM {table}_state"), [])?;
        self.retry_quarantined(resource)
    }

    /// The next conversations or tickets whose parts are due, after an id.
    pub(in crate::mirror) fn owners_due(
        &self,
        nesting: &Nesting,
        after: &str,
    ) -> Result<Vec<PendingRecord>, Error> {
        let from = from_due(nesting);
        let sql = format!("SELECT c.id, c.updated_at, '' {from} AND c.id > ?2 ORDER BY c.id LIMIT ?3");
        self.pending(&sql, (SETTLE_SECONDS, after, BATCH))
    }

    /// The next contacts whose lists are due, after an id.
    pub(in crate::mirror) fn contacts_due(&self, after: &str) -> Result<Vec<PendingRecord>, Error> {
        let sql = format!(
            "SELECT c.id, c.updated_at, c.unlisted
             FROM contacts c LEFT JOIN contact_lists_state s ON s.contact_id = c.id
             WHERE c.unlisted IS NOT NULL AND {} AND {} AND c.id > ?2 ORDER BY c.id LIMIT ?3",
            is_outdated("contact_id"),
            is_retryable(ResourceName::Contacts)
        );
        self.pending(&sql, (SETTLE_SECONDS, after, BATCH))
    }

    /// Articles whose statistics are due: those that changed, and some of the others.
    pub(in crate::mirror) fn statistics_due(&self, now: i64) -> Result<Vec<PendingRecord>, Error> {
        let changed =
            "s.article_id IS NULL OR s.updated_at IS NOT c.updated_at OR s.fetched_at < s.updated_at + ?1";
        let from = "FROM articles c LEFT JOIN article_statistics_state s ON s.article_id = c.id";
        let retryable = is_retryable(ResourceName::Articles);
        let sql = format!(
            "SELECT c.id, c.updated_at, '' {from} WHERE ({changed}) AND {retryable}
             UNION ALL
             SELECT id, updated_at, '' FROM (SELECT c.id, c.updated_at {from}
                 WHERE NOT ({changed}) AND {retryable} AND abs(?2 - s.fetched_at) >= ?3 ORDER BY s.fetched_at LIMIT ?4)"
        );
        self.pending(&sql, (SETTLE_SECONDS, now, DAILY, MAX_UNCHANGED))
    }

    fn pending(&self, sql: &str, values: impl Params) -> Result<Vec<PendingRecord>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            Ok(PendingRecord { id: row.get(0)?, updated_at: row.get(1)?, unlisted: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// `synced_at` is epoch seconds by the local clock.
    pub(in crate::mirror) fn store_lists(
        &mut self,
        contacts: &[(PendingRecord, FetchedLists)],
        synced_at: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        for (contact, FetchedLists { lists, fetched_at }) in contacts {
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

    /// Stores articles with their statistics. Times are epoch seconds, `fetched_at` by the server's clock and
    /// `synced_at` by the local one.
    pub(in crate::mirror) fn store_statistics<'a>(
        &mut self,
        articles: impl IntoIterator<Item = (&'a PendingRecord, &'a str)>,
        fetched_at: i64,
        synced_at: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        {
            let mut table = Table::new(&transaction, ResourceName::Articles.resource(), synced_at)?;
            table.keeps_equal = false;
            let mut record_state = transaction.prepare_cached(
                "INSERT OR REPLACE INTO article_statistics_state (article_id, updated_at, fetched_at)
                 SELECT id, ?2, ?3 FROM articles WHERE id = ?1",
            )?;
            for (article, document) in articles {
                table.upsert(document, None)?;
                record_state.execute(params![article.id, article.updated_at, fetched_at])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

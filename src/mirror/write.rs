//! Puts received records into the store.
//!
//! A page, its cursor and everything derived from it are one transaction. A record is kept as it was
//! received; an older version never replaces a newer one, whatever order they come in.

use std::collections::HashSet;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params_from_iter};
use serde::Serialize;
use serde_json::Value;

use super::conversation::Detail;
use super::error::Error;
use super::fields;
use super::resources::{Resource, ResourceName};
use super::state::advance;
use super::store::Store;

/// The API hands out the newest 500 parts of a conversation.
const MOST_PARTS: usize = 500;

/// What storing a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Records received, repeated ones included.
    pub fetched: u64,
    pub inserted: u64,
    /// Records that were there and are different now.
    pub updated: u64,
    /// Records that could not be stored: they had no id.
    pub skipped: u64,
}

impl Written {
    pub fn add(&mut self, other: Written) {
        self.fetched += other.fetched;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.skipped += other.skipped;
    }

    fn count(&mut self, outcome: Outcome) {
        self.fetched += 1;
        match outcome {
            Outcome::Inserted => self.inserted += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Kept => {}
            Outcome::Skipped => self.skipped += 1,
        }
    }
}

/// What storing one record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Inserted,
    Updated,
    Kept,
    Skipped,
}

impl Store {
    /// Stores a page of a list and where the list goes on after it. `synced_at` is epoch seconds.
    ///
    /// # Errors
    /// When the database refuses; nothing of the page is stored then.
    pub fn store_page<'a>(
        &mut self,
        resource: &Resource,
        items: impl IntoIterator<Item = &'a str>,
        cursor: Option<&str>,
        synced_at: i64,
    ) -> Result<Written, Error> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut written = Written::default();
        for raw in items {
            written.count(upsert(&transaction, &Record::new(resource, raw, synced_at))?);
        }
        advance(&transaction, resource.name, written.fetched as usize, cursor)?;
        transaction.commit()?;
        Ok(written)
    }

    /// Stores conversations that were fetched one by one, each with its parts. Counts the parts.
    ///
    /// # Errors
    /// As [`Store::store_page`].
    pub fn store_details(&mut self, details: &[Detail<'_>], synced_at: i64) -> Result<Written, Error> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut written = Written::default();
        for detail in details {
            written.add(detail_with_parts(&transaction, detail, synced_at)?);
        }
        advance(&transaction, ResourceName::ConversationParts, written.fetched as usize, None)?;
        transaction.commit()?;
        Ok(written)
    }
}

/// A record on its way into its table.
struct Record<'a> {
    resource: &'a Resource,
    raw: &'a str,
    parent: Option<&'a str>,
    synced_at: i64,
    /// Whether a stored record of the same age stays.
    keeps_equal: bool,
}

impl<'a> Record<'a> {
    fn new(resource: &'a Resource, raw: &'a str, synced_at: i64) -> Self {
        Record { resource, raw, parent: None, synced_at, keeps_equal: resource.shortened }
    }
}

fn upsert(connection: &Connection, record: &Record<'_>) -> Result<Outcome, Error> {
    let Ok(document) = serde_json::from_str::<Value>(record.raw) else { return Ok(Outcome::Skipped) };
    let Some(id) = fields::id(&document["id"]) else { return Ok(Outcome::Skipped) };
    let table = record.resource.name.as_str();
    let timed = record.resource.columns.iter().any(|column| column.name == "updated_at");
    let age = if timed { "updated_at" } else { "NULL" };
    let stored: Option<(Option<i64>, bool)> = connection
        .prepare_cached(&format!("SELECT {age}, raw = ?2 FROM {table} WHERE id = ?1"))?
        .query_row((&id, record.raw), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let stays = match (&stored, fields::time(&document["updated_at"])) {
        (Some((_, true)), _) => true,
        (Some((Some(stored), _)), Some(received)) => {
            *stored > received || (record.keeps_equal && *stored == received)
        }
        _ => false,
    };
    if stays {
        let touch = format!("UPDATE {table} SET synced_at = ?2 WHERE id = ?1");
        connection.prepare_cached(&touch)?.execute((&id, record.synced_at))?;
        return Ok(Outcome::Kept);
    }
    replace(connection, record, &id, &document)?;
    link(connection, record.resource, &id, &document)?;
    Ok(if stored.is_some() { Outcome::Updated } else { Outcome::Inserted })
}

fn replace(connection: &Connection, record: &Record<'_>, id: &str, document: &Value) -> Result<(), Error> {
    let resource = record.resource;
    let columns = || resource.parent.into_iter().chain(resource.columns.iter().map(|column| column.name));
    let names = columns().fold(String::new(), |list, name| list + name + ", ");
    let marks = columns().fold(String::new(), |list, _| list + "?, ");
    let updates = columns().fold(String::new(), |list, name| list + name + " = excluded." + name + ", ");
    let sql = format!(
        "INSERT INTO {table} (id, {names}synced_at, raw) VALUES (?, {marks}?, ?)
         ON CONFLICT (id) DO UPDATE SET {updates}synced_at = excluded.synced_at, raw = excluded.raw",
        table = resource.name,
    );
    let mut cells: Vec<Cell> = vec![id.to_owned().into()];
    cells.extend(resource.parent.map(|_| Cell::from(record.parent.map(str::to_owned))));
    cells.extend(resource.columns.iter().map(|column| column.field.read(document)));
    cells.extend([record.synced_at.into(), record.raw.to_owned().into()]);
    connection.prepare_cached(&sql)?.execute(params_from_iter(cells))?;
    Ok(())
}

fn link(connection: &Connection, resource: &Resource, id: &str, document: &Value) -> Result<(), Error> {
    for link in resource.links {
        let (table, owner, other) = (link.table, link.owner, link.other);
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE {owner} = ?1"))?.execute([id])?;
        let sql = format!("INSERT OR IGNORE INTO {table} ({owner}, {other}) VALUES (?1, ?2)");
        let mut insert = connection.prepare_cached(&sql)?;
        for linked in link.ids(document) {
            insert.execute((id, linked))?;
        }
    }
    Ok(())
}

fn detail_with_parts(connection: &Connection, detail: &Detail<'_>, synced_at: i64) -> Result<Written, Error> {
    let mut written = Written::default();
    let Detail::Found { id, conversation, parts, expected, updated_at, fetched_at } = detail else {
        gone(connection, detail)?;
        return Ok(written);
    };
    let whole = Record {
        keeps_equal: false,
        ..Record::new(ResourceName::Conversations.resource(), conversation, synced_at)
    };
    upsert(connection, &whole)?;
    let resource = ResourceName::ConversationParts.resource();
    let mut received = HashSet::new();
    for raw in parts {
        let record = Record { parent: Some(id), ..Record::new(resource, raw, synced_at) };
        written.count(upsert(connection, &record)?);
        received.extend(serde_json::from_str::<Value>(raw).ok().and_then(|part| fields::id(&part["id"])));
    }
    // Fewer than the API ever hands out are all there are: those that did not come exist no more. The
    // stated count alone proves nothing, because not everything that it counts is handed out.
    let cut = parts.len() >= MOST_PARTS && expected.is_none_or(|expected| expected > parts.len() as i64);
    if !cut {
        remove_others(connection, id, &received)?;
    }
    let held: i64 = connection
        .prepare_cached("SELECT count(*) FROM conversation_parts WHERE conversation_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    let truncated = cut && expected.is_none_or(|expected| expected > held);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO conversation_parts_state
                 (conversation_id, updated_at, fetched_at, parts, expected, truncated, gone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        )?
        .execute((id, updated_at, fetched_at, held, expected, truncated))?;
    Ok(written)
}

fn remove_others(
    connection: &Connection,
    conversation: &str,
    received: &HashSet<String>,
) -> Result<(), Error> {
    let mut select =
        connection.prepare_cached("SELECT id FROM conversation_parts WHERE conversation_id = ?1")?;
    let held =
        select.query_map([conversation], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut delete = connection.prepare_cached("DELETE FROM conversation_parts WHERE id = ?1")?;
    for id in held.iter().filter(|id| !received.contains(*id)) {
        delete.execute([id])?;
    }
    Ok(())
}

/// The server denies a conversation that it listed. What is stored stays, and is marked.
fn gone(connection: &Connection, detail: &Detail<'_>) -> Result<(), Error> {
    let Detail::Gone { id, updated_at, fetched_at } = detail else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO conversation_parts_state
                 (conversation_id, updated_at, fetched_at, parts, expected, truncated, gone)
             VALUES (?1, ?2, ?3, 0, NULL, 0, 1)
             ON CONFLICT (conversation_id) DO UPDATE SET
                 updated_at = excluded.updated_at, fetched_at = excluded.fetched_at, gone = 1",
        )?
        .execute((id, updated_at, fetched_at))?;
    Ok(())
}

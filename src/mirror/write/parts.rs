//! A record with all its parts, as it was fetched.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{Table, Written};
use crate::mirror::conversation::Detail;
use crate::mirror::error::Error;

/// The API hands out the newest 500 parts of a conversation.
const MOST_PARTS: usize = 500;

pub(super) fn store(connection: &Connection, detail: &Detail<'_>, synced_at: i64) -> Result<Written, Error> {
    let mut written = Written::default();
    let Detail { of, id, owner, parts, expected, updated_at, fetched_at } = detail;
    let mut owners = Table::new(connection, of.owner.resource(), synced_at)?;
    owners.keeps_equal = false;
    owners.upsert(owner, None)?;
    let mut table = Table::new(connection, of.parts.resource(), synced_at)?;
    let mut received = HashSet::new();
    for raw in parts {
        let (outcome, part) = table.upsert(raw, Some(id))?;
        written.count(outcome);
        received.extend(part);
    }
    // Fewer than the API ever hands out are all there are: those that did not come exist no more. The
    // stated count alone proves nothing, because not everything that it counts is handed out.
    let cut = parts.len() >= MOST_PARTS && expected.is_none_or(|expected| expected > parts.len() as i64);
    let parent = of.parts.resource().parent.unwrap_or("id");
    let held = held(connection, detail, parent)?;
    let mut count = held.len();
    if !cut {
        let sql = format!("DELETE FROM {} WHERE id = ?1", of.parts);
        for surplus in held.iter().filter(|part| !received.contains(*part)) {
            count -= connection.prepare_cached(&sql)?.execute([surplus])?;
            written.deleted += 1;
        }
    }
    let truncated = cut && expected.is_none_or(|expected| expected > count as i64);
    let sql = format!(
        "INSERT OR REPLACE INTO {}_state ({parent}, updated_at, fetched_at, parts, expected, truncated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        of.parts
    );
    connection.prepare_cached(&sql)?.execute((
        id,
        updated_at,
        fetched_at,
        count as i64,
        expected,
        truncated,
    ))?;
    Ok(written)
}

/// Ids of the parts that are stored.
fn held(connection: &Connection, detail: &Detail<'_>, parent: &str) -> Result<Vec<String>, Error> {
    let sql = format!("SELECT id FROM {} WHERE {parent} = ?1", detail.of.parts);
    let mut select = connection.prepare_cached(&sql)?;
    let held = select.query_map([&detail.id], |row| row.get(0))?;
    Ok(held.collect::<Result<_, _>>()?)
}

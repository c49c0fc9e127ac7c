//! One record into its table, with the typed columns and the links that are read out of it.

use std::collections::HashSet;

use rusqlite::types::Value as Cell;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params_from_iter};
use serde_json::Value;

use super::Outcome;
use crate::mirror::error::Error;
use crate::mirror::fields;
use crate::mirror::resources::{Link, Resource};

/// A table that records are written to, with its statements at hand.
pub(super) struct Table<'c> {
    connection: &'c Connection,
    resource: &'static Resource,
    /// Epoch seconds.
    synced_at: i64,
    /// Whether a stored record of the same age stays.
    pub keeps_equal: bool,
    find: CachedStatement<'c>,
    touch: CachedStatement<'c>,
    put: CachedStatement<'c>,
}

impl<'c> Table<'c> {
    pub fn new(
        connection: &'c Connection,
        resource: &'static Resource,
        synced_at: i64,
    ) -> Result<Self, Error> {
        let table = resource.name;
        let (age, parent) = (resource.age.unwrap_or("NULL"), resource.parent.unwrap_or("NULL"));
        let find = format!("SELECT {age}, raw = ?2 AND {parent} IS ?3 FROM {table} WHERE id = ?1");
        let touch = format!("UPDATE {table} SET synced_at = ?2 WHERE id = ?1");
        Ok(Table {
            connection,
            resource,
            synced_at,
            keeps_equal: resource.shortened,
            find: connection.prepare_cached(&find)?,
            touch: connection.prepare_cached(&touch)?,
            put: connection.prepare_cached(&upsert(resource))?,
        })
    }

    /// Puts a record in, unless what is there is newer or the same. Also returns its id.
    pub fn upsert(&mut self, raw: &str, parent: Option<&str>) -> Result<(Outcome, Option<String>), Error> {
        let Ok(document) = serde_json::from_str::<Value>(raw) else { return Ok((Outcome::Skipped, None)) };
        let Some(id) = self.resource.id(&document) else { return Ok((Outcome::Skipped, None)) };
        let stored: Option<(Option<i64>, bool)> =
            self.find.query_row((&id, raw, parent), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let received = self.resource.age.and_then(|age| fields::time(&document[age]));
        let stays = match (&stored, received) {
            (Some((_, true)), _) => true,
            (Some((Some(stored), _)), Some(received)) => {
                *stored > received || (self.keeps_equal && *stored == received)
            }
            _ => false,
        };
        if stays {
            self.touch.execute((&id, self.synced_at))?;
            return Ok((Outcome::Kept, Some(id)));
        }
        let read = self.resource.columns.iter().map(|column| column.field.read(&document));
        let mut cells: Vec<Cell> = Vec::with_capacity(self.resource.columns.len() + 4);
        cells.push(id.clone().into());
        cells.extend(self.resource.parent.map(|_| Cell::from(parent.map(str::to_owned))));
        cells.extend(read);
        cells.extend([self.synced_at.into(), raw.to_owned().into()]);
        self.put.execute(params_from_iter(cells))?;
        for link in self.resource.links {
            connect(self.connection, link, &id, &document)?;
        }
        let outcome = if stored.is_some() { Outcome::Updated } else { Outcome::Inserted };
        Ok((outcome, Some(id)))
    }
}

fn upsert(resource: &Resource) -> String {
    let columns = || resource.parent.into_iter().chain(resource.columns.iter().map(|column| column.name));
    let names = columns().fold(String::new(), |list, name| list + name + ", ");
    let marks = columns().fold(String::new(), |list, _| list + "?, ");
    let updates = columns().fold(String::new(), |list, name| list + name + " = excluded." + name + ", ");
    format!(
        "INSERT INTO {table} (id, {names}synced_at, raw) VALUES (?, {marks}?, ?)
         ON CONFLICT (id) DO UPDATE SET {updates}synced_at = excluded.synced_at, raw = excluded.raw",
        table = resource.name,
    )
}

/// Brings the links in line with the document. Where it names only the first of them, none is taken
/// away: the rest is read from elsewhere.
fn connect(connection: &Connection, link: &Link, id: &str, document: &Value) -> Result<(), Error> {
    let named = link.ids(document);
    relink(connection, link, id, &named, link.is_whole(document))
}

/// Links a record to others; with `only`, to no further ones.
pub(in crate::mirror) fn relink(
    connection: &Connection,
    link: &Link,
    id: &str,
    others: &[String],
    only: bool,
) -> Result<(), Error> {
    let (table, owner, other) = (link.table, link.owner, link.other);
    if only {
        let held: HashSet<String> = connection
            .prepare_cached(&format!("SELECT {other} FROM {table} WHERE {owner} = ?1"))?
            .query_map([id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let sql = format!("DELETE FROM {table} WHERE {owner} = ?1 AND {other} = ?2");
        for surplus in held.iter().filter(|held| !others.contains(held)) {
            connection.prepare_cached(&sql)?.execute((id, surplus))?;
        }
    }
    if !others.is_empty() {
        let sql = format!("INSERT OR IGNORE INTO {table} ({owner}, {other}) VALUES (?1, ?2)");
        let mut insert = connection.prepare_cached(&sql)?;
        for linked in others {
            insert.execute((id, linked))?;
        }
    }
    Ok(())
}

//! Upserts one record, together with the typed columns and the links that its document contains.

use std::cmp::Ordering;

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use serde_json::Value;

use super::contact_lists::ContactLists;
use super::counts::Upsert;
use super::links::Links;
use crate::data::lenient;
use crate::mirror::conversation::{Detail, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::projection::Projection;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::spelling::is_respelled;

/// How the stored record relates to a received one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    /// It is newer or equal, and kept.
    Current,
    /// It has the same time, and another document.
    Same,
    /// It is older, or its age is unknown.
    Other,
}

/// A resource's table with its prepared statements.
pub(in crate::mirror::store) struct Table<'c> {
    resource: &'static Resource,
    projection: Projection,
    /// Epoch seconds.
    synced_at: i64,
    /// Whether a stored record with the same time is kept.
    pub keeps_equal: bool,
    insert: CachedStatement<'c>,
    find: CachedStatement<'c>,
    stored: CachedStatement<'c>,
    touch: CachedStatement<'c>,
    update: CachedStatement<'c>,
    links: Vec<Links<'c>>,
    /// For contacts: marks lists as due that the document omits.
    lists: Option<ContactLists<'c>>,
}

impl<'c> Table<'c> {
    pub fn new(
        connection: &'c Connection,
        resource: &'static Resource,
        synced_at: i64,
    ) -> Result<Self, Error> {
        let table = resource.name;
        let updated_at = resource.updated_at_column.unwrap_or("NULL");
        let parent = resource.parent.unwrap_or("NULL");
        let find = format!("SELECT {updated_at}, raw = ?2 AND {parent} IS ?3 FROM {table} WHERE id = ?1");
        let stored = format!("SELECT raw FROM {table} WHERE id = ?1");
        let touch = format!("UPDATE {table} SET synced_at = ?2 WHERE id = ?1");
        let (insert, update) = write_statements(resource);
        let links = resource.links.iter().map(|link| Links::new(connection, link));
        let has_lists = table == ResourceName::Contacts;
        let lists = has_lists.then(|| ContactLists::new(connection)).transpose()?;
        Ok(Table {
            resource,
            projection: resource.projection(),
            synced_at,
            keeps_equal: resource.list_is_summary,
            insert: connection.prepare_cached(&insert)?,
            find: connection.prepare_cached(&find)?,
            stored: connection.prepare_cached(&stored)?,
            touch: connection.prepare_cached(&touch)?,
            update: connection.prepare_cached(&update)?,
            links: links.collect::<Result<_, _>>()?,
            lists,
        })
    }

    /// Upserts a record, unless the stored one is newer or equal. Also returns its id.
    pub fn upsert(&mut self, raw: &str, parent: Option<&str>) -> Result<(Upsert, Option<String>), Error> {
        let Ok(document) = self.projection.read(raw) else { return Ok((Upsert::Skipped, None)) };
        let Some(id) = self.resource.id(&document) else { return Ok((Upsert::Skipped, None)) };
        let record = Record { id: &id, parent, document: &document, raw };
        // Most records of a long sync are new, so try to insert first.
        let upsert = if record.write(self.resource, self.synced_at, &mut self.insert)? {
            Upsert::Inserted
        } else {
            let age = self.compare(&record)?;
            if age == Age::Current {
                self.touch.execute((&id, self.synced_at))?;
                return Ok((Upsert::Unchanged, Some(id)));
            }
            let is_respelled = age == Age::Same && self.is_respelled(&record)?;
            if let Some(lists) = &mut self.lists {
                lists.compare(&id, &document)?;
            }
            record.write(self.resource, self.synced_at, &mut self.update)?;
            if is_respelled { Upsert::Respelled } else { Upsert::Updated }
        };
        // A new record has no links to remove.
        let is_new = upsert == Upsert::Inserted;
        for links in &mut self.links {
            links.update(&id, &document, is_new)?;
        }
        Ok((upsert, Some(id)))
    }

    /// Replaces the stored record, even by an older one.
    pub fn replace(&mut self, raw: &str, parent: Option<&str>) -> Result<(), Error> {
        let Ok(document) = self.projection.read(raw) else { return Ok(()) };
        let Some(id) = self.resource.id(&document) else { return Ok(()) };
        let record = Record { id: &id, parent, document: &document, raw };
        record.write(self.resource, self.synced_at, &mut self.update)?;
        for links in &mut self.links {
            links.update(&id, &document, false)?;
        }
        Ok(())
    }

    fn compare(&mut self, record: &Record<'_>) -> Result<Age, Error> {
        let Record { id, parent, document, raw } = record;
        let stored: Option<(Option<i64>, bool)> =
            self.find.query_row((id, raw, parent), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let received = self.resource.updated_at_column.and_then(|column| lenient::time(&document[column]));
        Ok(match (stored, received) {
            (Some((_, true)), _) => Age::Current,
            (Some((Some(stored), _)), Some(received)) => match stored.cmp(&received) {
                Ordering::Greater => Age::Current,
                Ordering::Equal if self.keeps_equal || omits_parts(self.resource, raw) => Age::Current,
                Ordering::Equal => Age::Same,
                Ordering::Less => Age::Other,
            },
            _ => Age::Other,
        })
    }

    fn is_respelled(&mut self, record: &Record<'_>) -> Result<bool, Error> {
        let stored: Option<String> = self.stored.query_row([record.id], |row| row.get(0)).optional()?;
        Ok(stored.is_some_and(|stored| is_respelled(self.resource.name, &stored, record.raw)))
    }
}

/// Whether the document is a ticket without its parts, which lists can omit.
fn omits_parts(resource: &Resource, raw: &str) -> bool {
    resource.name == OF_TICKETS.owner
        && Detail::read(&OF_TICKETS, raw, None, 0).is_ok_and(|ticket| !ticket.shows_parts)
}

struct Record<'r> {
    id: &'r str,
    parent: Option<&'r str>,
    /// The projected part of the document.
    document: &'r Value,
    raw: &'r str,
}

impl Record<'_> {
    /// Executes one of [`write_statements`]; returns whether it changed anything.
    fn write(
        &self,
        resource: &'static Resource,
        synced_at: i64,
        statement: &mut CachedStatement<'_>,
    ) -> Result<bool, Error> {
        let mut place = 1;
        statement.raw_bind_parameter(place, self.id)?;
        if resource.parent.is_some() {
            place += 1;
            statement.raw_bind_parameter(place, self.parent)?;
        }
        for column in resource.columns {
            place += 1;
            statement.raw_bind_parameter(place, column.field.read(self.document))?;
        }
        statement.raw_bind_parameter(place + 1, synced_at)?;
        statement.raw_bind_parameter(place + 2, self.raw)?;
        Ok(statement.raw_execute()? > 0)
    }
}

/// The statements that insert a record unless it exists, and that update one. Both take the same parameters.
fn write_statements(resource: &Resource) -> (String, String) {
    let table = resource.name;
    let columns = resource.columns.iter().map(|column| column.name);
    let names: Vec<&str> = resource.parent.into_iter().chain(columns).chain(["synced_at", "raw"]).collect();
    let marks: Vec<String> = (1..=names.len() + 1).map(|place| format!("?{place}")).collect();
    let (list, values) = (names.join(", "), marks.join(", "));
    let updates: Vec<String> =
        names.iter().zip(&marks[1..]).map(|(name, mark)| format!("{name} = {mark}")).collect();
    (
        format!("INSERT INTO {table} (id, {list}) VALUES ({values}) ON CONFLICT (id) DO NOTHING"),
        format!("UPDATE {table} SET {} WHERE id = ?1", updates.join(", ")),
    )
}

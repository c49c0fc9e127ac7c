//! One record into its table, with the typed columns and the links that are read out of it.

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use serde_json::Value;

use super::Outcome;
use super::links::Links;
use super::lists::ContactLists;
use crate::mirror::conversation::{Detail, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::fields;
use crate::mirror::outline::Outline;
use crate::mirror::resources::{Resource, ResourceName};

/// A table that records are written to, with its statements at hand.
pub(in crate::mirror) struct Table<'c> {
    resource: &'static Resource,
    outline: Outline,
    /// Epoch seconds.
    synced_at: i64,
    /// Whether a stored record of the same age stays.
    pub keeps_equal: bool,
    insert: CachedStatement<'c>,
    find: CachedStatement<'c>,
    touch: CachedStatement<'c>,
    update: CachedStatement<'c>,
    links: Vec<Links<'c>>,
    /// Makes the lists of a contact due that its document does not show.
    lists: Option<ContactLists<'c>>,
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
        let (insert, update) = puts(resource);
        let links = resource.links.iter().map(|link| Links::new(connection, link));
        let has_lists = table == ResourceName::Contacts;
        let lists = has_lists.then(|| ContactLists::new(connection)).transpose()?;
        Ok(Table {
            resource,
            outline: resource.outline(),
            synced_at,
            keeps_equal: resource.shortened,
            insert: connection.prepare_cached(&insert)?,
            find: connection.prepare_cached(&find)?,
            touch: connection.prepare_cached(&touch)?,
            update: connection.prepare_cached(&update)?,
            links: links.collect::<Result<_, _>>()?,
            lists,
        })
    }

    /// Puts a record in, unless what is there is newer or the same. Also returns its id.
    pub fn upsert(&mut self, raw: &str, parent: Option<&str>) -> Result<(Outcome, Option<String>), Error> {
        let Ok(document) = self.outline.read(raw) else { return Ok((Outcome::Skipped, None)) };
        let Some(id) = self.resource.id(&document) else { return Ok((Outcome::Skipped, None)) };
        let record = Record { id: &id, parent, document: &document, raw };
        // Most records of a long sync are new: whether one is there shows when it is put in.
        let outcome = if record.put(self.resource, self.synced_at, &mut self.insert)? {
            Outcome::Inserted
        } else if self.stays(&record)? {
            self.touch.execute((&id, self.synced_at))?;
            Outcome::Kept
        } else {
            if let Some(lists) = &mut self.lists {
                lists.follow(&id, &document)?;
            }
            record.put(self.resource, self.synced_at, &mut self.update)?;
            Outcome::Updated
        };
        if outcome != Outcome::Kept {
            // A record that was not there has no links that could be surplus.
            let is_new = outcome == Outcome::Inserted;
            for links in &mut self.links {
                links.follow(&id, &document, is_new)?;
            }
        }
        Ok((outcome, Some(id)))
    }

    /// Puts a record in the place of the stored one, whatever their ages.
    pub fn replace(&mut self, raw: &str, parent: Option<&str>) -> Result<(), Error> {
        let Ok(document) = self.outline.read(raw) else { return Ok(()) };
        let Some(id) = self.resource.id(&document) else { return Ok(()) };
        let record = Record { id: &id, parent, document: &document, raw };
        record.put(self.resource, self.synced_at, &mut self.update)?;
        for links in &mut self.links {
            links.follow(&id, &document, false)?;
        }
        Ok(())
    }

    /// Whether the stored record is newer, or the same.
    fn stays(&mut self, record: &Record<'_>) -> Result<bool, Error> {
        let Record { id, parent, document, raw } = record;
        let stored: Option<(Option<i64>, bool)> =
            self.find.query_row((id, raw, parent), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let received = self.resource.age.and_then(|age| fields::time(&document[age]));
        Ok(match (stored, received) {
            (Some((_, true)), _) => true,
            (Some((Some(stored), _)), Some(received)) => {
                stored > received
                    || (stored == received && (self.keeps_equal || lacks_parts(self.resource, raw)))
            }
            _ => false,
        })
    }
}

/// Whether a ticket came without the parts that the stored one has. Lists can leave them out.
fn lacks_parts(resource: &Resource, raw: &str) -> bool {
    resource.name == OF_TICKETS.owner
        && Detail::read(&OF_TICKETS, raw, None, 0).is_ok_and(|ticket| !ticket.shows_parts)
}

struct Record<'r> {
    id: &'r str,
    parent: Option<&'r str>,
    /// What was read of it.
    document: &'r Value,
    raw: &'r str,
}

impl Record<'_> {
    /// Executes one of [`puts`]; returns whether it changed anything.
    fn put(
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

/// How to insert a record unless it is there, and how to update one that is: with the same parameters.
fn puts(resource: &Resource) -> (String, String) {
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

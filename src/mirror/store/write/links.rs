//! Writes the link tables: pairs of a record and the records that its document lists.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection};
use serde_json::Value;

use crate::mirror::error::Error;
use crate::mirror::resources::{Link, ResourceName};

/// The links to remove together with a record of this resource. Links to contacts are kept, because conversations and
/// tickets still name deleted participants.
pub(in crate::mirror::store) fn links_to(gone: ResourceName) -> impl Iterator<Item = &'static Link> {
    let links = ResourceName::ALL.iter().flat_map(|owner| owner.resource().links);
    links.filter(move |link| link.to == gone && gone != ResourceName::Contacts)
}

/// Statements that delete every link to a record that is gone.
pub(in crate::mirror::store) fn delete_statements(
    connection: &Connection,
    gone: ResourceName,
) -> Result<Vec<CachedStatement<'_>>, Error> {
    let sql = |link: &Link| format!("DELETE FROM {} WHERE {} = ?1", link.table, link.other);
    Ok(links_to(gone).map(|link| connection.prepare_cached(&sql(link))).collect::<Result<_, _>>()?)
}

/// A link table with its prepared statements.
pub(in crate::mirror::store) struct Links<'c> {
    link: &'static Link,
    select: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    insert: CachedStatement<'c>,
}

impl<'c> Links<'c> {
    pub fn new(connection: &'c Connection, link: &'static Link) -> Result<Self, Error> {
        let Link { table, owner, other, .. } = link;
        Ok(Links {
            link,
            select: connection.prepare_cached(&format!("SELECT {other} FROM {table} WHERE {owner} = ?1"))?,
            delete: connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE {owner} = ?1 AND {other} = ?2"))?,
            insert: connection.prepare_cached(&format!(
                "INSERT OR IGNORE INTO {table} ({owner}, {other}) VALUES (?1, ?2)"
            ))?,
        })
    }

    /// Updates the links from the document. If its list is truncated, no link is removed: the rest is fetched
    /// separately.
    pub(super) fn update(&mut self, id: &str, document: &Value, is_new: bool) -> Result<(), Error> {
        let others = self.link.ids(document);
        self.set(id, &others, !is_new && self.link.is_complete_in(document))
    }

    /// Links a record to others; with `replace`, also removes its other links.
    pub fn set(&mut self, id: &str, others: &[String], replace: bool) -> Result<(), Error> {
        if replace {
            let stored: HashSet<String> =
                self.select.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for surplus in stored.iter().filter(|other| !others.contains(other)) {
                self.delete.execute((id, surplus))?;
            }
        }
        for other in others {
            self.insert.execute((id, other))?;
        }
        Ok(())
    }
}

//! The pairs of a record and the others that it names.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection};
use serde_json::Value;

use crate::mirror::error::Error;
use crate::mirror::resources::{Link, ResourceName};

/// The pairs that go when a record of this resource is gone. Conversations and tickets go on naming the
/// contacts who took part.
pub(in crate::mirror) fn links_to(gone: ResourceName) -> impl Iterator<Item = &'static Link> {
    let links = ResourceName::ALL.iter().flat_map(|owner| owner.resource().links);
    links.filter(move |link| link.to == gone && gone != ResourceName::Contacts)
}

/// Statements that take away every pair with a record that is gone.
pub(super) fn all_to(connection: &Connection, gone: ResourceName) -> Result<Vec<CachedStatement<'_>>, Error> {
    let sql = |link: &Link| format!("DELETE FROM {} WHERE {} = ?1", link.table, link.other);
    Ok(links_to(gone).map(|link| connection.prepare_cached(&sql(link))).collect::<Result<_, _>>()?)
}

/// A table of pairs, with its statements at hand.
pub(in crate::mirror) struct Links<'c> {
    link: &'static Link,
    held: CachedStatement<'c>,
    cut: CachedStatement<'c>,
    tie: CachedStatement<'c>,
}

impl<'c> Links<'c> {
    pub fn new(connection: &'c Connection, link: &'static Link) -> Result<Self, Error> {
        let Link { table, owner, other, .. } = link;
        Ok(Links {
            link,
            held: connection.prepare_cached(&format!("SELECT {other} FROM {table} WHERE {owner} = ?1"))?,
            cut: connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE {owner} = ?1 AND {other} = ?2"))?,
            tie: connection.prepare_cached(&format!(
                "INSERT OR IGNORE INTO {table} ({owner}, {other}) VALUES (?1, ?2)"
            ))?,
        })
    }

    /// Brings the pairs in line with the document. Where it names only the first of the others, none is
    /// taken away: the rest is read from elsewhere.
    pub(super) fn follow(&mut self, id: &str, document: &Value, is_new: bool) -> Result<(), Error> {
        let named = self.link.ids(document);
        self.set(id, &named, !is_new && self.link.is_whole(document))
    }

    /// Links a record to others; with `only`, to no further ones.
    pub fn set(&mut self, id: &str, others: &[String], only: bool) -> Result<(), Error> {
        if only {
            let held: HashSet<String> =
                self.held.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for surplus in held.iter().filter(|held| !others.contains(held)) {
                self.cut.execute((id, surplus))?;
            }
        }
        for other in others {
            self.tie.execute((id, other))?;
        }
        Ok(())
    }
}

//! Replaces the lists of a contact, and stores what was fetched about one contact outside of a sync.
//!
//! As in a sync, records are stored as received and an older version never replaces a newer one. Cursors must not
//! move and no records may be removed, because this is never the whole of a resource.

use rusqlite::{Connection, params};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Store;
use super::write::WriteCounts;
use super::write::links::Links;
use crate::data::lenient;
use crate::mirror::conversation::Detail;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Lists that belong to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactList {
    Tags,
    Companies,
    Notes,
    Segments,
}

impl Store {
    /// Stores records. `synced_at` is epoch seconds.
    ///
    /// # Errors
    /// If the database fails; then nothing is stored.
    pub fn store_records(
        &mut self,
        resource: ResourceName,
        items: &[Box<RawValue>],
        synced_at: i64,
    ) -> Result<WriteCounts, Error> {
        let transaction = self.write()?;
        let written = super::write::store_records(&transaction, resource.resource(), items, synced_at)?;
        transaction.commit()?;
        Ok(written)
    }

    /// Replaces one of a contact's lists with the complete list.
    ///
    /// # Errors
    /// If the database fails; then nothing is stored.
    pub fn store_contact_list(
        &mut self,
        contact: &str,
        list: ContactList,
        items: &[Box<RawValue>],
        synced_at: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        let resource = match list {
            ContactList::Tags => Some(ResourceName::Tags),
            ContactList::Companies => Some(ResourceName::Companies),
            ContactList::Segments => Some(ResourceName::Segments),
            ContactList::Notes => None,
        };
        if let Some(resource) = resource {
            super::write::store_records(&transaction, resource.resource(), items, synced_at)?;
        }
        match list {
            ContactList::Notes => put_notes(&transaction, contact, items, synced_at)?,
            ContactList::Tags => put_links(&transaction, contact, "tags", items)?,
            ContactList::Companies => put_links(&transaction, contact, "companies", items)?,
            ContactList::Segments => {
                transaction.execute("DELETE FROM contact_segments WHERE contact_id = ?1", [contact])?;
                let sql = "INSERT OR IGNORE INTO contact_segments (contact_id, segment_id) VALUES (?1, ?2)";
                for item in items {
                    if let Some(id) = parsed(item).and_then(|document| lenient::id(&document["id"])) {
                        transaction.prepare_cached(sql)?.execute((contact, id))?;
                    }
                }
            }
        }
        Ok(transaction.commit()?)
    }

    /// Stores one conversation with its parts.
    ///
    /// # Errors
    /// If the database fails; then nothing is stored.
    pub fn store_detail(&mut self, detail: &Detail<'_>, synced_at: i64) -> Result<WriteCounts, Error> {
        self.store_details(std::slice::from_ref(detail), synced_at)
    }
}

/// Replaces the links of a contact to the records of one list.
pub(super) fn put_links(
    connection: &Connection,
    contact: &str,
    name: &str,
    items: &[Box<RawValue>],
) -> Result<(), Error> {
    let ids: Vec<String> = items.iter().filter_map(|item| lenient::id(&parsed(item)?["id"])).collect();
    let links = ResourceName::Contacts.resource().links;
    match links.iter().find(|link| link.table.strip_prefix("contact_") == Some(name)) {
        Some(link) => Links::new(connection, link)?.set(contact, &ids, true),
        None => Ok(()),
    }
}

/// Replaces the notes of a contact.
pub(super) fn put_notes(
    connection: &Connection,
    contact: &str,
    items: &[Box<RawValue>],
    synced_at: i64,
) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM contact_notes WHERE contact_id = ?1")?.execute([contact])?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO contact_notes (id, contact_id, author_id, created_at, synced_at, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for item in items {
        let Some(note) = parsed(item) else { continue };
        let Some(id) = lenient::id(&note["id"]) else { continue };
        let (author, created_at) = (lenient::id(&note["author"]["id"]), lenient::time(&note["created_at"]));
        insert.execute(params![id, contact, author, created_at, synced_at, item.get()])?;
    }
    Ok(())
}

/// `None` for a document that is nested too deeply; it has no id that can be linked.
fn parsed(item: &RawValue) -> Option<Value> {
    serde_json::from_str(item.get()).ok()
}

//! Records that may have changed although they do not count as changed, scheduled to be read again.

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;

use super::Store;
use super::state::DAILY;
use super::write::Table;
use crate::data::lenient;
use crate::mirror::conversation::Nesting;
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};

/// Records reread per run and resource.
const MAX_REREADS: u32 = 1_000;
/// A daily slice is one in [`SHARE`] records, within these limits.
const SHARE: i64 = 100;
const MIN_SLICE: i64 = 10;
const MAX_SLICE: i64 = 2_000;

impl Store {
    /// Marks the parts of scheduled records as due. `now` is epoch seconds by the server's clock.
    pub(in crate::mirror) fn take_rereads(&mut self, nesting: &Nesting, now: i64) -> Result<(), Error> {
        let (owner, parts) = (nesting.owner.as_str(), nesting.parts);
        let parent = parts.resource().parent.unwrap_or("id");
        let transaction = self.write()?;
        let slice = format!(
            "INSERT OR IGNORE INTO sync_rereads (resource, id)
             SELECT '{owner}', {parent} FROM {parts}_state WHERE fetched_at < ?1
             ORDER BY fetched_at, {parent} LIMIT ?2"
        );
        take_daily_slice(&transaction, parts, parts.as_str(), &slice, now)?;
        let chosen = "SELECT id FROM sync_rereads WHERE resource = ?1 ORDER BY rowid LIMIT ?2";
        let due = format!("UPDATE {parts}_state SET fetched_at = 0 WHERE {parent} IN ({chosen})");
        transaction.execute(&due, params![owner, MAX_REREADS])?;
        let taken = format!("DELETE FROM sync_rereads WHERE resource = ?1 AND id IN ({chosen})");
        transaction.execute(&taken, params![owner, MAX_REREADS])?;
        Ok(transaction.commit()?)
    }

    /// Once a day, marks the lists of some contacts as due: an edited note or a twelfth tag does not change the
    /// contact's document. `now` is epoch seconds by the server's clock.
    pub(in crate::mirror) fn take_contact_lists(&mut self, now: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        let slice = "UPDATE contact_lists_state SET fetched_at = 0 WHERE contact_id IN
                     (SELECT s.contact_id FROM contact_lists_state s JOIN contacts c ON c.id = s.contact_id
                      WHERE c.unlisted IS NOT NULL AND s.fetched_at < ?1
                      ORDER BY s.fetched_at, s.contact_id LIMIT ?2)";
        take_daily_slice(&transaction, ResourceName::Contacts, "contact_lists", slice, now)?;
        Ok(transaction.commit()?)
    }

    /// Stores the results of a search by ids. A search returns less of a conversation than is stored, so it is reread
    /// if people or links differ.
    pub(in crate::mirror) fn compare(
        &mut self,
        resource: &'static Resource,
        documents: &[(String, &str)],
        synced_at: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        if resource.list_is_summary {
            let sql = format!("SELECT raw FROM {} WHERE id = ?1", resource.name);
            for (id, document) in documents {
                let stored = transaction.prepare_cached(&sql)?.query_row([id], |row| row.get::<_, String>(0));
                if stored.optional()?.is_some_and(|stored| differ(&stored, document)) {
                    let sql = "INSERT OR IGNORE INTO sync_rereads (resource, id) VALUES (?1, ?2)";
                    transaction.prepare_cached(sql)?.execute((resource.name.as_str(), id))?;
                }
            }
        } else {
            let mut table = Table::new(&transaction, resource, synced_at)?;
            for (_, document) in documents {
                table.upsert(document, None)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Contacts in conversations fetched since this time, in epoch seconds by the server's clock.
    pub(in crate::mirror) fn active_contacts(&self, since: i64) -> Result<Vec<String>, Error> {
        let sql = "SELECT DISTINCT cc.contact_id FROM conversation_parts_state s
                   JOIN conversation_contacts cc ON cc.conversation_id = s.conversation_id
                   JOIN contacts c ON c.id = cc.contact_id
                   WHERE s.fetched_at >= ?1 LIMIT ?2";
        self.texts(sql, (since, MAX_REREADS))
    }

    pub(in crate::mirror) fn scheduled(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let sql = "SELECT id FROM sync_rereads WHERE resource = ?1 ORDER BY rowid LIMIT ?2";
        self.texts(sql, (resource.as_str(), MAX_REREADS))
    }

    pub(in crate::mirror) fn unschedule(
        &mut self,
        resource: ResourceName,
        ids: &[String],
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        for id in ids {
            let sql = "DELETE FROM sync_rereads WHERE resource = ?1 AND id = ?2";
            transaction.prepare_cached(sql)?.execute((resource.as_str(), id))?;
        }
        Ok(transaction.commit()?)
    }
}

/// Once a day, executes `sql` for some of the records in a state table. `?1` is the time before which they were
/// fetched, `?2` how many to take.
fn take_daily_slice(
    transaction: &Transaction<'_>,
    resource: ResourceName,
    table: &str,
    sql: &str,
    now: i64,
) -> Result<(), Error> {
    let last = "SELECT max(reread_at) FROM sync_state WHERE resource = ?1";
    let last: Option<i64> = transaction.query_row(last, [resource.as_str()], |row| row.get(0))?;
    if last.is_some_and(|last| (now - last).abs() < DAILY) {
        return Ok(());
    }
    // The first run reads everything anyway.
    if last.is_some() {
        let rows = format!("SELECT count(*) FROM {table}_state");
        let rows: i64 = transaction.query_row(&rows, [], |row| row.get(0))?;
        transaction.execute(sql, params![now - DAILY, (rows / SHARE).clamp(MIN_SLICE, MAX_SLICE)])?;
    }
    let taken = "UPDATE sync_state SET reread_at = ?2 WHERE resource = ?1";
    transaction.execute(taken, params![resource.as_str(), now])?;
    Ok(())
}

/// Whether two documents of a conversation name different people or tickets. Ignores what either of them omits.
fn differ(stored: &str, received: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text);
    // A document that is nested too deeply to parse shows no difference.
    let (Ok(stored), Ok(received)) = (read(stored), read(received)) else { return false };
    let differs = |pointer: &str| {
        let (one, other) = (lenient::at(&stored, pointer), lenient::at(&received, pointer));
        one.zip(other).is_some_and(|(one, other)| !one.is_null() && !other.is_null() && one != other)
    };
    let ids = |document: &Value, pointer: &str| {
        let list = lenient::at(document, pointer)?.as_array()?;
        let mut ids: Vec<_> = list.iter().filter_map(|item| lenient::id(&item["id"])).collect();
        ids.sort();
        Some(ids)
    };
    let ids_differ = |pointer: &str| {
        ids(&stored, pointer).zip(ids(&received, pointer)).is_some_and(|(one, other)| one != other)
    };
    differs("/source/author/name")
        || differs("/source/author/email")
        || ids_differ("/linked_objects/data")
        || ids_differ("/contacts/contacts")
}

#[cfg(test)]
mod tests {
    use super::differ;

    #[test]
    fn omitted_values_do_not_differ() {
        let stored = r#"{"source":{"author":{"name":"Ann","email":null}},"linked_objects":{"data":[{"id":"1"}]},"x":1}"#;
        for (received, expected) in [
            (r#"{"x":2}"#, false),
            (r#"{"source":{"author":{"name":null}}}"#, false),
            (r#"{"source":{"author":{"name":"Bo"}}}"#, true),
            (r#"{"linked_objects":{"data":[]}}"#, true),
            (r#"{"linked_objects":{"data":[{"id":1}]}}"#, false),
        ] {
            assert_eq!(differ(stored, received), expected, "{received}");
        }
    }
}

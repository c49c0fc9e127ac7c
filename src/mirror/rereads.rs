//! Fetches again what does not count as changed and may have changed all the same.
//!
//! Triggers and checks note such records; every run takes some of them. Besides, a slice of all
//! conversations and tickets, and of the lists of contacts, is read again every day, those first that were read
//! longest ago. Nothing here removes a record that
//! the workspace still has.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::cadence::DAILY;
use super::conversation::{Nesting, OF_CONVERSATIONS, OF_TICKETS};
use super::error::Error;
use super::fields;
use super::presence;
use super::prune;
use super::resources::{Resource, ResourceName};
use super::run::{Run, Tally};
use super::store::Store;
use super::write::Table;

/// Records fetched again in one run, for each resource.
const MOST: u32 = 1_000;
/// One in so many conversations, or tickets, is in a slice, and at least and at most so many of them.
const SHARE: i64 = 100;
const LEAST: i64 = 10;
const MOST_OF_A_SLICE: i64 = 2_000;

impl Store {
    /// Makes the parts due of what is to be read again. `now` is epoch seconds by the server's clock.
    pub(super) fn take_rereads(&mut self, of: &Nesting, now: i64) -> Result<(), Error> {
        let (owner, parts) = (of.owner.as_str(), of.parts);
        let parent = parts.resource().parent.unwrap_or("id");
        let transaction = self.write()?;
        let last: Option<i64> = transaction.query_row(
            "SELECT max(reread_at) FROM sync_state WHERE resource = ?1",
            [parts.as_str()],
            |row| row.get(0),
        )?;
        if last.is_none_or(|last| (now - last).abs() >= DAILY) {
            // The first run has read everything.
            if last.is_some() {
                let rows: i64 =
                    transaction
                        .query_row(&format!("SELECT count(*) FROM {parts}_state"), [], |row| row.get(0))?;
                let slice = (rows / SHARE).clamp(LEAST, MOST_OF_A_SLICE);
                let sql = format!(
                    "INSERT OR IGNORE INTO sync_rereads (resource, id)
                     SELECT '{owner}', {parent} FROM {parts}_state WHERE fetched_at < ?1
                     ORDER BY fetched_at, {parent} LIMIT ?2"
                );
                transaction.execute(&sql, params![now - DAILY, slice])?;
            }
            transaction.execute(
                "UPDATE sync_state SET reread_at = ?2 WHERE resource = ?1",
                params![parts.as_str(), now],
            )?;
        }
        let chosen = "SELECT id FROM sync_rereads WHERE resource = ?1 ORDER BY rowid LIMIT ?2";
        let due = format!("UPDATE {parts}_state SET fetched_at = 0 WHERE {parent} IN ({chosen})");
        transaction.execute(&due, params![owner, MOST])?;
        let taken = format!("DELETE FROM sync_rereads WHERE resource = ?1 AND id IN ({chosen})");
        transaction.execute(&taken, params![owner, MOST])?;
        Ok(transaction.commit()?)
    }

    /// Once a day, makes the lists of some contacts due: an edited note, or a twelfth tag, leaves no sign in the
    /// contact's document. `now` is epoch seconds by the server's clock.
    pub(super) fn take_contact_lists(&mut self, now: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        let contacts = ResourceName::Contacts.as_str();
        let last: Option<i64> = transaction.query_row(
            "SELECT max(reread_at) FROM sync_state WHERE resource = ?1",
            [contacts],
            |row| row.get(0),
        )?;
        if last.is_none_or(|last| (now - last).abs() >= DAILY) {
            // The first run has read everything.
            if last.is_some() {
                let rows: i64 =
                    transaction
                        .query_row("SELECT count(*) FROM contact_lists_state", [], |row| row.get(0))?;
                let slice = (rows / SHARE).clamp(LEAST, MOST_OF_A_SLICE);
                let sql = "UPDATE contact_lists_state SET fetched_at = 0 WHERE contact_id IN
                           (SELECT s.contact_id FROM contact_lists_state s JOIN contacts c ON c.id = s.contact_id
                            WHERE c.unlisted IS NOT NULL AND s.fetched_at < ?1
                            ORDER BY s.fetched_at, s.contact_id LIMIT ?2)";
                transaction.execute(sql, params![now - DAILY, slice])?;
            }
            let sql = "UPDATE sync_state SET reread_at = ?2 WHERE resource = ?1";
            transaction.execute(sql, params![contacts, now])?;
        }
        Ok(transaction.commit()?)
    }

    /// Stores what a search by ids has found, as far as it differs. What a search shows of a conversation is less
    /// than what is stored: where they disagree about people or links, it is fetched again.
    pub(super) fn compare(
        &mut self,
        resource: &'static Resource,
        documents: &[(String, &str)],
        synced_at: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        if resource.shortened {
            let sql = format!("SELECT raw FROM {} WHERE id = ?1", resource.name);
            for (id, document) in documents {
                let stored = transaction.prepare_cached(&sql)?.query_row([id], |row| row.get::<_, String>(0));
                if stored.optional()?.is_some_and(|stored| disagree(&stored, document)) {
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

    /// Contacts of the conversations that were fetched since a moment, by the server's clock.
    fn talked_since(&self, moment: i64) -> Result<Vec<String>, Error> {
        let sql = "SELECT DISTINCT cc.contact_id FROM conversation_parts_state s
                   JOIN conversation_contacts cc ON cc.conversation_id = s.conversation_id
                   JOIN contacts c ON c.id = cc.contact_id
                   WHERE s.fetched_at >= ?1 LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map((moment, MOST), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn rereads(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let sql = "SELECT id FROM sync_rereads WHERE resource = ?1 ORDER BY rowid LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map((resource.as_str(), MOST), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn done(&mut self, resource: ResourceName, ids: &[String]) -> Result<(), Error> {
        let transaction = self.write()?;
        for id in ids {
            let sql = "DELETE FROM sync_rereads WHERE resource = ?1 AND id = ?2";
            transaction.prepare_cached(sql)?.execute((resource.as_str(), id))?;
        }
        Ok(transaction.commit()?)
    }
}

/// Whether two documents of a conversation name other people or other tickets. What one of them leaves out says
/// nothing.
fn disagree(stored: &str, found: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (stored, found) = (read(stored), read(found));
    let differs = |place: &str| {
        let (one, other) = (fields::at(&stored, place), fields::at(&found, place));
        one.zip(other).is_some_and(|(one, other)| !one.is_null() && !other.is_null() && one != other)
    };
    let ids = |document: &Value, place: &str| {
        let list = fields::at(document, place)?.as_array()?;
        let mut ids: Vec<_> = list.iter().filter_map(|item| fields::id(&item["id"])).collect();
        ids.sort();
        Some(ids)
    };
    let others =
        |place: &str| ids(&stored, place).zip(ids(&found, place)).is_some_and(|(one, other)| one != other);
    differs("/source/author/name")
        || differs("/source/author/email")
        || others("/linked_objects/data")
        || others("/contacts/contacts")
}

/// Fetches what remains to be read again once everything else is up to date. What the API refuses is left for
/// the next run.
///
/// # Errors
/// When the store refuses.
pub(super) async fn settle(
    run: &Run<'_>,
    resource: &'static Resource,
    began: i64,
    tally: &mut Tally,
) -> Result<(), Error> {
    let nested = [&OF_CONVERSATIONS, &OF_TICKETS].iter().any(|of| of.owner == resource.name);
    let Some(one) = resource.one.filter(|_| !nested) else { return Ok(()) };
    if resource.name == ResourceName::Contacts {
        // Who wrote has another `last_replied_at` and does not count as changed.
        let ids = run.with_store(|store| store.talked_since(began))?;
        super::deletions::reread(run, resource, &ids, tally).await?;
    }
    let ids = run.with_store(|store| store.rereads(resource.name))?;
    if ids.is_empty() {
        return Ok(());
    }
    match prune::gone(run, resource, one, ids.clone(), tally).await {
        Ok(gone) => {
            let absence = presence::verify(run, resource, gone, tally).await?;
            run.with_store(|store| {
                tally.written.deleted += store.remove_gone(resource.name, &absence.gone)?;
                store.done(resource.name, &ids)
            })
        }
        Err(Error::Api(error)) => {
            tracing::debug!(%error, resource = %resource.name, "not read again");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::disagree;

    #[test]
    fn what_is_left_out_is_no_disagreement() {
        let stored = r#"{"source":{"author":{"name":"Ann","email":null}},"linked_objects":{"data":[{"id":"1"}]},"x":1}"#;
        for (found, expected) in [
            (r#"{"x":2}"#, false),
            (r#"{"source":{"author":{"name":null}}}"#, false),
            (r#"{"source":{"author":{"name":"Bo"}}}"#, true),
            (r#"{"linked_objects":{"data":[]}}"#, true),
            (r#"{"linked_objects":{"data":[{"id":1}]}}"#, false),
        ] {
            assert_eq!(disagree(stored, found), expected, "{found}");
        }
    }
}

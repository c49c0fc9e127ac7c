//! Removes records that are gone, and schedules what refers to them.
//!
//! Whoever calls this must have proof that the records are gone.

use super::Store;
use super::write::links::{delete_statements, links_to};
use crate::mirror::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Missing records per run; the next run continues.
const MAX_MISSING: u32 = 1_000;

impl Store {
    /// Removes records and everything that depends on them. Returns the number of records.
    ///
    /// # Errors
    /// If the database fails; then nothing is removed.
    pub fn remove(&mut self, resource: ResourceName, ids: &[String]) -> Result<u64, Error> {
        let transaction = self.write()?;
        let mut removed = 0;
        {
            let mut delete = transaction.prepare_cached(&format!("DELETE FROM {resource} WHERE id = ?1"))?;
            let mut unlink = delete_statements(&transaction, resource)?;
            for id in ids {
                for unlink in &mut unlink {
                    unlink.execute([id])?;
                }
                removed += delete.execute([id])? as u64;
            }
        }
        transaction.commit()?;
        Ok(removed)
    }

    /// Removes records that are known to be gone, for example after a merge.
    ///
    /// # Errors
    /// [`Error::Locked`] during a sync, or if the database fails.
    pub fn remove_records(&mut self, resource: ResourceName, gone: &[String]) -> Result<u64, Error> {
        let _lock = self.lock()?;
        self.remove_gone(resource, gone)
    }

    /// Removes records that are gone, and schedules a reread of everything that refers to them.
    pub(in crate::mirror) fn remove_gone(
        &mut self,
        resource: ResourceName,
        gone: &[String],
    ) -> Result<u64, Error> {
        match resource {
            ResourceName::Contacts => self.mark_stale(gone)?,
            ResourceName::Tickets => self.reread_linked_conversations(gone)?,
            _ => {}
        }
        self.remove(resource, gone)
    }

    /// Marks everything that the deleted contacts took part in as stale. After a merge it names another contact, but
    /// does not count as changed.
    fn mark_stale(&mut self, contacts: &[String]) -> Result<(), Error> {
        let of_parts = [&OF_CONVERSATIONS, &OF_TICKETS].map(|of| {
            let parent = of.parts.resource().parent.unwrap_or("id");
            format!(
                "DELETE FROM {}_state WHERE {parent} IN (SELECT {parent} FROM {}_contacts WHERE contact_id = ?1)",
                of.parts, of.noun
            )
        });
        let of_calls = "INSERT OR IGNORE INTO sync_rereads (resource, id) SELECT 'calls', id FROM calls WHERE contact_id = ?1";
        self.execute_for_each(&[&of_parts[0], &of_parts[1], of_calls], contacts)
    }

    /// Schedules a reread of the conversations that are linked to the deleted tickets.
    fn reread_linked_conversations(&mut self, tickets: &[String]) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO sync_rereads (resource, id)
                   SELECT 'conversations', c.id FROM ticket_contacts t
                   JOIN conversation_contacts cc ON cc.contact_id = t.contact_id
                   JOIN conversations c ON c.id = cc.conversation_id
                   WHERE t.ticket_id = ?1 AND instr(c.raw, '\"' || ?1 || '\"') > 0";
        self.execute_for_each(&[sql], tickets)
    }

    fn execute_for_each(&mut self, statements: &[&str], ids: &[String]) -> Result<(), Error> {
        let transaction = self.write()?;
        for sql in statements {
            for id in ids {
                transaction.prepare_cached(sql)?.execute([id])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Ids of records that are linked but not stored.
    pub(in crate::mirror) fn missing_records(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let linked: Vec<String> = links_to(resource)
            .map(|link| format!("SELECT {} AS id FROM {}", link.other, link.table))
            .collect();
        if linked.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT DISTINCT id FROM ({}) WHERE id NOT IN (SELECT id FROM {resource}) ORDER BY id LIMIT {MAX_MISSING}",
            linked.join(" UNION ALL ")
        );
        self.texts(&sql, [])
    }
}

//! Removes records that no longer exist in the workspace, after a complete listing.
//!
//! A record must never be removed just because the listing did not return it: a record can move between pages while
//! they are read, and lists omit some records. Each one is requested by its id first.

use futures::StreamExt;
use futures::stream;

use super::sync_context::{ResourceProgress, SyncContext, local_now};
use crate::api::operation::Paging;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::store::Store;

/// Ids per query.
const BATCH: u32 = 500;

impl Store {
    /// Stored records that the current listing has not returned, ordered by id.
    fn unseen(&self, resource: ResourceName, after: &str) -> Result<Vec<String>, Error> {
        let sql = format!(
            "SELECT id FROM {resource} WHERE id > ?1
             AND NOT EXISTS (SELECT 1 FROM sync_seen s WHERE s.resource = ?2 AND s.id = {resource}.id)
             ORDER BY id LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids = statement.query_map((after, resource.as_str(), BATCH), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Marks everything that the deleted contacts took part in as stale. After a merge it names another contact, but
    /// does not count as changed.
    pub(super) fn mark_stale(&mut self, contacts: &[String]) -> Result<(), Error> {
        let transaction = self.write()?;
        for of in [&OF_CONVERSATIONS, &OF_TICKETS] {
            let parent = of.parts.resource().parent.unwrap_or("id");
            let sql = format!(
                "DELETE FROM {}_state WHERE {parent} IN (SELECT {parent} FROM {}_contacts WHERE contact_id = ?1)",
                of.parts, of.noun
            );
            for contact in contacts {
                transaction.prepare_cached(&sql)?.execute([contact])?;
            }
        }
        let calls = "INSERT OR IGNORE INTO sync_rereads (resource, id) SELECT 'calls', id FROM calls WHERE contact_id = ?1";
        for contact in contacts {
            transaction.prepare_cached(calls)?.execute([contact])?;
        }
        Ok(transaction.commit()?)
    }

    /// Schedules a reread of the conversations that are linked to the deleted tickets.
    fn reread_linked_conversations(&mut self, tickets: &[String]) -> Result<(), Error> {
        let transaction = self.write()?;
        let sql = "INSERT OR IGNORE INTO sync_rereads (resource, id)
                   SELECT 'conversations', c.id FROM ticket_contacts t
                   JOIN conversation_contacts cc ON cc.contact_id = t.contact_id
                   JOIN conversations c ON c.id = cc.conversation_id
                   WHERE t.ticket_id = ?1 AND instr(c.raw, '\"' || ?1 || '\"') > 0";
        for ticket in tickets {
            transaction.prepare_cached(sql)?.execute([ticket])?;
        }
        Ok(transaction.commit()?)
    }

    /// Records that a check which began at `began` (epoch seconds by the server's clock) has removed everything that
    /// was gone by then.
    pub(super) fn record_check(&mut self, resource: ResourceName, began: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute("DELETE FROM sync_seen WHERE resource = ?1", [resource.as_str()])?;
        transaction.execute(
            "UPDATE sync_state SET pruned_at = ?2, checked_at = ?3, check_began_at = NULL, check_after = NULL, gone = 0
             WHERE resource = ?1",
            (resource.as_str(), local_now(), began),
        )?;
        Ok(transaction.commit()?)
    }

    /// Removes contacts that are known to be gone, for example after a merge.
    ///
    /// # Errors
    /// [`Error::Locked`] during a sync, or if the database fails.
    pub fn remove_contacts(&mut self, gone: &[String]) -> Result<u64, Error> {
        let _lock = self.lock()?;
        self.remove_gone(ResourceName::Contacts, gone)
    }

    /// Removes records that are gone, and schedules a reread of everything that refers to them.
    pub(super) fn remove_gone(&mut self, resource: ResourceName, gone: &[String]) -> Result<u64, Error> {
        match resource {
            ResourceName::Contacts => self.mark_stale(gone)?,
            ResourceName::Tickets => self.reread_linked_conversations(gone)?,
            _ => {}
        }
        self.remove(resource, gone)
    }
}

/// Removes the records that a complete listing has not returned.
///
/// # Errors
/// [`Error::Api`] if the API does not answer whether a record exists, another one if the database fails.
pub(super) async fn prune(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    progress: &mut ResourceProgress,
) -> Result<(), Error> {
    let listed_at_once = match resource.routes.first() {
        Some(route) => matches!(operation(route.operation)?.paging, Paging::None | Paging::Whole),
        None => false,
    };
    let began = run.with_store(|store| store.sync_state(resource.name))?;
    let began = began.map_or_else(|| run.clock.now(), |state| state.started_at);
    let mut after = String::new();
    loop {
        let unseen = run.with_store(|store| store.unseen(resource.name, &after))?;
        let Some(last) = unseen.last() else { break };
        after.clone_from(last);
        let gone = match resource.get_operation {
            Some(get) => confirm_gone(run, resource, get, unseen, progress).await?,
            None if listed_at_once => unseen,
            None => Vec::new(),
        };
        progress.written.deleted += run.with_store(|store| store.remove_gone(resource.name, &gone))?;
    }
    run.with_store(|store| store.record_check(resource.name, began))
}

/// Requests each record and returns the ids of those that do not exist. Stores the others.
pub(super) async fn confirm_gone(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    get: &'static str,
    ids: Vec<String>,
    progress: &mut ResourceProgress,
) -> Result<Vec<String>, Error> {
    let get = operation(get)?;
    let requests = stream::iter(ids).map(|id| async move {
        let arguments = Arguments { path: vec![id.clone()], ..Arguments::default() };
        (id, run.client.fetch(get, &arguments).await)
    });
    let mut responses = requests.buffer_unordered(run.options.concurrency.max(1));
    let mut gone = Vec::new();
    while let Some((id, response)) = responses.next().await {
        progress.requests += 1;
        match response {
            Ok(reply) => refresh(run, resource, &reply)?,
            Err(error) if error.is_gone() => gone.push(id),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(gone)
}

/// Stores a record, except conversations and tickets, which are fetched together with their parts.
fn refresh(run: &SyncContext<'_>, resource: &'static Resource, reply: &Reply) -> Result<(), Error> {
    let has_parts = matches!(resource.name, ResourceName::Conversations | ResourceName::Tickets);
    let Some(document) = reply.json_text().ok().filter(|_| !has_parts) else { return Ok(()) };
    run.with_store(|store| store.store_page(resource, [document], None, local_now()))?;
    Ok(())
}

//! Removes what the workspace no longer has.
//!
//! Only after a listing that reached its end. What did not turn up in it is asked for once more, one by
//! one, before it is taken for gone: a record can move past a reader, or hide from lists.

use futures::StreamExt;
use futures::stream;

use super::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use super::error::Error;
use super::resources::{Resource, ResourceName};
use super::run::{Run, Tally, local};
use super::store::Store;
use crate::api::operation::Paging;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};

/// Ids looked at in one go.
const BATCH: u32 = 500;

impl Store {
    /// Stored records that the walk under way has not come across, in order of their ids.
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

    /// Has everything fetched again that contacts took part in who are gone: after a merge it names
    /// somebody else, and does not count as changed.
    pub(super) fn unsettle(&mut self, contacts: &[String]) -> Result<(), Error> {
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

    /// Has conversations fetched again that are linked to tickets which are gone.
    fn unlink(&mut self, tickets: &[String]) -> Result<(), Error> {
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

    /// Notes that everything has been checked since `began`, epoch seconds by the server's clock, and that what
    /// is gone has been removed.
    pub(super) fn checked(&mut self, resource: ResourceName, began: i64) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute("DELETE FROM sync_seen WHERE resource = ?1", [resource.as_str()])?;
        transaction.execute(
            "UPDATE sync_state SET pruned_at = ?2, checked_at = ?3, check_began_at = NULL, check_after = NULL, gone = 0
             WHERE resource = ?1",
            (resource.as_str(), local(), began),
        )?;
        Ok(transaction.commit()?)
    }

    /// Removes contacts that the workspace has just been seen to have no more, as after a merge.
    ///
    /// # Errors
    /// [`Error::Locked`] while a sync runs, and when the database refuses.
    pub fn remove_contacts(&mut self, gone: &[String]) -> Result<u64, Error> {
        let _lock = self.lock()?;
        self.remove_gone(ResourceName::Contacts, gone)
    }

    /// Removes records that are gone, and has everything fetched again in which they show.
    pub(super) fn remove_gone(&mut self, resource: ResourceName, gone: &[String]) -> Result<u64, Error> {
        match resource {
            ResourceName::Contacts => self.unsettle(gone)?,
            ResourceName::Tickets => self.unlink(gone)?,
            _ => {}
        }
        self.remove(resource, gone)
    }
}

/// Removes the records that a complete walk has not come across.
///
/// # Errors
/// [`Error::Api`] when it cannot be told whether a record exists, anything else when the store refuses.
pub(super) async fn prune(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<(), Error> {
    let listed_at_once = match resource.routes.first() {
        Some(route) => matches!(operation(route.operation)?.paging, Paging::None | Paging::Whole),
        None => false,
    };
    let began = run.with_store(|store| store.sync_state(resource.name))?;
    let began = began.map_or_else(|| run.clock.server(), |state| state.started_at);
    let mut after = String::new();
    loop {
        let unseen = run.with_store(|store| store.unseen(resource.name, &after))?;
        let Some(last) = unseen.last() else { break };
        after.clone_from(last);
        let gone = match resource.one {
            Some(one) => gone(run, resource, one, unseen, tally).await?,
            None if listed_at_once => unseen,
            None => Vec::new(),
        };
        tally.written.deleted += run.with_store(|store| store.remove_gone(resource.name, &gone))?;
    }
    run.with_store(|store| store.checked(resource.name, began))
}

/// Those of the records that do not exist. Those that do are brought up to date.
pub(super) async fn gone(
    run: &Run<'_>,
    resource: &'static Resource,
    one: &'static str,
    ids: Vec<String>,
    tally: &mut Tally,
) -> Result<Vec<String>, Error> {
    let one = operation(one)?;
    let answers = stream::iter(ids).map(|id| async move {
        let arguments = Arguments { path: vec![id.clone()], ..Arguments::default() };
        (id, run.client.fetch(one, &arguments).await)
    });
    let mut answers = answers.buffer_unordered(run.options.concurrency.max(1));
    let mut gone = Vec::new();
    while let Some((id, answer)) = answers.next().await {
        tally.requests += 1;
        match answer {
            Ok(reply) => refresh(run, resource, &reply)?,
            Err(error) if error.is_gone() => gone.push(id),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(gone)
}

/// Conversations and tickets are left to the fetching of their parts, which brings them along.
fn refresh(run: &Run<'_>, resource: &'static Resource, reply: &Reply) -> Result<(), Error> {
    let nested = matches!(resource.name, ResourceName::Conversations | ResourceName::Tickets);
    let Some(document) = reply.json_text().ok().filter(|_| !nested) else { return Ok(()) };
    run.with_store(|store| store.store_page(resource, [document], None, local()))?;
    Ok(())
}

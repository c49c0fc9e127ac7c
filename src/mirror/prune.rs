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
use crate::api::executor::{Arguments, operation};
use crate::api::operation::Paging;
use crate::api::reply::Reply;

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
        Ok(transaction.commit()?)
    }

    /// Notes that what is gone has been removed.
    fn pruned(&mut self, resource: ResourceName) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute("DELETE FROM sync_seen WHERE resource = ?1", [resource.as_str()])?;
        transaction.execute(
            "UPDATE sync_state SET pruned_at = ?2 WHERE resource = ?1",
            (resource.as_str(), local()),
        )?;
        Ok(transaction.commit()?)
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
        if resource.name == ResourceName::Contacts {
            run.with_store(|store| store.unsettle(&gone))?;
        }
        tally.written.deleted += run.with_store(|store| store.remove(resource.name, &gone))?;
    }
    run.with_store(|store| store.pruned(resource.name))
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

//! Runs a sync, which brings the mirror up to date.
//!
//! Resources are fetched concurrently, conversations before their parts. One that fails does not stop the others.
//! Everything is stored page by page, so a run can be killed at any time. Writes block the async tasks: under the
//! API's rate limit the disk is far faster than the network.
//!
//! The modules in this folder decide what to fetch, and what a response proves. They build on `mirror::store`, which
//! must never import them.

mod cadence;
mod contact_details;
mod conversation_details;
mod count_check;
mod dangling_links;
mod deletions;
pub mod events;
mod list;
mod pending;
mod plan;
mod presence;
mod prune;
pub mod refresh_contact;
mod rereads;
mod segments;
mod statistics;
pub mod sync_context;

use std::time::Instant;

use futures::future::try_join_all;
use serde_json::Value;

use self::events::{Cause, Event, Observer, ResourceOutcome, Summary};
use self::list::sync_list;
use self::sync_context::{Ending, ResourceProgress, ServerClock, SyncContext, SyncOptions};
use crate::api::client::Client;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::store::{Store, Workspace};

/// Brings the selected resources up to date. Dropping the future interrupts the run; the next one continues where it
/// stopped.
///
/// # Errors
/// If the workspace cannot be identified (no connection, a refused token), the store belongs to another workspace,
/// another sync is writing to it, or the database fails. A resource that fails is reported in the summary instead.
pub async fn sync(
    client: &Client,
    store: &mut Store,
    options: &SyncOptions,
    observer: &mut dyn Observer,
) -> Result<Summary, Error> {
    let began = Instant::now();
    let _lock = store.lock()?;
    let identify = operation("identifyAdmin")?;
    let me = client.fetch(identify, &Arguments::default()).await?;
    let clock = ServerClock::from_reply(&me);
    let address = client.request(identify, &Arguments::default())?;
    let workspace = workspace(address.url().as_str().trim_end_matches(identify.path), &me)?;
    match &workspace {
        Some(workspace) => store.bind(workspace)?,
        None => observer.event(&Event::SyncWarning {
            resource: None,
            message: "the API did not report which workspace the token belongs to".to_owned(),
        }),
    }
    let workspace = workspace.map(|workspace| workspace.id_code);
    let mut resources = options.resources.clone();
    resources.sort_unstable();
    resources.dedup();
    let started_at = clock.now();
    let start = Event::SyncStart { workspace: workspace.clone(), resources: resources.clone(), started_at };
    observer.event(&start);

    let contacts = store.sync_state(ResourceName::Contacts)?;
    let is_later_sync = options.prune || contacts.as_ref().is_some_and(|state| state.watermark.is_some());
    // The run may find deleted contacts if any are stored.
    let removes_contacts = options.prune || contacts.is_some();
    let run = SyncContext::new(client, store, options, observer, clock);
    let mut outcomes: Vec<ResourceOutcome> =
        try_join_all(lanes(&resources, removes_contacts).into_iter().map(|lane| run.lane(lane)))
            .await?
            .concat();
    outcomes.sort_by_key(|outcome| outcome.resource);
    if !options.cancel.is_cancelled() {
        dangling_links::resolve(&run, &mut outcomes).await?;
        run.reread(&mut outcomes, is_later_sync).await?;
    }

    let complete = outcomes.iter().all(|outcome| outcome.complete || outcome.skipped);
    let seconds = began.elapsed().as_secs_f64();
    let interrupted = options.cancel.is_cancelled();
    let summary = Summary { workspace, started_at, seconds, complete, interrupted, resources: outcomes };
    run.emit(Event::SyncSummary(summary.clone()));
    Ok(summary)
}

/// Groups resources that must be synced in order: parts wait for their owners. If the run may find deleted contacts,
/// contacts come first, because everything that they took part in is fetched again.
fn lanes(resources: &[ResourceName], removes_contacts: bool) -> Vec<Vec<ResourceName>> {
    use ResourceName::{Contacts, ConversationParts, Conversations, TicketParts, Tickets};
    let groups: &[&[ResourceName]] = if removes_contacts {
        &[&[Contacts, Conversations, ConversationParts, Tickets, TicketParts]]
    } else {
        &[&[Conversations, ConversationParts], &[Tickets, TicketParts]]
    };
    let is_grouped = |resource: &ResourceName| groups.iter().any(|group| group.contains(resource));
    let alone = resources.iter().filter(|resource| !is_grouped(resource)).map(|resource| vec![*resource]);
    let grouped = groups
        .iter()
        .map(|group| group.iter().copied().filter(|resource| resources.contains(resource)).collect());
    alone.chain(grouped).filter(|lane: &Vec<_>| !lane.is_empty()).collect()
}

/// The workspace of the token, from the response to `/me`; `None` if it has no code.
fn workspace(base_url: &str, me: &Reply) -> Result<Option<Workspace>, Error> {
    let document: Value = serde_json::from_str(me.json_text()?).map_err(|error| me.wrong_shape(&error))?;
    let app = &document["app"];
    Ok(lenient::id(&app["id_code"]).map(|id_code| Workspace {
        id_code,
        name: lenient::text(&app["name"]),
        region: lenient::text(&app["region"]),
        base_url: Some(base_url.to_owned()),
        timezone: lenient::text(&app["timezone"]),
    }))
}

impl SyncContext<'_> {
    async fn lane(&self, lane: Vec<ResourceName>) -> Result<Vec<ResourceOutcome>, Error> {
        let mut outcomes = Vec::with_capacity(lane.len());
        for resource in lane {
            outcomes.push(self.resource(resource.resource()).await?);
        }
        Ok(outcomes)
    }

    /// Syncs one resource. Only database failures are errors.
    async fn resource(&self, resource: &'static Resource) -> Result<ResourceOutcome, Error> {
        let name = resource.name;
        let began = Instant::now();
        let mut progress = ResourceProgress::default();
        let is_untouched = self.options.cancel.is_cancelled();
        let before = self.with_store(|store| store.sync_state(name))?;
        let was_skipped = before.is_some_and(|state| state.skipped);
        // No write spans an `await`, so the work can end at any of them.
        let result = tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => Ok(Ending::Incomplete("interrupted".to_owned())),
            result = self.fetch(resource, &mut progress) => result,
        };
        let ending = match result {
            Ok(Ending::Skipped(reason)) if self.is_expected(name)? => Ending::Incomplete(reason),
            Ok(ending) => ending,
            Err(Error::Api(error)) => {
                progress.add_cause(Cause::of(&error));
                Ending::Incomplete(error.to_string())
            }
            Err(error) => return Err(error),
        };
        match &ending {
            Ending::Complete => {}
            Ending::Incomplete(_) if is_untouched => {}
            Ending::Incomplete(reason) if self.options.cancel.is_cancelled() => {
                self.with_store(|store| store.fail(name, reason))?;
            }
            Ending::Incomplete(reason) => {
                self.with_store(|store| store.fail(name, reason))?;
                self.emit(Event::SyncError { resource: name, message: reason.clone() });
            }
            Ending::Skipped(reason) => {
                self.with_store(|store| store.skip(name, reason))?;
                // Warn only once.
                if !was_skipped {
                    self.warn(name, format!("skipped: {reason}"));
                }
            }
        }
        let deletions = self.with_store(|store| store.deletions(name))?;
        let outcome = ResourceOutcome {
            resource: name,
            gone: deletions.gone,
            deletions_checked_at: deletions.checked_at,
            fresh_until: progress.fresh_until,
            written: progress.written,
            requests: progress.requests,
            seconds: began.elapsed().as_secs_f64(),
            resumed: progress.resumed,
            complete: ending == Ending::Complete,
            skipped: matches!(ending, Ending::Skipped(_)),
            reason: match ending {
                Ending::Complete => None,
                Ending::Incomplete(reason) | Ending::Skipped(reason) => Some(reason),
            },
            cause: progress.cause,
            quarantined: self.with_store(|store| store.quarantined(name))?,
        };
        self.emit(Event::SyncComplete(outcome.clone()));
        Ok(outcome)
    }

    /// Whether a refused resource counts as missing rather than as not offered: the user named it, or it was
    /// available before.
    fn is_expected(&self, resource: ResourceName) -> Result<bool, Error> {
        self.with_store(|store| {
            let reached = store.sync_state(resource)?.is_some_and(|state| state.watermark.is_some());
            Ok(self.options.named || reached || !store.is_empty(resource)?)
        })
    }

    async fn fetch(
        &self,
        resource: &'static Resource,
        progress: &mut ResourceProgress,
    ) -> Result<Ending, Error> {
        if let Some(until) = cadence::fresh_until(self, resource)? {
            progress.fresh_until = Some(until);
            return Ok(Ending::Complete);
        }
        match resource.name {
            ResourceName::ConversationParts => {
                conversation_details::fetch(self, &OF_CONVERSATIONS, progress).await
            }
            ResourceName::TicketParts => conversation_details::fetch(self, &OF_TICKETS, progress).await,
            _ => {
                let ending = sync_list(self, resource, progress).await?;
                if ending == Ending::Complete && resource.name != ResourceName::Contacts {
                    self.with_store(|store| store.note_cost(resource.name, progress.requests))?;
                }
                match ending {
                    Ending::Skipped(_) => Ok(ending),
                    // With a page limit, fetch nothing more.
                    Ending::Incomplete(_) if self.options.max_pages.is_some() => Ok(ending),
                    ending => self.details(resource, ending, progress).await,
                }
            }
        }
    }

    /// Fetches what the list of a resource omits, even after an incomplete listing. `listed` is how the listing ended.
    async fn details(
        &self,
        resource: &'static Resource,
        listed: Ending,
        progress: &mut ResourceProgress,
    ) -> Result<Ending, Error> {
        match resource.name {
            ResourceName::Contacts => {
                // Lists first: segments may be refused.
                let ending = listed.and(contact_details::fetch(self, progress).await?);
                if self.options.members {
                    Ok(ending.and(segments::fetch(self, progress).await?))
                } else {
                    Ok(ending)
                }
            }
            ResourceName::Articles => Ok(listed.and(statistics::fetch(self, resource, progress).await?)),
            _ => Ok(listed),
        }
    }

    /// Fetches records that may have changed unnoticed, once everything else is up to date.
    async fn reread(&self, outcomes: &mut [ResourceOutcome], is_later_sync: bool) -> Result<(), Error> {
        for outcome in outcomes.iter_mut().filter(|outcome| is_later_sync && outcome.complete) {
            let mut progress = ResourceProgress::default();
            rereads::reread(self, outcome.resource.resource(), self.began, &mut progress).await?;
            outcome.requests += progress.requests;
            outcome.written.add(progress.written);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_their_conversations() {
        use ResourceName::{ConversationParts, Conversations, Tags, Teams};
        let lanes = super::lanes(&[Conversations, ConversationParts, Teams, Tags], false);
        assert_eq!(lanes, [vec![Teams], vec![Tags], vec![Conversations, ConversationParts]]);
        assert_eq!(super::lanes(&[ResourceName::TicketParts], true), [[ResourceName::TicketParts]]);
    }
}

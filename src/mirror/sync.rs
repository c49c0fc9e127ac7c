//! One run that brings the mirror up to date.
//!
//! Resources are fetched side by side, conversations before their parts; one that fails does not stop
//! the others. Everything ends up in the store page by page, so a run can be killed at any moment. The
//! writes happen inline: the API's rate limit leaves the disk far ahead of the network.

use std::time::Instant;

use futures::future::try_join_all;
use serde_json::Value;

use super::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use super::error::Error;
use super::events::{Cause, Event, Observer, Outcome, Summary};
use super::resources::{Resource, ResourceName};
use super::run::{Clock, Ending, Run, SyncOptions, Tally};
use super::store::{Store, Workspace};
use super::walk::walk;
use super::{cadence, fields, lists, orphans, parts, rereads, segments, statistics};
use crate::api::client::Client;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};

/// Brings the chosen resources up to date. Dropping the future interrupts the run; the next one goes
/// on where it stopped.
///
/// # Errors
/// When the workspace cannot be told (no connection, a refused token), when the store belongs to
/// another one or another sync is writing to it, and when the store refuses. A resource that fails is part of the summary instead.
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
    let clock = Clock::of(&me);
    let address = client.request(identify, &Arguments::default())?;
    let workspace = workspace(address.url().as_str().trim_end_matches(identify.path), &me)?;
    match &workspace {
        Some(workspace) => store.bind(workspace)?,
        None => observer.event(&Event::SyncWarning {
            resource: None,
            message: "the service does not tell which workspace the token belongs to".to_owned(),
        }),
    }
    let workspace = workspace.map(|workspace| workspace.id_code);
    let mut resources = options.resources.clone();
    resources.sort_unstable();
    resources.dedup();
    let started_at = clock.server();
    let start = Event::SyncStart { workspace: workspace.clone(), resources: resources.clone(), started_at };
    observer.event(&start);

    let contacts = store.sync_state(ResourceName::Contacts)?;
    let later = options.prune || contacts.as_ref().is_some_and(|state| state.watermark.is_some());
    // Contacts may be found gone wherever some are stored.
    let removes = options.prune || contacts.is_some();
    let run = Run::new(client, store, options, observer, clock);
    let mut outcomes: Vec<Outcome> =
        try_join_all(lanes(&resources, removes).into_iter().map(|lane| run.lane(lane))).await?.concat();
    outcomes.sort_by_key(|outcome| outcome.resource);
    if !options.stop.is_asked() {
        orphans::settle(&run, &mut outcomes).await?;
        run.read_again(&mut outcomes, later).await?;
    }

    let complete = outcomes.iter().all(|outcome| outcome.complete || outcome.skipped);
    let seconds = began.elapsed().as_secs_f64();
    let interrupted = options.stop.is_asked();
    let summary = Summary { workspace, started_at, seconds, complete, interrupted, resources: outcomes };
    run.tell(Event::SyncSummary(summary.clone()));
    Ok(summary)
}

/// What can run side by side: parts wait for their owners, everything else is on its own. Where
/// contacts may be found gone they come first: what they took part in is fetched again.
fn lanes(resources: &[ResourceName], removes: bool) -> Vec<Vec<ResourceName>> {
    use ResourceName::{Contacts, ConversationParts, Conversations, TicketParts, Tickets};
    let rows: &[&[ResourceName]] = match removes {
        true => &[&[Contacts, Conversations, ConversationParts, Tickets, TicketParts]],
        false => &[&[Conversations, ConversationParts], &[Tickets, TicketParts]],
    };
    let alone = resources.iter().filter(|it| !rows.iter().any(|row| row.contains(it))).map(|it| vec![*it]);
    let together = rows.iter().map(|row| row.iter().copied().filter(|it| resources.contains(it)).collect());
    alone.chain(together).filter(|lane: &Vec<_>| !lane.is_empty()).collect()
}

/// The workspace of the token, from the answer of `/me`; `None` when it has no code.
fn workspace(base_url: &str, me: &Reply) -> Result<Option<Workspace>, Error> {
    let document: Value = serde_json::from_str(me.json_text()?).map_err(|error| me.wrong_shape(&error))?;
    let app = &document["app"];
    Ok(fields::id(&app["id_code"]).map(|id_code| Workspace {
        id_code,
        name: fields::text(&app["name"]),
        region: fields::text(&app["region"]),
        base_url: Some(base_url.to_owned()),
        timezone: fields::text(&app["timezone"]),
    }))
}

impl Run<'_> {
    async fn lane(&self, lane: Vec<ResourceName>) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = Vec::with_capacity(lane.len());
        for resource in lane {
            outcomes.push(self.resource(resource.resource()).await?);
        }
        Ok(outcomes)
    }

    /// Syncs one resource. Only what the store refuses is an error.
    async fn resource(&self, resource: &'static Resource) -> Result<Outcome, Error> {
        let name = resource.name;
        let began = Instant::now();
        let mut tally = Tally::default();
        let untouched = self.options.stop.is_asked();
        let before = self.with_store(|store| store.sync_state(name))?;
        let was_skipped = before.is_some_and(|state| state.skipped);
        // Nothing is written across an `await`, so the work may end at any of them.
        let result = tokio::select! {
            biased;
            () = self.options.stop.asked() => Ok(Ending::Incomplete("interrupted".to_owned())),
            result = self.fetch(resource, &mut tally) => result,
        };
        let ending = match result {
            Ok(Ending::Skipped(reason)) if self.is_owed(name)? => Ending::Incomplete(reason),
            Ok(ending) => ending,
            Err(Error::Api(error)) => {
                tally.blame(Cause::of(&error));
                Ending::Incomplete(error.to_string())
            }
            Err(error) => return Err(error),
        };
        match &ending {
            Ending::Complete => {}
            Ending::Incomplete(_) if untouched => {}
            Ending::Incomplete(reason) if self.options.stop.is_asked() => {
                self.with_store(|store| store.fail(name, reason))?;
            }
            Ending::Incomplete(reason) => {
                self.with_store(|store| store.fail(name, reason))?;
                self.tell(Event::SyncError { resource: name, message: reason.clone() });
            }
            Ending::Skipped(reason) => {
                self.with_store(|store| store.skip(name, reason))?;
                // What was not offered before either is no news.
                if !was_skipped {
                    self.warn(name, format!("skipped: {reason}"));
                }
            }
        }
        let deletions = self.with_store(|store| store.deletions(name))?;
        let outcome = Outcome {
            resource: name,
            gone: deletions.gone,
            deletions_checked_at: deletions.checked_at,
            fresh_until: tally.fresh_until,
            written: tally.written,
            requests: tally.requests,
            seconds: began.elapsed().as_secs_f64(),
            resumed: tally.resumed,
            complete: ending == Ending::Complete,
            skipped: matches!(ending, Ending::Skipped(_)),
            reason: match ending {
                Ending::Complete => None,
                Ending::Incomplete(reason) | Ending::Skipped(reason) => Some(reason),
            },
            cause: tally.cause,
            quarantined: self.with_store(|store| store.quarantined(name))?,
        };
        self.tell(Event::SyncComplete(outcome.clone()));
        Ok(outcome)
    }

    /// Whether a resource that is refused is missing, rather than not offered: it was asked for by name, or it
    /// was there before.
    fn is_owed(&self, resource: ResourceName) -> Result<bool, Error> {
        self.with_store(|store| {
            let reached = store.sync_state(resource)?.is_some_and(|state| state.watermark.is_some());
            Ok(self.options.named || reached || !store.is_empty(resource)?)
        })
    }

    async fn fetch(&self, resource: &'static Resource, tally: &mut Tally) -> Result<Ending, Error> {
        if let Some(until) = cadence::fresh_until(self, resource)? {
            tally.fresh_until = Some(until);
            return Ok(Ending::Complete);
        }
        match resource.name {
            ResourceName::ConversationParts => parts::fetch(self, &OF_CONVERSATIONS, tally).await,
            ResourceName::TicketParts => parts::fetch(self, &OF_TICKETS, tally).await,
            _ => {
                let ending = walk(self, resource, tally).await?;
                if ending == Ending::Complete && resource.name != ResourceName::Contacts {
                    self.with_store(|store| store.note_cost(resource.name, tally.requests))?;
                }
                match ending {
                    Ending::Skipped(_) => Ok(ending),
                    // Whoever asks for a few pages wants nothing more.
                    Ending::Incomplete(_) if self.options.max_pages.is_some() => Ok(ending),
                    ending => self.details(resource, ending, tally).await,
                }
            }
        }
    }

    /// Fetches what the list of a resource does not show, also of a list that is not complete. `listed` is how
    /// that list ended.
    async fn details(
        &self,
        resource: &'static Resource,
        listed: Ending,
        tally: &mut Tally,
    ) -> Result<Ending, Error> {
        match resource.name {
            ResourceName::Contacts => {
                // The lists first: they do not depend on segments, which may be refused.
                let ending = listed.and(lists::fetch(self, tally).await?);
                if self.options.members {
                    Ok(ending.and(segments::fetch(self, tally).await?))
                } else {
                    Ok(ending)
                }
            }
            ResourceName::Articles => Ok(listed.and(statistics::fetch(self, resource, tally).await?)),
            _ => Ok(listed),
        }
    }

    /// Fetches what may have changed without a sign of it, now that everything else is up to date.
    async fn read_again(&self, outcomes: &mut [Outcome], later: bool) -> Result<(), Error> {
        for outcome in outcomes.iter_mut().filter(|outcome| later && outcome.complete) {
            let mut tally = Tally::default();
            rereads::settle(self, outcome.resource.resource(), self.began, &mut tally).await?;
            outcome.requests += tally.requests;
            outcome.written.add(tally.written);
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

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
use super::events::{Event, Observer, Outcome, Summary};
use super::resources::{Resource, ResourceName};
use super::run::{Clock, Ending, Run, SyncOptions, Tally};
use super::store::{Store, Workspace};
use super::walk::walk;
use super::{fields, lists, orphans, parts, segments};
use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};
use crate::api::reply::Reply;

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

    let removes =
        options.prune || store.sync_state(ResourceName::Contacts)?.is_some_and(|it| it.watermark.is_some());
    let run = Run::new(client, store, options, observer, clock);
    let mut outcomes: Vec<Outcome> =
        try_join_all(lanes(&resources, removes).into_iter().map(|lane| run.lane(lane))).await?.concat();
    outcomes.sort_by_key(|outcome| outcome.resource);
    if !options.stop.is_asked() {
        orphans::settle(&run, &mut outcomes).await?;
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
    let document: Value =
        serde_json::from_str(me.json_text()?).map_err(|error| me.of_another_shape(&error))?;
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
        // Nothing is written across an `await`, so the work may end at any of them.
        let result = tokio::select! {
            biased;
            () = self.options.stop.asked() => Ok(Ending::Incomplete("interrupted".to_owned())),
            result = self.fetch(resource, &mut tally) => result,
        };
        let ending = match result {
            Ok(ending) => ending,
            Err(Error::Api(error)) => Ending::Incomplete(error.to_string()),
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
                self.warn(name, format!("skipped: {reason}"));
            }
        }
        let outcome = Outcome {
            resource: name,
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
        };
        self.tell(Event::SyncComplete(outcome.clone()));
        Ok(outcome)
    }

    async fn fetch(&self, resource: &'static Resource, tally: &mut Tally) -> Result<Ending, Error> {
        match resource.name {
            ResourceName::ConversationParts => parts::fetch(self, &OF_CONVERSATIONS, tally).await,
            ResourceName::TicketParts => parts::fetch(self, &OF_TICKETS, tally).await,
            ResourceName::Contacts => match walk(self, resource, tally).await? {
                Ending::Complete => {
                    segments::fetch(self, tally).await?;
                    lists::fetch(self, tally).await
                }
                ending => Ok(ending),
            },
            _ => walk(self, resource, tally).await,
        }
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

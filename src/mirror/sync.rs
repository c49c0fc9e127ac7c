//! One run that brings the mirror up to date.
//!
//! Resources are fetched side by side, conversations before their parts; one that fails does not stop
//! the others. Everything ends up in the store page by page, so a run can be killed at any moment. The
//! writes happen inline: the API's rate limit leaves the disk far ahead of the network.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::Value;

use super::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use super::error::Error;
use super::events::{Event, Observer, Outcome, Summary};
use super::resources::{Resource, ResourceName};
use super::stop::Stop;
use super::store::{Store, Workspace};
use super::walk::walk;
use super::write::Written;
use super::{fields, lists, orphans, parts, segments};
use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};
use crate::api::reply::Reply;

/// What to sync and how hard.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    pub resources: Vec<ResourceName>,
    /// Only what changed at or after this moment, epoch seconds, of resources that tell when they did.
    pub since: Option<i64>,
    /// Fetch what is known to be in the mirror as well.
    pub full: bool,
    /// List everything, and remove what the workspace no longer has.
    pub prune: bool,
    /// Stop after so many pages of a resource; it is not complete then.
    pub max_pages: Option<u64>,
    /// Ends the run early when it is asked to.
    pub stop: Stop,
    /// Conversations fetched at the same time. How many a second is the transport's matter.
    pub concurrency: usize,
    /// Records of a page; the most the API gives when `None`.
    pub per_page: Option<u32>,
    /// How long to wait for another program's scroll over the companies to end.
    pub scroll_patience: Duration,
}

impl Default for SyncOptions {
    fn default() -> Self {
        SyncOptions {
            resources: ResourceName::ALL.to_vec(),
            since: None,
            full: false,
            prune: false,
            max_pages: None,
            stop: Stop::default(),
            concurrency: 32,
            per_page: None,
            // An unused scroll lives for a minute.
            scroll_patience: Duration::from_secs(65),
        }
    }
}

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
    let shared = Mutex::new(Shared { store, observer, carried: Written::default() });
    let run = Run { client, options, clock, shared };
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

/// The server's time, told from the `Date` of an answer: records carry its time, not ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds that the server is ahead.
    ahead: i64,
}

impl Clock {
    fn of(reply: &Reply) -> Self {
        Clock { ahead: reply.date().map_or(0, |server| server - local()) }
    }

    /// Epoch seconds now.
    pub fn server(self) -> i64 {
        local() + self.ahead
    }
}

/// Epoch seconds by this machine's clock.
pub(super) fn local() -> i64 {
    Timestamp::now().as_second()
}

/// A sync under way.
pub(super) struct Run<'a> {
    pub client: &'a Client,
    pub options: &'a SyncOptions,
    pub clock: Clock,
    shared: Mutex<Shared<'a>>,
}

/// Never locked across an `await`.
struct Shared<'a> {
    store: &'a mut Store,
    observer: &'a mut dyn Observer,
    /// Parts of tickets that came with the tickets.
    carried: Written,
}

/// What one resource has come to so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub written: Written,
    pub requests: u64,
    pub pages: u64,
    pub resumed: bool,
    /// How many records there are, where the list of what changed tells.
    pub listed: Option<u64>,
}

/// How the sync of a resource ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    /// Why not everything was reached.
    Incomplete(String),
    /// Why the workspace does not offer it.
    Skipped(String),
}

impl<'a> Run<'a> {
    fn lock(&self) -> MutexGuard<'_, Shared<'a>> {
        // A panic elsewhere leaves no half-done state: every write is a transaction.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tell(&self, event: Event) {
        self.lock().observer.event(&event);
    }

    pub fn warn(&self, resource: ResourceName, message: String) {
        self.tell(Event::SyncWarning { resource: Some(resource), message });
    }

    pub fn with_store<R>(&self, act: impl FnOnce(&mut Store) -> Result<R, Error>) -> Result<R, Error> {
        act(self.lock().store)
    }

    /// Keeps an account of parts for when their own turn comes.
    pub fn carry(&self, parts: Written) {
        self.lock().carried.add(parts);
    }

    pub fn carried(&self) -> Written {
        self.lock().carried
    }

    pub fn requests_left(&self) -> Option<u64> {
        self.client.transport().usage().rate.map(|rate| rate.remaining)
    }

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

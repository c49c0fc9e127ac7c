//! A sync under way: what all its steps share, and what each of them comes to.
//!
//! Holds the store and the observer for steps that go on side by side. Decides nothing: what is fetched,
//! and in which order, is `sync.rs`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use super::events::{Cause, Event, Observer};
use super::resources::ResourceName;
use super::stop::Stop;
use super::store::Store;
use super::write::Written;
use crate::api::client::Client;
use crate::api::reply::Reply;

/// What to sync and how hard.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    pub resources: Vec<ResourceName>,
    /// Whether they were asked for by name: one that the workspace refuses is a failure then.
    pub named: bool,
    /// Only what changed at or after this moment, epoch seconds, of resources that tell when they did.
    pub since: Option<i64>,
    /// Fetch what is known to be in the mirror as well.
    pub full: bool,
    /// Check everything that is stored, and remove what the workspace no longer has.
    pub prune: bool,
    /// How old a list that does not tell what changed may be; by what it costs to read when `None`.
    pub refresh: Option<Duration>,
    /// Whether to find out which contacts are in which segment.
    pub members: bool,
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
            named: false,
            since: None,
            full: false,
            prune: false,
            refresh: None,
            members: true,
            max_pages: None,
            stop: Stop::default(),
            concurrency: 32,
            per_page: None,
            // An unused scroll lives for a minute.
            scroll_patience: Duration::from_secs(65),
        }
    }
}

/// The server's time, told from the `Date` of an answer: records carry its time, not ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds that the server is ahead.
    ahead: i64,
}

impl Clock {
    pub fn of(reply: &Reply) -> Self {
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
    /// Epoch seconds by the server's clock.
    pub began: i64,
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
    /// Until when the list is taken to be as it was read last, epoch seconds: it was not read in this run.
    pub fresh_until: Option<i64>,
    /// What kind of trouble there was, where programs act on it.
    pub cause: Option<Cause>,
}

impl Tally {
    /// Adds a cause. Of several causes the one to act on first is kept.
    pub fn blame(&mut self, cause: Option<Cause>) {
        self.cause = self.cause.into_iter().chain(cause).min();
    }
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

impl Ending {
    /// Combines the endings of two steps: complete when both are, otherwise with the reasons of both.
    pub fn and(self, other: Ending) -> Ending {
        match (self, other) {
            (Ending::Incomplete(one), Ending::Incomplete(other)) => {
                Ending::Incomplete(format!("{one}; {other}"))
            }
            (Ending::Complete, other) => other,
            (one, _) => one,
        }
    }
}

impl<'a> Run<'a> {
    pub fn new(
        client: &'a Client,
        store: &'a mut Store,
        options: &'a SyncOptions,
        observer: &'a mut dyn Observer,
        clock: Clock,
    ) -> Self {
        let shared = Mutex::new(Shared { store, observer, carried: Written::default() });
        Run { client, options, clock, began: clock.server(), shared }
    }

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
}

//! State shared by all steps of a sync, and its progress per resource.
//!
//! Steps run concurrently, so the store and the observer are behind a lock. Nothing is decided here: `sync`
//! chooses what is fetched, and in which order.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::events::{Cause, Event, Observer};
use crate::api::client::Client;
use crate::api::page_arguments::with_size;
use crate::api::paging::RawPage;
use crate::api::reply::Reply;
use crate::api::request_builder::operation;
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::store::Store;
use crate::mirror::store::read::RecordQuery;
use crate::mirror::store::state::SyncState;
use crate::mirror::store::write::{ListPage, WriteCounts};

/// What to sync, and how.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    pub resources: Vec<ResourceName>,
    /// Whether the user named them. A named resource that the workspace refuses is a failure, not a skip.
    pub named: bool,
    /// Only records that changed at or after this time, in epoch seconds. Ignored where records have no such time.
    pub since: Option<i64>,
    /// Also fetch what the mirror already has.
    pub full: bool,
    /// Check every stored record, and remove those that the workspace no longer has.
    pub prune: bool,
    /// Maximum age of a list that does not report changes; depends on its cost when `None`.
    pub refresh: Option<Duration>,
    /// Whether to fetch the members of segments.
    pub members: bool,
    /// Maximum number of pages per resource, which is then incomplete.
    pub max_pages: Option<u64>,
    /// Ends the run early.
    pub cancel: CancellationToken,
    /// Conversations fetched concurrently. The transport enforces the rate limit.
    pub concurrency: usize,
    /// Records per page; the API's maximum when `None`.
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
            cancel: CancellationToken::default(),
            concurrency: 32,
            per_page: None,
            // An unused scroll expires after a minute.
            scroll_patience: Duration::from_secs(65),
        }
    }
}

/// The server's time, from the `Date` header of a response. Records carry server times, not local ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerClock {
    /// Seconds by which the server is ahead of the local clock.
    offset: i64,
}

impl ServerClock {
    pub fn from_reply(reply: &Reply) -> Self {
        ServerClock { offset: reply.date().map_or(0, |server| server - local_now()) }
    }

    /// Epoch seconds.
    pub fn now(self) -> i64 {
        local_now() + self.offset
    }
}

/// Epoch seconds by the local clock.
pub(super) fn local_now() -> i64 {
    Timestamp::now().as_second()
}

/// State shared by all steps of a sync.
pub(super) struct SyncContext<'a> {
    pub client: &'a Client,
    pub options: &'a SyncOptions,
    pub clock: ServerClock,
    /// Epoch seconds by the server's clock.
    pub began: i64,
    shared: Mutex<Shared<'a>>,
}

/// Never locked across an `await`.
struct Shared<'a> {
    store: &'a mut Store,
    observer: &'a mut dyn Observer,
    /// Parts that were listed together with their tickets.
    ticket_parts: WriteCounts,
}

/// Progress of one resource.
#[derive(Debug, Default)]
pub(super) struct ResourceProgress {
    pub written: WriteCounts,
    pub requests: u64,
    pub pages: u64,
    pub resumed: bool,
    /// Number of records in the workspace, if a listing of changes reported it.
    pub total: Option<u64>,
    /// Until when the stored list counts as current, in epoch seconds. Set if this run did not read it.
    pub fresh_until: Option<i64>,
    /// The kind of failure, where programs can act on it.
    pub cause: Option<Cause>,
}

impl ResourceProgress {
    /// Keeps the most urgent of several causes.
    pub fn add_cause(&mut self, cause: Option<Cause>) {
        self.cause = self.cause.into_iter().chain(cause).min();
    }
}

/// The sync of one resource.
pub(super) struct ResourceSync<'a> {
    pub run: &'a SyncContext<'a>,
    pub resource: &'static Resource,
    pub progress: ResourceProgress,
}

impl<'a> ResourceSync<'a> {
    pub fn new(run: &'a SyncContext<'a>, resource: ResourceName) -> Self {
        ResourceSync { run, resource: resource.resource(), progress: ResourceProgress::default() }
    }

    pub fn name(&self) -> ResourceName {
        self.resource.name
    }

    pub fn warn(&self, message: String) {
        self.run.emit(Event::SyncWarning { resource: Some(self.name()), message });
    }

    pub fn emit_progress(&self, rows: u64, total: Option<u64>) {
        let requests_left = self.run.client.transport().usage().rate.map(|rate| rate.remaining);
        let unit = match self.name() {
            ResourceName::ConversationParts => ResourceName::Conversations,
            ResourceName::TicketParts => ResourceName::Tickets,
            resource => resource,
        };
        self.run.emit(Event::SyncProgress { resource: self.name(), rows, unit, total, requests_left });
    }

    pub fn with_store<R>(&self, act: impl FnOnce(&mut Store) -> Result<R, Error>) -> Result<R, Error> {
        self.run.with_store(act)
    }

    pub fn state(&self) -> Result<Option<SyncState>, Error> {
        self.with_store(|store| store.sync_state(self.name()))
    }

    /// Number of stored records.
    pub fn stored(&self) -> Result<u64, Error> {
        self.with_store(|store| store.count(self.name(), &RecordQuery::default()))
    }

    /// Number of records in the workspace, which costs a request; `None` if it does not report it.
    pub async fn counted(&mut self) -> Option<u64> {
        let route = self.resource.routes.first()?;
        let list = operation(route.operation).ok()?;
        let arguments = with_size(list, route.arguments(None), Some(1)).ok()?;
        self.progress.requests += 1;
        let reply = self.run.client.fetch(list, &arguments).await.ok()?;
        RawPage::read(list, &arguments, reply).ok()?.total
    }

    /// Stores a page of the list together with its cursor.
    pub fn store_list_page(&mut self, page: &ListPage<'_>) -> Result<WriteCounts, Error> {
        let (written, parts) = self.with_store(|store| store.store_list_page(self.resource, page))?;
        self.progress.written.add(written);
        self.run.add_ticket_parts(parts);
        Ok(written)
    }

    /// Removes records that are proven to be gone.
    pub fn remove_gone(&mut self, gone: &[String]) -> Result<(), Error> {
        self.progress.written.deleted += self.with_store(|store| store.remove_gone(self.name(), gone))?;
        Ok(())
    }
}

/// How the sync of a resource ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    /// Why something is missing.
    Incomplete(String),
    /// Why the workspace does not offer the resource.
    Skipped(String),
}

impl Ending {
    /// Combines two steps: complete if both are, otherwise with both reasons.
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

impl<'a> SyncContext<'a> {
    pub fn new(
        client: &'a Client,
        store: &'a mut Store,
        options: &'a SyncOptions,
        observer: &'a mut dyn Observer,
        clock: ServerClock,
    ) -> Self {
        let shared = Mutex::new(Shared { store, observer, ticket_parts: WriteCounts::default() });
        SyncContext { client, options, clock, began: clock.now(), shared }
    }

    fn lock(&self) -> MutexGuard<'_, Shared<'a>> {
        // A panic elsewhere leaves no partial state: every write is a transaction.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn emit(&self, event: Event) {
        self.lock().observer.event(&event);
    }

    pub fn with_store<R>(&self, act: impl FnOnce(&mut Store) -> Result<R, Error>) -> Result<R, Error> {
        act(self.lock().store)
    }

    /// Counts parts that were listed with their tickets, to be reported as ticket parts later.
    pub fn add_ticket_parts(&self, parts: WriteCounts) {
        self.lock().ticket_parts.add(parts);
    }

    pub fn ticket_parts(&self) -> WriteCounts {
        self.lock().ticket_parts
    }
}

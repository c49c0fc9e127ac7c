//! What a sync fetches, how far it is, and how it ended.

use std::time::Duration;

use crate::Timestamp;
use crate::mirror::{self, Cause, Event, ResourceName, ResourceOutcome, Summary};

/// What to sync. The default fetches everything that changed since the last sync, of all resources.
#[derive(Debug, Clone, Default)]
pub struct SyncOptions(mirror::SyncOptions);

impl SyncOptions {
    /// Everything that changed since the last sync.
    pub fn new() -> Self {
        SyncOptions::default()
    }

    /// Only these resources. One that the workspace does not offer is then incomplete instead of skipped, and lists
    /// without times of change are always read again.
    pub fn only(mut self, resources: impl IntoIterator<Item = ResourceName>) -> Self {
        self.0.resources = resources.into_iter().collect();
        self.0.named = true;
        self.0.refresh = Some(Duration::ZERO);
        self
    }

    /// All resources except these.
    pub fn except(mut self, resources: impl IntoIterator<Item = ResourceName>) -> Self {
        let excluded: Vec<ResourceName> = resources.into_iter().collect();
        self.0.members &= !excluded.contains(&ResourceName::Segments);
        self.0.resources.retain(|resource| !excluded.contains(resource));
        self
    }

    /// Only records that changed at or after this time, where records have a time of change.
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.0.since = Some(since.into().as_second());
        self
    }

    /// Also fetch what the mirror already has.
    pub fn full(mut self) -> Self {
        self.0.full = true;
        self
    }

    /// Check every stored record, and remove those that the workspace no longer has. Without it, each sync checks a part of
    /// them.
    pub fn prune(mut self) -> Self {
        self.0.prune = true;
        self
    }

    /// The most pages per resource, which is then incomplete. For trying things out.
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.0.max_pages = Some(pages);
        self
    }

    /// The most conversations fetched at the same time; 32 by default. The client's rate limit applies in any case.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.0.concurrency = requests.max(1);
        self
    }

    pub(super) fn into_inner(self) -> mirror::SyncOptions {
        self.0
    }
}

/// A running sync has stored more records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncProgress {
    /// The resource.
    pub resource: ResourceName,
    /// Records stored so far; for parts, the conversations or tickets whose parts are stored.
    pub done: u64,
    /// The expected number, if it is known.
    pub total: Option<u64>,
}

impl SyncProgress {
    pub(super) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::SyncProgress { resource, rows, total, .. } => {
                Some(SyncProgress { resource: *resource, done: *rows, total: *total })
            }
            _ => None,
        }
    }
}

/// How a sync ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SyncReport {
    /// The short code of the workspace, if the API returned it.
    pub workspace: Option<String>,
    /// When it began, by the server's clock.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// One entry for each resource.
    pub resources: Vec<ResourceReport>,
}

/// How the sync of one resource ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResourceReport {
    /// The resource.
    pub resource: ResourceName,
    /// Whether the mirror has everything that existed when the sync began, as far back as requested.
    pub is_complete: bool,
    /// Whether the workspace does not offer this resource.
    pub is_skipped: bool,
    /// New records.
    pub inserted: u64,
    /// Changed records.
    pub updated: u64,
    /// Records removed because the workspace no longer has them.
    pub removed: u64,
    /// Requests sent, without retries.
    pub requests: u64,
    /// Why it is incomplete or skipped, for people.
    pub reason: Option<String>,
    /// The kind of failure, for programs.
    pub problem: Option<Problem>,
    /// Ids of records that failed in several syncs and are tried less and less often.
    pub quarantined: Vec<String>,
}

/// Why a resource is incomplete, where a program can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// 401 or 403: the token is invalid or lacks a permission.
    Unauthorized,
    /// 429 until the last attempt.
    RateLimited,
    /// No connection or no response.
    Network,
    /// The workspace no longer offers the resource, or never did.
    Refused,
}

impl SyncReport {
    /// Whether every resource is complete, or not offered by the workspace.
    pub fn is_complete(&self) -> bool {
        self.resources.iter().all(|resource| resource.is_complete || resource.is_skipped)
    }

    /// The report about one resource, if it was synced.
    pub fn of(&self, resource: ResourceName) -> Option<&ResourceReport> {
        self.resources.iter().find(|report| report.resource == resource)
    }
}

impl From<Summary> for SyncReport {
    fn from(summary: Summary) -> Self {
        SyncReport {
            workspace: summary.workspace,
            started_at: Timestamp::from_second(summary.started_at),
            duration: Duration::try_from_secs_f64(summary.seconds).unwrap_or(Duration::ZERO),
            resources: summary.resources.into_iter().map(ResourceReport::from).collect(),
        }
    }
}

impl From<ResourceOutcome> for ResourceReport {
    fn from(outcome: ResourceOutcome) -> Self {
        ResourceReport {
            resource: outcome.resource,
            is_complete: outcome.complete,
            is_skipped: outcome.skipped,
            inserted: outcome.written.inserted,
            updated: outcome.written.updated,
            removed: outcome.written.deleted,
            requests: outcome.requests,
            reason: outcome.reason,
            problem: outcome.cause.map(|cause| match cause {
                Cause::Unauthorized => Problem::Unauthorized,
                Cause::RateLimited => Problem::RateLimited,
                Cause::Network => Problem::Network,
                Cause::Refused => Problem::Refused,
            }),
            quarantined: outcome.quarantined,
        }
    }
}

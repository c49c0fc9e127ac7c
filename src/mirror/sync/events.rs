//! Events of a running sync, and its results.
//!
//! Events are plain data for progress displays and logs. This module must never print.

use serde::Serialize;

use crate::mirror::resources::ResourceName;
use crate::mirror::store::write::WriteCounts;

/// One step of a sync. When serialized, `event` is the variant in snake case, e.g. `sync_progress`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    SyncStart {
        /// Short code of the workspace, if the API returned it.
        workspace: Option<String>,
        resources: Vec<ResourceName>,
        /// Epoch seconds by the server's clock.
        started_at: i64,
    },
    /// Sent after each stored page; for parts, after every few conversations.
    SyncProgress {
        resource: ResourceName,
        /// Number of units done so far.
        rows: u64,
        /// What `rows` and `total` count: the resource itself, or the records that its parts belong to.
        unit: ResourceName,
        /// The expected number, if known.
        total: Option<u64>,
        /// Requests left in the current rate-limit window, if the API reports it.
        requests_left: Option<u64>,
    },
    /// A problem that does not stop the sync.
    SyncWarning {
        resource: Option<ResourceName>,
        message: String,
    },
    /// The server has to finish something first. This is not a problem.
    SyncWaiting {
        resource: ResourceName,
        /// The longest possible wait.
        seconds: u64,
        /// The reason for the wait.
        message: String,
    },
    /// One resource failed; the others continue.
    SyncError {
        resource: ResourceName,
        message: String,
    },
    SyncComplete(ResourceOutcome),
    SyncSummary(Summary),
}

/// Receives events while a sync runs. Implemented by every `FnMut(&Event)`.
pub trait Observer: Send {
    fn event(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> Observer for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}

/// The result of syncing one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceOutcome {
    pub resource: ResourceName,
    #[serde(flatten)]
    pub written: WriteCounts,
    /// Requests sent, excluding the transport's own retries.
    pub requests: u64,
    pub seconds: f64,
    /// Whether it resumed an interrupted run.
    pub resumed: bool,
    /// Whether the mirror has everything that existed when it began, as far back as requested.
    pub complete: bool,
    /// Whether the workspace does not offer this resource.
    pub skipped: bool,
    /// Stored records that no longer exist according to the workspace's count. Later runs remove them.
    pub gone: u64,
    /// Everything deleted before this time has been removed; epoch seconds by the server's clock.
    pub deletions_checked_at: Option<i64>,
    /// The list was read recently enough and is not read again before this time, in epoch seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<i64>,
    /// Why it is incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The kind of failure, for programs to act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Ids of records that failed in several runs. They are retried less and less often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<String>,
}

/// Why a resource is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// 401 or 403: the token is invalid or lacks a permission.
    Unauthorized,
    /// 429 until the last attempt.
    RateLimited,
    /// No connection or no response.
    Network,
    /// The workspace no longer offers it, or never did.
    Refused,
}

impl Cause {
    pub(super) fn of(error: &crate::api::error::Error) -> Option<Self> {
        use crate::api::error::{Error, Unexpected};
        match error.failure() {
            _ if error.is_unauthorized() => Some(Cause::Unauthorized),
            _ if error.status() == Some(429) => Some(Cause::RateLimited),
            Error::Connect { .. } | Error::Timeout { .. } | Error::Network { .. } => Some(Cause::Network),
            // The connection was lost after the headers.
            Error::UnexpectedResponse(answer) if answer.reason == Unexpected::Truncated => {
                Some(Cause::Network)
            }
            _ => None,
        }
    }
}

/// The result of a whole sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub workspace: Option<String>,
    /// Epoch seconds by the server's clock.
    pub started_at: i64,
    pub seconds: f64,
    /// Whether every resource is complete or skipped.
    pub complete: bool,
    /// Whether it was cancelled.
    pub interrupted: bool,
    pub resources: Vec<ResourceOutcome>,
}

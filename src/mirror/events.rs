//! What a sync tells while it runs, and what it came to.
//!
//! Events are data for whoever draws progress or writes a log; nothing here does either.

use serde::Serialize;

use super::resources::ResourceName;
use super::write::Written;

/// One step of a sync. Serialised, `event` holds the name in snake case, e.g. `sync_progress`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    SyncStart {
        /// Short code of the workspace, when the service told it.
        workspace: Option<String>,
        resources: Vec<ResourceName>,
        /// Epoch seconds by the server's clock.
        started_at: i64,
    },
    /// After every stored page, and for parts after every few conversations.
    SyncProgress {
        resource: ResourceName,
        /// Records received so far; for parts, conversations looked at.
        rows: u64,
        /// How many there will be, when that is known.
        total: Option<u64>,
        /// Calls left in the window of the rate limit, when the service tells.
        requests_left: Option<u64>,
    },
    /// Something was odd, and the sync goes on.
    SyncWarning {
        resource: Option<ResourceName>,
        message: String,
    },
    /// The service has to finish something first; nothing is wrong.
    SyncWaiting {
        resource: ResourceName,
        /// How long the wait takes at most.
        seconds: u64,
        /// What is waited for.
        message: String,
    },
    /// One resource was given up; the others go on.
    SyncError {
        resource: ResourceName,
        message: String,
    },
    SyncComplete(Outcome),
    SyncSummary(Summary),
}

/// Receives events while a sync runs. Any `FnMut(&Event)` is one.
pub trait Observer: Send {
    fn event(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> Observer for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}

/// What the sync of one resource came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub resource: ResourceName,
    #[serde(flatten)]
    pub written: Written,
    /// Calls that were made, not counting the transport's own retries.
    pub requests: u64,
    pub seconds: f64,
    /// Whether it went on where an earlier run was interrupted.
    pub resumed: bool,
    /// Whether everything there was when it began, as far back as was asked for, is in the mirror.
    pub complete: bool,
    /// Whether the workspace does not offer it.
    pub skipped: bool,
    /// How many stored records the workspace's count says are gone, and later runs remove.
    pub gone: u64,
    /// What was deleted before is not in the mirror, epoch seconds by the server's clock.
    pub deletions_checked_at: Option<i64>,
    /// The list is taken to be as it was read last until then, epoch seconds; this run did not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<i64>,
    /// Why it is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What kind of trouble that is, where it is one that programs act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Ids of records that failed in several runs: they are set aside and tried again less and less often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<String>,
}

/// What kept a resource from being complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// 401 or 403: the token, or what it may do.
    Unauthorized,
    /// 429 until the last attempt.
    RateLimited,
    /// No connection, or no answer.
    Network,
    /// The workspace does not offer it any more, or never did.
    Refused,
}

impl Cause {
    pub(super) fn of(error: &crate::api::error::Error) -> Option<Self> {
        use crate::api::error::{Error, Unexpected};
        match error {
            _ if error.is_unauthorized() => Some(Cause::Unauthorized),
            _ if error.status() == Some(429) => Some(Cause::RateLimited),
            Error::Connect { .. } | Error::Timeout { .. } | Error::Network { .. } => Some(Cause::Network),
            // The connection was lost behind the headers.
            Error::UnexpectedResponse(answer) if answer.reason == Unexpected::Truncated => {
                Some(Cause::Network)
            }
            _ => None,
        }
    }
}

/// What a whole sync came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub workspace: Option<String>,
    /// Epoch seconds by the server's clock.
    pub started_at: i64,
    pub seconds: f64,
    /// Whether every resource is complete, or skipped.
    pub complete: bool,
    /// Whether it was asked to stop.
    pub interrupted: bool,
    pub resources: Vec<Outcome>,
}

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
    /// Why it is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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

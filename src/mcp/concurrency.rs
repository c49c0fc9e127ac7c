//! Limits how many commands run at the same time.
//!
//! Commands that call the API may hang; local commands must not wait for them, so each kind has its own limit.
//! A call never waits for a slot longer than a client waits for its result.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::cli::catalog::CatalogEntry;

/// Slots for commands that call the API, and for local ones.
const REMOTE_SLOTS: usize = 32;
const LOCAL_SLOTS: usize = 8;

/// How long a command waits for a slot.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(8);

/// Commands that never call the API.
const LOCAL: &[&str] = &[
    "agent-context",
    "analytics",
    "api versions",
    "articles translations",
    "auth list",
    "bulk runs",
    "conversations sla",
    "conversations stale",
    "conversations volume",
    "describe",
    "export",
    "filter explain",
    "profile list",
    "profile show",
    "search",
    "sql",
    "status",
    "which",
];

pub struct ConcurrencyLimit {
    remote: Semaphore,
    local: Semaphore,
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        ConcurrencyLimit { remote: Semaphore::new(REMOTE_SLOTS), local: Semaphore::new(LOCAL_SLOTS) }
    }
}

impl ConcurrencyLimit {
    /// Waits for a slot; `None` if none gets free in time.
    pub async fn take(&self, is_local: bool) -> Option<SemaphorePermit<'_>> {
        let slots = if is_local { &self.local } else { &self.remote };
        tokio::time::timeout(QUEUE_TIMEOUT, slots.acquire()).await.ok()?.ok()
    }
}

/// Whether a command line never calls the API.
pub fn is_local(entry: &CatalogEntry, arguments: &[String]) -> bool {
    LOCAL.contains(&entry.words.as_str()) || arguments.iter().any(|flag| flag == "--data-source=local")
}

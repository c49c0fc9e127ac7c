//! How many commands run at the same time.
//!
//! Commands that ask the workspace may hang with it; those that ask only this machine must not wait for
//! them. Nobody waits for a turn longer than a client waits for an answer.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::cli::catalog::Entry;

/// Commands that ask the workspace, and those that ask this machine.
const FAR: usize = 32;
const NEAR: usize = 8;

/// How long a command waits for its turn.
const PATIENCE: Duration = Duration::from_secs(8);

/// Commands that answer from this machine.
const LOCAL: &[&str] = &[
    "agent-context",
    "analytics",
    "articles translations",
    "bulk runs",
    "conversations sla",
    "conversations stale",
    "conversations volume",
    "export",
    "filter explain",
    "profile list",
    "profile show",
    "search",
    "sql",
    "status",
    "which",
];

pub struct Turns {
    far: Semaphore,
    near: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Turns { far: Semaphore::new(FAR), near: Semaphore::new(NEAR) }
    }
}

impl Turns {
    /// A turn for this command; `None` when too many are under way.
    pub async fn take(&self, is_local: bool) -> Option<SemaphorePermit<'_>> {
        let turns = if is_local { &self.near } else { &self.far };
        tokio::time::timeout(PATIENCE, turns.acquire()).await.ok()?.ok()
    }
}

/// Whether a command line is answered by this machine alone.
pub fn is_local(entry: &Entry, arguments: &[String]) -> bool {
    LOCAL.contains(&entry.words.as_str()) || arguments.iter().any(|flag| flag == "--data-source=local")
}

//! Runs an ordinary sync at the start, at intervals, and when notifications may have been missed.
//!
//! One sync at a time, on its own thread, because it blocks while it writes. Requests for a sync in quick succession must
//! cost one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::client::Client;
use crate::listen::error::Error;
use crate::mirror::{self, Event, ResourceName, Store, SyncOptions};

/// The shortest time between the end of a sync and the next one that is asked for.
const REST: Duration = Duration::from_secs(10);

/// How a sync ended.
#[derive(Debug, Default)]
pub(super) struct SyncEnd {
    /// Records that were added, changed or removed.
    pub changes: u64,
    /// Why it failed or is incomplete.
    pub problem: Option<String>,
}

pub(super) struct Resync {
    every: Duration,
    due: Instant,
    /// When the last one ended.
    rested: Option<Instant>,
    /// Whether one was asked for while another was running.
    again: bool,
    running: Option<Running>,
}

struct Running {
    end: oneshot::Receiver<SyncEnd>,
    cancel: CancellationToken,
}

impl Resync {
    pub fn new(every: Duration, now: Instant) -> Self {
        Resync { every, due: now, rested: None, again: false, running: None }
    }

    /// Asks for a sync soon.
    pub fn request(&mut self, now: Instant) {
        if self.running.is_some() {
            self.again = true;
            return;
        }
        let soon = self.rested.map_or(now, |rested| (rested + REST).max(now));
        self.due = self.due.min(soon);
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.running.is_none() && self.due <= now
    }

    /// When the next one is due; `None` while one runs.
    pub fn next_due(&self) -> Option<Instant> {
        self.running.is_none().then_some(self.due)
    }

    /// Starts a sync.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(&mut self, client: &Client, mirror: &Path) -> Result<(), Error> {
        let (ended, end) = oneshot::channel();
        let cancel = CancellationToken::new();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let (client, mirror, stop) = (client.clone(), mirror.to_owned(), cancel.clone());
        let spawned = std::thread::Builder::new().name("sync".to_owned()).spawn(move || {
            let end = runtime.block_on(sync(&client, mirror, stop));
            let problem =
                |error: mirror::Error| SyncEnd { problem: Some(error.to_string()), ..SyncEnd::default() };
            // Nobody waits for the end of a sync after the applier has ended.
            let _ = ended.send(end.unwrap_or_else(problem));
        });
        spawned.map_err(Error::Thread)?;
        self.again = false;
        self.running = Some(Running { end, cancel });
        Ok(())
    }

    /// Waits for the end of the running sync; for ever if none runs.
    pub async fn ended(&mut self) -> SyncEnd {
        match &mut self.running {
            Some(running) => (&mut running.end).await.unwrap_or_else(|_| SyncEnd {
                problem: Some("its thread has stopped".to_owned()),
                ..SyncEnd::default()
            }),
            None => std::future::pending().await,
        }
    }

    /// Plans the next one after the running one has ended. After a failure it comes soon.
    pub fn finish(&mut self, is_complete: bool, now: Instant) {
        self.running = None;
        self.rested = Some(now);
        self.due = now + if is_complete && !self.again { self.every } else { REST.min(self.every) };
        self.again = false;
    }

    /// Interrupts the running sync. What it has stored stays, and the next one resumes it.
    pub fn cancel(&self) {
        if let Some(running) = &self.running {
            running.cancel.cancel();
        }
    }
}

async fn sync(client: &Client, mirror: PathBuf, cancel: CancellationToken) -> Result<SyncEnd, mirror::Error> {
    let mut store = Store::open(&mirror)?;
    let mut options = SyncOptions { cancel, ..SyncOptions::default() };
    let mut mirrored = Vec::new();
    for resource in ResourceName::ALL {
        if store.sync_state(*resource)?.is_some() {
            mirrored.push(*resource);
        }
    }
    // A mirror of some resources stays one of these resources.
    if !mirrored.is_empty() {
        options.resources = mirrored;
    }
    let summary = mirror::sync(client, &mut store, &options, &mut |_: &Event| {}).await?;
    if !summary.interrupted {
        store.index()?;
    }
    store.checkpoint()?;
    let changes = summary.resources.iter().map(|resource| &resource.written);
    let changes = changes.map(|written| written.inserted + written.updated + written.deleted).sum();
    let problem = (!summary.complete && !summary.interrupted).then(|| {
        let reasons = summary.resources.iter().filter(|resource| !resource.complete && !resource.skipped);
        let reasons: Vec<String> = reasons
            .map(|resource| {
                format!("{}: {}", resource.resource, resource.reason.as_deref().unwrap_or("incomplete"))
            })
            .collect();
        reasons.join("; ")
    });
    Ok(SyncEnd { changes, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_quick_succession_cost_one_sync() {
        let (every, now) = (Duration::from_secs(900), Instant::now());
        let mut resync = Resync::new(every, now);
        assert!(resync.is_due(now), "the mirror may be old at the start");
        resync.finish(true, now);
        assert_eq!(resync.next_due(), Some(now + every));
        for _ in 0..3 {
            resync.request(now + Duration::from_secs(1));
        }
        assert_eq!(resync.next_due(), Some(now + REST));
        resync.request(now + REST * 2);
        assert_eq!(resync.next_due(), Some(now + REST), "a later request does not move it");
    }

    #[test]
    fn a_failed_sync_is_repeated_soon() {
        let now = Instant::now();
        let mut resync = Resync::new(Duration::from_secs(900), now);
        resync.finish(false, now);
        assert_eq!(resync.next_due(), Some(now + REST));
    }
}

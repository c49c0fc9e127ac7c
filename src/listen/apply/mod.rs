//! Keeps a mirror current: fetches the records that notifications name, and removes those that are gone.
//!
//! A notification only says which record to request. What it contains is never stored, because it can be older than the
//! mirror, and its texts can lack their formatting. A record must never be removed because of a notification alone: the
//! API has to confirm that it is gone. What notifications cannot say, an ordinary sync finds: it runs at the start, at
//! intervals, and when something may have been missed.

mod fetch;
mod pending;
mod resync;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::fetch::{Fetch, Outcome};
use self::pending::{Job, Pending};
use self::resync::{Resync, SyncEnd};
use super::error::Error;
use super::queue::{Queue, Work};
use super::report::{Report, Reporter};
use crate::api::client::Client;
use crate::mirror::{self, RecordRefresh, ResourceName, Store};
use crate::webhooks::Notification;

/// Records that are fetched at the same time, each with a connection to the mirror.
const FETCHES: usize = 8;

/// Notifications that are held in memory, as record ids; the others wait in the queue.
const MAX_HELD: usize = 20_000;

/// How long fetches may take after the receiver was asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Pauses after an error that affects every request.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// What an [`Applier`] works with.
pub struct ApplierOptions {
    pub client: Client,
    /// The file of the mirror. It is created if necessary.
    pub mirror: PathBuf,
    pub queue: Queue,
    pub reporter: Arc<Reporter>,
    /// Time between two syncs.
    pub sync_every: Duration,
}

/// Applies notifications to one mirror.
pub struct Applier {
    client: Client,
    /// Connections that are not used by a fetch.
    stores: Vec<Store>,
    mirror: PathBuf,
    /// The code of the mirrored workspace.
    workspace: Option<String>,
    queue: Queue,
    reporter: Arc<Reporter>,
    pending: Pending,
    resync: Resync,
    /// The newest notification that was read from the queue.
    read: i64,
    /// Until when nothing is fetched, and how long the next pause is.
    paused_until: Option<Instant>,
    pause: Duration,
}

impl Applier {
    /// Opens the mirror, and checks that the token belongs to its workspace.
    ///
    /// # Errors
    /// [`Error::Mirror`] if it does not, the request fails, or the mirror cannot be opened.
    pub async fn open(options: ApplierOptions) -> Result<Self, Error> {
        let ApplierOptions { client, mirror, queue, reporter, sync_every } = options;
        let mut stores = (0..FETCHES).map(|_| Store::open(&mirror)).collect::<Result<Vec<_>, _>>()?;
        let mut workspace = None;
        if let Some(store) = stores.first_mut() {
            RecordRefresh::new(&client, store).bind().await?;
            workspace = store.workspace()?.map(|workspace| workspace.id_code);
        }
        Ok(Applier {
            client,
            stores,
            mirror,
            workspace,
            queue,
            reporter,
            pending: Pending::default(),
            resync: Resync::new(sync_every, Instant::now()),
            read: 0,
            paused_until: None,
            pause: FIRST_PAUSE,
        })
    }

    /// Applies on another thread until `stop`, because writing to the mirror blocks, and answers must not wait for it.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn spawn(self, stop: CancellationToken) -> Result<oneshot::Receiver<Result<(), Error>>, Error> {
        let (ended, end) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::Thread)?;
        let thread = std::thread::Builder::new().name("apply".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody waits for the end after the program has failed elsewhere.
            let _ = ended.send(runtime.block_on(self.run(&stop)));
        });
        spawned.map_err(Error::Thread)?;
        Ok(end)
    }

    /// Applies until `stop`, and then what is left, for a short time. What remains is applied by the next run.
    async fn run(mut self, stop: &CancellationToken) -> Result<(), Error> {
        let mut stored = self.queue.stored();
        let mut fetches = FuturesUnordered::new();
        let mut deadline: Option<Instant> = None;
        loop {
            self.read_queue().await?;
            let now = Instant::now();
            if self.paused_until.is_none_or(|until| until <= now) {
                self.paused_until = None;
                while !self.stores.is_empty()
                    && let Some(job) = self.pending.take_due(now)
                    && let Some(store) = self.stores.pop()
                {
                    fetches.push(Fetch { client: self.client.clone(), store, job }.run());
                }
            }
            if deadline.is_none() && self.resync.is_due(now) {
                self.resync.start(&self.client, &self.mirror)?;
            }
            if let Some(deadline) = deadline {
                let is_idle = fetches.is_empty() && (self.pending.is_empty() || self.paused_until.is_some());
                if is_idle || now >= deadline {
                    return Ok(());
                }
            }
            let wake = self.wake(deadline);
            tokio::select! {
                Some((store, job, outcome)) = fetches.next() => {
                    self.stores.push(store);
                    self.handle(job, outcome).await?;
                }
                end = self.resync.ended() => self.report_sync(end),
                _ = stored.changed(), if self.pending.held() < MAX_HELD => {}
                () = tokio::time::sleep_until(wake) => {}
                () = stop.cancelled(), if deadline.is_none() => {
                    self.resync.cancel();
                    deadline = Some(Instant::now() + DRAIN);
                }
            }
        }
    }

    /// When to look again, if nothing happens before.
    fn wake(&self, deadline: Option<Instant>) -> Instant {
        let due = match (self.paused_until, self.stores.is_empty()) {
            (Some(until), _) => Some(until),
            (None, true) => None,
            (None, false) => self.pending.next_due(),
        };
        // No sync starts after the stop.
        let sync = if deadline.is_none() { self.resync.next_due() } else { None };
        let times = [due, sync, deadline];
        times.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + MAX_PAUSE)
    }

    /// Reads new notifications, as many as may be held.
    async fn read_queue(&mut self) -> Result<(), Error> {
        while self.pending.held() < MAX_HELD {
            let batch = self.queue.next_after(Work::Apply, self.read).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            self.read = last.seq;
            let now = Instant::now();
            let mut finished = Vec::new();
            for stored in &batch {
                let notification = match Notification::parse(&stored.body) {
                    Ok(notification) if !self.is_foreign(&notification) => notification,
                    _ => {
                        finished.push(stored.seq);
                        continue;
                    }
                };
                // The sender has failed to deliver it before, and perhaps others.
                if notification.delivery_attempts.is_some_and(|attempts| attempts > 1) {
                    self.resync.request(now);
                }
                finished.extend(self.pending.add(stored.seq, target::targets(&notification), now));
            }
            self.queue.finish(Work::Apply, finished).await?;
        }
        Ok(())
    }

    /// Whether a notification is about another workspace, which can have installed the same app.
    fn is_foreign(&self, notification: &Notification) -> bool {
        let (Some(own), Some(other)) = (&self.workspace, &notification.app_id) else { return false };
        if own != other {
            self.reporter.report(&Report::OtherWorkspace);
        }
        own != other
    }

    async fn handle(&mut self, job: Job, outcome: Outcome) -> Result<(), Error> {
        let now = Instant::now();
        match outcome {
            Outcome::Fetched { gone, mut needs_sync } => {
                if std::mem::replace(&mut self.pause, FIRST_PAUSE) > FIRST_PAUSE {
                    self.reporter.report(&Report::Applying);
                }
                match self.remove(job.target.resource, &gone) {
                    // What took part in it is read again by a sync.
                    Ok(removed) => needs_sync |= removed > 0 && job.target.resource == ResourceName::Contacts,
                    // A sync may store what it has just received, so removals wait until it has ended.
                    Err(mirror::Error::Locked { .. }) => {
                        self.pending.wait_for_mirror(job, now);
                        return Ok(());
                    }
                    Err(error) => return self.pause(job, error.to_string(), now),
                }
                if needs_sync {
                    self.resync.request(now);
                }
                let finished = self.pending.finish(&job);
                self.queue.finish(Work::Apply, finished).await
            }
            Outcome::Unavailable(reason) => self.pause(job, reason, now),
            Outcome::Failed(reason) => {
                let (resource, id) = (job.target.resource, job.target.id.clone());
                let Some(finished) = self.pending.retry_or_give_up(job, now) else { return Ok(()) };
                self.reporter.report(&Report::RecordGivenUp { resource, id, reason });
                self.resync.request(now);
                self.queue.finish(Work::Apply, finished).await
            }
        }
    }

    /// Removes records from the mirror. Only here, one after the other, because a removal locks the mirror.
    fn remove(&mut self, resource: ResourceName, gone: &[String]) -> Result<u64, mirror::Error> {
        match self.stores.last_mut() {
            Some(store) if !gone.is_empty() => store.remove_records(resource, gone),
            _ => Ok(0),
        }
    }

    /// Fetches nothing for a while after an error that would affect every record.
    fn pause(&mut self, job: Job, reason: String, now: Instant) -> Result<(), Error> {
        self.reporter.report(&Report::NotApplied(reason));
        self.paused_until = Some(now + self.pause);
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        self.pending.retry(job, now);
        Ok(())
    }

    fn report_sync(&mut self, end: SyncEnd) {
        let now = Instant::now();
        self.resync.finish(end.problem.is_none(), now);
        self.pending.hurry(now);
        match end.problem {
            Some(problem) => self.reporter.report(&Report::SyncFailed(problem)),
            None => self.reporter.report(&Report::Synced { changes: end.changes }),
        }
    }
}

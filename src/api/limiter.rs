//! Rate limiter that follows the server's limit, so that a 429 is the exception.
//!
//! The server grants a number of calls per window of ten seconds, and reports with every response how many
//! are left and when the window ends. No crate follows such headers (governor's quotas are fixed when it is
//! built). Before the first response, one call is sent alone and the others wait for its headers. After that,
//! calls are paced over the window, and count as spent until their response arrives. The user's own limit
//! applies in addition. All clones of a transport share one limiter.
//!
//! It must never wait long because of a single header: implausible resets are ignored.

mod budget;
mod clock;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use budget::Observation;
pub use budget::RateLimit;
use budget::{Budget, CallTicket, Decision};

pub(crate) struct Limiter {
    /// Calls queue here in order of arrival; only the first one checks the budget.
    queue: tokio::sync::Mutex<()>,
    /// Signals that a response has changed the budget.
    changed: Notify,
    budget: Mutex<Budget>,
}

/// The right to send one call, held until its response arrives. Dropping it records a lost response.
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    ticket: Option<CallTicket>,
}

impl Limiter {
    /// `interval` is the user's minimum time between two calls.
    pub fn new(interval: Option<Duration>) -> Arc<Self> {
        let budget = Budget::new(interval, Instant::now(), SystemTime::now());
        Arc::new(Limiter {
            queue: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            budget: Mutex::new(budget),
        })
    }

    /// Waits until a call may be sent. First come, first served. Cancelling the wait costs nothing.
    pub async fn acquire(self: &Arc<Self>) -> Permit {
        let _turn = self.queue.lock().await;
        loop {
            let decision = self.budget().decide(Instant::now());
            match decision {
                Decision::Go(ticket) => return Permit { limiter: self.clone(), ticket: Some(ticket) },
                Decision::Wait(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.changed.notified() => {}
                },
            }
        }
    }

    /// Lets a call go without waiting, and still follows what its response reports.
    pub fn pass(self: &Arc<Self>) -> Permit {
        Permit { limiter: self.clone(), ticket: Some(self.budget().pass(Instant::now())) }
    }

    /// Blocks all calls for this long.
    pub fn hold(&self, wait: Duration) {
        self.budget().hold(Instant::now() + wait);
    }

    /// Announces a burst of this many calls. They are not paced if they are few compared to the calls left.
    pub fn expect(&self, calls: u64) {
        self.budget().expect(calls);
    }

    /// The rate limit that the server reported last, if any.
    pub fn rate(&self) -> Option<RateLimit> {
        self.budget().rate()
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The response headers arrived.
    pub fn answered(self, observation: Observation) {
        self.settle(|budget, ticket| budget.answered(ticket, observation, Instant::now()));
    }

    /// The call never reached the server.
    pub fn unreached(self) {
        self.settle(|budget, ticket| budget.lost(ticket, false));
    }

    fn settle(mut self, change: impl FnOnce(&mut Budget, CallTicket)) {
        if let Some(ticket) = self.ticket.take() {
            change(&mut self.limiter.budget(), ticket);
        }
        self.limiter.changed.notify_one();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.limiter.budget().lost(ticket, true);
            self.limiter.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;

//! Keeps calls within what the server allows, so that a refusal is the exception.
//!
//! The server deals out calls in windows of ten seconds and tells with every answer how many are left
//! and when the window ends. No crate follows such headers (governor's quotas are fixed when it is
//! built), so this is our own. Before the first answer one call goes out alone and the others wait for
//! what it learns; afterwards calls are spread over the window and counted as spent until answered. A
//! cap of the user's own comes on top. All clones of a transport share one limiter.
//!
//! It must never wait for long on the word of a single header: resets out of reach are not believed.

mod budget;
mod clock;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use budget::Observation;
pub use budget::RateLimit;
use budget::{Budget, Decision, Ticket};

pub(crate) struct Limiter {
    /// Calls queue here in the order they came; only the first of them looks at the budget.
    turn: tokio::sync::Mutex<()>,
    /// An answer changed the budget.
    changed: Notify,
    budget: Mutex<Budget>,
}

/// The right to send one call, until it is answered. Dropping it means the answer never came.
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    ticket: Option<Ticket>,
}

impl Limiter {
    /// `interval` is the least time between two calls, if the user wants one.
    pub fn new(interval: Option<Duration>) -> Arc<Self> {
        let budget = Budget::new(interval, Instant::now(), SystemTime::now());
        Arc::new(Limiter {
            turn: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            budget: Mutex::new(budget),
        })
    }

    /// Waits until a call may leave. First come, first served; giving up while waiting costs nothing.
    pub async fn acquire(self: &Arc<Self>) -> Permit {
        let _turn = self.turn.lock().await;
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

    /// Lets no call leave for that long.
    pub fn hold(&self, wait: Duration) {
        self.budget().hold(Instant::now() + wait);
    }

    /// So many calls are coming and then no more for a while: they may leave at once where they are few.
    pub fn expect(&self, calls: u64) {
        self.budget().expect(calls);
    }

    /// The server's latest account of the window, if it gives one.
    pub fn rate(&self) -> Option<RateLimit> {
        self.budget().rate()
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The answer's headers arrived.
    pub fn answered(self, seen: Observation) {
        self.settle(|budget, ticket| budget.answered(ticket, seen, Instant::now()));
    }

    /// The call never reached the server.
    pub fn unreached(self) {
        self.settle(|budget, ticket| budget.lost(ticket, false));
    }

    fn settle(mut self, change: impl FnOnce(&mut Budget, Ticket)) {
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

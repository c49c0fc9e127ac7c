//! Asking a running sync to end early.
//!
//! Every write is one transaction, so a sync can end between any two of them; what it has is kept and
//! the next one goes on from there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A request to stop, shared between who asks and who is asked. Clones are the same request.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    changed: Notify,
}

impl Stop {
    /// Asks, once and for all.
    pub fn ask(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_asked() {
                return;
            }
            changed.await;
        }
    }
}

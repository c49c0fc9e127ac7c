//! The workspace's time: it starts where the seed ends, runs like ours, and tests may move it on.

use std::time::{Duration, Instant};

/// Seconds since the epoch as the workspace counts them.
#[derive(Debug, Clone)]
pub struct Clock {
    origin: i64,
    started: Instant,
    skipped: i64,
}

impl Clock {
    /// A clock that shows `origin` (epoch seconds) now.
    pub fn starting_at(origin: i64) -> Self {
        Clock { origin, started: Instant::now(), skipped: 0 }
    }

    /// Epoch seconds.
    pub fn now(&self) -> i64 {
        self.origin + self.skipped + self.started.elapsed().as_secs() as i64
    }

    /// Moves the clock on at once, in whole seconds.
    pub fn advance(&mut self, by: Duration) {
        self.skipped += by.as_secs() as i64;
    }
}

//! The workspace's clock: starts where the seed data ends, runs at normal speed, and can be advanced by tests.

use std::time::{Duration, Instant};

/// The current time of a workspace, in epoch seconds.
#[derive(Debug, Clone)]
pub struct WorkspaceClock {
    origin: i64,
    started: Instant,
    skipped: i64,
}

impl WorkspaceClock {
    /// A clock that currently shows `origin` (epoch seconds).
    pub fn starting_at(origin: i64) -> Self {
        WorkspaceClock { origin, started: Instant::now(), skipped: 0 }
    }

    /// Epoch seconds.
    pub fn now(&self) -> i64 {
        self.origin + self.skipped + self.started.elapsed().as_secs() as i64
    }

    /// Advances the clock at once, by whole seconds.
    pub fn advance(&mut self, by: Duration) {
        self.skipped += by.as_secs() as i64;
    }
}

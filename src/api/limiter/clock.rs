//! Estimates the server's clock.
//!
//! Windows end at a second of the server's clock, and the local clock may be minutes off. `Date` headers are
//! truncated to whole seconds, so a single one is imprecise. But the server's clock was certainly not
//! *behind* any of them, and the greatest such bound becomes exact, up to the latency, once a second has
//! turned over. Err on the late side, never on the early side: an early call costs a 429.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Maximum distance of a plausible reset, in seconds. Windows are ten seconds long.
const MAX_DISTANCE: f64 = 60.0;
/// How far the bounds of two responses may contradict each other before the older one is dropped, in seconds.
const TOLERANCE: f64 = 1.0;

#[derive(Debug)]
pub(super) struct ClockEstimate {
    origin: Instant,
    /// The local clock at `origin`, in seconds since the epoch.
    machine: f64,
    /// Lower bound of the server's clock at `origin`; `None` before the first `Date`.
    server: Option<f64>,
}

impl ClockEstimate {
    pub fn new(origin: Instant, machine: SystemTime) -> Self {
        let machine = machine.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        ClockEstimate { origin, machine, server: None }
    }

    /// Records the `Date` of a response, in seconds since the epoch.
    pub fn observe(&mut self, date: u64, sent: Instant, received: Instant) {
        let least = date as f64 - self.since_origin(received);
        let most = date as f64 + 1.0 - self.since_origin(sent);
        self.server = match self.server {
            Some(known) if known <= most + TOLERANCE => Some(known.max(least)),
            // The known bound has become impossible: a clock was changed, or a `Date` was wrong.
            _ => Some(least),
        };
    }

    /// When the server's clock shows `epoch`; `None` if that is implausibly far from `near`.
    /// Falls back to the local clock without a plausible `Date`.
    pub fn instant(&self, epoch: u64, near: Instant) -> Option<Instant> {
        let near = self.since_origin(near);
        let plausible =
            |at_origin: f64| Some(epoch as f64 - at_origin).filter(|at| (at - near).abs() <= MAX_DISTANCE);
        let at = self.server.and_then(plausible).or_else(|| plausible(self.machine))?;
        Some(self.origin + Duration::from_secs_f64(at.max(0.0)))
    }

    fn since_origin(&self, instant: Instant) -> f64 {
        instant.saturating_duration_since(self.origin).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: u64 = 1_800_000_000;

    fn clock(origin: Instant) -> ClockEstimate {
        ClockEstimate::new(origin, UNIX_EPOCH + Duration::from_secs(EPOCH))
    }

    fn after(origin: Instant, milliseconds: u64) -> Instant {
        origin + Duration::from_millis(milliseconds)
    }

    fn error(clock: &ClockEstimate, epoch: u64, truth: Instant) -> i128 {
        let instant = clock.instant(epoch, truth).expect("a plausible time");
        instant.duration_since(clock.origin).as_millis() as i128
            - truth.duration_since(clock.origin).as_millis() as i128
    }

    /// A server that is 300.4 s ahead; responses take 20 ms to arrive.
    #[test]
    fn the_estimate_converges_from_the_late_side() {
        let origin = Instant::now();
        let mut clock = clock(origin);
        let date = |at: u64| EPOCH + 300 + (400 + at - 20) / 1000;
        let truth = after(origin, 9_600);
        let mut last = i128::MAX;
        for at in (100..1_600).step_by(50) {
            clock.observe(date(at), after(origin, at - 40), after(origin, at));
            let late = error(&clock, EPOCH + 310, truth);
            assert!((0..=last).contains(&late), "{late} ms late after {at} ms");
            last = late;
        }
        assert!(last <= 80, "{last} ms late in the end");
    }

    #[test]
    fn a_wrong_date_is_dropped() {
        let origin = Instant::now();
        let mut clock = clock(origin);
        clock.observe(EPOCH + 1_000_000, origin, after(origin, 10));
        clock.observe(EPOCH, origin, after(origin, 20));
        assert!(error(&clock, EPOCH + 5, after(origin, 5_000)) <= 1_000);
    }

    #[test]
    fn implausible_times_are_ignored() {
        let origin = Instant::now();
        let mut clock = clock(origin);
        assert_eq!(clock.instant(u64::MAX, origin), None);
        assert_eq!(clock.instant(EPOCH + 3_600, origin), None);
        assert_eq!(clock.instant(10, origin), None);
        // If the `Date` does not fit the reset, the local clock is used.
        clock.observe(1_000, origin, origin);
        assert_eq!(clock.instant(EPOCH + 5, origin), Some(after(origin, 5_000)));
    }
}

//! The server's clock as seen from here.
//!
//! A window ends at a second of the server's clock, and the machine's own clock may be minutes off.
//! `Date` headers are cut to whole seconds, so one of them says little; but the server's clock was
//! certainly not *behind* any of them, and the greatest such bound is exact to the time an answer
//! travels once a second has turned over. Erring late is the harmless side: an early call costs a 429.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A reset farther away than this is not believed: windows are ten seconds long.
const BELIEVABLE: f64 = 60.0;
/// How far the bounds of two answers may contradict each other before the older one is dropped.
const SLACK: f64 = 1.0;

#[derive(Debug)]
pub(super) struct ServerClock {
    origin: Instant,
    /// Seconds since the epoch at `origin`, by the machine's clock.
    machine: f64,
    /// The same by the server's clock, at least; `None` until a `Date` was seen.
    server: Option<f64>,
}

impl ServerClock {
    pub fn new(origin: Instant, machine: SystemTime) -> Self {
        let machine = machine.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        ServerClock { origin, machine, server: None }
    }

    /// Learns from the `Date` of an answer, in seconds since the epoch.
    pub fn observe(&mut self, date: u64, sent: Instant, received: Instant) {
        let least = date as f64 - self.since_origin(received);
        let most = date as f64 + 1.0 - self.since_origin(sent);
        self.server = match self.server {
            Some(known) if known <= most + SLACK => Some(known.max(least)),
            // The known bound is impossible by now: a clock was set, or a `Date` was wrong.
            _ => Some(least),
        };
    }

    /// When the server's clock shows `epoch`; `None` if that is too far from `near` to be believed.
    /// Without a credible `Date`, the machine's clock has to do.
    pub fn instant(&self, epoch: u64, near: Instant) -> Option<Instant> {
        let near = self.since_origin(near);
        let believed =
            |at_origin: f64| Some(epoch as f64 - at_origin).filter(|at| (at - near).abs() <= BELIEVABLE);
        let at = self.server.and_then(believed).or_else(|| believed(self.machine))?;
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

    fn clock(origin: Instant) -> ServerClock {
        ServerClock::new(origin, UNIX_EPOCH + Duration::from_secs(EPOCH))
    }

    fn after(origin: Instant, milliseconds: u64) -> Instant {
        origin + Duration::from_millis(milliseconds)
    }

    fn error(clock: &ServerClock, epoch: u64, truth: Instant) -> i128 {
        let found = clock.instant(epoch, truth).expect("a time nearby");
        found.duration_since(clock.origin).as_millis() as i128
            - truth.duration_since(clock.origin).as_millis() as i128
    }

    /// A server 300.4 s ahead; answers take 20 ms back.
    #[test]
    fn dates_converge_from_the_late_side() {
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
    fn a_wrong_date_is_forgotten() {
        let origin = Instant::now();
        let mut clock = clock(origin);
        clock.observe(EPOCH + 1_000_000, origin, after(origin, 10));
        clock.observe(EPOCH, origin, after(origin, 20));
        assert!(error(&clock, EPOCH + 5, after(origin, 5_000)) <= 1_000);
    }

    #[test]
    fn what_is_far_away_is_not_believed() {
        let origin = Instant::now();
        let mut clock = clock(origin);
        assert_eq!(clock.instant(u64::MAX, origin), None);
        assert_eq!(clock.instant(EPOCH + 3_600, origin), None);
        assert_eq!(clock.instant(10, origin), None);
        // A `Date` that makes no sense beside the reset gives way to the machine's clock.
        clock.observe(1_000, origin, origin);
        assert_eq!(clock.instant(EPOCH + 5, origin), Some(after(origin, 5_000)));
    }
}

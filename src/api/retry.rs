//! The retry policy: which failures are retried, and how long to wait first.
//!
//! The rule that must hold: a request that changes something is never sent again unless it is certain that
//! the server has not processed it.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::Method;

/// The longest wait before a retry. If the server asks for a longer one, the call fails instead.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(60);
/// Few, because a user is waiting.
const CONNECT_RETRIES: u32 = 3;
/// Few, because each attempt has taken the full timeout.
const TIMEOUT_RETRIES: u32 = 2;
/// A gateway that sends errors with a success status may recover, but not after many attempts.
const CONTRADICTION_RETRIES: u32 = 2;
/// "One job at a time" does not clear up within seconds.
const BUSY_RETRIES: u32 = 2;

/// Whether sending a request twice has the same effect as sending it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// It reads, or it sets a state.
    Idempotent,
    /// Retry only if the server has certainly not processed it.
    NotIdempotent,
}

impl Idempotency {
    /// By the rules of HTTP. Mark a POST that only searches as [`Idempotency::Idempotent`] instead.
    pub fn of(method: &Method) -> Self {
        if method.is_idempotent() { Idempotency::Idempotent } else { Idempotency::NotIdempotent }
    }
}

/// Why an attempt failed, as far as retrying is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureCause {
    /// No connection was made.
    NotConnected,
    /// 429 for too many requests.
    RateLimited,
    /// 429 for another reason, e.g. one export job at a time.
    Busy,
    /// Temporary, but the server may have processed the request: a 5xx, a lost connection, a truncated body.
    OutcomeUnknown,
    /// The same, after waiting for the full timeout.
    TimedOut,
    /// An error list with a success status; either of them may be wrong.
    Contradictory,
    /// Another attempt would fail the same way.
    Permanent,
}

/// The retry budget of one call.
pub(crate) struct Retries {
    idempotency: Idempotency,
    delays: ExponentialBackoff,
    first_delay: Duration,
    not_connected: u32,
    timed_out: u32,
    contradictory: u32,
    busy: u32,
    attempts: u32,
}

impl Retries {
    /// At most `times` retries. The first waits for `first_delay` plus a jitter of up to the same length.
    pub fn new(idempotency: Idempotency, times: u32, first_delay: Duration) -> Self {
        let delays = ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(first_delay)
            .with_max_delay(MAX_DELAY / 2)
            .with_max_times(times as usize);
        Retries {
            idempotency,
            delays: delays.build(),
            first_delay,
            not_connected: CONNECT_RETRIES,
            timed_out: TIMEOUT_RETRIES,
            contradictory: CONTRADICTION_RETRIES,
            busy: BUSY_RETRIES,
            attempts: 1,
        }
    }

    /// How long to wait before the next attempt; `None` to give up. `retry_after` is the wait that the server
    /// requested.
    pub fn next(&mut self, cause: FailureCause, retry_after: Option<Duration>) -> Option<Duration> {
        // Fail now rather than retry too early or hang silently.
        if retry_after.is_some_and(|wait| wait > MAX_DELAY) {
            return None;
        }
        let is_idempotent = self.idempotency == Idempotency::Idempotent;
        let allowed = match cause {
            FailureCause::RateLimited => true,
            FailureCause::NotConnected => spend(&mut self.not_connected),
            FailureCause::Busy => spend(&mut self.busy),
            FailureCause::OutcomeUnknown => is_idempotent,
            FailureCause::Contradictory => is_idempotent && spend(&mut self.contradictory),
            FailureCause::TimedOut => is_idempotent && spend(&mut self.timed_out),
            FailureCause::Permanent => false,
        };
        let delay = self.delays.by_ref().take(usize::from(allowed)).next()?;
        self.attempts += 1;
        Some(retry_after.map_or(delay, |wait| wait.max(self.first_delay)))
    }

    /// Attempts made or granted so far, including the first one.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// Uses up one retry of a budget. Returns whether one was left.
fn spend(budget: &mut u32) -> bool {
    let any = *budget > 0;
    *budget = budget.saturating_sub(1);
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);

    fn attempts(idempotency: Idempotency, cause: FailureCause) -> usize {
        let mut retries = Retries::new(idempotency, 5, FIRST);
        std::iter::from_fn(|| retries.next(cause, None)).count()
    }

    #[test]
    fn a_change_is_retried_only_if_it_was_not_processed() {
        use FailureCause::{
            Busy, Contradictory, NotConnected, OutcomeUnknown, Permanent, RateLimited, TimedOut,
        };
        let counts = |idempotency| {
            [NotConnected, RateLimited, Busy, OutcomeUnknown, TimedOut, Contradictory, Permanent]
                .map(|cause| attempts(idempotency, cause))
        };
        assert_eq!(counts(Idempotency::Idempotent), [3, 5, 2, 5, 2, 2, 0]);
        assert_eq!(counts(Idempotency::NotIdempotent), [3, 5, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn get_put_and_delete_are_idempotent() {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            assert_eq!(Idempotency::of(&method), Idempotency::Idempotent);
        }
        assert_eq!(Idempotency::of(&Method::POST), Idempotency::NotIdempotent);
        assert_eq!(Idempotency::of(&Method::PATCH), Idempotency::NotIdempotent);
    }

    #[test]
    fn delays_double_with_jitter() {
        let mut retries = Retries::new(Idempotency::Idempotent, 5, FIRST);
        for step in 0..5 {
            let least = FIRST * 2_u32.pow(step);
            let delay = retries.next(FailureCause::OutcomeUnknown, None).unwrap();
            assert!(delay >= least && delay <= least * 2, "{delay:?}");
        }
        assert_eq!(retries.next(FailureCause::OutcomeUnknown, None), None);
    }

    #[test]
    fn a_requested_wait_is_honored_unless_it_is_too_long() {
        let mut retries = Retries::new(Idempotency::NotIdempotent, 5, FIRST);
        let mut delay = |seconds| retries.next(FailureCause::RateLimited, Some(Duration::from_secs(seconds)));
        assert_eq!(delay(7), Some(Duration::from_secs(7)));
        assert_eq!(delay(0), Some(FIRST));
        assert_eq!(delay(86_400), None, "a day is too long");
    }
}

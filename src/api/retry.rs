//! Which failures are worth another attempt, and how long to wait before it.
//!
//! The rule that must hold: a request that changes something is never sent again unless the server
//! has certainly done nothing with it.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::Method;

/// The longest wait before one attempt; a server that asks for a longer one is not asked again.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A server that cannot be reached is given up sooner than one that answers: people wait for the
/// message that they are offline.
const UNREACHED: u32 = 3;
/// Each of these has taken the whole of the time that one attempt may take.
const TIMED_OUT: u32 = 2;
/// "One job at a time" does not pass by itself within seconds.
const BUSY: u32 = 2;

/// Whether sending a request twice is the same as sending it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Yes: it reads, or it sets a state.
    Safe,
    /// No: send it again only when the server has certainly done nothing with it.
    OnlyIfUntouched,
}

impl Repeat {
    /// By the rules of HTTP. A POST that only searches is better marked [`Repeat::Safe`].
    pub fn of(method: &Method) -> Self {
        match method.is_idempotent() {
            true => Repeat::Safe,
            false => Repeat::OnlyIfUntouched,
        }
    }
}

/// Why an attempt failed, as far as retrying is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No connection came about.
    Unreached,
    /// 429 for too many requests.
    RateLimited,
    /// 429 for another reason, e.g. one export job at a time.
    Busy,
    /// It may pass, but the server may have carried the request out: a 5xx, a lost connection, a body
    /// that breaks off.
    Unsettled,
    /// The same, after waiting for an answer for as long as one attempt may take.
    TimedOut,
    /// Another attempt would end the same way.
    Final,
}

/// The attempts that one call has left.
pub(crate) struct Retries {
    repeat: Repeat,
    delays: ExponentialBackoff,
    first: Duration,
    unreached: u32,
    timed_out: u32,
    busy: u32,
    attempts: u32,
}

impl Retries {
    /// At most `times` further attempts, the first after `first` and up to as much again.
    pub fn new(repeat: Repeat, times: u32, first: Duration) -> Self {
        let delays = ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(first)
            .with_max_delay(LONGEST_WAIT / 2)
            .with_max_times(times as usize);
        Retries {
            repeat,
            delays: delays.build(),
            first,
            unreached: UNREACHED,
            timed_out: TIMED_OUT,
            busy: BUSY,
            attempts: 1,
        }
    }

    /// How long to wait before the next attempt; `None` when there is none. `asked` is the wait that
    /// the server asked for.
    pub fn next(&mut self, cause: Cause, asked: Option<Duration>) -> Option<Duration> {
        // Better to say so now than to come back before the time, or to hang without a word.
        if asked.is_some_and(|asked| asked > LONGEST_WAIT) {
            return None;
        }
        let allowed = match cause {
            Cause::RateLimited => true,
            Cause::Unreached => spend(&mut self.unreached),
            Cause::Busy => spend(&mut self.busy),
            Cause::Unsettled => self.repeat == Repeat::Safe,
            Cause::TimedOut => self.repeat == Repeat::Safe && spend(&mut self.timed_out),
            Cause::Final => false,
        };
        let delay = self.delays.by_ref().take(usize::from(allowed)).next()?;
        self.attempts += 1;
        Some(asked.map_or(delay, |asked| asked.max(self.first)))
    }

    /// Attempts made or granted so far, the first one included.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

fn spend(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);

    fn attempts(repeat: Repeat, cause: Cause) -> usize {
        let mut retries = Retries::new(repeat, 5, FIRST);
        std::iter::from_fn(|| retries.next(cause, None)).count()
    }

    #[test]
    fn a_change_is_repeated_only_when_nothing_was_done() {
        use Cause::{Busy, Final, RateLimited, TimedOut, Unreached, Unsettled};
        let counts = |repeat| {
            [Unreached, RateLimited, Busy, Unsettled, TimedOut, Final].map(|it| attempts(repeat, it))
        };
        assert_eq!(counts(Repeat::Safe), [3, 5, 2, 5, 2, 0]);
        assert_eq!(counts(Repeat::OnlyIfUntouched), [3, 5, 2, 0, 0, 0]);
    }

    #[test]
    fn only_put_and_delete_change_things_repeatably() {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            assert_eq!(Repeat::of(&method), Repeat::Safe);
        }
        assert_eq!(Repeat::of(&Method::POST), Repeat::OnlyIfUntouched);
        assert_eq!(Repeat::of(&Method::PATCH), Repeat::OnlyIfUntouched);
    }

    #[test]
    fn delays_double_with_jitter() {
        let mut retries = Retries::new(Repeat::Safe, 5, FIRST);
        for step in 0..5 {
            let least = FIRST * 2_u32.pow(step);
            let delay = retries.next(Cause::Unsettled, None).unwrap();
            assert!(delay >= least && delay <= least * 2, "{delay:?}");
        }
        assert_eq!(retries.next(Cause::Unsettled, None), None);
    }

    #[test]
    fn the_server_is_heard_within_reason() {
        let mut retries = Retries::new(Repeat::OnlyIfUntouched, 5, FIRST);
        let mut asked = |seconds| retries.next(Cause::RateLimited, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(7), Some(Duration::from_secs(7)));
        assert_eq!(asked(0), Some(FIRST));
        assert_eq!(asked(86_400), None, "nobody waits for a day");
    }
}

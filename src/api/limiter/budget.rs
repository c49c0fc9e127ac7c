//! The limiter's bookkeeping: decides when the next call may be sent, without waiting or locking.
//!
//! The invariant: calls in flight are deducted from the last reported remainder, because the server may or
//! may not have counted them. So the budget may be too small while a response is on its way, but never too
//! large, unless another program shares the same limit.
//!
//! Calls are paced evenly over the window, except for announced bursts that need only a part of it. The
//! window should be used up shortly before the reset, whose time is known to the second at best. A few calls
//! are reserved for the remaining time, and the first of them that the server counts in the new window opens
//! it. If none are reserved, a single probe call finds out whether the window has been reset.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::clock::ClockEstimate;

/// The length of the API's windows, used if the reset is unknown or implausible.
const WINDOW: Duration = Duration::from_secs(10);
/// The end of a window, used by the reserved calls only; at most a tenth of the window.
const TAIL: Duration = Duration::from_secs(1);
/// How far the pace may lag behind and catch up at once.
const BURST: Duration = Duration::from_millis(250);
/// This many calls in a row are not paced, however few are left.
const BURST_CALLS: u32 = 4;
/// After this time a probe counts as lost, and another one may be sent.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// The delay after a refused probe: starts at the first value and doubles up to the second.
const PROBE_DELAYS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Resets truncated to seconds are up to one second early; a larger skew has another cause.
const MAX_RESET_SKEW: Duration = Duration::from_secs(2);
/// Wake-ups that are late by less than this do not shift the pace.
const LATE_WAKE_UP: Duration = Duration::from_millis(5);

/// The rate limit of the current window, as reported by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls per window.
    pub limit: u64,
    /// Calls left, as last reported.
    pub remaining: u64,
    /// The end of the window, in seconds since the epoch.
    pub reset: u64,
}

/// What a response reveals about the rate limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Observation {
    pub rate: Option<RateLimit>,
    /// The `Date` header, in seconds since the epoch.
    pub date: Option<u64>,
    /// The call was refused because of the rate limit.
    pub refused: bool,
    /// If an ordinary response has no rate limit headers, the server has no limit.
    pub ordinary: bool,
}

/// A call in flight.
#[derive(Debug)]
pub(super) struct CallTicket {
    number: u64,
    sent: Instant,
    is_probe: bool,
}

#[derive(Debug)]
pub(super) enum Decision {
    Go(CallTicket),
    /// Decide again at this time, or when a response has arrived.
    Wait(Instant),
}

#[derive(Debug)]
enum Limit {
    /// No response yet: probe with one call at a time.
    Unknown,
    Unlimited,
    Window(Window),
}

#[derive(Debug)]
struct Window {
    rate: RateLimit,
    /// When the window was first reported.
    since: Instant,
    /// The number of the last call sent before that.
    calls: u64,
}

#[derive(Debug)]
pub(super) struct Budget {
    clock: ClockEstimate,
    limit: Limit,
    calls: u64,
    in_flight: u64,
    /// The earliest time of the next call at the window's pace.
    next: Option<Instant>,
    /// Calls left of an announced burst, which are not paced.
    unpaced: u64,
    /// The user's own limit: time between calls, and the earliest time of the next one.
    cap: Option<(Duration, Instant)>,
    held_until: Option<Instant>,
    /// When the current probe was sent.
    probe: Option<Instant>,
    probe_after: Option<Instant>,
    probe_delay: Duration,
    /// How long windows last beyond their reported reset, as learned from refusals.
    reset_skew: Duration,
}

impl Budget {
    pub fn new(cap: Option<Duration>, now: Instant, machine: SystemTime) -> Self {
        Budget {
            clock: ClockEstimate::new(now, machine),
            limit: Limit::Unknown,
            calls: 0,
            in_flight: 0,
            next: None,
            unpaced: 0,
            cap: cap.map(|interval| (interval, now)),
            held_until: None,
            probe: None,
            probe_after: None,
            probe_delay: PROBE_DELAYS.0,
            reset_skew: Duration::ZERO,
        }
    }

    pub fn rate(&self) -> Option<RateLimit> {
        match &self.limit {
            Limit::Window(window) => Some(window.rate),
            _ => None,
        }
    }

    /// Announces a burst of this many calls. They are not paced if they need at most half of the calls left,
    /// because the other half is enough for everything else.
    pub fn expect(&mut self, calls: u64) {
        let left = match &self.limit {
            Limit::Window(window) => window.rate.remaining.saturating_sub(self.in_flight),
            _ => 0,
        };
        self.unpaced = if calls <= left / 2 { calls } else { 0 };
    }

    /// Lets one call go, or says when to decide again.
    pub fn decide(&mut self, now: Instant) -> Decision {
        let cap = self.cap.map(|(_, next)| next);
        if let Some(until) = self.held_until.max(cap).filter(|until| *until > now) {
            return Decision::Wait(until);
        }
        // Whether the call is a probe, or the time to wait for.
        let is_probe = match &self.limit {
            Limit::Unlimited => Ok(false),
            Limit::Unknown => self.allow_probe(now),
            Limit::Window(window) => self.allow_in(window, now),
        };
        match is_probe {
            Err(until) => Decision::Wait(until),
            Ok(is_probe) => Decision::Go(self.send(is_probe, now)),
        }
    }

    /// Lets one call go, whatever the limit.
    pub fn pass(&mut self, now: Instant) -> CallTicket {
        self.send(false, now)
    }

    /// `Ok(true)` if a probe may be sent now.
    fn allow_probe(&self, now: Instant) -> Result<bool, Instant> {
        let lost = self.probe.map(|sent| sent + PROBE_TIMEOUT);
        lost.max(self.probe_after).filter(|until| *until > now).map_or(Ok(true), Err)
    }

    fn allow_in(&self, window: &Window, now: Instant) -> Result<bool, Instant> {
        if window.rate.remaining > self.in_flight && self.unpaced > 0 {
            return Ok(false);
        }
        if window.rate.remaining > self.in_flight {
            return self.next.filter(|next| *next > now).map_or(Ok(false), Err);
        }
        match self.end(window) {
            end if end > now => Err(end),
            _ => self.allow_probe(now),
        }
    }

    fn send(&mut self, is_probe: bool, now: Instant) -> CallTicket {
        if let Some((interval, next)) = &mut self.cap {
            let start = if now - *next < LATE_WAKE_UP { *next } else { now };
            *next = start + *interval;
        }
        if self.unpaced > 0 {
            self.unpaced -= 1;
        } else if let Limit::Window(window) = &self.limit {
            let interval = self.interval(window, now);
            let tolerance = BURST.max(interval * BURST_CALLS);
            let earliest = now.checked_sub(tolerance).unwrap_or(now);
            self.next = Some(self.next.unwrap_or(earliest).max(earliest) + interval);
        }
        if is_probe {
            self.probe = Some(now);
        }
        self.calls += 1;
        self.in_flight += 1;
        CallTicket { number: self.calls, sent: now, is_probe }
    }

    /// The time between calls that spreads the remaining calls over the remaining window.
    fn interval(&self, window: &Window, now: Instant) -> Duration {
        let end = self.end(window);
        let left = end.saturating_duration_since(now);
        let free = window.rate.remaining.saturating_sub(self.in_flight);
        if left.is_zero() {
            // The reset is over, but no response has confirmed it yet: continue at the usual pace.
            return WINDOW / divisor(window.rate.limit);
        }
        let tail = TAIL.min(end.saturating_duration_since(window.since) / 10);
        let reserved = (window.rate.limit / 100).clamp(2, 20);
        if left > tail && free > reserved {
            (left - tail) / divisor(free - reserved)
        } else {
            left / divisor(free)
        }
    }

    fn end(&self, window: &Window) -> Instant {
        let reset = self.clock.instant(window.rate.reset, window.since);
        reset.map_or(window.since + WINDOW, |reset| reset + self.reset_skew)
    }

    /// Records a response.
    pub fn answered(&mut self, ticket: CallTicket, observation: Observation, now: Instant) {
        if let Some(date) = observation.date {
            self.clock.observe(date, ticket.sent, now);
        }
        match (observation.rate, &self.limit) {
            (Some(rate), _) => self.update_window(rate, &ticket, now),
            (None, Limit::Unknown) if observation.ordinary => self.limit = Limit::Unlimited,
            _ => {}
        }
        if let (true, Some(rate)) = (observation.refused, observation.rate) {
            self.refused(rate, &ticket, now);
        }
        self.lost(ticket, observation.rate.is_none());
    }

    /// Ends a call without rate limit headers. `counted` if the server may have counted it.
    pub fn lost(&mut self, ticket: CallTicket, counted: bool) {
        self.in_flight -= 1;
        if ticket.is_probe {
            self.probe = None;
        }
        if let (true, Limit::Window(window)) = (counted, &mut self.limit) {
            window.rate.remaining = window.rate.remaining.saturating_sub(1);
        }
    }

    /// Blocks all calls before `until`.
    pub fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }

    fn update_window(&mut self, rate: RateLimit, ticket: &CallTicket, now: Instant) {
        if let Limit::Window(Window { rate: known, calls, .. }) = &mut self.limit {
            // Some servers recompute the reset for every response, off by one second.
            let same = rate.reset.abs_diff(known.reset) <= 1 && rate.remaining <= known.remaining;
            if same || rate.reset == known.reset {
                // Responses may arrive out of order: the lowest remainder is the latest one.
                known.remaining = known.remaining.min(rate.remaining);
                known.reset = known.reset.max(rate.reset);
                known.limit = rate.limit;
                return;
            }
            // A response from the previous window, unless the call was sent after the known window opened.
            if rate.reset < known.reset && ticket.number <= *calls {
                return;
            }
        }
        self.limit = Limit::Window(Window { rate, since: now, calls: self.calls });
        self.next = None;
        self.probe_after = None;
        self.probe_delay = PROBE_DELAYS.0;
    }

    fn refused(&mut self, rate: RateLimit, ticket: &CallTicket, now: Instant) {
        let Limit::Window(window) = &mut self.limit else { return };
        if rate.reset != window.rate.reset {
            return;
        }
        window.rate.remaining = 0;
        let (reset, since) = (window.rate.reset, window.since);
        let Some(reset) = self.clock.instant(reset, since).filter(|reset| *reset <= ticket.sent) else {
            return;
        };
        // By the clock the window is over, but the server still refuses calls.
        self.reset_skew = self.reset_skew.max(ticket.sent - reset).min(MAX_RESET_SKEW);
        self.probe_after = Some(now + self.probe_delay);
        self.probe_delay = (self.probe_delay * 2).min(PROBE_DELAYS.1);
    }
}

/// A count as a divisor: never zero.
fn divisor(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

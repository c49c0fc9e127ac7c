//! How many calls may leave, and when: the bookkeeping of the limiter, free of waiting and locks.
//!
//! The invariant: calls that have left and are not answered are counted against what the server last
//! reported, because it may or may not have counted them. So the budget can be too small for the
//! length of an answer, but never too large unless somebody else spends from it too.
//!
//! A window is spread evenly over its time, unless all that is coming takes only a part of it. It should be used up a little before the reset, which is
//! known to a second at best; a few calls are kept for the rest, and the first of them that the server
//! counts in the new window opens it. With nothing kept, a single scout finds out.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::clock::ServerClock;

/// The length of the API's windows, for when a reset is unknown or absurd.
const WINDOW: Duration = Duration::from_secs(10);
/// The end of a window that is left to the calls kept back; a tenth of shorter windows.
const TAIL: Duration = Duration::from_secs(1);
/// How much of a slow start may be caught up at once.
const BURST: Duration = Duration::from_millis(250);
/// So many calls in a row need not be spread, however few are left.
const BURST_CALLS: u32 = 4;
/// After this time a scout is taken for lost and another one may leave.
const PATIENCE: Duration = Duration::from_secs(3);
/// The wait after a scout was refused: doubles from the first to the last.
const SCOUT_DELAYS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Resets cut to seconds come up to one second early; more is another fault.
const LONGEST_LAG: Duration = Duration::from_secs(2);
/// A pace is kept exactly as long as wake-ups are no later than this.
const LATE_WAKE_UP: Duration = Duration::from_millis(5);

/// The server's account of the current window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls per window.
    pub limit: u64,
    /// Calls left, as last reported.
    pub remaining: u64,
    /// The end of the window, in seconds since the epoch.
    pub reset: u64,
}

/// What an answer says about the rate.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Observation {
    pub rate: Option<RateLimit>,
    /// The answer's `Date`, in seconds since the epoch.
    pub date: Option<u64>,
    /// The call was refused for the rate.
    pub refused: bool,
    /// An ordinary answer: if it has no rate limit headers, the server has no limit.
    pub ordinary: bool,
}

/// A call that has left.
#[derive(Debug)]
pub(super) struct Ticket {
    number: u64,
    left: Instant,
    scout: bool,
}

#[derive(Debug)]
pub(super) enum Decision {
    Go(Ticket),
    /// Ask again then, or when an answer has arrived.
    Wait(Instant),
}

#[derive(Debug)]
enum Known {
    /// No answer yet: one call at a time finds out.
    Nothing,
    NoLimit,
    Window(Window),
}

#[derive(Debug)]
struct Window {
    rate: RateLimit,
    /// When the window became known, and the last call that had left by then.
    since: Instant,
    calls: u64,
}

#[derive(Debug)]
pub(super) struct Budget {
    clock: ServerClock,
    known: Known,
    calls: u64,
    in_flight: u64,
    /// The earliest time of the next call that keeps the window's pace.
    next: Option<Instant>,
    /// Calls that need not be spread: all that somebody has to make, and few beside what is left.
    unspread: u64,
    /// The user's own cap: time between calls, and the earliest next one.
    cap: Option<(Duration, Instant)>,
    held_until: Option<Instant>,
    scout: Option<Instant>,
    scout_after: Option<Instant>,
    scout_delay: Duration,
    /// How long windows last beyond their reset, as learned from refusals.
    lag: Duration,
}

impl Budget {
    pub fn new(cap: Option<Duration>, now: Instant, machine: SystemTime) -> Self {
        Budget {
            clock: ServerClock::new(now, machine),
            known: Known::Nothing,
            calls: 0,
            in_flight: 0,
            next: None,
            unspread: 0,
            cap: cap.map(|interval| (interval, now)),
            held_until: None,
            scout: None,
            scout_after: None,
            scout_delay: SCOUT_DELAYS.0,
            lag: Duration::ZERO,
        }
    }

    pub fn rate(&self) -> Option<RateLimit> {
        match &self.known {
            Known::Window(window) => Some(window.rate),
            _ => None,
        }
    }

    /// So many calls are coming and then no more for a while. When they take no more than half of what is
    /// left they need not be spread: what remains is enough for everybody else.
    pub fn expect(&mut self, calls: u64) {
        let left = match &self.known {
            Known::Window(window) => window.rate.remaining.saturating_sub(self.in_flight),
            _ => 0,
        };
        self.unspread = if calls <= left / 2 { calls } else { 0 };
    }

    /// Lets one call leave, or says when to ask again.
    pub fn decide(&mut self, now: Instant) -> Decision {
        let cap = self.cap.map(|(_, next)| next);
        if let Some(until) = self.held_until.max(cap).filter(|until| *until > now) {
            return Decision::Wait(until);
        }
        let room = match &self.known {
            Known::NoLimit => Ok(false),
            Known::Nothing => self.room_for_scout(now),
            Known::Window(window) => self.room_in(window, now),
        };
        match room {
            Err(until) => Decision::Wait(until),
            Ok(scout) => Decision::Go(self.leave(scout, now)),
        }
    }

    /// `Ok(true)`: a call may leave to find out where the server stands.
    fn room_for_scout(&self, now: Instant) -> Result<bool, Instant> {
        let lost = self.scout.map(|left| left + PATIENCE);
        lost.max(self.scout_after).filter(|until| *until > now).map_or(Ok(true), Err)
    }

    fn room_in(&self, window: &Window, now: Instant) -> Result<bool, Instant> {
        if window.rate.remaining > self.in_flight && self.unspread > 0 {
            return Ok(false);
        }
        if window.rate.remaining > self.in_flight {
            return self.next.filter(|next| *next > now).map_or(Ok(false), Err);
        }
        match self.end(window) {
            end if end > now => Err(end),
            _ => self.room_for_scout(now),
        }
    }

    fn leave(&mut self, scout: bool, now: Instant) -> Ticket {
        if let Some((interval, next)) = &mut self.cap {
            let start = if now - *next < LATE_WAKE_UP { *next } else { now };
            *next = start + *interval;
        }
        if self.unspread > 0 {
            self.unspread -= 1;
        } else if let Known::Window(window) = &self.known {
            let interval = self.interval(window, now);
            let tolerance = BURST.max(interval * BURST_CALLS);
            let earliest = now.checked_sub(tolerance).unwrap_or(now);
            self.next = Some(self.next.unwrap_or(earliest).max(earliest) + interval);
        }
        if scout {
            self.scout = Some(now);
        }
        self.calls += 1;
        self.in_flight += 1;
        Ticket { number: self.calls, left: now, scout }
    }

    /// The time between calls that spreads what is left of the budget over what is left of the window.
    fn interval(&self, window: &Window, now: Instant) -> Duration {
        let end = self.end(window);
        let left = end.saturating_duration_since(now);
        let free = window.rate.remaining.saturating_sub(self.in_flight);
        if left.is_zero() {
            // The reset has passed, but no answer has shown it yet: go on at the usual pace.
            return WINDOW / narrow(window.rate.limit);
        }
        let tail = TAIL.min(end.saturating_duration_since(window.since) / 10);
        let kept = (window.rate.limit / 100).clamp(2, 20);
        match left > tail && free > kept {
            true => (left - tail) / narrow(free - kept),
            false => left / narrow(free),
        }
    }

    fn end(&self, window: &Window) -> Instant {
        let reset = self.clock.instant(window.rate.reset, window.since);
        reset.map_or(window.since + WINDOW, |reset| reset + self.lag)
    }

    /// An answer arrived.
    pub fn answered(&mut self, ticket: Ticket, seen: Observation, now: Instant) {
        if let Some(date) = seen.date {
            self.clock.observe(date, ticket.left, now);
        }
        match (seen.rate, &self.known) {
            (Some(rate), _) => self.account(rate, &ticket, now),
            (None, Known::Nothing) if seen.ordinary => self.known = Known::NoLimit,
            _ => {}
        }
        if let (true, Some(rate)) = (seen.refused, seen.rate) {
            self.refused(rate, &ticket, now);
        }
        self.lost(ticket, seen.rate.is_none());
    }

    /// A call ended without an answer. `counted` when the server may have counted it.
    pub fn lost(&mut self, ticket: Ticket, counted: bool) {
        self.in_flight -= 1;
        if ticket.scout {
            self.scout = None;
        }
        if let (true, Known::Window(window)) = (counted, &mut self.known) {
            window.rate.remaining = window.rate.remaining.saturating_sub(1);
        }
    }

    /// Lets nothing leave before `until`.
    pub fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }

    fn account(&mut self, rate: RateLimit, ticket: &Ticket, now: Instant) {
        if let Known::Window(Window { rate: known, calls, .. }) = &mut self.known {
            // Some servers compute the reset anew for every answer, a second up or down.
            let same = rate.reset.abs_diff(known.reset) <= 1 && rate.remaining <= known.remaining;
            if same || rate.reset == known.reset {
                // Answers overtake each other: the least of them is the latest.
                known.remaining = known.remaining.min(rate.remaining);
                known.reset = known.reset.max(rate.reset);
                known.limit = rate.limit;
                return;
            }
            // An answer of the window before, unless the call left after the known one was opened.
            if rate.reset < known.reset && ticket.number <= *calls {
                return;
            }
        }
        self.known = Known::Window(Window { rate, since: now, calls: self.calls });
        self.next = None;
        self.scout_after = None;
        self.scout_delay = SCOUT_DELAYS.0;
    }

    fn refused(&mut self, rate: RateLimit, ticket: &Ticket, now: Instant) {
        let Known::Window(window) = &mut self.known else { return };
        if rate.reset != window.rate.reset {
            return;
        }
        window.rate.remaining = 0;
        let (reset, since) = (window.rate.reset, window.since);
        let Some(reset) = self.clock.instant(reset, since).filter(|reset| *reset <= ticket.left) else {
            return;
        };
        // The window is over by the clock, but not for the server.
        self.lag = self.lag.max(ticket.left - reset).min(LONGEST_LAG);
        self.scout_after = Some(now + self.scout_delay);
        self.scout_delay = (self.scout_delay * 2).min(SCOUT_DELAYS.1);
    }
}

/// A divisor: never zero.
fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

//! What to do about a walk that broke off.

use std::time::{Duration, Instant};

use crate::api::error::Error;
use crate::api::operation::{Operation, Paging};

/// How often a walk that broke is begun again.
const RESTARTS: u32 = 3;
/// How long between attempts to get hold of the scroll.
const SCROLL_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Begin again after a pause.
    Again(Duration),
    /// The same, but nothing had begun.
    Wait(Duration),
    OtherRoute,
    Fail,
}

/// Whether the workspace's plan, its API version or the token's permissions lack the whole resource.
pub(super) fn is_not_offered(error: &Error) -> bool {
    let of_the_version = || error.to_string().to_lowercase().contains("version");
    match error.status() {
        Some(402 | 403 | 501) => true,
        // Without a code it is the page of a proxy, which says nothing about the API.
        Some(404) => error.code().is_some(),
        Some(400) => error.code().is_some_and(|code| code.contains("version")) || of_the_version(),
        _ => false,
    }
}

/// How much has been tried already.
pub(super) struct Patience {
    restarts: u32,
    since: Instant,
    scroll: Duration,
}

impl Patience {
    pub fn new(scroll: Duration) -> Self {
        Patience { restarts: 0, since: Instant::now(), scroll }
    }

    /// Whether there is no going round again; counts as one round.
    pub fn is_over(&mut self) -> bool {
        self.restarts += 1;
        self.restarts > RESTARTS
    }

    /// `fresh`: no page was asked for by a cursor yet.
    pub fn judge(&mut self, operation: &Operation, fresh: bool, error: &Error) -> Verdict {
        let refused = matches!(error.status(), Some(400 | 404 | 410 | 422));
        if operation.paging == Paging::Scroll {
            return self.judge_scroll(error);
        }
        match refused {
            // The cursor has expired, or its record is gone.
            true if !fresh && self.restarts == 0 => self.again(Duration::ZERO),
            true if fresh => Verdict::OtherRoute,
            _ => Verdict::Fail,
        }
    }

    fn judge_scroll(&mut self, error: &Error) -> Verdict {
        if error.code() == Some("scroll_exists") {
            let left = self.scroll.saturating_sub(self.since.elapsed());
            return if left.is_zero() { Verdict::OtherRoute } else { Verdict::Wait(SCROLL_PAUSE.min(left)) };
        }
        if error.is_unauthorized() || error.is_offline() || error.is_rate_limited() {
            return Verdict::Fail;
        }
        // The broken scroll may still be held, so the next one may have to wait for it anew.
        self.since = Instant::now();
        if self.restarts < RESTARTS { self.again(Duration::from_secs(1)) } else { Verdict::OtherRoute }
    }

    fn again(&mut self, pause: Duration) -> Verdict {
        self.restarts += 1;
        Verdict::Again(pause)
    }
}

//! What to do about a walk that broke off.

use crate::api::error::Error;
use crate::api::operation::{Operation, Paging};

/// How often a walk that broke is begun again.
const RESTARTS: u32 = 3;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Begin again.
    Again,
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
#[derive(Debug, Default)]
pub(super) struct Patience {
    restarts: u32,
}

impl Patience {
    /// Whether there is no going round again; counts as one round.
    pub fn is_over(&mut self) -> bool {
        self.restarts += 1;
        self.restarts > RESTARTS
    }

    /// `fresh`: no page was asked for by a cursor yet.
    pub fn judge(&mut self, operation: &Operation, fresh: bool, error: &Error) -> Verdict {
        let scrolls = operation.paging == Paging::Scroll;
        match matches!(error.status(), Some(400 | 404 | 410 | 422)) {
            // Somebody else's scroll does not end, or the server has trouble with this one.
            _ if scrolls && !(error.is_unauthorized() || error.is_offline() || error.is_rate_limited()) => {
                Verdict::OtherRoute
            }
            // The cursor has expired, or its record is gone.
            true if !fresh && !self.is_over() => Verdict::Again,
            true if fresh => Verdict::OtherRoute,
            _ => Verdict::Fail,
        }
    }
}

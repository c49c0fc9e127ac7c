//! What to do about a walk that broke off.

use crate::api::error::{Error, Problem};
use crate::api::operation::{Operation, Paging};

/// How often a walk that broke is begun again.
const RESTARTS: u32 = 3;
/// How often a walk that came short of its list's count is begun again.
const RECOUNTS: u32 = 2;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Begin again.
    Again,
    OtherRoute,
    Fail,
}

/// Whether the workspace's plan, its API version or the token's permissions lack the whole resource.
pub(in crate::mirror) fn is_not_offered(error: &Error) -> bool {
    let of_the_version =
        || error.api_error().is_some_and(|answer| answer.errors.iter().any(names_the_version));
    match error.status() {
        Some(402 | 403 | 501) => true,
        // Without a code it is the page of a proxy, which says nothing about the API.
        Some(404) => error.code().is_some(),
        Some(400) => of_the_version(),
        _ => false,
    }
}

/// Whether a problem is about the API version: its code or its message has that word.
fn names_the_version(problem: &Problem) -> bool {
    let is_word = |text: &str| {
        let mut words = text.split(|letter: char| !letter.is_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case("version") || word.eq_ignore_ascii_case("versions"))
    };
    problem.code.as_deref().is_some_and(is_word) || is_word(&problem.message)
}

/// How much has been tried already.
#[derive(Debug, Default)]
pub(super) struct Patience {
    restarts: u32,
    recounts: u32,
}

impl Patience {
    /// Whether there is no going round again; counts as one round.
    pub fn is_over(&mut self) -> bool {
        self.restarts += 1;
        self.restarts > RESTARTS
    }

    /// The same for a walk that came short of its list's count.
    pub fn is_over_for_counts(&mut self) -> bool {
        self.recounts += 1;
        self.recounts > RECOUNTS
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_the_version_says_so_in_a_word() {
        let problem = |code: Option<&str>, message: &str| Problem {
            code: code.map(str::to_owned),
            message: message.to_owned(),
            field: None,
        };
        for named in [
            problem(Some("intercom_version_invalid"), ""),
            problem(None, "Not available in current API version"),
            problem(Some("parameter_invalid"), "Requires Version 2.14."),
        ] {
            assert!(names_the_version(&named), "{named:?}");
        }
        for other in [problem(None, "conversion failed"), problem(Some("bad_request"), "Conversations: bad")]
        {
            assert!(!names_the_version(&other), "{other:?}");
        }
    }
}

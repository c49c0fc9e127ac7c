//! Decides how to continue after a listing fails.

use crate::api::error::{Error, Problem};
use crate::api::operation::{Operation, Paging};

/// Restarts after an error.
const RESTARTS: u32 = 3;
/// Restarts after a listing that returned fewer records than it counts.
const RECOUNTS: u32 = 2;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    Restart,
    OtherRoute,
    Fail,
}

/// Whether the whole resource is unavailable: not in the workspace's plan, its API version or the token's
/// permissions.
pub(in crate::mirror::sync) fn is_not_offered(error: &Error) -> bool {
    let of_the_version =
        || error.api_error().is_some_and(|answer| answer.errors.iter().any(names_the_version));
    match error.status() {
        Some(402 | 403 | 501) => true,
        // Without an error code it may come from a proxy rather than from the API.
        Some(404) => error.code().is_some(),
        Some(400) => of_the_version(),
        _ => false,
    }
}

/// Whether the code or the message of a problem contains the word "version".
fn names_the_version(problem: &Problem) -> bool {
    let has_word = |text: &str| {
        let mut words = text.split(|letter: char| !letter.is_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case("version") || word.eq_ignore_ascii_case("versions"))
    };
    problem.code.as_deref().is_some_and(has_word) || has_word(&problem.message)
}

/// How many restarts were used.
#[derive(Debug, Default)]
pub(super) struct RestartBudget {
    restarts: u32,
    recounts: u32,
}

impl RestartBudget {
    /// Uses one restart; false if none was left.
    pub fn take_restart(&mut self) -> bool {
        self.restarts += 1;
        self.restarts <= RESTARTS
    }

    /// Uses one restart after a listing that returned too few records; false if none was left.
    pub fn take_recount(&mut self) -> bool {
        self.recounts += 1;
        self.recounts <= RECOUNTS
    }

    /// `fresh`: no page has been requested by a cursor yet.
    pub fn recovery(&mut self, operation: &Operation, fresh: bool, error: &Error) -> Recovery {
        let is_scroll = operation.paging == Paging::Scroll;
        let is_rejected = matches!(error.status(), Some(400 | 404 | 410 | 422));
        let affects_all = error.is_unauthorized() || error.is_offline() || error.is_rate_limited();
        // A scroll may also fail because another client's scroll does not end.
        if (is_scroll && !affects_all) || (is_rejected && fresh) {
            Recovery::OtherRoute
        } else if is_rejected && self.take_restart() {
            // The cursor has expired, or its record is gone.
            Recovery::Restart
        } else {
            Recovery::Fail
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_version_identifies_a_version_problem() {
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

//! What programs ask an error: its status and code, and what follows from them.
//!
//! A question is answered from what the API sends for people to act on. What is uncertain must never be answered as if it
//! were proven: a page of a proxy does not prove that a record is missing, and a lost response not that nothing was done.

use reqwest::Method;

use super::{ApiError, Error, Problem, Unexpected};
use crate::api::conflict::Conflict;

impl Error {
    /// The failure itself: the cause of [`Error::OutcomeUnknown`], otherwise this error.
    pub fn failure(&self) -> &Error {
        match self {
            Error::OutcomeUnknown { cause, .. } => cause.failure(),
            error => error,
        }
    }

    /// The error response of the API, if there was one.
    pub fn api_error(&self) -> Option<&ApiError> {
        match self.failure() {
            Error::Api { error, .. }
            | Error::Unauthorized { error, .. }
            | Error::NotFound { error, .. }
            | Error::RateLimited { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The HTTP status, if a response arrived.
    pub fn status(&self) -> Option<u16> {
        match self.failure() {
            Error::UnexpectedResponse(response) => Some(response.status),
            _ => self.api_error().map(|error| error.status),
        }
    }

    /// The request id that Intercom's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        match self.failure() {
            Error::UnexpectedResponse(response) => response.request_id.as_deref(),
            _ => self.api_error()?.request_id.as_deref(),
        }
    }

    /// The API's error code, e.g. `not_found` or `parameter_invalid`.
    pub fn code(&self) -> Option<&str> {
        self.api_error()?.code()
    }

    /// The request field that the API rejected.
    pub fn field(&self) -> Option<&str> {
        self.api_error()?.errors.first()?.field.as_deref()
    }

    /// 404, or 410 for a merged or deleted record.
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }

    /// Whether the API itself says that the record does not exist. A web page with the same status proves
    /// nothing, nor does a 404 for another reason, such as a plan that lacks a feature.
    pub fn is_gone(&self) -> bool {
        matches!(self.failure(), Error::NotFound { .. })
    }

    /// Id of the contact that the requested one was merged into, if the response names it.
    pub fn merged_into(&self) -> Option<&str> {
        self.api_error()?.merged_into.as_deref()
    }

    /// What a 409 says about the existing record.
    pub fn conflict(&self) -> Option<Conflict> {
        self.api_error().and_then(Conflict::read)
    }

    /// The token is missing, wrong, for another region, or lacks the permission.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// The API version of the request lacks the operation, or does not exist.
    pub fn is_about_version(&self) -> bool {
        let has_code = |error: &ApiError| {
            error.errors.iter().any(|problem| problem.code.as_deref() == Some("intercom_version_invalid"))
        };
        self.status() == Some(400) && self.api_error().is_some_and(has_code)
    }

    /// The whole resource is unavailable: not in the workspace's plan, its API version or the token's permissions.
    pub fn is_not_offered(&self) -> bool {
        match self.status() {
            Some(402 | 403 | 501) => true,
            // Without an error code it may come from a proxy rather than from the API.
            Some(404) => self.code().is_some(),
            _ => self.is_about_version(),
        }
    }

    /// Every request would fail with it: the token is refused, the server is unreachable, or the rate limit exceeded.
    pub fn affects_all(&self) -> bool {
        self.is_unauthorized() || self.is_offline() || self.is_rate_limited()
    }

    /// 409: the record exists already, or another job is running.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// 429 up to the last attempt.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self, Error::RateLimited { .. })
    }

    /// No complete response arrived in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.failure(), Error::Timeout { .. })
    }

    /// The server could not be reached, for example because the machine is offline.
    pub fn is_offline(&self) -> bool {
        matches!(self, Error::Connect { .. })
    }

    /// The server was overloaded; a smaller request may succeed.
    pub fn is_overload(&self) -> bool {
        match self.failure() {
            Error::Timeout { .. } => true,
            Error::UnexpectedResponse(response) => {
                matches!(response.reason, Unexpected::Truncated | Unexpected::TooLong)
            }
            _ => matches!(self.status(), Some(408 | 502..=504)),
        }
    }

    /// The server rejected the page size.
    pub fn is_about_page_size(&self) -> bool {
        let names_page_size = |problem: &Problem| {
            let words = format!("{} {}", problem.message, problem.field.as_deref().unwrap_or_default());
            let words = words.to_lowercase().replace(['_', '-', ' '], "");
            let is_a_limit = words.contains("limit")
                && ["greater", "exceed", "above", "max", "toolarge", "toobig", "toohigh"]
                    .iter()
                    .any(|word| words.contains(word));
            let is_too_many = words.contains("toomany")
                && ["result", "record", "item", "entries"].iter().any(|word| words.contains(word));
            words.contains("perpage") || words.contains("pagesize") || is_a_limit || is_too_many
        };
        matches!(self.status(), Some(400 | 422))
            && self.api_error().is_some_and(|error| error.errors.iter().any(names_page_size))
    }

    /// Whether the server may still be working on the request: the wait or the connection ended before it did, so that
    /// reading the record now proves nothing.
    pub fn is_possibly_unfinished(&self) -> bool {
        self.is_response_lost() || matches!(self.status(), Some(408 | 502 | 504))
    }

    /// Whether the server may have processed the request despite the error.
    pub fn is_outcome_unknown(&self) -> bool {
        self.is_response_lost()
            || matches!(self.status(), Some(408 | 500..=599))
            // An error list with a success status: either of them may be wrong.
            || self.api_error().is_some_and(|error| error.status < 300)
    }

    /// Whether the request may have arrived, but its response did not.
    fn is_response_lost(&self) -> bool {
        match self.failure() {
            Error::Timeout { .. } | Error::Network { .. } => true,
            Error::UnexpectedResponse(response) => response.reason == Unexpected::Truncated,
            _ => false,
        }
    }

    /// The error of a change: [`Error::OutcomeUnknown`] if it may have been made.
    pub(crate) fn of_change(self, method: &Method, path: &str) -> Error {
        if self.is_outcome_unknown() {
            Error::OutcomeUnknown { method: method.clone(), path: path.to_owned(), cause: Box::new(self) }
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn the_first_entry_of_an_error_list_is_the_one_to_act_on() {
        let error =
            read(422, r#"{"errors":[{"code":"parameter_invalid","field":"email"},{"code":"other"}]}"#);
        assert_eq!((error.code(), error.field()), (Some("parameter_invalid"), Some("email")));
    }

    #[test]
    fn a_change_with_an_unknown_outcome_keeps_its_cause() {
        let unknown = read(503, r#"{"request_id":"r1"}"#).of_change(&Method::POST, "/contacts");
        assert!(matches!(&unknown, Error::OutcomeUnknown { path, .. } if path == "/contacts"), "{unknown:?}");
        assert_eq!((unknown.status(), unknown.request_id()), (Some(503), Some("r1")));
        assert_eq!(unknown.to_string(), unknown.failure().to_string());
        assert!(unknown.is_outcome_unknown() && unknown.is_overload());
        let refused = read(422, "{}").of_change(&Method::POST, "/contacts");
        assert!(matches!(refused, Error::Api { status: 422, .. }), "{refused:?}");
    }

    #[test]
    fn a_resource_is_not_offered_by_status_and_code() {
        let body = |code: &str| {
            format!(r#"{{"type":"error.list","errors":[{{"code":"{code}","message":"version"}}]}}"#)
        };
        for (status, body, expected) in [
            (402, String::new(), true),
            (403, String::new(), true),
            (501, String::new(), true),
            (404, body("not_found"), true),
            (404, "<html>".to_owned(), false),
            (400, body("intercom_version_invalid"), true),
            (400, body("parameter_invalid"), false),
            (422, body("intercom_version_invalid"), false),
            (500, body("server_error"), false),
        ] {
            assert_eq!(read(status, &body).is_not_offered(), expected, "{status} {body}");
        }
    }

    #[test]
    fn only_the_codes_for_missing_records_mean_that_a_record_is_gone() {
        let is_gone = |status: u16, body: &str| read(status, body).is_gone();
        let coded = |code: &str| format!(r#"{{"type":"error.list","errors":[{{"code":"{code}"}}]}}"#);
        for code in ["not_found", "company_not_found", "gone", "contact_merged"] {
            assert!(is_gone(404, &coded(code)) && is_gone(410, &coded(code)), "{code}");
        }
        for code in ["api_plan_restricted", "forbidden", "unauthorized"] {
            assert!(!is_gone(404, &coded(code)), "{code}");
        }
        assert!(!is_gone(404, "<html>Not Found</html>") && !is_gone(403, &coded("not_found")));
    }
}

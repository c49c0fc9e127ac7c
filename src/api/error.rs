//! Errors between a request and its response, with messages for people.
//!
//! No message and no `Debug` output may contain the access token: text from the server is masked before it
//! gets here. Exit codes are the command line's concern.

use std::fmt;
use std::time::Duration;

use reqwest::Method;

use super::conflict::Conflict;
pub use super::error_response::{ApiError, Problem};
use super::secret::TokenError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API returned an error.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// Status 429 up to the last attempt. `retry_after` is the wait that the server requested.
    #[error("rate limit still exceeded after {attempts} attempts: {error}")]
    RateLimited { attempts: u32, retry_after: Option<Duration>, error: Box<ApiError> },
    /// No connection was made, so the server has not seen the request.
    #[error("cannot connect to {host}: {cause}")]
    Connect { host: String, cause: String },
    /// The server may or may not have processed the request.
    #[error("{method} {path}: no complete response within {} s", .after.as_secs_f64())]
    Timeout { method: Method, path: String, after: Duration },
    /// The connection was lost; the server may or may not have processed the request.
    #[error("{method} {path}: connection lost: {cause}")]
    Network { method: Method, path: String, cause: String },
    /// A success with an unusable body.
    #[error(transparent)]
    UnexpectedResponse(Box<UnexpectedResponse>),
    #[error("{path}: too many redirects")]
    TooManyRedirects { path: String },
    /// A list whose next page has been fetched before.
    #[error("{path}: pagination loop: the next page has been fetched before")]
    PagingLoop { path: String },
    /// A scroll that ended before all records were fetched.
    #[error("{path}: the scroll was lost after {came} records; run the command again")]
    LostScroll { path: String, came: u64 },
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The request or the settings are invalid; nothing was sent.
    #[error("{0}")]
    InvalidRequest(String),
    /// The client is read-only and the request may change the workspace; nothing was sent.
    #[error("{method} {path}: read-only mode refuses changes to the workspace")]
    ReadOnly { method: Method, path: String, set_by: String },
    /// The HTTP client could not be set up, e.g. because the machine has no root certificates.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}

/// A successful response whose body is unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedResponse {
    pub reason: Unexpected,
    pub status: u16,
    pub request_id: Option<String>,
    pub detail: Option<String>,
}

/// What is wrong with a body that should be one JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unexpected {
    /// A web page, as sent by proxies and login portals.
    Html,
    NotJson,
    /// The body breaks off.
    Truncated,
    Empty,
    /// Longer than [`super::Settings::max_body_bytes`].
    TooLong,
    /// JSON that does not match the description.
    Shape,
}

impl Error {
    /// The error response of the API, if there was one.
    pub fn api_error(&self) -> Option<&ApiError> {
        match self {
            Error::Api(error) | Error::RateLimited { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The HTTP status, if a response arrived.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::UnexpectedResponse(response) => Some(response.status),
            _ => self.api_error().map(|error| error.status),
        }
    }

    /// The request id that Intercom's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        match self {
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
        self.is_not_found()
            && self.code().is_some_and(|code| {
                matches!(code, "not_found" | "gone" | "deleted" | "contact_merged")
                    || code.ends_with("_not_found")
            })
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

    pub fn is_rate_limited(&self) -> bool {
        matches!(self, Error::RateLimited { .. })
    }

    /// The server could not be reached, for example because the machine is offline.
    pub fn is_offline(&self) -> bool {
        matches!(self, Error::Connect { .. })
    }

    /// The server was overloaded; a smaller request may succeed.
    pub fn is_overload(&self) -> bool {
        match self {
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
        matches!(self, Error::Timeout { .. } | Error::Network { .. })
            || matches!(self, Error::UnexpectedResponse(response) if response.reason == Unexpected::Truncated)
            || matches!(self.status(), Some(408 | 502 | 504))
    }

    /// Whether the server may have processed the request despite the error.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Error::Timeout { .. } | Error::Network { .. })
            || matches!(self, Error::UnexpectedResponse(response) if response.reason == Unexpected::Truncated)
            || matches!(self.status(), Some(408 | 500..=599))
            // An error list with a success status: either of them may be wrong.
            || self.api_error().is_some_and(|error| error.status < 300)
    }
}

impl fmt::Display for UnexpectedResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Unexpected::Html => "a web page instead of JSON; check the address",
            Unexpected::NotJson => "a body that is not JSON",
            Unexpected::Truncated => "a truncated response",
            Unexpected::Empty => "an empty body instead of JSON",
            Unexpected::TooLong => "a response that is too long to keep in memory",
            Unexpected::Shape => "JSON that does not match the API description",
        };
        write!(formatter, "the server sent {what} [status {}", self.status)?;
        if let Some(id) = &self.request_id {
            write!(formatter, ", request {id}")?;
        }
        formatter.write_str("]")?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(formatter, ": {detail}"))
    }
}

impl std::error::Error for UnexpectedResponse {}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn read(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::Api(Box::new(ApiError::read(status, Method::GET, "/contacts/1".into(), None, body)))
    }

    #[test]
    fn the_first_entry_of_an_error_list_is_the_one_to_act_on() {
        let error =
            read(422, r#"{"errors":[{"code":"parameter_invalid","field":"email"},{"code":"other"}]}"#);
        assert_eq!((error.code(), error.field()), (Some("parameter_invalid"), Some("email")));
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

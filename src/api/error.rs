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

/// Why a call failed.
///
/// Match the variants that a program can act on, and report the others: the message says what happened.
///
/// ```no_run
/// # async fn example(client: intercom::Client, call: Result<(), intercom::Error>) -> Result<(), intercom::Error> {
/// use intercom::Error;
///
/// match call {
///     Ok(()) => {}
///     Err(Error::NotFound { .. }) => println!("not found"),
///     Err(Error::RateLimited { retry_after, .. }) => println!("try again in {retry_after:?}"),
///     Err(Error::Api { status: 409, code, .. }) => println!("conflict: {code:?}"),
///     Err(error @ Error::OutcomeUnknown { .. }) => println!("check before sending it again: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`status`](Error::status), [`code`](Error::code) and [`request_id`](Error::request_id) work for every variant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API returned an error that has no variant of its own.
    #[error("{error}")]
    #[non_exhaustive]
    Api {
        /// The HTTP status.
        status: u16,
        /// The API's error code, for example `parameter_invalid`.
        code: Option<String>,
        /// The whole error response.
        error: Box<ApiError>,
    },
    /// The token is missing, wrong or from another region (401), or lacks a permission (403).
    #[error("{error}")]
    #[non_exhaustive]
    Unauthorized {
        /// The HTTP status.
        status: u16,
        /// The API's error code, for example `token_unauthorized`.
        code: Option<String>,
        /// The whole error response.
        error: Box<ApiError>,
    },
    /// The API says that the record does not exist (404 or 410). Other responses with these statuses, for example the
    /// page of a proxy, prove nothing and are [`Error::Api`].
    #[error("{error}")]
    #[non_exhaustive]
    NotFound {
        /// The HTTP status.
        status: u16,
        /// The API's error code, for example `not_found`.
        code: Option<String>,
        /// Id of the contact that the requested one was merged into, if the response names it.
        merged_into: Option<String>,
        /// The whole error response.
        error: Box<ApiError>,
    },
    /// Status 429 up to the last attempt.
    #[error("rate limit still exceeded after {attempts} attempts: {error}")]
    #[non_exhaustive]
    RateLimited {
        /// How often the request was sent.
        attempts: u32,
        /// The wait that the server requested.
        retry_after: Option<Duration>,
        /// The whole error response.
        error: Box<ApiError>,
    },
    /// A change that may have been made: the response was lost, came too late or was a server error. Read the record
    /// before sending the change again.
    #[error("{cause}")]
    #[non_exhaustive]
    OutcomeUnknown {
        /// The HTTP method.
        method: Method,
        /// The path of the URL.
        path: String,
        /// What happened, for example [`Error::Timeout`].
        cause: Box<Error>,
    },
    /// No connection was made, so the server has not seen the request.
    #[error("cannot connect to {host}: {cause}")]
    #[non_exhaustive]
    Connect {
        /// Scheme, host and port.
        host: String,
        /// The reason, for people.
        cause: String,
    },
    /// No complete response within the timeout of one attempt, or of the whole call. A change that ends like this is
    /// [`Error::OutcomeUnknown`].
    #[error("{method} {path}: no complete response within {} s", .after.as_secs_f64())]
    #[non_exhaustive]
    Timeout {
        /// The HTTP method.
        method: Method,
        /// The path of the URL.
        path: String,
        /// The timeout.
        after: Duration,
    },
    /// The connection was lost. A change that ends like this is [`Error::OutcomeUnknown`].
    #[error("{method} {path}: connection lost: {cause}")]
    #[non_exhaustive]
    Network {
        /// The HTTP method.
        method: Method,
        /// The path of the URL.
        path: String,
        /// The reason, for people.
        cause: String,
    },
    /// A success with an unusable body.
    #[error(transparent)]
    UnexpectedResponse(Box<UnexpectedResponse>),
    /// The server redirects in a circle.
    #[error("{path}: too many redirects")]
    #[non_exhaustive]
    TooManyRedirects {
        /// The path of the first URL.
        path: String,
    },
    /// A list whose next page has been fetched before.
    #[error("{path}: pagination loop: the next page has been fetched before")]
    #[non_exhaustive]
    PagingLoop {
        /// The path of the list.
        path: String,
    },
    /// A scroll that ended before all records were fetched.
    #[error("{path}: the scroll was lost after {came} records; run the command again")]
    #[non_exhaustive]
    LostScroll {
        /// The path of the scroll.
        path: String,
        /// Records received before that, each counted once.
        came: u64,
    },
    /// A list that ended although the server counts more records, or that is inconsistent in another way.
    #[error("{path}: incomplete list: {reason}")]
    #[non_exhaustive]
    IncompleteList {
        /// The path of the list.
        path: String,
        /// Records received, each counted once.
        received: u64,
        /// Records that the server counts, if it does.
        total: Option<u64>,
        /// The reason, for people.
        reason: String,
    },
    /// The token is missing or malformed; nothing was sent.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The request or the settings are invalid; nothing was sent. The text says what is wrong.
    #[error("{0}")]
    InvalidRequest(String),
    /// The client is read-only and the request may change the workspace; nothing was sent.
    #[error("{method} {path}: read-only mode refuses changes to the workspace")]
    #[non_exhaustive]
    ReadOnly {
        /// The HTTP method.
        method: Method,
        /// The path below the base URL.
        path: String,
        /// What made the client read-only.
        set_by: String,
    },
    /// The HTTP client could not be set up, e.g. because the machine has no root certificates.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}

/// A successful response whose body is unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedResponse {
    /// What is wrong with the body.
    pub reason: Unexpected,
    /// The HTTP status, which is a success.
    pub status: u16,
    /// The id of the request, which Intercom's support asks for.
    pub request_id: Option<String>,
    /// Details for people.
    pub detail: Option<String>,
}

/// What is wrong with a body that should be one JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexpected {
    /// A web page, as sent by proxies and login portals.
    Html,
    /// Neither JSON nor a web page.
    NotJson,
    /// The body breaks off.
    Truncated,
    /// Nothing but white space.
    Empty,
    /// Longer than [`super::Settings::max_body_bytes`].
    TooLong,
    /// JSON that does not match the description.
    Shape,
}

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

/// The error for an error response, by its status.
impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let (status, code) = (error.status, error.code().map(str::to_owned));
        let is_about_record = |code: &str| {
            matches!(code, "not_found" | "gone" | "deleted" | "contact_merged")
                || code.ends_with("_not_found")
        };
        let merged_into = error.merged_into.clone();
        let is_missing = code.as_deref().is_some_and(is_about_record);
        let error = Box::new(error);
        match status {
            401 | 403 => Error::Unauthorized { status, code, error },
            404 | 410 if is_missing => Error::NotFound { status, code, merged_into, error },
            _ => Error::Api { status, code, error },
        }
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
        ApiError::read(status, Method::GET, "/contacts/1".into(), None, body).into()
    }

    #[test]
    fn the_first_entry_of_an_error_list_is_the_one_to_act_on() {
        let error =
            read(422, r#"{"errors":[{"code":"parameter_invalid","field":"email"},{"code":"other"}]}"#);
        assert_eq!((error.code(), error.field()), (Some("parameter_invalid"), Some("email")));
    }

    #[test]
    fn the_status_decides_the_variant() {
        let body = r#"{"errors":[{"code":"not_found"}]}"#;
        for status in [401, 403] {
            assert!(
                matches!(read(status, body), Error::Unauthorized { status: found, .. } if found == status)
            );
        }
        for status in [404, 410] {
            let error = read(status, body);
            assert!(
                matches!(&error, Error::NotFound { code: Some(code), .. } if code == "not_found"),
                "{error:?}"
            );
        }
        assert!(matches!(read(404, "<html>"), Error::Api { status: 404, code: None, .. }));
        assert!(matches!(read(409, body), Error::Api { status: 409, .. }));
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

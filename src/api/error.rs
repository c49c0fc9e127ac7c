//! Errors between a request and its response, with messages for people.
//!
//! No message and no `Debug` output may contain the access token: text from the server is masked before it
//! gets here. Exit codes are the command line's concern.

mod questions;
mod unexpected;

use std::time::Duration;

use reqwest::Method;

pub use super::error_response::{ApiError, Problem};
use super::secret::TokenError;
pub use unexpected::{Unexpected, UnexpectedResponse};

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
    /// The API returned an error without a separate variant.
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

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    pub(super) fn read(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        ApiError::read(status, Method::GET, "/contacts/1".into(), None, body).into()
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
}

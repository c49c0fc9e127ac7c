//! Everything that can go wrong between a request and its answer, in words for people.
//!
//! No message and no `Debug` output may hold the access token: texts of the server are masked before
//! they come here. What an error means to a process (its exit code) is the command line's matter.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::secret::TokenError;

/// The error of this layer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API answered, but not with a success.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// Status 429 on the last attempt too. `retry_after` is what the server asked to wait.
    #[error("the rate limit was still exceeded after {attempts} attempts: {answer}")]
    RateLimited { attempts: u32, retry_after: Option<Duration>, answer: Box<ApiError> },
    /// No connection came about: the server has seen nothing.
    #[error("could not connect to {host}: {cause}")]
    Connect { host: String, cause: String },
    /// Nobody knows whether the server carried the request out.
    #[error("{method} {path}: no complete answer within {} s", .after.as_secs_f64())]
    Timeout { method: Method, path: String, after: Duration },
    /// The connection was lost; nobody knows whether the server carried the request out.
    #[error("{method} {path}: the connection was lost: {cause}")]
    Network { method: Method, path: String, cause: String },
    /// A success whose body is not what such an answer holds.
    #[error(transparent)]
    UnexpectedAnswer(Box<UnexpectedAnswer>),
    #[error("{path}: redirected too often")]
    TooManyRedirects { path: String },
    /// A list whose next page is the one just read.
    #[error("{path}: the list names the same next page again and again")]
    PagingLoop { path: String },
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The request or the settings cannot be sent as they are; nothing was sent.
    #[error("{0}")]
    InvalidRequest(String),
    /// The HTTP client could not be set up, e.g. because the machine has no root certificates.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}

/// An answer that is no success, read leniently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub method: Method,
    pub path: String,
    pub request_id: Option<String>,
    /// At least one; the first is the one to act on.
    pub errors: Vec<Problem>,
}

/// One entry of the API's `errors` list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// e.g. `rate_limit_exceeded`
    pub code: Option<String>,
    pub message: String,
    /// The field of the request that is meant.
    pub field: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedAnswer {
    pub reason: Unexpected,
    pub status: u16,
    pub request_id: Option<String>,
    pub detail: Option<String>,
}

/// What a body turned out to be where one JSON document was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unexpected {
    /// A web page, as proxies and login portals send.
    Html,
    NotJson,
    /// The body ends in the middle.
    Truncated,
    Empty,
    /// More than is read into memory for one answer.
    TooLong,
    /// JSON, but not of the described shape.
    Shape,
}

impl Error {
    /// The answer of the API, when it gave one that is no success.
    pub fn answer(&self) -> Option<&ApiError> {
        match self {
            Error::Api(answer) | Error::RateLimited { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// The HTTP status, when an answer arrived.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::UnexpectedAnswer(answer) => Some(answer.status),
            _ => self.answer().map(|answer| answer.status),
        }
    }

    /// What Intercom's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Error::UnexpectedAnswer(answer) => answer.request_id.as_deref(),
            _ => self.answer()?.request_id.as_deref(),
        }
    }

    /// The API's code, e.g. `not_found` or `parameter_invalid`.
    pub fn code(&self) -> Option<&str> {
        self.answer()?.code()
    }

    /// The field of the request that the API refused.
    pub fn field(&self) -> Option<&str> {
        self.answer()?.errors.first()?.field.as_deref()
    }

    /// 404, or 410 for what was merged or deleted.
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }

    /// Whether the API itself says that there is no such record. A web page with the same status, of
    /// something on the way, says nothing.
    pub fn is_gone(&self) -> bool {
        self.is_not_found() && self.code().is_some()
    }

    /// The token is missing, wrong, of another region, or not allowed to do this.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// 409: what should be created exists already, or something else is under way.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    pub fn is_rate_limited(&self) -> bool {
        matches!(self, Error::RateLimited { .. })
    }

    /// The server could not be reached at all, as when the machine is offline.
    pub fn is_offline(&self) -> bool {
        matches!(self, Error::Connect { .. })
    }

    /// The server had more to do than it could: asking for less may help.
    pub fn is_overload(&self) -> bool {
        match self {
            Error::Timeout { .. } => true,
            Error::UnexpectedAnswer(answer) => {
                matches!(answer.reason, Unexpected::Truncated | Unexpected::TooLong)
            }
            _ => matches!(self.status(), Some(408 | 502..=504)),
        }
    }

    /// Whether a request that changes something may have been carried out all the same.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Error::Timeout { .. } | Error::Network { .. })
            || matches!(self, Error::UnexpectedAnswer(answer) if answer.reason == Unexpected::Truncated)
            || matches!(self.status(), Some(408 | 500..=599))
    }
}

impl ApiError {
    /// Reads the body of an answer: the API's error list, similar JSON, or else a few words of text.
    /// Never hands a web page on.
    pub(crate) fn read(
        status: StatusCode,
        method: Method,
        path: String,
        id: Option<&str>,
        body: &str,
    ) -> Self {
        let (request_id, errors) = match serde_json::from_str::<serde_json::Value>(body) {
            Ok(document) => (text(&document["request_id"]), problems(&document)),
            Err(_) => (None, Vec::new()),
        };
        let mut errors = errors;
        if errors.is_empty() {
            errors.push(Problem { message: plain(status, body), ..Problem::default() });
        }
        let request_id = request_id.or_else(|| id.map(str::to_owned));
        ApiError { status: status.as_u16(), method, path, request_id, errors }
    }

    pub fn code(&self) -> Option<&str> {
        self.errors.first()?.code.as_deref()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: ", self.method, self.path)?;
        for (index, problem) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{}", problem.message)?;
            match (&problem.code, &problem.field) {
                (Some(code), Some(field)) => write!(formatter, " ({code}, field {field})")?,
                (Some(code), None) => write!(formatter, " ({code})")?,
                (None, Some(field)) => write!(formatter, " (field {field})")?,
                (None, None) => {}
            }
        }
        write!(formatter, " [status {}", self.status)?;
        match &self.request_id {
            Some(id) => write!(formatter, ", request {id}]"),
            None => formatter.write_str("]"),
        }
    }
}

impl std::error::Error for ApiError {}

impl fmt::Display for UnexpectedAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Unexpected::Html => "a web page instead of JSON: is the address right?",
            Unexpected::NotJson => "something that is not JSON",
            Unexpected::Truncated => "an answer that ends in the middle",
            Unexpected::Empty => "an empty body instead of JSON",
            Unexpected::TooLong => "more than can be kept of one answer",
            Unexpected::Shape => "JSON that does not have the described shape",
        };
        write!(formatter, "the server sent {what} [status {}", self.status)?;
        if let Some(id) = &self.request_id {
            write!(formatter, ", request {id}")?;
        }
        formatter.write_str("]")?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(formatter, ": {detail}"))
    }
}

impl std::error::Error for UnexpectedAnswer {}

/// `{"errors": [...]}` as described, and what gateways make of it: `{"error": ...}`, `{"message": ...}`.
fn problems(document: &serde_json::Value) -> Vec<Problem> {
    let entries = match (&document["errors"], &document["error"]) {
        (serde_json::Value::Array(list), _) => list.as_slice(),
        (_, error @ serde_json::Value::Object(_)) => std::slice::from_ref(error),
        _ => std::slice::from_ref(document),
    };
    entries.iter().filter_map(problem).collect()
}

fn problem(entry: &serde_json::Value) -> Option<Problem> {
    let code = text(&entry["code"]);
    let message =
        [&entry["message"], &entry["error"], entry].into_iter().find_map(text).or_else(|| code.clone());
    Some(Problem { code, message: message?, field: text(&entry["field"]) })
}

fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A message for a body without an error list: its first line when it is short text, else the status.
fn plain(status: StatusCode, body: &str) -> String {
    const LONGEST: usize = 200;
    let reason = status.canonical_reason().unwrap_or("unknown status");
    let line = body.trim().lines().next().unwrap_or_default().trim();
    if looks_like_html(body) {
        return format!("{reason} (the server sent a web page)");
    }
    match line.starts_with(['{', '[']) || line.is_empty() || line.len() > LONGEST {
        true => reason.to_owned(),
        false => line.chars().filter(|character| !character.is_control()).collect(),
    }
}

pub(crate) fn looks_like_html(body: &str) -> bool {
    body.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ApiError {
        let status = StatusCode::from_u16(status).unwrap();
        ApiError::read(status, Method::GET, "/contacts/1".into(), Some("header-id"), body)
    }

    #[test]
    fn the_error_list_is_read() {
        let error = read(
            422,
            r#"{"type":"error.list","request_id":"abc","errors":[
                {"code":"parameter_invalid","message":"email is invalid","field":"email"},{"code":"other"}]}"#,
        );
        assert_eq!(error.request_id.as_deref(), Some("abc"));
        assert_eq!(error.errors.len(), 2);
        assert_eq!(
            error.to_string(),
            "GET /contacts/1: email is invalid (parameter_invalid, field email); other (other) \
             [status 422, request abc]"
        );
        let error = Error::Api(Box::new(error));
        assert_eq!((error.code(), error.field()), (Some("parameter_invalid"), Some("email")));
    }

    #[test]
    fn other_bodies_give_a_short_message() {
        let message = |status, body| read(status, body).errors[0].message.clone();
        let page = "<html>\r\n<head><title>404 Not Found</title></head></html>";
        assert_eq!(message(404, page), "Not Found (the server sent a web page)");
        assert_eq!(message(502, ""), "Bad Gateway");
        assert_eq!(message(500, "{\"error\": \"boom\"}"), "boom");
        assert_eq!(message(500, "{\"error\": {\"message\": \"boom\", \"code\": 17}}"), "boom");
        assert_eq!(message(500, "{\"message\": \"boom\"}"), "boom");
        assert_eq!(message(500, "{\"errors\": []}"), "Internal Server Error");
        assert_eq!(message(500, "{\"errors\": [{\"fie"), "Internal Server Error");
        assert_eq!(message(503, "upstream connect error\nmore"), "upstream connect error");
        assert_eq!(message(503, &"x".repeat(1000)), "Service Unavailable");
        assert_eq!(read(404, page).request_id.as_deref(), Some("header-id"));
    }
}

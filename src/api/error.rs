//! Errors between a request and its response, with messages for people.
//!
//! No message and no `Debug` output may contain the access token: text from the server is masked before it
//! gets here. Exit codes are the command line's concern.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::value::RawValue;

use super::conflict::Conflict;
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

/// An error response, parsed leniently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub method: Method,
    pub path: String,
    pub request_id: Option<String>,
    /// At least one. The first is the one to act on.
    pub errors: Vec<Problem>,
    /// Id of the record that this one was merged into, from the `Link` header of a 410.
    pub merged_into: Option<String>,
}

/// One entry of the API's `errors` list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// e.g. `rate_limit_exceeded`
    pub code: Option<String>,
    pub message: String,
    /// The field of the request that it refers to.
    pub field: Option<String>,
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
                matches!(code, "not_found" | "gone" | "deleted") || code.ends_with("_not_found")
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

    /// Whether the server may have processed the request despite the error.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Error::Timeout { .. } | Error::Network { .. })
            || matches!(self, Error::UnexpectedResponse(response) if response.reason == Unexpected::Truncated)
            || matches!(self.status(), Some(408 | 500..=599))
            // An error list with a success status: either of them may be wrong.
            || self.api_error().is_some_and(|error| error.status < 300)
    }
}

impl ApiError {
    /// Parses the body of an error response: the API's error list, similar JSON, or a short text.
    /// Never passes a web page on.
    pub(crate) fn read(
        status: StatusCode,
        method: Method,
        path: String,
        id: Option<&str>,
        body: &str,
    ) -> Self {
        let (request_id, mut errors) = match serde_json::from_str::<serde_json::Value>(body) {
            Ok(document) => (text(&document["request_id"]), problems(&document)),
            Err(_) => (None, Vec::new()),
        };
        if errors.is_empty() {
            errors.push(Problem { message: fallback_message(status, body), ..Problem::default() });
        }
        let request_id = request_id.or_else(|| id.map(str::to_owned));
        ApiError { status: status.as_u16(), method, path, request_id, errors, merged_into: None }
    }

    pub fn code(&self) -> Option<&str> {
        self.errors.first()?.code.as_deref()
    }
}

/// Whether a document reports an error, regardless of the response status: its type is `error.list`, `errors`
/// is not empty, or `error` is not empty and the document is not a record.
pub(crate) fn is_error_list(document: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope<'d> {
        #[serde(borrow, default, rename = "type")]
        kind: Option<&'d RawValue>,
        #[serde(borrow, default)]
        id: Option<&'d RawValue>,
        #[serde(borrow, default)]
        errors: Option<&'d RawValue>,
        #[serde(borrow, default)]
        error: Option<&'d RawValue>,
    }
    // Avoid parsing large documents twice: look for the word first.
    if !document.contains("\"error") || !document.trim_start().starts_with('{') {
        return false;
    }
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(document) else { return false };
    let kind = envelope.kind.map_or("null", RawValue::get);
    // Message deliveries are records with an `error`.
    let is_record = envelope.id.is_some() || !matches!(kind, "null" | "\"list\"" | "\"error\"");
    kind == "\"error.list\""
        || envelope.errors.is_some_and(has_content)
        || (!is_record && envelope.error.is_some_and(has_content))
}

/// Whether a value is neither empty, null nor false.
fn has_content(value: &RawValue) -> bool {
    match serde_json::from_str::<serde_json::Value>(value.get()) {
        Ok(serde_json::Value::Null | serde_json::Value::Bool(false)) | Err(_) => false,
        Ok(serde_json::Value::Array(entries)) => !entries.is_empty(),
        Ok(serde_json::Value::Object(members)) => !members.is_empty(),
        Ok(serde_json::Value::String(text)) => !text.is_empty(),
        Ok(_) => true,
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

/// Reads `{"errors": [...]}` as described, and the gateways' variants `{"error": ...}` and `{"message":
/// ...}`.
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

/// The message for a body without an error list: its first line if that is short text, otherwise the status.
fn fallback_message(status: StatusCode, body: &str) -> String {
    const MAX_LENGTH: usize = 200;
    let reason = status.canonical_reason().unwrap_or("unknown status");
    let line = body.trim().lines().next().unwrap_or_default().trim();
    if looks_like_html(body) {
        return format!("{reason} (the server sent a web page)");
    }
    if line.starts_with(['{', '[']) || line.is_empty() || line.len() > MAX_LENGTH {
        return reason.to_owned();
    }
    line.chars().filter(|character| !character.is_control()).collect()
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
    fn an_error_list_is_parsed() {
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
    fn a_success_that_reports_an_error_is_detected() {
        for document in [
            r#"{"type":"error.list"}"#,
            r#"{"type":"list","data":[],"errors":[{"code":"x"}]}"#,
            r#"{"data":[],"errors":{"code":"x"}}"#,
            r#"{"data":[],"error":{"code":"forbidden"}}"#,
            r#"{"error":"internal"}"#,
        ] {
            assert!(is_error_list(document), "{document}");
        }
        for document in [
            r#"{"type":"list","data":[{"error":"x"}]}"#,
            r#"{"type":"list","data":[],"errors":[],"error":null}"#,
            r#"{"type":"list","data":[],"error":""}"#,
            r#"{"id":"1","error":{"message":"not delivered"}}"#,
            r#"{"type":"whatsapp_message_status","error":{"message":"not delivered"}}"#,
            r#"[{"error":"x"}]"#,
        ] {
            assert!(!is_error_list(document), "{document}");
        }
    }

    #[test]
    fn only_the_codes_for_missing_records_mean_that_a_record_is_gone() {
        let is_gone = |status: u16, body: &str| Error::Api(Box::new(read(status, body))).is_gone();
        let coded = |code: &str| format!(r#"{{"type":"error.list","errors":[{{"code":"{code}"}}]}}"#);
        for code in ["not_found", "company_not_found", "gone"] {
            assert!(is_gone(404, &coded(code)) && is_gone(410, &coded(code)), "{code}");
        }
        for code in ["api_plan_restricted", "forbidden", "unauthorized"] {
            assert!(!is_gone(404, &coded(code)), "{code}");
        }
        assert!(!is_gone(404, "<html>Not Found</html>") && !is_gone(403, &coded("not_found")));
    }

    #[test]
    fn other_bodies_become_a_short_message() {
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

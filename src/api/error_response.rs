//! Error responses of the API, parsed leniently: its error list, similar JSON of gateways, or a short text.
//!
//! A web page must never be passed on.

use std::fmt;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;

/// An error response, parsed leniently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP method of the request.
    pub method: Method,
    /// The path of the request's URL.
    pub path: String,
    /// The id of the request, which Intercom's support asks for.
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
    /// For people; the code if the API sent no message.
    pub message: String,
    /// The field of the request that it refers to.
    pub field: Option<String>,
}

impl ApiError {
    /// Parses the body of an error response.
    pub(crate) fn read(
        status: StatusCode,
        method: Method,
        path: String,
        id: Option<&str>,
        body: &str,
    ) -> Self {
        let (request_id, mut errors) = match serde_json::from_str::<Value>(body) {
            Ok(document) => (text(&document["request_id"]), problems(&document)),
            Err(_) => (None, Vec::new()),
        };
        if errors.is_empty() {
            errors.push(Problem { message: fallback_message(status, body), ..Problem::default() });
        }
        let request_id = request_id.or_else(|| id.map(str::to_owned));
        ApiError { status: status.as_u16(), method, path, request_id, errors, merged_into: None }
    }

    /// The code of the first entry, for example `parameter_invalid`.
    pub fn code(&self) -> Option<&str> {
        self.errors.first()?.code.as_deref()
    }
}

/// Whether a document reports an error, regardless of the response status: its type is `error.list`, `errors`
/// is not empty, or `error` is not empty and the document is not a record.
pub(crate) fn is_error_list(document: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct ErrorEnvelope<'d> {
        #[serde(borrow, default, rename = "type")]
        kind: Option<&'d RawValue>,
        #[serde(borrow, default)]
        id: Option<&'d RawValue>,
        #[serde(borrow, default)]
        conversation_id: Option<&'d RawValue>,
        #[serde(borrow, default)]
        errors: Option<&'d RawValue>,
        #[serde(borrow, default)]
        error: Option<&'d RawValue>,
    }
    // Avoid parsing large documents twice: look for the word first.
    if !document.contains("\"error") || !document.trim_start().starts_with('{') {
        return false;
    }
    let Ok(envelope) = serde_json::from_str::<ErrorEnvelope<'_>>(document) else { return false };
    let kind = envelope.kind.map_or("null", RawValue::get);
    // Message deliveries are records with an `error`.
    let is_record = envelope.id.is_some() || !matches!(kind, "null" | "\"list\"" | "\"error\"");
    // Fin takes a message, and answers which attributes beside it were not accepted.
    let is_taken = envelope.conversation_id.is_some() && kind == "null";
    kind == "\"error.list\""
        || (!is_taken && envelope.errors.is_some_and(has_content))
        || (!is_record && envelope.error.is_some_and(has_content))
}

/// Whether a value is neither empty, null nor false.
fn has_content(value: &RawValue) -> bool {
    match serde_json::from_str::<Value>(value.get()) {
        Ok(Value::Null | Value::Bool(false)) | Err(_) => false,
        Ok(Value::Array(entries)) => !entries.is_empty(),
        Ok(Value::Object(members)) => !members.is_empty(),
        Ok(Value::String(text)) => !text.is_empty(),
        Ok(_) => true,
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: ", self.method, self.path)?;
        for (index, problem) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            // Anything after a line break could pass for a line of this program.
            write!(formatter, "{separator}{}", problem.message.replace(['\n', '\r'], " "))?;
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

/// Reads `{"errors": [...]}` as described, `{"errors": {"field": "message"}}` as ratings of Fin answer it, and the
/// gateways' variants `{"error": ...}` and `{"message": ...}`.
fn problems(document: &Value) -> Vec<Problem> {
    let has_message = |entry: &Value| ["code", "message"].iter().any(|name| entry.get(name).is_some());
    let entries = match (&document["errors"], &document["error"]) {
        (Value::Array(list), _) => list.as_slice(),
        (errors @ Value::Object(_), _) if has_message(errors) => std::slice::from_ref(errors),
        (Value::Object(fields), _) if !fields.is_empty() => {
            return fields.iter().filter_map(of_field).collect();
        }
        (_, error @ Value::Object(_)) => std::slice::from_ref(error),
        _ => std::slice::from_ref(document),
    };
    entries.iter().filter_map(problem).collect()
}

/// What is wrong with one field; `base` means the whole request.
fn of_field((field, message): (&String, &Value)) -> Option<Problem> {
    let field = (field != "base").then(|| field.clone());
    Some(Problem { code: None, message: text(message)?, field })
}

fn problem(entry: &Value) -> Option<Problem> {
    let code = text(&entry["code"]);
    let message =
        [&entry["message"], &entry["error"], entry].into_iter().find_map(text).or_else(|| code.clone());
    Some(Problem { code, message: message?, field: text(&entry["field"]) })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
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
    fn a_message_cannot_add_lines() {
        let error = read(422, "{\"errors\": [{\"message\": \"no\\nhint: run something else\"}]}");
        assert!(!error.to_string().contains('\n'), "{error}");
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
        assert_eq!(error.code(), Some("parameter_invalid"));
    }

    #[test]
    fn errors_by_field_are_parsed() {
        let error =
            read(422, r#"{"errors":{"rating":"Rating isn't an option","base":"The window has closed"}}"#);
        let text = "GET /contacts/1: Rating isn't an option (field rating); The window has closed \
                    [status 422, request header-id]";
        assert_eq!(error.to_string(), text);
        assert_eq!(read(400, r#"{"errors":{"code":"x","message":"no"}}"#).code(), Some("x"));
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
            r#"{"conversation_id":"c1","errors":{"user":{"attributes":{"plan":"does not exist"}}}}"#,
            r#"[{"error":"x"}]"#,
        ] {
            assert!(!is_error_list(document), "{document}");
        }
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

//! A complete successful response: status, headers and raw body.
//!
//! The body is never parsed into models here. Where JSON is expected, the body is checked to be one complete
//! document, so that a truncated one never reaches a file or a pipe.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::{Error, Unexpected, UnexpectedResponse};
use super::error_response::looks_like_html;
use super::json_repair::repair;

/// A response with a success status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status, which is a success.
    pub status: StatusCode,
    /// The headers as received.
    pub headers: HeaderMap,
    /// As received, but decompressed and, if it is JSON, with invalid text in strings repaired.
    pub body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let body = if is_json(&headers, &body) { repair(body) } else { body };
        Reply { status, headers, body }
    }

    /// A response without content.
    pub(crate) fn empty() -> Self {
        Reply { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The request id that the server put into the headers.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-request-id")?.to_str().ok()
    }

    /// The server's time of the response, in epoch seconds.
    pub fn date(&self) -> Option<i64> {
        let date = self.headers.get(reqwest::header::DATE)?.to_str().ok()?;
        let since = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    }

    /// The body, checked to be one complete JSON document.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] if it is anything else.
    pub fn json_text(&self) -> Result<&str, Error> {
        let text = std::str::from_utf8(&self.body).map_err(|error| {
            let reason =
                if error.error_len().is_none() { Unexpected::Truncated } else { Unexpected::NotJson };
            self.unexpected(reason, None)
        })?;
        if text.trim().is_empty() {
            return Err(self.unexpected(Unexpected::Empty, None));
        }
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Ok(text),
            Err(_) if looks_like_html(text) => Err(self.unexpected(Unexpected::Html, None)),
            Err(error) if error.is_eof() => Err(self.unexpected(Unexpected::Truncated, None)),
            Err(error) => Err(self.unexpected(Unexpected::NotJson, Some(error.to_string()))),
        }
    }

    /// The body as JSON of this type.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] if it is anything else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.json_text()?).map_err(|error| self.wrong_shape(&error))
    }

    /// Fails if the content type says JSON and the body is neither empty nor a complete document.
    pub(crate) fn check_content_type(&self) -> Result<(), Error> {
        if self.body.is_empty() || !has_json_content_type(&self.headers) {
            return Ok(());
        }
        self.json_text().map(drop)
    }

    /// The error for JSON that does not have the expected shape.
    pub(crate) fn wrong_shape(&self, error: &serde_json::Error) -> Error {
        self.unexpected(Unexpected::Shape, Some(error.to_string()))
    }

    pub(crate) fn unexpected(&self, reason: Unexpected, detail: Option<String>) -> Error {
        let request_id = self.request_id().map(str::to_owned);
        Error::UnexpectedResponse(Box::new(UnexpectedResponse {
            reason,
            status: self.status.as_u16(),
            request_id,
            detail,
        }))
    }
}

fn has_json_content_type(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().contains("json")
}

/// Whether to treat the body as JSON. Without a JSON content type the first character decides. A transcript
/// may begin with a bracket, so plain text must begin with a brace.
fn is_json(headers: &HeaderMap, body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
        _ if has_json_content_type(headers) => true,
        None => matches!(first, Some(b'{' | b'[')),
        Some(kind) => kind.starts_with("text/") && first == Some(&b'{'),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn reply(kind: &'static str, body: &'static str) -> Reply {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Reply::new(StatusCode::OK, headers, Bytes::from_static(body.as_bytes()))
    }

    fn reason(kind: &'static str, body: &'static str) -> Option<Unexpected> {
        match reply(kind, body).json_text() {
            Err(Error::UnexpectedResponse(response)) => Some(response.reason),
            Err(other) => panic!("{other}"),
            Ok(text) => {
                assert_eq!(text, body);
                None
            }
        }
    }

    #[test]
    fn only_a_single_complete_document_is_json() {
        assert_eq!(reason("application/json", "{\"a\": [1, null]}\n"), None);
        assert_eq!(reason("application/json", "{\"a\": [1, nul"), Some(Unexpected::Truncated));
        assert_eq!(reason("application/json", "{} {}"), Some(Unexpected::NotJson));
        assert_eq!(reason("application/json", " "), Some(Unexpected::Empty));
        assert_eq!(reason("text/html", "<!doctype html><p>Log in"), Some(Unexpected::Html));
    }

    #[test]
    fn a_body_that_contradicts_its_content_type_is_an_error() {
        assert!(reply("application/json; charset=utf-8", "{\"a\"").check_content_type().is_err());
        assert!(reply("application/json", "").check_content_type().is_ok());
        assert!(reply("text/plain", "not json").check_content_type().is_ok());
    }

    #[test]
    fn plain_text_is_not_repaired() {
        let transcript = "[00:01] \"Hello\nthere\"";
        assert_eq!(reply("text/plain", transcript).body, transcript);
        assert_eq!(reply("application/vnd.api+json", "[\"a\nb\"]").body, "[\"a\\nb\"]");
    }
}

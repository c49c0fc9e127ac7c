//! A whole answer: status, headers and the body as it was received.
//!
//! The body is never parsed into models here. Where JSON is expected it is checked to be one complete
//! document, so that nothing half-read reaches a file or a pipe.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::IgnoredAny;

use super::error::{Error, Unexpected, UnexpectedAnswer, looks_like_html};
use super::repair::repair;

/// An answer of the API whose status is a success.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// As received, but decompressed and, if JSON, with the text of its strings made valid.
    pub body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let body = if is_json(&headers, &body) { repair(body) } else { body };
        Reply { status, headers, body }
    }

    /// An answer without content.
    pub(crate) fn empty() -> Self {
        Reply { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The server's name for the request, from the headers.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-request-id")?.to_str().ok()
    }

    /// When the server made the answer, by its own clock, in epoch seconds.
    pub fn date(&self) -> Option<i64> {
        let date = self.headers.get(reqwest::header::DATE)?.to_str().ok()?;
        let since = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    }

    /// The body, known to be one complete JSON document.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] with what the body is instead.
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

    /// An error when the server calls the body JSON, there is a body, and it is no complete document.
    pub(crate) fn keeps_its_promise(&self) -> Result<(), Error> {
        match self.body.is_empty() || !promises_json(&self.headers) {
            true => Ok(()),
            false => self.json_text().map(drop),
        }
    }

    /// The error for a document that is JSON, but not of the shape that was asked for.
    pub(crate) fn of_another_shape(&self, error: &serde_json::Error) -> Error {
        self.unexpected(Unexpected::Shape, Some(error.to_string()))
    }

    pub(crate) fn unexpected(&self, reason: Unexpected, detail: Option<String>) -> Error {
        let request_id = self.request_id().map(str::to_owned);
        Error::UnexpectedAnswer(Box::new(UnexpectedAnswer {
            reason,
            status: self.status.as_u16(),
            request_id,
            detail,
        }))
    }
}

fn promises_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().contains("json")
}

/// Whether to treat the body as JSON: the server says so, or says nothing that speaks against it. A
/// transcript may begin with a bracket, so plain text must begin with a brace.
fn is_json(headers: &HeaderMap, body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
        _ if promises_json(headers) => true,
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
            Err(Error::UnexpectedAnswer(answer)) => Some(answer.reason),
            Err(other) => panic!("{other}"),
            Ok(text) => {
                assert_eq!(text, body);
                None
            }
        }
    }

    #[test]
    fn only_one_complete_document_is_json() {
        assert_eq!(reason("application/json", "{\"a\": [1, null]}\n"), None);
        assert_eq!(reason("application/json", "{\"a\": [1, nul"), Some(Unexpected::Truncated));
        assert_eq!(reason("application/json", "{} {}"), Some(Unexpected::NotJson));
        assert_eq!(reason("application/json", " "), Some(Unexpected::Empty));
        assert_eq!(reason("text/html", "<!doctype html><p>Log in"), Some(Unexpected::Html));
    }

    #[test]
    fn a_label_that_is_not_kept_is_noticed() {
        assert!(reply("application/json; charset=utf-8", "{\"a\"").keeps_its_promise().is_err());
        assert!(reply("application/json", "").keeps_its_promise().is_ok());
        assert!(reply("text/plain", "not json").keeps_its_promise().is_ok());
    }

    #[test]
    fn text_is_not_repaired() {
        let transcript = "[00:01] \"Hello\nthere\"";
        assert_eq!(reply("text/plain", transcript).body, transcript);
        assert_eq!(reply("application/vnd.api+json", "[\"a\nb\"]").body, "[\"a\\nb\"]");
    }
}

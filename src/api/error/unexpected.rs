//! Successes with an unusable body.
//!
//! Nothing of the body may be passed on: it may be a web page.

use std::fmt;

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
    /// Longer than [`Settings::max_body_bytes`](crate::Settings::max_body_bytes).
    TooLong,
    /// JSON that does not match the description.
    Shape,
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

//! Hooks for metrics and logs: what each call sends and receives.
//!
//! An observer sees neither tokens nor bodies, and cannot change or stop a request.

use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::limiter::RateLimit;

/// Receives what a client sends and receives. All methods do nothing unless they are implemented.
///
/// They are called while a request waits, so they should return at once.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use intercom::api::observer::{Observer, Outcome};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
///
/// impl Observer for Failures {
///     fn on_finish(&self, outcome: &Outcome<'_>) {
///         self.0.fetch_add(u64::from(outcome.error.is_some()), Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// An attempt is about to be sent. Waiting for the rate limit is over.
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        let _ = attempt;
    }

    /// An attempt has ended, with a response or without one.
    fn on_response(&self, outcome: &Outcome<'_>) {
        let _ = outcome;
    }

    /// A call has ended: its last attempt succeeded, or will not be repeated. Not called if the program drops the
    /// call. For a download, the headers have arrived.
    fn on_finish(&self, outcome: &Outcome<'_>) {
        let _ = outcome;
    }
}

/// One attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// Id of the operation in the API description, for example `ListContacts`; `None` for other requests.
    pub operation: Option<&'static str>,
    /// The HTTP method.
    pub method: &'a str,
    /// The path template, for example `/contacts/{id}`; the path itself if the operation is unknown.
    pub path: &'a str,
    /// Number of the attempt, from 1.
    pub number: u32,
}

/// The end of an attempt or of a call.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// The attempt; the last one if the call has ended.
    pub attempt: Attempt<'a>,
    /// The HTTP status, if a response arrived.
    pub status: Option<u16>,
    /// Of an attempt: from sending to the end of the body. Of a call: with all attempts and waits.
    pub duration: Duration,
    /// The id of the request, which Intercom's support asks for.
    pub request_id: Option<&'a str>,
    /// Length of the body in bytes, decompressed; `None` without a complete response, and for downloads.
    pub bytes: Option<u64>,
    /// The rate limit that the server reported last.
    pub rate_limit: Option<RateLimit>,
    /// Why it failed.
    pub error: Option<&'a Error>,
    /// How long the client waits before the next attempt; `None` if this was the last one.
    pub retry_in: Option<Duration>,
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        (**self).on_attempt(attempt);
    }

    fn on_response(&self, outcome: &Outcome<'_>) {
        (**self).on_response(outcome);
    }

    fn on_finish(&self, outcome: &Outcome<'_>) {
        (**self).on_finish(outcome);
    }
}

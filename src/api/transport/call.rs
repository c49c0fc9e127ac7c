//! One call: what identifies it in messages, traces and metrics, and its attempts so far.
//!
//! Only method, path, status, sizes and times leave the transport this way, never a token or a body.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Request};
use tokio::time::Instant;
use tracing::Span;

use super::Settings;
use super::attempt::ResponseHead;
use crate::api::effect;
use crate::api::error::Error;
use crate::api::limiter::RateLimit;
use crate::api::observer::{Attempt, Outcome};
use crate::api::operation::Operation;
use crate::api::reply::Reply;
use crate::api::request_builder::operation_at;

/// Identifies a request in messages.
#[derive(Clone)]
pub(super) struct RequestLabel {
    pub method: Method,
    /// The path of the URL.
    pub path: String,
}

/// A call with all of its attempts.
pub(super) struct Call {
    pub label: RequestLabel,
    operation: Option<&'static Operation>,
    /// Whether the request may change the workspace.
    pub is_change: bool,
    started: Instant,
    attempts: AtomicU32,
    /// When the current attempt was sent, in nanoseconds after `started`; 0 before that.
    sent: AtomicU64,
}

/// What a response shows to observers.
pub(super) struct ResponseFacts<'a> {
    pub status: u16,
    request_id: Option<&'a str>,
    bytes: Option<u64>,
}

/// A result whose facts can be shown.
pub(super) trait Observable {
    fn facts(&self) -> ResponseFacts<'_>;
}

impl Observable for Reply {
    fn facts(&self) -> ResponseFacts<'_> {
        let bytes = Some(self.body.len() as u64);
        ResponseFacts { status: self.status.as_u16(), request_id: self.request_id(), bytes }
    }
}

impl Observable for ResponseHead {
    fn facts(&self) -> ResponseFacts<'_> {
        let id = self.response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        ResponseFacts { status: self.response.status().as_u16(), request_id: id, bytes: None }
    }
}

impl Call {
    pub fn new(request: &Request, settings: &Settings) -> Self {
        let label = RequestLabel { method: request.method().clone(), path: request.url().path().to_owned() };
        let base = settings.base_url.path().trim_end_matches('/');
        let below = label.path.strip_prefix(base).unwrap_or(&label.path);
        Call {
            operation: operation_at(label.method.as_str(), below),
            is_change: !effect::only_reads(label.method.as_str(), below),
            label,
            started: Instant::now(),
            attempts: AtomicU32::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Begins an attempt, with the span that it runs in.
    pub fn begin(&self) -> Span {
        self.attempts.fetch_add(1, Relaxed);
        self.sent.store(0, Relaxed);
        let attempt = self.attempt();
        tracing::info_span!(
            "intercom.request",
            operation = attempt.operation,
            method = attempt.method,
            path = attempt.path,
            attempt = attempt.number,
            status = tracing::field::Empty,
        )
    }

    /// The current attempt.
    pub fn attempt(&self) -> Attempt<'_> {
        Attempt {
            operation: self.operation.map(|operation| operation.id),
            method: self.label.method.as_str(),
            path: self.operation.map_or(self.label.path.as_str(), |operation| operation.path),
            number: self.attempts.load(Relaxed),
        }
    }

    /// The attempt is about to be sent. Further requests of the same attempt, which follow redirects, do not count.
    pub fn sends(&self, headers: &mut HeaderMap, settings: &Settings, trusted: bool) {
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        let is_first = self.sent.compare_exchange(0, now, Relaxed, Relaxed).is_ok();
        let attempt = self.attempt();
        if trusted {
            settings.header_editors.iter().for_each(|edit| edit(&attempt, headers));
        }
        if is_first {
            settings.observers.iter().for_each(|observer| observer.on_attempt(&attempt));
        }
    }

    /// Reports the end of the current attempt.
    pub fn responded(
        &self,
        settings: &Settings,
        result: Result<&impl Observable, (&Error, Option<Duration>)>,
        rate: Option<RateLimit>,
    ) {
        if !settings.observers.is_empty() {
            let sent = Duration::from_nanos(self.sent.load(Relaxed));
            let outcome = self.outcome(result, rate, self.started.elapsed().saturating_sub(sent));
            settings.observers.iter().for_each(|observer| observer.on_response(&outcome));
        }
    }

    /// Reports the end of the call.
    pub fn finished(
        &self,
        settings: &Settings,
        result: Result<&impl Observable, &Error>,
        rate: Option<RateLimit>,
    ) {
        if !settings.observers.is_empty() {
            let outcome = self.outcome(result.map_err(|error| (error, None)), rate, self.started.elapsed());
            settings.observers.iter().for_each(|observer| observer.on_finish(&outcome));
        }
    }

    fn outcome<'o>(
        &'o self,
        result: Result<&'o impl Observable, (&'o Error, Option<Duration>)>,
        rate_limit: Option<RateLimit>,
        duration: Duration,
    ) -> Outcome<'o> {
        let attempt = self.attempt();
        match result.map(Observable::facts) {
            Ok(ResponseFacts { status, request_id, bytes }) => Outcome {
                attempt,
                status: Some(status),
                duration,
                request_id,
                bytes,
                rate_limit,
                error: None,
                retry_in: None,
            },
            Err((error, retry_in)) => Outcome {
                attempt,
                status: error.status(),
                duration,
                request_id: error.request_id(),
                bytes: None,
                rate_limit,
                error: Some(error),
                retry_in,
            },
        }
    }
}

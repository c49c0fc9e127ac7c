//! One attempt: sends a request, reads the response, and classifies failures for the retry policy.
//!
//! No request may be sent without passing the read-only check and the rate limiter here.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::LINK;
use reqwest::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::call::{Call, RequestLabel};
use super::connection::cause;
use super::{Transport, headers};
use crate::api::effect;
use crate::api::error::Error;
use crate::api::error_response::{ApiError, is_error_list};
use crate::api::limiter::{Observation, Permit};
use crate::api::reply::Reply;
use crate::api::retry::FailureCause;

/// The error of one attempt, and what the retry policy needs to know about it.
pub(super) struct AttemptError {
    pub error: Error,
    pub cause: FailureCause,
    /// The wait that the server requested.
    pub retry_after: Option<Duration>,
}

/// Responses longer than this are read a few at a time: each may be hundreds of times as long.
const LARGE: usize = 1 << 20;

/// The result of reading a body.
pub(super) enum BodyOutcome {
    Complete(Bytes),
    TooLong,
    ConnectionLost(reqwest::Error),
    TimedOut,
}

/// A response whose headers have arrived, and the deadline for its body.
pub(super) struct ResponseHead {
    pub response: Response,
    pub deadline: Instant,
}

impl AttemptError {
    pub fn outcome_unknown(error: Error) -> Self {
        AttemptError { error, cause: FailureCause::OutcomeUnknown, retry_after: None }
    }

    pub fn permanent(error: Error) -> Self {
        AttemptError { error, cause: FailureCause::Permanent, retry_after: None }
    }
}

/// The last path segment of the canonical address in a `Link` header.
fn canonical_id(reply: &Reply) -> Option<String> {
    let links = reply.headers.get(LINK)?.to_str().ok()?;
    let link = links.split(',').find(|link| link.contains("canonical"))?;
    let address = link.split('<').nth(1)?.split('>').next()?;
    let path = address.split(['?', '#']).next()?.trim_end_matches('/');
    path.rsplit('/').next().filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Transport {
    /// Reads a whole body. A large one waits for a permit; that wait does not count towards the timeout.
    pub(super) async fn read_body(&self, head: ResponseHead) -> BodyOutcome {
        let ResponseHead { mut response, mut deadline } = head;
        let (mut body, mut permit) = (BytesMut::new(), None);
        loop {
            let chunk = match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return BodyOutcome::Complete(body.freeze()),
                Ok(Err(error)) => return BodyOutcome::ConnectionLost(error),
                Err(_) => return BodyOutcome::TimedOut,
            };
            if body.len() + chunk.len() > self.0.settings.max_body_bytes {
                return BodyOutcome::TooLong;
            }
            body.extend_from_slice(&chunk);
            if permit.is_none() && body.len() > LARGE {
                let start = Instant::now();
                permit = self.0.large_responses.acquire().await.ok();
                deadline += start.elapsed();
            }
        }
    }

    /// In read-only mode, refuses every request that is not known to only read.
    fn refuse_in_read_only_mode(&self, request: &Request) -> Result<(), Error> {
        let settings = &self.0.settings;
        let Some(set_by) = &settings.read_only else { return Ok(()) };
        let (method, whole) = (request.method().as_str(), request.url().path());
        let path = whole.strip_prefix(settings.base_url.path().trim_end_matches('/')).unwrap_or(whole);
        if effect::only_reads(method, path) {
            return Ok(());
        }
        let (method, path) = (request.method().clone(), path.to_owned());
        Err(Error::ReadOnly { method, path, set_by: set_by.clone() })
    }

    /// Sends one request and waits for the response headers. A 429 is an error here; other statuses are the
    /// caller's concern. Trusted requests get the API's headers and wait for the rate limit; others are
    /// stripped.
    pub(super) async fn exchange(
        &self,
        mut request: Request,
        call: &Call,
        trusted: bool,
    ) -> Result<ResponseHead, AttemptError> {
        let (label, settings) = (&call.label, &self.0.settings);
        self.refuse_in_read_only_mode(&request).map_err(AttemptError::permanent)?;
        let has_body = request.body().is_some();
        if trusted {
            headers::complete(request.headers_mut(), settings, has_body);
        } else {
            headers::strip(request.headers_mut());
        }
        let client = self.0.clients.get(request.url()).map_err(AttemptError::permanent)?;
        let host = request.url().origin().ascii_serialization();
        let permit = match (trusted, settings.waits_for_rate_limit) {
            (true, true) => Some(self.0.limiter.acquire().await),
            (true, false) => Some(self.0.limiter.pass()),
            (false, _) => None,
        };
        call.sends(request.headers_mut(), settings, trusted);
        self.0.requests.fetch_add(1, Relaxed);
        let started = Instant::now();
        let deadline = started + settings.timeout;
        let outcome = timeout_at(deadline, client.execute(request)).await;
        let ms = started.elapsed().as_millis() as u64;
        match outcome {
            Ok(Ok(response)) => {
                let status = response.status();
                tracing::debug!(method = %label.method, path = label.path, status = status.as_u16(), ms, "response");
                let head = ResponseHead { response, deadline };
                if status == StatusCode::TOO_MANY_REQUESTS {
                    return Err(self.too_many_requests(head, label, permit).await);
                }
                if let Some(permit) = permit {
                    permit.answered(headers::observe(status, head.response.headers()));
                }
                Ok(head)
            }
            Ok(Err(error)) => {
                tracing::debug!(method = %label.method, path = label.path, ms, "no response");
                Err(self.no_response(error, label, host, permit))
            }
            Err(_) => {
                tracing::debug!(method = %label.method, path = label.path, ms, "timed out");
                Err(self.timed_out(label))
            }
        }
    }

    pub(super) fn timed_out(&self, label: &RequestLabel) -> AttemptError {
        let RequestLabel { method, path } = label.clone();
        let error = Error::Timeout { method, path, after: self.0.settings.timeout };
        AttemptError { error, cause: FailureCause::TimedOut, retry_after: None }
    }

    fn no_response(
        &self,
        error: reqwest::Error,
        label: &RequestLabel,
        host: String,
        permit: Option<Permit>,
    ) -> AttemptError {
        if !error.is_connect() && !error.is_builder() {
            let RequestLabel { method, path } = label.clone();
            return AttemptError::outcome_unknown(Error::Network { method, path, cause: cause(error) });
        }
        if let Some(permit) = permit {
            permit.unreached();
        }
        if error.is_connect() {
            let error = Error::Connect { host, cause: cause(error) };
            AttemptError { error, cause: FailureCause::NotConnected, retry_after: None }
        } else {
            AttemptError::permanent(Error::InvalidRequest(cause(error)))
        }
    }

    /// The error for a status that is not a success.
    pub(super) async fn error_status(&self, head: ResponseHead, label: &RequestLabel) -> AttemptError {
        let retry_after = headers::retry_after(head.response.headers());
        let cause = match head.response.status().as_u16() {
            408 | 500 | 502..=504 => FailureCause::OutcomeUnknown,
            _ => FailureCause::Permanent,
        };
        let error = self.read_error(head, label).await;
        AttemptError { error: error.into(), cause, retry_after }
    }

    /// The error for a success whose body is an error list, as sent by gateways.
    pub(super) fn error_list_in(&self, reply: &Reply, label: &RequestLabel) -> Option<AttemptError> {
        let text = std::str::from_utf8(&reply.body).ok().filter(|text| is_error_list(text))?;
        let text = self.0.settings.token.as_ref().map_or_else(|| text.into(), |token| token.redact(text));
        let RequestLabel { method, path } = label.clone();
        let error = ApiError::read(reply.status, method, path, reply.request_id(), &text);
        Some(AttemptError { error: error.into(), cause: FailureCause::Contradictory, retry_after: None })
    }

    /// The error for a 429. It concerns the rate limit unless the server names another reason, or names none
    /// while calls are left.
    async fn too_many_requests(
        &self,
        head: ResponseHead,
        label: &RequestLabel,
        permit: Option<Permit>,
    ) -> AttemptError {
        self.0.refused.fetch_add(1, Relaxed);
        let retry_after = headers::retry_after(head.response.headers());
        let observation = headers::observe(head.response.status(), head.response.headers());
        let error = self.read_error(head, label).await;
        let used_up = observation.rate.map(|rate| rate.remaining == 0);
        let refused = match error.code() {
            Some("rate_limit_exceeded") => true,
            Some(_) => used_up == Some(true),
            None => used_up != Some(false),
        };
        if let Some(permit) = permit {
            permit.answered(Observation { refused, ..observation });
        }
        let cause = if refused { FailureCause::RateLimited } else { FailureCause::Busy };
        AttemptError { error: error.into(), cause, retry_after }
    }

    /// Reads the body of an error. An incomplete body is ignored: the status matters more than the text.
    async fn read_error(&self, head: ResponseHead, label: &RequestLabel) -> ApiError {
        let ResponseHead { mut response, deadline } = head;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = match self.read_body(ResponseHead { response, deadline }).await {
            BodyOutcome::Complete(body) => body,
            BodyOutcome::TooLong | BodyOutcome::ConnectionLost(_) | BodyOutcome::TimedOut => Bytes::new(),
        };
        let reply = Reply::new(status, headers, body);
        let text = String::from_utf8_lossy(&reply.body);
        let text = match &self.0.settings.token {
            Some(token) => token.redact(&text),
            None => text.as_ref().into(),
        };
        let RequestLabel { method, path } = label.clone();
        let merged_into = (status == StatusCode::GONE).then(|| canonical_id(&reply)).flatten();
        ApiError { merged_into, ..ApiError::read(status, method, path, reply.request_id(), &text) }
    }
}

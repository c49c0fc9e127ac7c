//! One request and one answer, and what a bad answer means for the next attempt.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::connection::cause;
use super::{Name, Transport, headers};
use crate::api::error::{ApiError, Error};
use crate::api::limiter::{Observation, Permit};
use crate::api::reply::Reply;
use crate::api::retry::Cause;

/// An attempt that failed, and what to make of it.
pub(super) struct Failure {
    pub error: Error,
    pub cause: Cause,
    /// The wait that the server asked for.
    pub asked: Option<Duration>,
}

/// Reads a body to its end; `None` when it goes on beyond so many bytes.
pub(super) async fn body(mut response: Response, most: usize) -> reqwest::Result<Option<Bytes>> {
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body.freeze()))
}

/// An answer whose headers have arrived, and when its body must have.
pub(super) struct Arrived {
    pub response: Response,
    pub deadline: Instant,
}

impl Failure {
    pub fn unsettled(error: Error) -> Self {
        Failure { error, cause: Cause::Unsettled, asked: None }
    }

    pub fn last(error: Error) -> Self {
        Failure { error, cause: Cause::Final, asked: None }
    }
}

impl Transport {
    /// Sends one request and waits for the headers of its answer, whatever the status; only a 429 is
    /// an error already. Trusted requests are completed and limited, others are stripped.
    pub(super) async fn exchange(
        &self,
        mut request: Request,
        name: &Name,
        trusted: bool,
    ) -> Result<Arrived, Failure> {
        let settings = &self.0.settings;
        let has_body = request.body().is_some();
        match trusted {
            true => headers::complete(request.headers_mut(), settings, has_body),
            false => headers::strip(request.headers_mut()),
        }
        let client = self.0.clients.get(request.url()).map_err(Failure::last)?;
        let host = request.url().origin().ascii_serialization();
        let permit = if trusted { Some(self.0.limiter.acquire().await) } else { None };
        self.0.requests.fetch_add(1, Relaxed);
        let started = Instant::now();
        let deadline = started + settings.timeout;
        let outcome = timeout_at(deadline, client.execute(request)).await;
        let ms = started.elapsed().as_millis() as u64;
        match outcome {
            Ok(Ok(response)) => {
                let status = response.status();
                tracing::debug!(method = %name.method, path = name.path, status = status.as_u16(), ms, "answered");
                let arrived = Arrived { response, deadline };
                if status == StatusCode::TOO_MANY_REQUESTS {
                    return Err(self.too_many(arrived, name, permit).await);
                }
                if let Some(permit) = permit {
                    permit.answered(headers::observe(status, arrived.response.headers()));
                }
                Ok(arrived)
            }
            Ok(Err(error)) => {
                tracing::debug!(method = %name.method, path = name.path, ms, "no answer");
                Err(self.no_answer(error, name, host, permit))
            }
            Err(_) => {
                tracing::debug!(method = %name.method, path = name.path, ms, "timed out");
                Err(self.timed_out(name))
            }
        }
    }

    pub(super) fn timed_out(&self, name: &Name) -> Failure {
        let Name { method, path } = name.clone();
        let error = Error::Timeout { method, path, after: self.0.settings.timeout };
        Failure { error, cause: Cause::TimedOut, asked: None }
    }

    fn no_answer(&self, error: reqwest::Error, name: &Name, host: String, permit: Option<Permit>) -> Failure {
        if error.is_connect() || error.is_builder() {
            if let Some(permit) = permit {
                permit.unreached();
            }
            return match error.is_connect() {
                true => {
                    let error = Error::Connect { host, cause: cause(error) };
                    Failure { error, cause: Cause::Unreached, asked: None }
                }
                false => Failure::last(Error::InvalidRequest(cause(error))),
            };
        }
        let Name { method, path } = name.clone();
        Failure::unsettled(Error::Network { method, path, cause: cause(error) })
    }

    /// An answer that is no success: what it says, and whether to try again.
    pub(super) async fn refusal(&self, arrived: Arrived, name: &Name) -> Failure {
        let asked = headers::retry_after(arrived.response.headers());
        let cause = match arrived.response.status().as_u16() {
            408 | 500 | 502..=504 => Cause::Unsettled,
            _ => Cause::Final,
        };
        let answer = self.read_error(arrived, name).await;
        Failure { error: Error::Api(Box::new(answer)), cause, asked }
    }

    /// A 429 is about the rate unless the server names another reason, or names none while calls are left.
    async fn too_many(&self, arrived: Arrived, name: &Name, permit: Option<Permit>) -> Failure {
        self.0.refused.fetch_add(1, Relaxed);
        let asked = headers::retry_after(arrived.response.headers());
        let seen = headers::observe(arrived.response.status(), arrived.response.headers());
        let answer = self.read_error(arrived, name).await;
        let used_up = seen.rate.map(|rate| rate.remaining == 0);
        let refused = match answer.code() {
            Some("rate_limit_exceeded") => true,
            Some(_) => used_up == Some(true),
            None => used_up != Some(false),
        };
        if let Some(permit) = permit {
            permit.answered(Observation { refused, ..seen });
        }
        let cause = if refused { Cause::RateLimited } else { Cause::Busy };
        Failure { error: Error::Api(Box::new(answer)), cause, asked }
    }

    /// Reads the body of an error as far as it comes: its status counts more than its text.
    async fn read_error(&self, arrived: Arrived, name: &Name) -> ApiError {
        let Arrived { mut response, deadline } = arrived;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = timeout_at(deadline, body(response, self.0.settings.most_bytes)).await;
        let body = body.ok().and_then(Result::ok).flatten().unwrap_or_default();
        let reply = Reply::new(status, headers, body);
        let text = String::from_utf8_lossy(&reply.body);
        let text = match &self.0.settings.token {
            Some(token) => token.redact(&text),
            None => text.as_ref().into(),
        };
        let Name { method, path } = name.clone();
        ApiError::read(status, method, path, reply.request_id(), &text)
    }
}

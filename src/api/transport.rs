//! The HTTP transport. Every request of the crate goes through [`Transport::send`] or
//! [`Transport::download`], which handle authorization, version, rate limit, retries and tracing, and turn
//! every failure into an [`Error`].
//!
//! The token and the user's extra headers must never reach another server than the configured one; for that
//! reason redirects are followed here and not by the HTTP client. Only method, path, status and duration are
//! logged and shown to observers.

mod attempt;
mod call;
mod connection;
mod download;
mod headers;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Request, Response, Url};
use tokio::sync::Semaphore;
use tracing::Instrument;

use self::attempt::{AttemptError, BodyOutcome, ResponseHead};
use self::call::{Call, Observable, RequestLabel};
use self::connection::HttpClients;
pub use self::download::Download;
use super::commands::SPEC_VERSION;
use super::error::{Error, Unexpected};
use super::limiter::Limiter;
pub use super::limiter::RateLimit;
use super::observer::{Attempt, Observer};
use super::reply::Reply;
use super::request_builder::request_at;
pub use super::retry::Idempotency;
use super::retry::{FailureCause, Retries};
use super::secret::Token;

/// The `Intercom-Version` that the operation table was generated from.
pub const DEFAULT_VERSION: &str = SPEC_VERSION;
const MAX_REDIRECTS: usize = 5;
/// How many large responses are read at the same time, to limit memory use.
const MAX_LARGE_RESPONSES: usize = 2;

/// Changes the headers of an attempt before it is sent to the API.
pub type HeaderEditor = Arc<dyn Fn(&Attempt<'_>, &mut HeaderMap) + Send + Sync>;

/// The proxy of a transport.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// The one that the environment names (`HTTPS_PROXY`, `NO_PROXY`), but not for servers on this machine.
    #[default]
    System,
    /// No proxy.
    Direct,
    /// This one, for every request. May contain a user name and a password.
    At(Url),
}

/// The settings of a transport. Most programs use [`ClientBuilder`](super::ClientBuilder) instead.
#[derive(Clone)]
pub struct Settings {
    /// Base URL of the API; may have a path.
    pub base_url: Url,
    /// Sent with every request to the API.
    pub token: Option<Token>,
    /// Sent as `Intercom-Version` with requests that do not set it.
    pub api_version: String,
    /// Timeout of one attempt, from sending to the end of the body. For downloads: from sending to the
    /// headers, and from one chunk to the next. Waiting for the rate limit does not count.
    pub timeout: Duration,
    /// Timeout of all attempts of one call together, including waits.
    pub total: Option<Duration>,
    /// Maximum number of requests per second, evenly spaced. Applies in addition to the server's limit.
    pub rate_limit: Option<f64>,
    /// Whether requests wait for the server's rate limit.
    pub waits_for_rate_limit: bool,
    /// Sent with every request to the API; replaces headers of the same name.
    pub headers: HeaderMap,
    /// Number of retries after the first attempt.
    pub retries: u32,
    /// Delay before the first retry; doubles with every further one.
    pub first_delay: Duration,
    /// Maximum size of one response in memory; a longer one is an error. Downloads are not limited.
    pub max_body_bytes: usize,
    /// If set, refuses every request that may change the workspace. The text says what set it.
    pub read_only: Option<String>,
    /// The proxy to use.
    pub proxy: Proxy,
    /// Appended to the `User-Agent`, for example `my-app/1.0`.
    pub user_agent_suffix: Option<String>,
    /// Called for every attempt and every response.
    pub observers: Vec<Arc<dyn Observer>>,
    /// Applied in this order.
    pub header_editors: Vec<HeaderEditor>,
}

impl Settings {
    /// The default settings for a server.
    pub fn new(base_url: Url, token: Option<Token>) -> Self {
        Settings {
            base_url,
            token,
            api_version: DEFAULT_VERSION.to_owned(),
            timeout: Duration::from_secs(30),
            total: None,
            rate_limit: None,
            waits_for_rate_limit: true,
            headers: HeaderMap::new(),
            retries: 5,
            first_delay: Duration::from_millis(250),
            max_body_bytes: 256 << 20,
            read_only: None,
            proxy: Proxy::System,
            user_agent_suffix: None,
            observers: Vec::new(),
            header_editors: Vec::new(),
        }
    }
}

impl fmt::Debug for Proxy {
    /// Shows neither user name nor password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::System => formatter.write_str("System"),
            Proxy::Direct => formatter.write_str("Direct"),
            Proxy::At(url) => formatter.debug_tuple("At").field(&url.origin().ascii_serialization()).finish(),
        }
    }
}

impl fmt::Debug for Settings {
    /// Shows only the names of extra headers: their values may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("base_url", &self.base_url.as_str())
            .field("token", &self.token)
            .field("api_version", &self.api_version)
            .field("timeout", &self.timeout)
            .field("rate_limit", &self.rate_limit)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("retries", &self.retries)
            .field("read_only", &self.read_only)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// A request as it would be sent, with secrets masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPreview {
    /// The HTTP method in upper case.
    pub method: String,
    /// The whole URL, query included.
    pub url: String,
    /// Names in lower case, values as text.
    pub headers: Vec<(String, String)>,
    /// The body, if the request has one.
    pub body: Option<Bytes>,
}

/// Request counters of a transport and its clones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Requests sent, including retries and redirects.
    pub requests: u64,
    /// Requests that were sent again after a failed attempt.
    pub retries: u64,
    /// Responses with status 429.
    pub refused: u64,
    /// The rate limit that the server reported last; `None` before the first report.
    pub rate: Option<RateLimit>,
}

/// A transport to one server with one token. Clones share connections, limits and counters.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    settings: Settings,
    clients: HttpClients,
    limiter: Arc<Limiter>,
    /// Permits for reading large responses.
    large_responses: Semaphore,
    requests: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Transport").field(&self.0.settings).finish()
    }
}

impl Transport {
    /// Validates the settings. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for an invalid base URL, version, header or rate.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        headers::check(&settings)?;
        let interval = match settings.rate_limit {
            None => None,
            Some(rate) => match Duration::try_from_secs_f64(1.0 / rate) {
                Ok(interval) if rate > 0.0 && interval <= Duration::from_secs(3_600) => Some(interval),
                _ => {
                    return Err(Error::InvalidRequest(format!(
                        "invalid rate limit {rate}: expected requests per second, at least one per hour"
                    )));
                }
            },
        };
        let clients = HttpClients::new(&settings);
        Ok(Transport(Arc::new(Inner {
            settings,
            clients,
            limiter: Limiter::new(interval),
            large_responses: Semaphore::new(MAX_LARGE_RESPONSES),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })))
    }

    /// The `Intercom-Version` of requests that do not set it.
    pub fn api_version(&self) -> &str {
        &self.0.settings.api_version
    }

    pub(super) fn base_url(&self) -> &Url {
        &self.0.settings.base_url
    }

    /// A request below the base URL. `path` starts with `/` and is already percent-encoded.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the path would not be part of the URL unchanged.
    pub fn request(&self, method: Method, path: &str, query: &[(String, String)]) -> Result<Request, Error> {
        request_at(self.base_url(), method, path, query)
    }

    /// Sends a request, retries it if that is safe and may help, and reads the whole response. A request with an empty
    /// `Intercom-Version` is sent without that header.
    ///
    /// # Errors
    /// The error of the last attempt. Any status that is not a success is [`Error::Api`] or one of the variants for a
    /// particular status. A change that may have been made is [`Error::OutcomeUnknown`].
    pub async fn send(&self, request: Request, idempotency: Idempotency) -> Result<Reply, Error> {
        let call = Call::new(&request, &self.0.settings);
        let reply = self.with_retries(&call, idempotency, || self.attempt(&request, &call)).await;
        call.finished(&self.0.settings, reply.as_ref(), self.0.limiter.rate());
        reply
    }

    /// Like [`Transport::send`] up to the headers; the body is streamed. A request without an `Accept` header
    /// accepts any type.
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn download(&self, mut request: Request, idempotency: Idempotency) -> Result<Download, Error> {
        headers::accept_anything(&mut request);
        let call = Call::new(&request, &self.0.settings);
        let head = self.with_retries(&call, idempotency, || self.open(&request, &call)).await;
        call.finished(&self.0.settings, head.as_ref(), self.0.limiter.rate());
        Ok(Download::new(head?.response, call.label, self.0.settings.timeout))
    }

    /// Makes attempts until one succeeds or another one would not help, within the total timeout if there is one.
    async fn with_retries<T, A>(
        &self,
        call: &Call,
        idempotency: Idempotency,
        attempt: impl Fn() -> A,
    ) -> Result<T, Error>
    where
        T: Observable,
        A: Future<Output = Result<T, AttemptError>>,
    {
        let settings = &self.0.settings;
        let attempts = async {
            let mut retries = Retries::new(idempotency, settings.retries, settings.first_delay);
            loop {
                let span = call.begin();
                let failed = match attempt().instrument(span.clone()).await {
                    Ok(response) => {
                        span.record("status", response.facts().status);
                        call.responded(settings, Ok(&response), self.0.limiter.rate());
                        return Ok(response);
                    }
                    Err(failed) => failed,
                };
                if let Some(status) = failed.error.status() {
                    span.record("status", status);
                }
                self.retry(&mut retries, failed, call).await?;
            }
        };
        let result = match settings.total {
            None => attempts.await,
            Some(total) => tokio::time::timeout(total, attempts).await.unwrap_or_else(|_| {
                let RequestLabel { method, path } = call.label.clone();
                Err(Error::Timeout { method, path, after: total })
            }),
        };
        result.map_err(|error| match &call.label {
            RequestLabel { method, path } if call.is_change => error.of_change(method, path),
            _ => error,
        })
    }

    /// The request that [`Transport::send`] would send. Sends nothing.
    pub fn preview(&self, request: &Request) -> RequestPreview {
        let mut headers = request.headers().clone();
        if self.is_api(request.url()) {
            headers::complete(&mut headers, &self.0.settings, request.body().is_some());
        } else {
            headers::strip(&mut headers);
        }
        RequestPreview {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: headers::masked(&headers, &self.0.settings),
            body: request.body().and_then(|body| body.as_bytes()).map(Bytes::copy_from_slice),
        }
    }

    /// Announces a burst of this many calls with a pause after it. If the server's window has ample room for
    /// them, they are sent without pacing. The user's own rate limit still applies.
    pub fn expect(&self, calls: usize) {
        self.0.limiter.expect(calls as u64);
    }

    /// The requests that were sent so far, by this transport and its clones.
    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.0.requests.load(Relaxed),
            retries: self.0.retries.load(Relaxed),
            refused: self.0.refused.load(Relaxed),
            rate: self.0.limiter.rate(),
        }
    }

    /// Waits for the next attempt, or returns the error if the call is not retried.
    async fn retry(&self, retries: &mut Retries, failed: AttemptError, call: &Call) -> Result<(), Error> {
        let AttemptError { error, cause, retry_after } = failed;
        let delay = retries.next(cause, retry_after);
        call.responded(&self.0.settings, Err::<&Reply, _>((&error, delay)), self.0.limiter.rate());
        let Some(delay) = delay else {
            return Err(match (cause, error) {
                (FailureCause::RateLimited, Error::Api { error, .. }) => {
                    Error::RateLimited { attempts: retries.attempts(), retry_after, error }
                }
                (_, error) => error,
            });
        };
        tracing::debug!(%error, wait_ms = delay.as_millis() as u64, "retrying");
        if cause == FailureCause::RateLimited && (retry_after.is_some() || self.0.limiter.rate().is_none()) {
            self.0.limiter.hold(delay);
        }
        self.0.retries.fetch_add(1, Relaxed);
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// One attempt, up to the end of the body.
    async fn attempt(&self, request: &Request, call: &Call) -> Result<Reply, AttemptError> {
        let label = &call.label;
        let ResponseHead { mut response, deadline } = self.open(request, call).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let without_body = Reply { status, headers: headers.clone(), ..Reply::empty() };
        let reply = match self.read_body(ResponseHead { response, deadline }).await {
            BodyOutcome::Complete(body) => Reply::new(status, headers, body),
            BodyOutcome::TooLong => {
                return Err(AttemptError::permanent(without_body.unexpected(Unexpected::TooLong, None)));
            }
            BodyOutcome::ConnectionLost(error) => {
                let cause = Some(connection::cause(error));
                let error = without_body.unexpected(Unexpected::Truncated, cause);
                return Err(AttemptError::outcome_unknown(error));
            }
            BodyOutcome::TimedOut => return Err(self.timed_out(label)),
        };
        reply.check_content_type().map_err(AttemptError::outcome_unknown)?;
        match self.error_list_in(&reply, label) {
            Some(error) => Err(error),
            None => Ok(reply),
        }
    }

    /// One attempt, up to the headers of a success. Follows redirects of a GET.
    async fn open(&self, request: &Request, call: &Call) -> Result<ResponseHead, AttemptError> {
        let label = &call.label;
        let Some(mut next) = request.try_clone() else {
            let error = Error::InvalidRequest("a streamed request body cannot be retried: pass bytes".into());
            return Err(AttemptError::permanent(error));
        };
        let mut trusted = self.is_api(next.url());
        for _ in 0..=MAX_REDIRECTS {
            let url = next.url().clone();
            let head = self.exchange(next, call, trusted).await?;
            let Some(target) = redirect_target(label, &url, &head.response) else {
                return if head.response.status().is_success() {
                    Ok(head)
                } else {
                    Err(self.error_status(head, label).await)
                };
            };
            // Once redirected to another host, never send the token again.
            trusted &= self.is_api(&target);
            next = Request::new(Method::GET, target);
            *next.headers_mut() = request.headers().clone();
        }
        Err(AttemptError::permanent(Error::TooManyRedirects { path: label.path.clone() }))
    }

    fn is_api(&self, url: &Url) -> bool {
        url.origin() == self.0.settings.base_url.origin()
    }
}

/// Where a response redirects a GET to.
fn redirect_target(label: &RequestLabel, url: &Url, response: &Response) -> Option<Url> {
    let is_redirect =
        matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) && label.method == Method::GET;
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    let target = url.join(location.to_str().ok()?).ok()?;
    matches!(target.scheme(), "http" | "https").then_some(target)
}

/// The wait that a response requests, as seconds or as a date.
#[cfg(feature = "cli")]
pub fn retry_after(headers: &HeaderMap) -> Option<std::time::Duration> {
    headers::retry_after(headers)
}

/// A plain HTTP client for a server other than the API: without token, rate limit and retries.
///
/// # Errors
/// [`Error::Setup`], as for any client.
pub fn foreign_client(url: &Url) -> Result<reqwest::Client, Error> {
    HttpClients::new(&Settings::new(url.clone(), None)).get(url).cloned()
}

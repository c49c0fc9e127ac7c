//! The one way out: every request of the crate passes through [`Transport::send`] or
//! [`Transport::download`], which add what all requests share (authorisation, version, limits, retries,
//! tracing) and turn every kind of failure into an [`Error`].
//!
//! The token and the user's own headers go to the configured server and to nobody else: redirects are
//! followed by hand for that. Nothing here is logged but method, path, status and duration.

mod connection;
mod download;
mod exchange;
mod headers;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Request, Response, Url};
use tokio::time::timeout_at;

use self::connection::Clients;
pub use self::download::Download;
use self::exchange::{Arrived, Failure};
use super::commands::SPEC_VERSION;
use super::error::{Error, Unexpected};
use super::limiter::Limiter;
pub use super::limiter::RateLimit;
use super::reply::Reply;
pub use super::retry::Repeat;
use super::retry::{Cause, Retries};
use super::secret::Token;

/// The `Intercom-Version` that the operation table was made from.
pub const DEFAULT_VERSION: &str = SPEC_VERSION;
const MOST_REDIRECTS: usize = 5;

/// What a transport is built from.
#[derive(Clone)]
pub struct Settings {
    /// Address of the API; may have a path of its own.
    pub base_url: Url,
    pub token: Option<Token>,
    /// Sent as `Intercom-Version` with requests that carry none.
    pub api_version: String,
    /// For one attempt, from leaving to the end of the body; for downloads, to the headers and from
    /// one piece of the body to the next. Waiting for the rate limit does not count.
    pub timeout: Duration,
    /// Most requests per second, below what the server allows; evenly spaced.
    pub rate_limit: Option<f64>,
    /// Sent with every request to the API, in place of headers of the same name.
    pub headers: HeaderMap,
    /// Further attempts after the first.
    pub retries: u32,
    /// The wait before the second attempt; doubles with every further one.
    pub first_delay: Duration,
    /// Bytes of one answer that are read into memory at most; a longer one is an error. Downloads have no
    /// such limit.
    pub most_bytes: usize,
}

impl Settings {
    pub fn new(base_url: Url, token: Option<Token>) -> Self {
        Settings {
            base_url,
            token,
            api_version: DEFAULT_VERSION.to_owned(),
            timeout: Duration::from_secs(30),
            rate_limit: None,
            headers: HeaderMap::new(),
            retries: 5,
            first_delay: Duration::from_millis(250),
            most_bytes: 256 << 20,
        }
    }
}

impl fmt::Debug for Settings {
    /// Values of extra headers may be secrets: only their names are shown.
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
            .finish_non_exhaustive()
    }
}

/// A request as it would leave, fit to be shown: secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPreview {
    pub method: String,
    pub url: String,
    /// Names in lower case, values as text.
    pub headers: Vec<(String, String)>,
    pub body: Option<Bytes>,
}

/// What a transport and its clones have done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Requests sent, with retries and redirects.
    pub requests: u64,
    pub retries: u64,
    /// Answers with status 429.
    pub refused: u64,
    /// The server's latest account; `None` until one was given.
    pub rate: Option<RateLimit>,
}

/// A connection to one server with one token. Clones share connections, limits and counts.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    settings: Settings,
    clients: Clients,
    limiter: Arc<Limiter>,
    requests: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Transport").field(&self.0.settings).finish()
    }
}

/// A request's name in messages and traces.
#[derive(Clone)]
struct Name {
    method: Method,
    path: String,
}

impl Transport {
    /// Checks the settings; connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a base URL, version, header or rate that cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        headers::check(&settings)?;
        let interval = match settings.rate_limit {
            None => None,
            Some(rate) => match Duration::try_from_secs_f64(1.0 / rate) {
                Ok(interval) if rate > 0.0 && interval <= Duration::from_secs(3_600) => Some(interval),
                _ => {
                    return Err(Error::InvalidRequest(format!(
                        "{rate} requests per second is no rate limit"
                    )));
                }
            },
        };
        let clients = Clients::new(&settings);
        let count = || AtomicU64::new(0);
        let limiter = Limiter::new(interval);
        let (requests, retries, refused) = (count(), count(), count());
        Ok(Transport(Arc::new(Inner { settings, clients, limiter, requests, retries, refused })))
    }

    /// The `Intercom-Version` of requests that carry none.
    pub fn api_version(&self) -> &str {
        &self.0.settings.api_version
    }

    /// A request below the base URL. `path` begins with `/` and is percent-encoded already.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the path could not stand in a URL as it is.
    pub fn request(&self, method: Method, path: &str, query: &[(String, String)]) -> Result<Request, Error> {
        let mut url = self.0.settings.base_url.clone();
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        // Dots would lead out of the base path, other characters into another part of the URL.
        if !path.starts_with('/') || url.path() != whole {
            return Err(Error::InvalidRequest(format!("{path:?} is no path of the API")));
        }
        url.set_query(None);
        url.set_fragment(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Request::new(method, url))
    }

    /// Sends a request, again if that is safe and may help, and reads the whole answer.
    ///
    /// # Errors
    /// Whatever remains after the last attempt; any status that is no success is [`Error::Api`] or
    /// [`Error::RateLimited`].
    pub async fn send(&self, request: Request, repeat: Repeat) -> Result<Reply, Error> {
        let mut retries = self.retries(repeat);
        loop {
            match self.attempt(&request).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => self.pause(&mut retries, failure).await?,
            }
        }
    }

    /// Like [`Transport::send`] up to the headers; the body is read as it arrives. A request without
    /// an `Accept` header takes any type.
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn download(&self, mut request: Request, repeat: Repeat) -> Result<Download, Error> {
        headers::accept_anything(&mut request);
        let mut retries = self.retries(repeat);
        loop {
            match self.open(&request).await {
                Ok(arrived) => {
                    let name = Name::of(&request);
                    return Ok(Download::new(arrived.response, name, self.0.settings.timeout));
                }
                Err(failure) => self.pause(&mut retries, failure).await?,
            }
        }
    }

    /// What [`Transport::send`] would send. Sends nothing.
    pub fn preview(&self, request: &Request) -> RequestPreview {
        let mut headers = request.headers().clone();
        match self.is_api(request.url()) {
            true => headers::complete(&mut headers, &self.0.settings, request.body().is_some()),
            false => headers::strip(&mut headers),
        }
        RequestPreview {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: headers::shown(&headers, self.0.settings.token.as_ref()),
            body: request.body().and_then(|body| body.as_bytes()).map(Bytes::copy_from_slice),
        }
    }

    /// Announces that so many calls are coming and then no more for a while. Where the server's window has
    /// plenty of room for them they leave without being spread over it; a cap of the user's own holds.
    pub fn expect(&self, calls: usize) {
        self.0.limiter.expect(calls as u64);
    }

    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.0.requests.load(Relaxed),
            retries: self.0.retries.load(Relaxed),
            refused: self.0.refused.load(Relaxed),
            rate: self.0.limiter.rate(),
        }
    }

    fn retries(&self, repeat: Repeat) -> Retries {
        Retries::new(repeat, self.0.settings.retries, self.0.settings.first_delay)
    }

    /// Waits before the next attempt, or gives the error back when there is none.
    async fn pause(&self, retries: &mut Retries, failure: Failure) -> Result<(), Error> {
        let Failure { error, cause, asked } = failure;
        let Some(delay) = retries.next(cause, asked) else {
            return Err(match (cause, error) {
                (Cause::RateLimited, Error::Api(answer)) => {
                    Error::RateLimited { attempts: retries.attempts(), retry_after: asked, answer }
                }
                (_, error) => error,
            });
        };
        tracing::debug!(%error, wait_ms = delay.as_millis() as u64, "trying again");
        if cause == Cause::RateLimited && (asked.is_some() || self.0.limiter.rate().is_none()) {
            self.0.limiter.hold(delay);
        }
        self.0.retries.fetch_add(1, Relaxed);
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn attempt(&self, request: &Request) -> Result<Reply, Failure> {
        let Arrived { mut response, deadline } = self.open(request).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let reply = match timeout_at(deadline, exchange::body(response, self.0.settings.most_bytes)).await {
            Ok(Ok(Some(body))) => Reply::new(status, headers, body),
            Ok(Ok(None)) => {
                let broken = Reply { status, headers, ..Reply::empty() };
                return Err(Failure::last(broken.unexpected(Unexpected::TooLong, None)));
            }
            Ok(Err(error)) => {
                let broken = Reply { status, headers, ..Reply::empty() };
                return Err(Failure::unsettled(
                    broken.unexpected(Unexpected::Truncated, Some(connection::cause(error))),
                ));
            }
            Err(_) => return Err(self.timed_out(&Name::of(request))),
        };
        reply.keeps_its_promise().map_err(Failure::unsettled)?;
        Ok(reply)
    }

    /// One attempt up to the headers of a success, redirects of a GET followed.
    async fn open(&self, request: &Request) -> Result<Arrived, Failure> {
        let name = Name::of(request);
        let Some(mut next) = request.try_clone() else {
            return Err(Failure::last(Error::InvalidRequest(
                "the body of a request must be in memory".into(),
            )));
        };
        let mut trusted = self.is_api(next.url());
        for _ in 0..=MOST_REDIRECTS {
            let url = next.url().clone();
            let arrived = self.exchange(next, &name, trusted).await?;
            let Some(target) = redirect(&name, &url, &arrived.response) else {
                return match arrived.response.status().is_success() {
                    true => Ok(arrived),
                    false => Err(self.refusal(arrived, &name).await),
                };
            };
            // A way that has led elsewhere must not come back with the token.
            trusted &= self.is_api(&target);
            next = Request::new(Method::GET, target);
            *next.headers_mut() = request.headers().clone();
        }
        Err(Failure::last(Error::TooManyRedirects { path: name.path }))
    }

    fn is_api(&self, url: &Url) -> bool {
        url.origin() == self.0.settings.base_url.origin()
    }
}

/// Where an answer sends a GET on to.
fn redirect(name: &Name, url: &Url, response: &Response) -> Option<Url> {
    let moved =
        matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) && name.method == Method::GET;
    let location = response.headers().get(LOCATION).filter(|_| moved)?;
    let target = url.join(location.to_str().ok()?).ok()?;
    matches!(target.scheme(), "http" | "https").then_some(target)
}

impl Name {
    fn of(request: &Request) -> Self {
        Name { method: request.method().clone(), path: request.url().path().to_owned() }
    }
}

/// A bare HTTP client for an address that is not the API's: no token, no limits, no retries.
///
/// # Errors
/// [`Error::Setup`] as for any client.
pub fn foreign_client(url: &Url) -> Result<reqwest::Client, Error> {
    Clients::new(&Settings::new(url.clone(), None)).get(url).cloned()
}

//! The HTTP side: decides about a request, and answers 200 once its notification is stored.
//!
//! The signature is checked before the body is looked at. Nothing a sender does may stop the receiver, and nobody may
//! make it hold more than a fixed number of bodies in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::ClientSecret;
use super::error::Error;
use super::patterns::TopicPatterns;
use super::queue::{Incoming, Queue};
use super::report::{Report, Reporter};
use crate::webhooks::{Notification, NotificationError, SIGNATURE_HEADER};

/// The path that load balancers ask.
pub const HEALTH_PATH: &str = "/healthz";

/// Maximum size of a body in bytes.
const MAX_BODY: usize = 4 << 20;

/// Bodies that are read at the same time; others wait.
const MAX_READING: usize = 128;

/// How long a body may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long open requests may take after the receiver was asked to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// What a receiver works with.
pub struct ReceiverOptions {
    /// The path of notifications.
    pub path: String,
    pub client_secret: ClientSecret,
    pub topics: TopicPatterns,
    pub queue: Queue,
    pub reporter: Arc<Reporter>,
}

/// A bound address that does not accept connections yet.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    options: ReceiverOptions,
    reading: Semaphore,
}

impl Receiver {
    /// Binds the address; port 0 means any free port.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub async fn bind(address: SocketAddr, options: ReceiverOptions) -> Result<Self, Error> {
        let failed = |source| Error::Address { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared { options, reading: Semaphore::new(MAX_READING) });
        Ok(Receiver { listener, address, shared })
    }

    /// The address, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Receives until `stop`. Requests that were accepted before are answered.
    ///
    /// # Errors
    /// [`Error::Server`].
    pub async fn serve(self, stop: CancellationToken) -> Result<(), Error> {
        let router = Router::new().fallback(handle).with_state(self.shared);
        let server =
            axum::serve(self.listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(STOP_TIMEOUT).await;
        };
        tokio::select! {
            result = server.into_future() => result.map_err(Error::Server),
            () = late => Ok(()),
        }
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let path = request.uri().path();
    let is_hook = path == shared.options.path;
    if !is_hook && path != HEALTH_PATH {
        return text(StatusCode::NOT_FOUND, "not found");
    }
    match *request.method() {
        Method::GET | Method::HEAD => text(StatusCode::OK, "ok"),
        Method::POST if is_hook => receive(&shared, request).await,
        _ => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
            let allowed = if is_hook { "GET, HEAD, POST" } else { "GET, HEAD" };
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            response
        }
    }
}

/// Why a body was not read.
enum Unread {
    TooLong,
    TooSlow,
    Broken,
}

async fn receive(shared: &Shared, request: Request) -> Response<Body> {
    let ReceiverOptions { client_secret, topics, queue, reporter, .. } = &shared.options;
    let (head, body) = request.into_parts();
    let read = async {
        let permit = shared.reading.acquire().await.map_err(|_| Unread::Broken)?;
        Ok((read(&head.headers, body).await?, permit))
    };
    let read = tokio::time::timeout(READ_TIMEOUT, read).await.unwrap_or(Err(Unread::TooSlow));
    let (body, _permit) = match read {
        Ok(read) => read,
        Err(Unread::TooLong) => {
            reporter.report(&Report::Refused(format!("the body is larger than {MAX_BODY} bytes")));
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        Err(Unread::TooSlow) => return text(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
        Err(Unread::Broken) => return text(StatusCode::BAD_REQUEST, "the body is incomplete"),
    };
    let field = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let signature = field(SIGNATURE_HEADER).unwrap_or_default();
    let notification = match Notification::receive(client_secret.expose(), &body, signature) {
        Ok(notification) => notification,
        Err(error) => {
            let status = match error {
                NotificationError::Signature(_) => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            reporter.report(&Report::Refused(error.to_string()));
            return text(status, &error.to_string());
        }
    };
    if !topics.wants(&notification.topic) {
        return text(StatusCode::OK, "ok");
    }
    let stored = queue
        .store(Incoming {
            id: notification.id,
            signature: signature.to_owned(),
            content_type: field(header::CONTENT_TYPE.as_str()).map(str::to_owned),
            body,
        })
        .await;
    match stored {
        // A repeated one is answered like the first one.
        Ok(_) => text(StatusCode::OK, "ok"),
        Err(error) => {
            reporter.report(&Report::NotStored(error.to_string()));
            text(StatusCode::SERVICE_UNAVAILABLE, "try again later")
        }
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Unread> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > MAX_BODY) {
        return Err(Unread::TooLong);
    }
    let (mut content, mut chunks) = (Vec::new(), body.into_data_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        if content.len() + chunk.len() > MAX_BODY {
            return Err(Unread::TooLong);
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

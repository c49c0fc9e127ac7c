//! The HTTP side: one thread with its own runtime, so that a blocking caller never starves it.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use futures::StreamExt;
use serde_json::Value;
use tokio::sync::oneshot;

use super::answer::{Answer, Problem};
use super::gate::{Allowance, RateLimit, authorize, check_version};
use super::handlers;
use super::random::Random;
use super::request::Request;
use super::router::route;
use super::validate::{check_body, check_query};
use super::workspace::Workspace;
use super::{Error, Fault, Options, Served};
use crate::api::commands::SPEC_VERSION;

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// How many calls the log remembers.
const LONGEST_LOG: usize = 200_000;

/// Called before a request is handled; says what goes wrong with it.
pub type Interception = Box<dyn FnMut(&mut Workspace, &Served) -> Option<Fault> + Send>;

/// What the server and its owner share.
pub struct Shared {
    pub workspace: Mutex<Workspace>,
    pub log: Mutex<Vec<Served>>,
    pub interception: Mutex<Option<Interception>>,
    limit: Mutex<RateLimit>,
    request_ids: Mutex<Random>,
    options: Options,
    base_url: String,
}

/// Locks, whatever happened to an earlier holder: a failed assertion in a test must not hide behind
/// a poisoned lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server.
pub struct Server {
    pub shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Binds the port of `options` on this machine only, and serves `workspace`.
    pub fn start(options: Options, workspace: Workspace) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|source| Error::Bind { port: options.port, source })?;
        let address = listener.local_addr().map_err(Error::Serve)?;
        let shared = Arc::new(Shared {
            workspace: Mutex::new(workspace),
            log: Mutex::default(),
            interception: Mutex::default(),
            limit: Mutex::new(RateLimit::new(options.rate_limit)),
            request_ids: Mutex::new(Random::new(!options.seed)),
            options,
            base_url: format!("http://{address}"),
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Serve)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || runtime.block_on(run(listener, router, stopped)))
            .map_err(Error::Serve)?;
        Ok(Server { shared, stop: Some(stop), thread: Some(thread) })
    }

    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has nothing to report: a failure to serve ends the connections, no more.
            let _ = thread.join();
        }
    }
}

/// Serves until `stopped` resolves, then drops all connections with the runtime.
async fn run(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    tokio::select! {
        _ = axum::serve(listener, router) => {}
        _ = stopped => {}
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    if !shared.options.latency.is_zero() {
        tokio::time::sleep(shared.options.latency).await;
    }
    let body = to_bytes(body, LARGEST_BODY).await;
    let mut served = Served {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        operation: None,
        status: 0,
    };
    let mut fault = None;
    let (allowance, outcome) = shared.handle(&mut served, &head.headers, &head.uri, body, &mut fault);
    shared.respond(served, allowance, outcome, fault)
}

impl Shared {
    fn handle(
        &self,
        served: &mut Served,
        headers: &HeaderMap,
        uri: &Uri,
        body: Result<Bytes, axum::Error>,
        fault: &mut Option<Fault>,
    ) -> (Option<Allowance>, Result<Answer, Problem>) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Err(problem) = authorize(header("authorization"), self.options.token()) {
            return (None, Err(problem));
        }
        let (allowance, admitted) = lock(&self.limit).admit();
        let outcome = admitted
            .and_then(|()| body.map_err(|_| Problem::new(413, "request_too_large", "The body is too large")))
            .and_then(|body| self.operate(served, header("intercom-version"), uri, &body, fault));
        (Some(allowance), outcome)
    }

    fn operate(
        &self,
        served: &mut Served,
        version: Option<&str>,
        uri: &Uri,
        body: &[u8],
        fault: &mut Option<Fault>,
    ) -> Result<Answer, Problem> {
        let (operation, path) = route(&served.method, &served.path)
            .ok_or_else(|| Problem::not_found("The requested path does not exist"))?;
        served.operation = Some(operation.id);
        let mut workspace = lock(&self.workspace);
        if let Some(intercept) = lock(&self.interception).as_mut() {
            *fault = intercept(&mut workspace, served);
        }
        if let Some(Fault::Status(status)) = *fault {
            return Err(Problem::new(status, "server_error", "The sandbox was told to fail here"));
        }
        check_version(version, SPEC_VERSION, operation)?;
        let query = pairs(uri);
        check_query(operation, &query)?;
        let body = check_body(operation, body)?;
        let handler = handlers::find(operation.id).ok_or_else(|| {
            Problem::new(501, "not_implemented", format!("The sandbox does not model {}", operation.id))
        })?;
        workspace.wake();
        let request = Request {
            operation,
            path,
            query,
            body,
            called: served.path.clone(),
            base_url: self.base_url.clone(),
        };
        handler(&mut workspace, &request)
    }

    fn respond(
        &self,
        mut served: Served,
        allowance: Option<Allowance>,
        outcome: Result<Answer, Problem>,
        fault: Option<Fault>,
    ) -> Response<Body> {
        let request_id = lock(&self.request_ids).uuid();
        let (status, document): (u16, Option<Value>) = match outcome {
            Ok(answer) => (answer.status, answer.body),
            Err(problem) => (problem.status, Some(problem.document(&request_id))),
        };
        served.status = status;
        let mut log = lock(&self.log);
        if log.len() < LONGEST_LOG {
            log.push(served);
        }
        drop(log);

        let text = document.map(|document| document.to_string()).unwrap_or_default();
        let is_empty = text.is_empty();
        let mut response = Response::new(match fault {
            None | Some(Fault::Status(_)) => Body::from(text),
            Some(Fault::Blank) => Body::empty(),
            Some(Fault::Drop) => broken(""),
            Some(Fault::Truncate) => broken(text.get(..text.len() / 2).unwrap_or_default()),
        });
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if !is_empty {
            let kind = HeaderValue::from_static("application/json; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, kind);
        }
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert("x-request-id", id);
        }
        let (now, ahead) = self.time();
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now)) {
            headers.insert(header::DATE, date);
        }
        if let Some(allowance) = allowance {
            headers.insert("x-ratelimit-limit", allowance.limit.into());
            headers.insert("x-ratelimit-remaining", allowance.remaining.into());
            headers.insert("x-ratelimit-reset", allowance.reset.saturating_add_signed(ahead).into());
        }
        response
    }

    /// The workspace's time, and how many seconds it is ahead of the machine's: the rate limit goes by
    /// the latter, but a server has only one clock to show.
    fn time(&self) -> (SystemTime, i64) {
        let now = lock(&self.workspace).now();
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        (UNIX_EPOCH + Duration::from_secs(now.max(0).unsigned_abs()), now - machine)
    }
}

/// A body that breaks off behind `text`: late enough for the text, if there is any, to have left.
fn broken(text: &str) -> Body {
    let text = (!text.is_empty()).then(|| text.to_owned());
    let wait = if text.is_some() { Duration::from_millis(5) } else { Duration::ZERO };
    let cut = async move {
        tokio::time::sleep(wait).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
    };
    let text = futures::stream::iter(text).map(Ok);
    Body::from_stream(text.chain(futures::stream::once(cut)))
}

/// The query's names and values, decoded.
fn pairs(uri: &Uri) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

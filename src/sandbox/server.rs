//! The HTTP server. Runs on its own thread and runtime, so that a caller that blocks its thread cannot starve it.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::admission::{RateLimitStatus, RateWindow, authorize, check_availability, requested_version};
use super::notifications::{Recording, Sender, Worker};
use super::options::{Error, Options};
use super::quirk::{Quirk, Refusal};
use super::random::Random;
use super::request::ApiRequest;
use super::response::{ErrorResponse, HandlerResult};
use super::router::route;
use super::validate::{check_body, check_query};
use super::workspace::Workspace;
use super::{control, document_quirks, handlers, page_quirks, version_shapes};
use crate::api::ApiVersion;
use crate::api::operation::Effect;

/// Maximum size of a request body in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Maximum length of the request log; further requests are not logged.
const MAX_LOGGED_REQUESTS: usize = 200_000;

/// A request that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// For example `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The raw query string; may be empty.
    pub query: String,
    /// Id of the operation, if the method and path match one.
    pub operation: Option<&'static str>,
    /// Status of the response. 0 before the request is handled.
    pub status: u16,
}

/// A fault to inject into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Respond with this status, without handling the request.
    Status(u16),
    /// Handle the request, then close the connection without a response.
    Drop,
    /// Handle the request, then cut the response body off in the middle.
    Truncate,
    /// Handle the request, then send an empty response body.
    Blank,
}

/// What a request leads to beside its result.
#[derive(Debug, Default)]
struct RequestEffects {
    rate_limit: Option<RateLimitStatus>,
    /// The version that answers; `None` if the request was refused before it was known.
    version: Option<ApiVersion>,
    fault: Option<Fault>,
}

/// Called before a request is handled; returns the fault to inject.
pub type RequestHook = Box<dyn FnMut(&mut Workspace, &LoggedRequest) -> Option<Fault> + Send>;

/// State shared by the server thread and the owner of the [`SandboxServer`].
pub struct ServerState {
    pub workspace: Mutex<Workspace>,
    pub log: Mutex<Vec<LoggedRequest>>,
    pub request_hook: Mutex<Option<RequestHook>>,
    limit: Mutex<RateWindow>,
    request_ids: Mutex<Random>,
    pub options: Options,
    /// `None` without webhooks.
    pub webhooks: Option<Sender>,
    base_url: String,
}

/// Locks even a poisoned mutex: the failed assertion that poisoned it must not be hidden by a second panic.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server.
pub struct SandboxServer {
    pub state: Arc<ServerState>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SandboxServer {
    /// Serves `workspace` on localhost, on the port given in `options`.
    pub fn start(options: Options, workspace: Workspace) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|source| Error::Bind { port: options.port, source })?;
        let address = listener.local_addr().map_err(Error::Serve)?;
        let webhooks =
            options.webhooks.as_ref().map(|webhooks| Sender::new(webhooks, &options, &workspace.id));
        let (webhooks, worker) = webhooks.transpose().map_err(Error::Webhooks)?.unzip();
        if let Some(sender) = &webhooks {
            sender.ping(workspace.now());
        }
        let state = Arc::new(ServerState {
            workspace: Mutex::new(workspace),
            webhooks,
            log: Mutex::default(),
            request_hook: Mutex::default(),
            limit: Mutex::new(RateWindow::new(options.rate_limit)),
            request_ids: Mutex::new(Random::new(!options.seed)),
            options,
            base_url: format!("http://{address}"),
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Serve)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&state));
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || runtime.block_on(run(listener, router, worker, stopped)))
            .map_err(Error::Serve)?;
        Ok(SandboxServer { state, stop: Some(stop), thread: Some(thread) })
    }

    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    pub fn token(&self) -> &str {
        self.state.options.token()
    }
}

impl Drop for SandboxServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Nothing to report: a server error only closes the connections.
            let _ = thread.join();
        }
    }
}

/// Serves until `stopped` resolves. Dropping the runtime then closes all connections.
async fn run(listener: TcpListener, router: Router, worker: Option<Worker>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    if let Some(worker) = worker {
        tokio::spawn(worker.run());
    }
    tokio::select! {
        _ = axum::serve(listener, router) => {}
        _ = stopped => {}
    }
}

async fn serve(State(state): State<Arc<ServerState>>, request: axum::extract::Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    if !state.options.latency.is_zero() {
        tokio::time::sleep(state.options.latency).await;
    }
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    if let Some(response) = control::respond(&state, &head, &body).await {
        return response;
    }
    let mut logged = LoggedRequest {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        operation: None,
        status: 0,
    };
    let mut effects = RequestEffects::default();
    let result = state.handle(&mut logged, &head.headers, &head.uri, body, &mut effects);
    state.respond(logged, result, effects)
}

impl ServerState {
    fn handle(
        &self,
        logged: &mut LoggedRequest,
        headers: &HeaderMap,
        uri: &Uri,
        body: Result<Bytes, axum::Error>,
        effects: &mut RequestEffects,
    ) -> HandlerResult {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        authorize(header("authorization"), self.options.token())?;
        let (rate_limit, admitted) = lock(&self.limit).admit();
        effects.rate_limit = Some(rate_limit);
        admitted?;
        let body = body.map_err(|_| ErrorResponse::new(413, "request_too_large", "The body is too large"))?;
        self.dispatch(logged, header("intercom-version"), uri, &body, effects)
    }

    fn dispatch(
        &self,
        logged: &mut LoggedRequest,
        version: Option<&str>,
        uri: &Uri,
        body: &[u8],
        effects: &mut RequestEffects,
    ) -> HandlerResult {
        let version = requested_version(version, &self.options.api_version);
        let routed = version.as_ref().unwrap_or(&self.options.api_version);
        let (operation, path) = route(routed, &logged.method, &logged.path)
            .ok_or_else(|| ErrorResponse::not_found("The requested path does not exist"))?;
        logged.operation = Some(operation.id);
        let mut workspace = lock(&self.workspace);
        if let Some(hook) = lock(&self.request_hook).as_mut() {
            effects.fault = hook(&mut workspace, logged);
        }
        if let Some(Fault::Status(status)) = effects.fault {
            return Err(ErrorResponse::new(status, "server_error", "Fault injected by the sandbox"));
        }
        let version = version?;
        effects.version = Some(version.clone());
        check_availability(&version, operation)?;
        let query = parse_query(uri);
        check_query(operation, &query)?;
        let body = check_body(&version, operation, body)?;
        let is_ignored = operation.effect != Effect::Read
            && workspace
                .quirks
                .iter()
                .any(|quirk| matches!(quirk, Quirk::IgnoredWrites(pattern) if pattern.matches(&logged.path)));
        if is_ignored {
            let mut response =
                respond_unchanged(&mut workspace, &self.base_url, &version, &logged.path, &body)?;
            response.body.iter_mut().for_each(|document| version_shapes::shape(&version, document));
            return Ok(response);
        }
        let handler = handlers::handler_for(operation.id).ok_or_else(|| {
            ErrorResponse::new(
                501,
                "not_implemented",
                format!("The sandbox does not implement {}", operation.id),
            )
        })?;
        if let Some(result) = quirk_response(&workspace.quirks, &logged.path) {
            return result;
        }
        let mut request = ApiRequest {
            operation,
            version,
            path,
            query,
            body,
            url_path: logged.path.clone(),
            base_url: self.base_url.clone(),
        };
        page_quirks::before(&workspace.quirks, &mut request)?;
        let is_cut_short = page_quirks::is_cut_short(&workspace.quirks, &request);
        let recording = self.webhooks.as_ref().map(|sender| (sender, Recording::start(&mut workspace)));
        workspace.wake_snoozed();
        let result = handler(&mut workspace, &request);
        // What a failed request changed has happened as well.
        if let Some((sender, recording)) = recording {
            sender.send(recording.finish(&mut workspace), workspace.now());
        }
        let mut response = result?;
        response.body.iter_mut().for_each(|document| version_shapes::shape(&request.version, document));
        if let Some(page) = response.body.as_mut().filter(|_| !workspace.quirks.is_empty()) {
            let cursor = lock(&self.request_ids).uuid();
            page_quirks::after(&workspace.quirks, &logged.path, is_cut_short, &cursor, page);
            document_quirks::change(&workspace.quirks, &logged.path, page);
        }
        Ok(response)
    }

    fn respond(
        &self,
        mut logged: LoggedRequest,
        result: HandlerResult,
        effects: RequestEffects,
    ) -> Response<Body> {
        let RequestEffects { rate_limit, version, fault } = effects;
        let request_id = lock(&self.request_ids).uuid();
        let (mut link, mut file) = (None, None);
        let (status, document): (u16, Option<Value>) = match result {
            Ok(response) => {
                file = response.file;
                (response.status, response.body)
            }
            Err(error) => {
                link = error.canonical.as_ref().map(|path| format!("<{path}>; rel=\"canonical\""));
                (error.status, Some(error.document(&request_id)))
            }
        };
        logged.status = status;
        let mut log = lock(&self.log);
        if log.len() < MAX_LOGGED_REQUESTS {
            log.push(logged);
        }
        drop(log);

        let text = document.map(|document| document.to_string()).unwrap_or_default();
        let text = document_quirks::change_text(&lock(&self.workspace).quirks, text);
        let content_type = if file.is_some() {
            Some("application/octet-stream".to_owned())
        } else {
            (!text.is_empty()).then(|| "application/json; charset=utf-8".to_owned())
        };
        let mut response = Response::new(match fault {
            None | Some(Fault::Status(_)) => file.map_or_else(|| Body::from(text), Body::from),
            Some(Fault::Blank) => Body::empty(),
            Some(Fault::Drop) => aborted_body(""),
            Some(Fault::Truncate) => aborted_body(text.get(..text.len() / 2).unwrap_or_default()),
        });
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let (now, ahead) = self.time();
        for (name, value) in [
            ("content-type", content_type),
            ("x-request-id", Some(request_id)),
            ("intercom-version", version.map(|version| version.to_string())),
            ("link", link),
            ("date", Some(httpdate::fmt_http_date(now))),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        if let Some(rate_limit) = rate_limit {
            headers.insert("x-ratelimit-limit", rate_limit.limit.into());
            headers.insert("x-ratelimit-remaining", rate_limit.remaining.into());
            headers.insert("x-ratelimit-reset", rate_limit.reset.saturating_add_signed(ahead).into());
        }
        response
    }

    /// The workspace's time, and how many seconds it is ahead of real time. The rate limit uses real time, but
    /// response headers must all show the same clock.
    fn time(&self) -> (SystemTime, i64) {
        let now = lock(&self.workspace).now();
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        (UNIX_EPOCH + Duration::from_secs(now.max(0).unsigned_abs()), now - machine)
    }
}

/// The response to an ignored write: the tag named in the request, or the unchanged record.
fn respond_unchanged(
    workspace: &mut Workspace,
    base_url: &str,
    version: &ApiVersion,
    path: &str,
    body: &Value,
) -> HandlerResult {
    if let Some(tag) = path.ends_with("/tags").then(|| body["id"].as_str()).flatten() {
        return Ok(json!({"type": "tag", "id": tag}).into());
    }
    let merged = body["into"].as_str().filter(|_| path == "/contacts/merge");
    let record = match merged {
        Some(into) => format!("/contacts/{into}"),
        None => path.split('/').take(3).collect::<Vec<_>>().join("/"),
    };
    let (operation, path) = route(version, "GET", &record).ok_or_else(ErrorResponse::record_not_found)?;
    let handler = handlers::handler_for(operation.id).ok_or_else(ErrorResponse::record_not_found)?;
    let request = ApiRequest {
        operation,
        version: version.clone(),
        path,
        query: Vec::new(),
        body: Value::Null,
        url_path: record,
        base_url: base_url.to_owned(),
    };
    handler(workspace, &request)
}

/// The response of a quirk that replaces the handler.
fn quirk_response(quirks: &[Quirk], path: &str) -> Option<HandlerResult> {
    quirks.iter().find_map(|quirk| match quirk {
        Quirk::Refuse(Refusal { path: pattern, status }) if pattern.matches(path) => {
            let code = match status {
                402 => "api_plan_restricted",
                403 => "forbidden",
                404 => "not_found",
                _ => "client_error",
            };
            Some(Err(ErrorResponse::new(*status, code, "This app cannot use this resource")))
        }
        Quirk::WrongVersion(pattern) if pattern.matches(path) => {
            let message = "This is not available in version 2.13: use version 2.14 or later";
            Some(Err(ErrorResponse::new(400, "intercom_version_invalid", message)))
        }
        Quirk::ErrorsInSuccess(pattern) if pattern.matches(path) => {
            let error = ErrorResponse::new(200, "server_error", "The gateway could not reach the service");
            Some(Ok(error.document("").into()))
        }
        _ => None,
    })
}

/// A body that ends with a connection error after `text`. Waits briefly before it, so that the text is sent first.
fn aborted_body(text: &str) -> Body {
    let text = (!text.is_empty()).then(|| text.to_owned());
    let delay = if text.is_some() { Duration::from_millis(5) } else { Duration::ZERO };
    let abort = async move {
        tokio::time::sleep(delay).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
    };
    let text = futures::stream::iter(text).map(Ok);
    Body::from_stream(text.chain(futures::stream::once(abort)))
}

/// Names and values of the query, percent-decoded.
fn parse_query(uri: &Uri) -> Vec<(String, String)> {
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

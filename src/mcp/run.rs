//! One command under way, on a thread of its own: it may block, fail or panic without harm to the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext, RoleServer};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cli::Session;
use crate::cli::capture::{Capture, Files};

/// Most bytes that one command may write; what an agent gets of it at a time is far less.
const MOST_OUTPUT: usize = 32 << 20;

/// How often a caller who wants progress hears of a command that says nothing.
const PULSE: Duration = Duration::from_secs(1);

/// How a command ended.
pub struct Ended {
    /// The document it wrote; null when it wrote none.
    pub document: Value,
    /// What it said to people.
    pub said: Vec<String>,
    /// The error as JSON, as under `--json`.
    pub error: Option<Value>,
}

/// Runs a command until it ends or the client cancels the call; `None` when it was cancelled.
pub async fn run(
    session: &Session,
    arguments: Vec<String>,
    files: Files,
    request: &RequestContext<RoleServer>,
) -> Option<Ended> {
    let capture = Capture::new(MOST_OUTPUT, files);
    let mut pulse = None;
    let capture = match request.meta.get_progress_token() {
        None => capture,
        Some(token) => {
            let (said, heard) = unbounded_channel();
            pulse = Some(tokio::spawn(tell(request.peer.clone(), token, heard)));
            // A listener that is gone has nobody to tell.
            capture.heard_by(move |message| drop(said.send(message.to_owned())))
        }
    };
    let capture = Arc::new(capture);
    let ended =
        on_own_thread(session.clone(), arguments, Arc::clone(&capture), request.ct.clone().cancelled_owned())
            .await;
    if let Some(pulse) = pulse {
        pulse.abort();
    }
    let said = capture.take_said().into_iter().filter(|line| !line.starts_with('{')).collect();
    let output = capture.take_output();
    match ended {
        Ok(None) => None,
        Ok(Some(error)) => Some(Ended { document: document(&output), said, error }),
        Err(reason) => {
            let error = json!({ "error": { "kind": "failure", "message": format!("the command broke down: {reason}"),
                "hint": "this is a mistake in intercom-pp-cli; other commands work" } });
            Some(Ended { document: Value::Null, said, error: Some(error) })
        }
    }
}

/// The error of the command, if it ended with one; `None` when it was cancelled.
async fn on_own_thread(
    session: Session,
    arguments: Vec<String>,
    capture: Arc<Capture>,
    cancelled: impl Future<Output = ()> + Send + 'static,
) -> Result<Option<Option<Value>>, tokio::task::JoinError> {
    let runtime = tokio::runtime::Handle::current();
    let thread = tokio::task::spawn_blocking(move || {
        runtime.block_on(capture.scope(async {
            tokio::select! {
                () = cancelled => None,
                ended = session.run(&arguments) => Some(ended.err().map(|error| error.as_json())),
            }
        }))
    });
    thread.await
}

/// The one document of an output, or its text.
fn document(output: &[u8]) -> Value {
    let text = String::from_utf8_lossy(output);
    if text.trim().is_empty() {
        return Value::Null;
    }
    if let Ok(document) = serde_json::from_str(&text) {
        return document;
    }
    // A program of --jq makes one value a line.
    let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    lines.map_or_else(|_| json!({ "results": text }), |values| json!({ "results": values }))
}

/// Passes on what a command says, and that it still runs.
async fn tell(peer: Peer<RoleServer>, token: ProgressToken, mut heard: UnboundedReceiver<String>) {
    let began = Instant::now();
    let mut steps = 0.0;
    loop {
        let message = match tokio::time::timeout(PULSE, heard.recv()).await {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(_) => format!("running for {} s", began.elapsed().as_secs()),
        };
        steps += 1.0;
        let progress = ProgressNotificationParam::new(token.clone(), steps).with_message(message);
        if peer.notify_progress(progress).await.is_err() {
            return;
        }
    }
}

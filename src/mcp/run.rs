//! One command under way, on a thread of its own: it may block, fail or panic without harm to the server.

use std::sync::Arc;

use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use super::progress;
use crate::cli::Session;
use crate::cli::capture::{Capture, Files};
use crate::cli::consent::Consent;

/// Most bytes that one command may write; what an agent gets of it at a time is far less.
const MOST_OUTPUT: usize = 32 << 20;

/// A command to be run.
pub struct Line {
    pub arguments: Vec<String>,
    pub files: Files,
    /// What was agreed to beforehand.
    pub consent: Consent,
    /// The plan that it carries out instead of making one.
    pub plan: Option<String>,
}

/// How a command ended.
#[derive(Default)]
pub struct Ended {
    /// What it wrote.
    pub output: String,
    /// What it said to people.
    pub said: Vec<String>,
    /// The error as JSON, as under `--json`.
    pub error: Option<Value>,
    /// The plan that it made, if it can carry one out.
    pub plan: Option<String>,
    /// What is known about records of which the output is only what a program made.
    pub meta: Option<String>,
}

impl Ended {
    /// Whether the command ended without doing what it could: a plan that leaves records out is a plan.
    pub fn has_failed(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error["kind"] != "partial")
    }

    /// Whether the command stopped because nobody agreed to what it would have done.
    pub fn is_unconfirmed(&self) -> bool {
        self.error.as_ref().is_some_and(|error| !error["unconfirmed"].is_null())
    }

    /// The document it wrote; null when it wrote none.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_default()
    }
}

/// Runs a command until it ends or the client cancels the call; `None` when it was cancelled.
pub async fn run(session: &Session, line: Line, request: &RequestContext<RoleServer>) -> Option<Ended> {
    let capture = Capture::new(MOST_OUTPUT, line.files).with_plan(line.plan);
    let mut telling = None;
    let capture = match request.meta.get_progress_token() {
        None => capture,
        Some(token) => {
            let (said, heard) = unbounded_channel();
            telling = Some(tokio::spawn(progress::tell(request.peer.clone(), token, heard)));
            // A listener that is gone has nobody to tell.
            capture.heard_by(move |message| drop(said.send(message.to_owned())))
        }
    };
    let capture = Arc::new(capture);
    let cancelled = request.ct.clone().cancelled_owned();
    let run = (line.arguments, line.consent);
    let ended = on_own_thread(session.clone(), run, Arc::clone(&capture), cancelled).await;
    if let Some(telling) = telling {
        telling.abort();
    }
    let said = capture.take_said().into_iter().filter(|line| !line.starts_with('{')).collect();
    let output = String::from_utf8(capture.take_output());
    let output = output.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match ended {
        Ok(None) => None,
        Ok(Some(error)) => {
            let error = error.map(|error| error["error"].clone());
            Some(Ended { output, said, error, plan: capture.take_plan(), meta: capture.take_meta() })
        }
        Err(reason) => {
            let error = json!({ "kind": "failure", "message": format!("the command broke down: {reason}"),
                "hint": "this is a mistake in intercom-pp-cli; other commands work" });
            Some(Ended { said, error: Some(error), ..Ended::default() })
        }
    }
}

/// The error of the command, if it ended with one; `None` when it was cancelled.
async fn on_own_thread(
    session: Session,
    (arguments, consent): (Vec<String>, Consent),
    capture: Arc<Capture>,
    cancelled: impl Future<Output = ()> + Send + 'static,
) -> Result<Option<Option<Value>>, tokio::task::JoinError> {
    let runtime = tokio::runtime::Handle::current();
    let thread = tokio::task::spawn_blocking(move || {
        runtime.block_on(capture.scope(async {
            tokio::select! {
                () = cancelled => None,
                ended = session.run(&arguments, consent) => Some(ended.err().map(|error| error.as_json())),
            }
        }))
    });
    thread.await
}

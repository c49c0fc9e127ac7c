//! Runs one command on its own thread, so that it may block, fail or panic without harming the server.

use std::sync::Arc;

use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use super::progress;
use crate::cli::Session;
use crate::cli::consent::Consent;
use crate::cli::error::{Error, Exit};
use crate::cli::streams::{Capture, FilePolicy, Notice};

/// Maximum output of one command in bytes. An agent gets it in much smaller parts.
const MAX_OUTPUT: usize = 32 << 20;

/// A command to run.
pub struct CommandLine {
    pub arguments: Vec<String>,
    pub files: FilePolicy,
    /// What was agreed to in advance.
    pub consent: Consent,
    /// The plan to run, instead of planning again.
    pub plan: Option<String>,
}

/// The result of a command.
#[derive(Default)]
pub struct CommandOutcome {
    /// What it wrote to stdout.
    pub output: String,
    /// What it reported beside its output.
    pub notices: Vec<Notice>,
    pub error: Option<CommandFailure>,
    /// The plan that it made, if it can run one.
    pub plan: Option<String>,
    /// The `meta` of an output that a jq program has transformed.
    pub meta: Option<String>,
}

/// Why a command failed.
pub enum CommandFailure {
    Command(Box<Error>),
    /// An error made by this server, as an agent gets it.
    Server(Value),
}

impl CommandFailure {
    /// The error as under `--json`.
    pub fn as_json(&self) -> Value {
        match self {
            CommandFailure::Command(error) => error.as_json()["error"].take(),
            CommandFailure::Server(error) => error.clone(),
        }
    }
}

impl CommandOutcome {
    /// A partial result, for example a plan that leaves out some records, is not a failure.
    pub fn has_failed(&self) -> bool {
        match &self.error {
            None => false,
            Some(CommandFailure::Command(error)) => error.exit() != Exit::Partial,
            Some(CommandFailure::Server(_)) => true,
        }
    }

    /// The action that the command did not take for lack of a confirmation.
    pub fn unconfirmed_action(&self) -> Option<&str> {
        match &self.error {
            Some(CommandFailure::Command(error)) => match &**error {
                Error::Unconfirmed { action, .. } => Some(action),
                _ => None,
            },
            _ => None,
        }
    }

    /// The JSON document that it wrote.
    ///
    /// # Errors
    /// If the output is anything else.
    pub fn document(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.output)
    }
}

/// Runs a command; `None` if the client cancelled it.
pub async fn run(
    session: &Session,
    line: CommandLine,
    request: &RequestContext<RoleServer>,
) -> Option<CommandOutcome> {
    let capture = Capture::new(MAX_OUTPUT, line.files).with_plan(line.plan);
    let mut reporter = None;
    let capture = match request.meta.get_progress_token() {
        None => capture,
        Some(token) => {
            let (sender, receiver) = unbounded_channel();
            reporter = Some(tokio::spawn(progress::forward(request.peer.clone(), token, receiver)));
            // Sending fails only when the reporter has ended.
            capture.with_listener(move |notice| drop(sender.send(notice.clone())))
        }
    };
    let capture = Arc::new(capture);
    let cancelled = request.ct.clone().cancelled_owned();
    let run = (line.arguments, line.consent);
    let outcome = on_own_thread(session.clone(), run, Arc::clone(&capture), cancelled).await;
    if let Some(reporter) = reporter {
        reporter.abort();
    }
    let notices = capture.take_notices();
    let output = String::from_utf8(capture.take_output());
    let output = output.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match outcome {
        Ok(None) => None,
        Ok(Some(error)) => {
            let error = error.map(|error| CommandFailure::Command(Box::new(error)));
            Some(CommandOutcome {
                output,
                notices,
                error,
                plan: capture.take_plan(),
                meta: capture.take_meta(),
            })
        }
        Err(reason) => {
            let error = json!({ "kind": "failure", "message": format!("the command crashed: {reason}"),
                "hint": "this is a bug in intercom-pp-cli; other commands still work" });
            Some(CommandOutcome {
                notices,
                error: Some(CommandFailure::Server(error)),
                ..CommandOutcome::default()
            })
        }
    }
}

/// The error of the command, if any; the outer `None` means that it was cancelled.
async fn on_own_thread(
    session: Session,
    (arguments, consent): (Vec<String>, Consent),
    capture: Arc<Capture>,
    cancelled: impl Future<Output = ()> + Send + 'static,
) -> Result<Option<Option<Error>>, tokio::task::JoinError> {
    let runtime = tokio::runtime::Handle::current();
    let thread = tokio::task::spawn_blocking(move || {
        runtime.block_on(capture.scope(async {
            tokio::select! {
                () = cancelled => None,
                outcome = session.run(&arguments, consent) => Some(outcome.err()),
            }
        }))
    });
    thread.await
}

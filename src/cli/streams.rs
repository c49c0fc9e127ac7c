//! Captures the output and notices of a command that the MCP server or a workflow runs inside this process.
//!
//! Also holds which files such a command may access. Commands need not know: outside of [`Capture::scope`], output
//! goes to the process's streams. Captured output is bounded; a command that exceeds the limit fails. Every notice for
//! people passes through here.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::Hint;
use super::live_block;
use crate::data::printable;

tokio::task_local! {
    static CAPTURE: Arc<Capture>;
}

/// The files that a captured command may access.
#[derive(Debug, Clone, Default)]
pub enum FilePolicy {
    /// Those of the user, as on the command line.
    #[default]
    All,
    /// Only those below this folder.
    Below(PathBuf),
    None,
}

/// Receives the notices of a running command.
type Listener = dyn Fn(&Notice) + Send + Sync;

/// What a command reports beside its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Text(String),
    /// A text, and what to do about it.
    Advice(String, Hint),
    /// A progress event: one JSON object.
    Event(String),
}

/// As shown in a terminal.
impl fmt::Display for Notice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Text(text) | Notice::Event(text) => out.write_str(text),
            Notice::Advice(text, advice) => write!(out, "{text}; {advice}"),
        }
    }
}

/// The captured streams of one command.
pub struct Capture {
    output: Mutex<Vec<u8>>,
    /// Maximum size of the output in bytes.
    limit: usize,
    files: FilePolicy,
    notices: Mutex<Vec<Notice>>,
    listener: Option<Box<Listener>>,
    /// `meta` of a document that `--jq` has transformed.
    meta: Mutex<Option<String>>,
    /// The plan that the command created, if it can be applied later.
    new_plan: Mutex<Option<String>>,
    /// The plan to apply instead of creating one.
    plan_to_apply: Option<String>,
    /// Arguments that are text even if they look like `@file` or `-`.
    literals: Vec<String>,
}

impl Capture {
    pub fn new(limit: usize, files: FilePolicy) -> Self {
        Capture {
            output: Mutex::default(),
            limit,
            files,
            notices: Mutex::default(),
            listener: None,
            meta: Mutex::default(),
            new_plan: Mutex::default(),
            plan_to_apply: None,
            literals: Vec::new(),
        }
    }

    /// Passes notices to a listener while the command runs.
    pub fn with_listener(self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Capture { listener: Some(Box::new(listener)), ..self }
    }

    /// Whether somebody follows the command while it runs.
    pub fn has_listener(&self) -> bool {
        self.listener.is_some()
    }

    /// Sets the plan for the command to apply.
    pub fn with_plan(self, plan: Option<String>) -> Self {
        Capture { plan_to_apply: plan, ..self }
    }

    /// Marks arguments as text, so that `@` does not name a file and `-` does not mean stdin.
    pub fn with_literals(self, literals: Vec<String>) -> Self {
        Capture { literals, ..self }
    }

    /// The plan that the command must apply.
    pub fn plan(&self) -> Option<&str> {
        self.plan_to_apply.as_deref()
    }

    /// Stores the plan that the command created.
    pub fn keep_plan(&self, plan: String) {
        *self.new_plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
    }

    /// Takes the plan that the command created.
    pub fn take_plan(&self) -> Option<String> {
        self.new_plan.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Stores the `meta` of a document whose `--jq` result is written instead.
    pub fn keep_meta(&self, meta: &str) {
        *self.meta.lock().unwrap_or_else(PoisonError::into_inner) = Some(meta.to_owned());
    }

    /// Takes the stored `meta`.
    pub fn take_meta(&self) -> Option<String> {
        self.meta.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs a command with its output captured.
    pub async fn scope<T>(self: &Arc<Self>, command: impl Future<Output = T>) -> T {
        CAPTURE.scope(Arc::clone(self), command).await
    }

    /// Takes the output so far.
    pub fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut *self.output.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the notices so far.
    pub fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a notice, which would otherwise go to stderr.
    pub fn notice(&self, notice: Notice) {
        if let Some(listener) = &self.listener {
            listener(&notice);
        }
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        // Progress can be endless: keep only the latest notices.
        if notices.len() == 100 {
            notices.remove(0);
        }
        notices.push(notice);
    }
}

impl io::Write for &Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.len() + bytes.len() > self.limit {
            let reason = format!("the output is larger than {} bytes", self.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The capture of the running command, if there is one.
pub fn current() -> Option<Arc<Capture>> {
    CAPTURE.try_with(Arc::clone).ok()
}

/// The files that the running command may access.
pub fn file_policy() -> FilePolicy {
    current().map_or(FilePolicy::All, |capture| capture.files.clone())
}

/// Whether an argument of the running command is text even if it looks like `@file` or `-`.
pub fn is_literal(argument: &str) -> bool {
    current().is_some_and(|capture| capture.literals.iter().any(|text| text.trim() == argument.trim()))
}

/// Whether the running command may read stdin.
pub fn has_stdin() -> bool {
    current().is_none()
}

/// Prints a warning on stderr.
pub fn warn(message: &str) {
    notice(&format!("warning: {message}"));
}

/// Prints a warning once per process.
pub fn warn_once(message: &str) {
    static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_new = PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(message.to_owned());
    if is_new {
        warn(message);
    }
}

/// Prints a notice on stderr.
pub fn notice(message: &str) {
    notice_to(current().as_deref(), Notice::Text(message.to_owned()));
}

/// Prints a progress event, one JSON object, on stderr.
pub fn progress_event(event: String) {
    notice_to(current().as_deref(), Notice::Event(event));
}

/// Prints a notice to the capture, or on stderr.
pub fn notice_to(capture: Option<&Capture>, notice: Notice) {
    if let Some(capture) = capture {
        return capture.notice(notice);
    }
    match &mut *HELD.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(held) => held.push(notice),
        None => print(&notice),
    }
}

#[allow(clippy::print_stderr, reason = "the one place that prints notices")]
fn print(notice: &Notice) {
    live_block::above(|| eprintln!("{}", printable::lines(&notice.to_string())));
}

/// Notices that wait until the terminal is free again.
static HELD: Mutex<Option<Vec<Notice>>> = Mutex::new(None);

/// Holds back notices while another program, for example a pager, owns the terminal.
pub struct HeldNotices;

impl HeldNotices {
    pub fn begin() -> Self {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
        HeldNotices
    }
}

/// Prints the notices.
impl Drop for HeldNotices {
    fn drop(&mut self) {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
        held.into_iter().flatten().for_each(|notice| print(&notice));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn output_is_bounded_and_notices_are_kept() {
        let capture = Arc::new(Capture::new(4, FilePolicy::None));
        let is_refused = capture
            .scope(async {
                let capture = current().unwrap();
                capture.notice(Notice::Text("hello".to_owned()));
                (&*capture).write(b"12345").is_err()
            })
            .await;
        assert!(is_refused);
        assert_eq!(capture.take_notices(), [Notice::Text("hello".to_owned())]);
        assert!(capture.take_output().is_empty() && current().is_none());
    }
}

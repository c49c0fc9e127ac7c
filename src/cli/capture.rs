//! What a command writes and says, kept in memory instead of on the process's streams.
//!
//! The MCP server and workflows run commands inside their own process: output, warnings and files named
//! in arguments go through here then, so that no command needs to know. Outside of [`Capture::scope`]
//! nothing changes. What is captured is bounded; a command that exceeds the bound fails.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static CAPTURE: Arc<Capture>;
}

/// Which files a captured command may touch.
#[derive(Debug, Clone, Default)]
pub enum Files {
    /// As the user of the command line may.
    #[default]
    All,
    /// Only those below this folder.
    Below(PathBuf),
    None,
}

/// What hears a command speak.
type Listener = dyn Fn(&str) + Send + Sync;

/// The streams of one command.
pub struct Capture {
    output: Mutex<Vec<u8>>,
    /// Most bytes of output.
    limit: usize,
    files: Files,
    said: Mutex<Vec<String>>,
    listener: Option<Box<Listener>>,
    /// What is known about records that a program of the caller took out of their document.
    meta: Mutex<Option<String>>,
    /// The plan that the command made, if it made one that can be carried out later.
    made: Mutex<Option<String>>,
    /// The plan that it must carry out, instead of making one.
    given: Option<String>,
    /// Arguments that are text whatever they look like: they name neither a file nor stdin.
    literals: Vec<String>,
}

impl Capture {
    pub fn new(limit: usize, files: Files) -> Self {
        Capture {
            output: Mutex::default(),
            limit,
            files,
            said: Mutex::default(),
            listener: None,
            meta: Mutex::default(),
            made: Mutex::default(),
            given: None,
            literals: Vec::new(),
        }
    }

    /// Hears what the command says while it runs.
    pub fn heard_by(self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Capture { listener: Some(Box::new(listener)), ..self }
    }

    /// Has the command carry out a plan that was made before.
    pub fn with_plan(self, plan: Option<String>) -> Self {
        Capture { given: plan, ..self }
    }

    /// Has the command take these arguments as text, also where `@` would name a file and `-` stdin.
    pub fn with_literals(self, literals: Vec<String>) -> Self {
        Capture { literals, ..self }
    }

    /// The plan that the command must carry out.
    pub fn plan(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// Keeps the plan that the command made.
    pub fn keep_plan(&self, plan: String) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
    }

    /// The plan that the command made, leaving none.
    pub fn take_plan(&self) -> Option<String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps what is known about the records of a document that is not written itself.
    pub fn keep_meta(&self, meta: &str) {
        *self.meta.lock().unwrap_or_else(PoisonError::into_inner) = Some(meta.to_owned());
    }

    /// What was kept so, leaving nothing.
    pub fn take_meta(&self) -> Option<String> {
        self.meta.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs a command with these streams.
    pub async fn scope<T>(self: &Arc<Self>, command: impl Future<Output = T>) -> T {
        CAPTURE.scope(Arc::clone(self), command).await
    }

    /// What was written, leaving nothing.
    pub fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut *self.output.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was said so far, leaving nothing.
    pub fn take_said(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what is said to people.
    pub fn say(&self, message: &str) {
        if let Some(listener) = &self.listener {
            listener(message);
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        // Progress can be endless; the newest is what counts.
        if said.len() == 100 {
            said.remove(0);
        }
        said.push(message.to_owned());
    }
}

impl io::Write for &Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.len() + bytes.len() > self.limit {
            let reason = format!("the answer is larger than {} bytes", self.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The streams of the command that runs, if they are captured.
pub fn current() -> Option<Arc<Capture>> {
    CAPTURE.try_with(Arc::clone).ok()
}

/// Which files the command that runs may touch.
pub fn files() -> Files {
    current().map_or(Files::All, |capture| capture.files.clone())
}

/// Whether an argument of the command that runs is text, whatever it looks like.
pub fn is_literal(argument: &str) -> bool {
    current().is_some_and(|capture| capture.literals.iter().any(|text| text.trim() == argument.trim()))
}

/// Whether stdin belongs to the command that runs.
pub fn has_stdin() -> bool {
    current().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn output_is_bounded_and_speech_is_heard() {
        let capture = Arc::new(Capture::new(4, Files::None));
        let refused = capture
            .scope(async {
                let capture = current().unwrap();
                capture.say("hello");
                (&*capture).write(b"12345").is_err()
            })
            .await;
        assert!(refused);
        assert_eq!(capture.take_said(), ["hello"]);
        assert!(capture.take_output().is_empty() && current().is_none());
    }
}

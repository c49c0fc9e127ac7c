//! Destinations of output: stdout, a file, a webhook, or the capture of an in-process command.
//!
//! A file is replaced atomically, and a webhook gets one request: both get the complete output or nothing. stdout
//! gets output as it is written.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use super::flags::Deliver;
use crate::api::transport::foreign_client;
use crate::cli::error::Error;
use crate::cli::files::Replacement;
use crate::cli::streams::{self, Capture};

const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(60);

pub enum Sink {
    Stdout(BufWriter<io::Stdout>),
    Captured(Arc<Capture>),
    /// Collected for conversion at the end.
    Memory(Vec<u8>),
    File(BufWriter<Replacement>),
    Webhook {
        url: String,
        content: Vec<u8>,
    },
}

impl Sink {
    /// # Errors
    /// When the folder of the file cannot be written.
    pub fn open(deliver: &Deliver) -> Result<Self, Error> {
        match deliver {
            Deliver::Stdout => Ok(match streams::current() {
                Some(capture) => Sink::Captured(capture),
                None => Sink::Stdout(BufWriter::new(io::stdout())),
            }),
            Deliver::File(file) => Ok(Sink::File(BufWriter::new(file.replace()?))),
            Deliver::Webhook(url) => Ok(Sink::Webhook { url: url.clone(), content: Vec::new() }),
        }
    }

    /// The output collected in memory.
    pub fn into_memory(self) -> Vec<u8> {
        match self {
            Sink::Memory(content) => content,
            _ => Vec::new(),
        }
    }

    /// Delivers the output. Without this call a file stays unchanged.
    ///
    /// # Errors
    /// When it cannot be written, or the webhook rejects it.
    pub async fn finish(self, content_type: &'static str) -> Result<(), Error> {
        match self {
            Sink::Stdout(mut stdout) => Ok(stdout.flush()?),
            Sink::Captured(_) | Sink::Memory(_) => Ok(()),
            Sink::File(file) => {
                file.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
                Ok(())
            }
            Sink::Webhook { url, content } => post(&url, content, content_type).await,
        }
    }
}

/// The address may contain a secret, so errors never show it.
async fn post(url: &str, content: Vec<u8>, content_type: &'static str) -> Result<(), Error> {
    let failed = |reason: String| Error::Deliver(format!("the webhook {reason}"));
    let address =
        reqwest::Url::parse(url).map_err(|error| failed(format!("has an invalid address: {error}")))?;
    let client = foreign_client(&address).map_err(|error| failed(format!("cannot be called: {error}")))?;
    let request =
        client.post(address).header("content-type", content_type).timeout(WEBHOOK_TIMEOUT).body(content);
    let response = request
        .send()
        .await
        .map_err(|error| failed(format!("cannot be reached: {}", error.without_url())))?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => Err(failed(format!("answered {status}"))),
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Stdout(stdout) => stdout.write(bytes),
            Sink::Captured(capture) => (&**capture).write(bytes),
            Sink::Memory(content) => content.write(bytes),
            Sink::File(file) => file.write(bytes),
            Sink::Webhook { content, .. } => content.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(stdout) => stdout.flush(),
            Sink::File(file) => file.flush(),
            Sink::Captured(_) | Sink::Memory(_) | Sink::Webhook { .. } => Ok(()),
        }
    }
}

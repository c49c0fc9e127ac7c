//! Destinations of output: stdout, a file, a webhook, or the capture of an in-process command.
//!
//! A file is replaced atomically, and a webhook gets one request: both get the complete output or nothing. stdout
//! gets output as it is written. On a terminal JSON is indented and coloured, and what is longer than the screen is
//! shown in a pager, and nothing in data may control it; nowhere else may the bytes change.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use super::flags::{Deliver, OutputFlags};
use super::format::Format;
use super::json_printer::JsonPrinter;
use super::pager::Screen;
use super::palette::Palette;
use crate::api::transport::foreign_client;
use crate::cli::error::Error;
use crate::cli::files::Replacement;
use crate::cli::streams::{self, Capture};
use crate::data::printable;

const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(60);

pub enum Sink {
    Stdout(BufWriter<io::Stdout>),
    /// A terminal, perhaps with a pager.
    Screen {
        screen: Screen,
        shown: Shown,
    },
    Captured(Arc<Capture>),
    /// Collected for conversion at the end.
    Memory(Vec<u8>),
    File(BufWriter<Replacement>),
    Webhook {
        url: String,
        content: Vec<u8>,
    },
}

/// How a terminal shows the bytes.
pub enum Shown {
    /// As they are: text that is safe for a terminal already.
    AsWritten,
    Json(JsonPrinter),
    /// Rows of data, without what would control the terminal. Holds the first bytes of an unfinished character.
    Rows(Vec<u8>),
}

/// The bytes as far as their characters are complete, safe for a terminal; the others stay in `pending`.
fn safe_rows(pending: &mut Vec<u8>, bytes: &[u8]) -> String {
    pending.extend_from_slice(bytes);
    let complete = match std::str::from_utf8(pending) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => pending.len(),
    };
    let rest = pending.split_off(complete);
    let text = printable::lines(&String::from_utf8_lossy(pending));
    *pending = rest;
    text
}

impl Sink {
    /// Opens the destination for output in this format.
    ///
    /// # Errors
    /// When the folder of the file cannot be written.
    pub fn open(flags: &OutputFlags, format: Format) -> Result<Self, Error> {
        if !flags.to_terminal() {
            return Sink::direct(flags.deliver());
        }
        let palette = Palette::of(flags);
        let shown = match format {
            // Agents pay for spaces.
            Format::Json if !flags.agent => Shown::Json(JsonPrinter::indented(palette)),
            Format::Json | Format::Ndjson => Shown::Json(JsonPrinter::lines(palette)),
            Format::Csv | Format::Plain | Format::Quiet | Format::Toon => Shown::Rows(Vec::new()),
            Format::Table => Shown::AsWritten,
        };
        Ok(Sink::Screen { screen: Screen::open(flags), shown })
    }

    /// Opens the destination for bytes that must not change, and for output that never ends.
    ///
    /// # Errors
    /// As [`Sink::open`].
    pub fn direct(deliver: &Deliver) -> Result<Self, Error> {
        match deliver {
            Deliver::Stdout => Ok(match streams::current() {
                Some(capture) => Sink::Captured(capture),
                None => Sink::Stdout(BufWriter::new(io::stdout())),
            }),
            Deliver::File(file) => Ok(Sink::File(BufWriter::new(file.replace()?))),
            Deliver::Webhook(url) => Ok(Sink::Webhook { url: url.clone(), content: Vec::new() }),
        }
    }

    /// Writes text as it is, although the format is JSON.
    pub fn without_json(&mut self) {
        if let Sink::Screen { shown, .. } = self {
            *shown = Shown::AsWritten;
        }
    }

    /// Whether the reader has left, so that nobody reads further output.
    pub fn is_abandoned(&self) -> bool {
        matches!(self, Sink::Screen { screen, .. } if screen.is_abandoned())
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
            Sink::Screen { mut screen, mut shown } => {
                match &mut shown {
                    Shown::AsWritten => {}
                    Shown::Json(printer) => screen.write_all(&printer.end())?,
                    Shown::Rows(pending) => screen.write_all(String::from_utf8_lossy(pending).as_bytes())?,
                }
                Ok(screen.finish()?)
            }
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
            Sink::Screen { screen, shown } => match shown {
                Shown::AsWritten => screen.write(bytes),
                Shown::Json(printer) => screen.write_all(&printer.print(bytes)).map(|()| bytes.len()),
                Shown::Rows(pending) => {
                    screen.write_all(safe_rows(pending, bytes).as_bytes()).map(|()| bytes.len())
                }
            },
            Sink::Captured(capture) => (&**capture).write(bytes),
            Sink::Memory(content) => content.write(bytes),
            Sink::File(file) => file.write(bytes),
            Sink::Webhook { content, .. } => content.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(stdout) => stdout.flush(),
            Sink::Screen { screen, .. } => screen.flush(),
            Sink::File(file) => file.flush(),
            Sink::Captured(_) | Sink::Memory(_) | Sink::Webhook { .. } => Ok(()),
        }
    }
}

/// Writes the content of a file.
pub struct Bytes(Sink);

impl Bytes {
    /// # Errors
    /// As [`Sink::direct`].
    pub fn open(deliver: &Deliver) -> Result<Self, Error> {
        Ok(Bytes(Sink::direct(deliver)?))
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        Ok(self.0.write_all(content)?)
    }

    /// # Errors
    /// When it cannot be written or delivered.
    pub async fn end(self) -> Result<(), Error> {
        self.0.finish("application/octet-stream").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_on_a_terminal_keep_their_characters_but_not_their_escapes() {
        let mut pending = Vec::new();
        let text: String = "Zoë\t\u{1b}[2J\u{9b}1m日\n"
            .as_bytes()
            .iter()
            .map(|byte| safe_rows(&mut pending, &[*byte]))
            .collect();
        assert_eq!((text.as_str(), pending.len()), ("Zoë\t [2J 1m日\n", 0));
        assert_eq!(safe_rows(&mut pending, &[0xff, b'a']), "\u{fffd}a");
    }
}

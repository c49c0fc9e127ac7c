//! The terminal as a destination: shows output that is longer than the screen in a pager.
//!
//! A pager never starts for short output, for output that is flushed while it is written (it never ends), or for a
//! terminal that cannot show it. Leaving it early is not an error. While it runs it owns the terminal: notices wait
//! until it has ended, and Ctrl-C is left to it. If it cannot be started, the output is printed as usual.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::cell;
use super::flags::OutputFlags;
use crate::cli::streams;

/// The pager if no variable names one.
const DEFAULT: &str = "less";
/// Options of `less` unless `LESS` is set: quit if it fits, keep colours, leave the text on the screen.
const LESS: &str = "FRX";

pub struct Screen {
    /// Output that may still fit on the screen.
    held: Vec<u8>,
    /// Rows of the complete lines in `held`, and where the rest begins.
    rows: usize,
    counted: usize,
    state: State,
}

enum State {
    /// Output is held back until it is longer than the screen.
    Undecided {
        command: Vec<String>,
        size: Size,
    },
    Direct,
    Paged(Pager),
    /// The reader has left the pager.
    Abandoned,
}

#[derive(Clone, Copy)]
struct Size {
    columns: usize,
    rows: usize,
}

impl Screen {
    pub fn open(flags: &OutputFlags) -> Self {
        let state = match (pager_command(flags), size()) {
            (Some(command), Some(size)) => State::Undecided { command, size },
            _ => State::Direct,
        };
        Screen { held: Vec::new(), rows: 0, counted: 0, state }
    }

    /// Whether the reader has left the pager.
    pub fn is_abandoned(&self) -> bool {
        matches!(self.state, State::Abandoned)
    }

    /// Prints everything, and waits until the reader leaves the pager.
    pub fn finish(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Direct) {
            State::Paged(pager) => pager.wait(),
            State::Abandoned => self.state = State::Abandoned,
            State::Direct | State::Undecided { .. } => {}
        }
        self.print_held()
    }

    /// The reader has left: waits until the pager has restored the terminal.
    fn abandon(&mut self) {
        if let State::Paged(pager) = std::mem::replace(&mut self.state, State::Abandoned) {
            pager.wait();
        }
    }

    fn print_held(&mut self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&std::mem::take(&mut self.held))?;
        stdout.flush()
    }

    /// Starts the pager if the held output is longer than the screen.
    fn decide(&mut self) -> io::Result<()> {
        let State::Undecided { command, size } = &self.state else { return Ok(()) };
        while let Some(length) = self.held[self.counted..].iter().position(|byte| *byte == b'\n') {
            let line = &self.held[self.counted..self.counted + length];
            self.rows += rows(&String::from_utf8_lossy(line), size.columns);
            self.counted += length + 1;
        }
        // The prompt of the shell needs a row.
        if self.rows < size.rows {
            return Ok(());
        }
        match Pager::start(command) {
            Some(pager) => {
                self.state = State::Paged(pager);
                let held = std::mem::take(&mut self.held);
                self.write_all(&held)
            }
            None => {
                self.state = State::Direct;
                self.print_held()
            }
        }
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Direct => io::stdout().write_all(bytes)?,
            State::Undecided { .. } => {
                self.held.extend_from_slice(bytes);
                self.decide()?;
            }
            State::Paged(pager) => {
                if pager.input.write_all(bytes).is_err() {
                    self.abandon();
                }
            }
            // Output after the reader has left is dropped, so that the command still ends as it would.
            State::Abandoned => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Undecided { .. } => {
                self.state = State::Direct;
                self.print_held()
            }
            State::Direct => io::stdout().flush(),
            State::Paged(pager) => {
                if pager.input.flush().is_err() {
                    self.abandon();
                }
                Ok(())
            }
            State::Abandoned => Ok(()),
        }
    }
}

/// After an error, what was written is still shown.
impl Drop for Screen {
    fn drop(&mut self) {
        // A closed terminal shows nothing more.
        let _ = self.end();
    }
}

/// A running pager.
struct Pager {
    process: Child,
    input: ChildStdin,
    _notices: streams::HeldNotices,
}

impl Pager {
    fn start(command: &[String]) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            command.env("LESS", LESS);
        }
        let mut process = command.spawn().ok()?;
        let input = process.stdin.take()?;
        // A signal that the pager gets, this process gets as well, and must outlive it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
        }
        Some(Pager { process, input, _notices: streams::HeldNotices::begin() })
    }

    /// Ends the input and waits until the reader leaves.
    fn wait(mut self) {
        drop(self.input);
        // However the pager ended, the output was shown.
        let _ = self.process.wait();
    }
}

/// The program and its arguments; `None` for no pager.
fn pager_command(flags: &OutputFlags) -> Option<Vec<String>> {
    let terminal = std::env::var("TERM").unwrap_or_default();
    if flags.no_pager || (cfg!(unix) && ["", "dumb"].contains(&terminal.as_str())) {
        return None;
    }
    let named = ["INTERCOM_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
    parse(named.as_deref().unwrap_or(DEFAULT))
}

/// The words of a command line; `None` if it names no pager.
fn parse(command: &str) -> Option<Vec<String>> {
    let words = shlex::split(command)?;
    (!words.is_empty() && words != ["cat"]).then_some(words)
}

fn size() -> Option<Size> {
    let (columns, rows) = terminal_size::terminal_size_of(io::stdout())?;
    Some(Size { columns: usize::from(columns.0), rows: usize::from(rows.0) })
}

/// The rows that a line takes on the screen.
fn rows(line: &str, columns: usize) -> usize {
    let mut width = 0;
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        width += cell::width(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    (width + cell::width(rest)).div_ceil(columns.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_is_a_command_line() {
        assert_eq!(parse("less -R"), Some(vec!["less".to_owned(), "-R".to_owned()]));
        for none in ["", "  ", "cat", "'unclosed"] {
            assert_eq!(parse(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_long_line_takes_several_rows_and_colours_none() {
        assert_eq!(rows("", 10), 1);
        assert_eq!(rows("0123456789", 10), 1);
        assert_eq!(rows("0123456789a", 10), 2);
        assert_eq!(rows("\u{1b}[1m0123\u{1b}[0m456789", 10), 1);
    }
}

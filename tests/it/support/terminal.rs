//! Runs a command on a pseudo-terminal, for tests of what people see and type.
//!
//! Uses the program `script` of util-linux, which a minimal system may lack: a test that needs it fails there, rather
//! than passing without having tested anything.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a command did on a terminal.
#[derive(Debug)]
pub struct Screen {
    pub code: i32,
    /// Everything that was printed, stdout and stderr interleaved, with escape sequences.
    pub text: String,
}

impl Screen {
    /// The text without escape sequences for colours.
    pub fn plain(&self) -> String {
        let mut pieces = self.text.split("\u{1b}[");
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
    }
}

/// Runs a command with its environment on a terminal of this size. `typed` is what the user types.
pub fn on_terminal(command: &Command, columns: u16, rows: u16, typed: &str) -> Screen {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let line = format!("stty cols {columns} rows {rows}; exec {}", shlex::try_join(words).unwrap());
    let mut script = Command::new("script");
    script.env_clear().env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        script.current_dir(folder);
    }
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().expect("these tests need `script` of util-linux");
    // Closing stdin would type an end of file.
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(keyboard);
    let text = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    Screen { code: output.status.code().unwrap(), text }
}

//! What a command was told to read from stdin, by `-`.
//!
//! On a terminal this waits for somebody to type, so it says so; where stdin belongs to somebody else, as in
//! the MCP server, it is refused. It must never be read without having been asked for.

use std::io::{BufRead, IsTerminal, Read};

use crate::cli::capture;
use crate::cli::output::tell;

/// Whether somebody sits at it who can be asked.
pub fn is_terminal() -> bool {
    capture::has_stdin() && std::io::stdin().is_terminal()
}

/// One line of what somebody types.
///
/// # Errors
/// As the system reports them.
pub fn line() -> std::io::Result<String> {
    let mut line = String::new();
    if capture::has_stdin() {
        std::io::stdin().read_line(&mut line)?;
    }
    Ok(line)
}

/// All of it.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub fn text() -> Result<String, String> {
    let mut text = String::new();
    lines()?.read_to_string(&mut text).map_err(|error| format!("cannot read stdin: {error}"))?;
    Ok(text)
}

/// The same, line by line.
///
/// # Errors
/// A sentence that says why it must not be read.
pub fn lines() -> Result<impl BufRead, String> {
    if !capture::has_stdin() {
        return Err("there is no stdin here; give the value itself".to_owned());
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        tell("reading from the terminal; Ctrl-D at the beginning of a line ends it");
    }
    Ok(stdin.lock())
}

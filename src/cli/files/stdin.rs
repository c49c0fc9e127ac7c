//! Reads stdin, which arguments request with `-`.
//!
//! On a terminal, prints a notice that it is waiting. Refused if stdin is not the command's, as in the MCP server.
//! Must never be read unless requested.

use std::io::{BufRead, IsTerminal, Read};

use crate::cli::streams;
use crate::cli::streams::notice;

/// Whether stdin is a terminal, so that the user can be prompted.
pub fn is_terminal() -> bool {
    streams::has_stdin() && std::io::stdin().is_terminal()
}

/// Reads one typed line.
///
/// # Errors
/// Those of the operating system.
pub fn line() -> std::io::Result<String> {
    let mut line = String::new();
    if streams::has_stdin() {
        std::io::stdin().read_line(&mut line)?;
    }
    Ok(line)
}

/// Reads all of stdin.
///
/// # Errors
/// The reason why it cannot be read.
pub fn text() -> Result<String, String> {
    let mut text = String::new();
    lines()?.read_to_string(&mut text).map_err(|error| format!("cannot read stdin: {error}"))?;
    Ok(text)
}

/// Reads stdin line by line.
///
/// # Errors
/// The reason why it must not be read.
pub fn lines() -> Result<impl BufRead, String> {
    if !streams::has_stdin() {
        return Err("stdin cannot be read here: pass the value itself".to_owned());
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        notice("reading from the terminal; press Ctrl-D on an empty line to finish");
    }
    Ok(stdin.lock())
}

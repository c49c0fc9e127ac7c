//! `--jq PROGRAM`: filters the JSON output with a jq program.
//!
//! The program gets the complete JSON with its envelope, as if piped into `jq -c`. An invalid program is refused
//! before anything is sent. Agents write programs, so a program must never access anything but its document, run
//! forever, or end this process. It therefore runs in a separate process, which is killed on a timeout or when
//! nobody waits for it any more.

#[allow(
    clippy::disallowed_methods,
    reason = "a separate process, whose stdin is the program and its document"
)]
mod worker;

use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::format::Format;
use crate::cli::error::{Error, Exit, Hint};
use crate::config::env_var;

pub use worker::{is_worker, work};

/// Environment variable that overrides the timeout, in seconds.
const TIMEOUT_VARIABLE: &str = "INTERCOM_JQ_SECONDS";

/// Default timeout of a program in seconds.
const DEFAULT_TIMEOUT: u64 = 10;

/// Maximum size of a program in bytes.
const MAX_PROGRAM: usize = 16 << 10;

/// Stack in bytes to parse the most nested program of that size. Unused stack takes no memory.
const STACK: usize = MAX_PROGRAM * (16 << 10);

/// A valid program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JqProgram {
    text: String,
}

impl JqProgram {
    /// # Errors
    /// [`Error::Usage`] for an invalid program.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason: String| {
            Error::usage_with_hint(
                format!("--jq: invalid jq program {text:?}{reason}"),
                Hint::new("write it as for jq, for example ").flag("jq").text(" '.results.data[].id'"),
            )
        };
        if text.len() > MAX_PROGRAM {
            return Err(Error::usage(format!("--jq: the program is longer than {MAX_PROGRAM} bytes")));
        }
        let owned = text.to_owned();
        // The parser is recursive.
        let parser = std::thread::Builder::new().stack_size(STACK);
        let parser = parser.spawn(move || worker::compile(&owned).map(drop));
        let no_memory = |error| Error::usage(format!("--jq: not enough memory to read the program: {error}"));
        match parser.map_err(no_memory)?.join() {
            Ok(Ok(())) => Ok(JqProgram { text: text.to_owned() }),
            Ok(Err(reason)) => Err(invalid(reason.map(|reason| format!(": {reason}")).unwrap_or_default())),
            Err(_) => Err(invalid(String::new())),
        }
    }

    /// Runs the program on a JSON document and returns one value per line. Line formats get unquoted strings.
    ///
    /// # Errors
    /// When the program fails on the document, or exceeds its time or memory limit.
    pub async fn run(&self, json: &[u8], format: Format) -> Result<String, Error> {
        let seconds = env_var(TIMEOUT_VARIABLE).and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_TIMEOUT);
        let timed_out = || {
            stopped(
                format!("it took longer than {seconds} s ({TIMEOUT_VARIABLE})"),
                Hint::new("simplify it").or("reduce its input with ").flag("limit"),
            )
        };
        let worker =
            tokio::time::timeout(Duration::from_secs(seconds), self.run_worker(json, format, seconds));
        let output = worker.await.map_err(|_| timed_out())??;
        match output.status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Some(code) if code == i32::from(worker::FAILED) => {
                let reason = String::from_utf8_lossy(&output.stderr);
                Err(failed(
                    reason.trim_end().to_owned(),
                    Hint::new("run it without ")
                        .flag("jq")
                        .text(" to see the document")
                        .then("its fields are .meta and .results"),
                ))
            }
            _ if hit_time_limit(output.status) => Err(timed_out()),
            _ => Err(stopped(
                "it used too much memory, or recursed too deeply".to_owned(),
                "produce fewer values at a time: use .[] and limit instead of one large list".into(),
            )),
        }
    }

    async fn run_worker(&self, json: &[u8], format: Format, seconds: u64) -> Result<Output, Error> {
        let no_process = |error: std::io::Error| {
            let reason = format!("cannot start its process: {error}");
            failed(reason, Hint::new("leave out ").flag("jq").text(", and pipe the output into jq"))
        };
        let mut command = Command::new(program_file().map_err(no_process)?);
        // The program must not see the environment.
        command.arg(worker::ARGUMENT).env_clear().envs(std::env::var_os("TZ").map(|zone| ("TZ", zone)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(no_process)?;
        let task = json!({ "program": self.text, "format": format.name(), "seconds": seconds });
        if let Some(mut input) = process.stdin.take() {
            let head = format!("{task}\n");
            // If the process has ended already, its status says why.
            let _ = input.write_all(head.as_bytes()).await;
            let _ = input.write_all(json).await;
        }
        process.wait_with_output().await.map_err(no_process)
    }
}

fn failed(reason: String, hint: Hint) -> Error {
    Error::Failed { message: format!("--jq: {reason}"), exit: Exit::Failure, hint: Some(hint) }
}

fn stopped(reason: String, hint: Hint) -> Error {
    failed(format!("the program was stopped: {reason}"), hint)
}

/// The running program, even if its file was replaced.
fn program_file() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
}

/// Whether the system ended a process at its CPU time limit.
#[cfg(unix)]
fn hit_time_limit(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn hit_time_limit(_status: ExitStatus) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_program_is_refused() {
        for text in
            [".[", "env", "$ENV", "env.HOME", "input", "inputs", "input_filename", "import \"x\" as x; ."]
        {
            assert_eq!(JqProgram::parse(text).err().map(|error| error.exit()), Some(Exit::Usage), "{text}");
        }
        assert!(JqProgram::parse("nope").unwrap_err().to_string().ends_with("\"nope\" is not defined"));
        assert!(JqProgram::parse(".results.data[].id").is_ok());
    }

    #[test]
    fn deeply_nested_programs_can_be_parsed() {
        let nested =
            ["[", "(", "{a:", "-", "if ", "try ", "def f: ", "1 as $x | ", ".a|", "1,", "\"\\(", "reduce "];
        for piece in nested {
            let text = piece.repeat(MAX_PROGRAM / piece.len());
            assert!(JqProgram::parse(&text).is_err(), "{piece}");
        }
        for (open, close) in [("[", "]"), ("{a:", "}"), ("\"\\(", ")\""), ("try ", ""), ("1 as $x | ", "")] {
            let times = MAX_PROGRAM / (open.len() + close.len()) - 1;
            let text = format!("{}1{}", open.repeat(times), close.repeat(times));
            assert!(JqProgram::parse(&text).is_ok(), "{open}");
        }
        assert!(JqProgram::parse(&" ".repeat(MAX_PROGRAM + 1)).is_err());
    }
}

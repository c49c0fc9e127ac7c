//! `--jq PROGRAM`: the document through a program of the jq language.
//!
//! The program sees what would be printed as JSON, the envelope included: `--jq X` does what a pipe
//! into `jq -c X` does. A program that cannot be read is refused before anything is sent. Agents write
//! programs: one must never reach anything but its document, nor run on, nor end this process. It
//! therefore runs in a process of its own, which is killed when it takes too long or nobody waits for it.

#[allow(
    clippy::disallowed_methods,
    reason = "a process of its own, whose stdin is the program and its document"
)]
mod worker;

use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::format::Format;
use crate::cli::environment::environment;
use crate::cli::error::{Error, Exit};

pub use worker::{is_wanted as is_worker, work};

/// The seconds a program may take, where they are not enough.
const SECONDS: &str = "INTERCOM_JQ_SECONDS";

const DEFAULT_SECONDS: u64 = 10;

/// Most bytes of a program.
const LONGEST: usize = 16 << 10;

/// Room to read the most nested program of that length; what is not needed takes none.
const STACK: usize = LONGEST * (16 << 10);

/// A program that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    text: String,
}

impl Program {
    /// # Errors
    /// [`Error::Usage`] for what is no program.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason: String| {
            Error::usage_with_hint(
                format!("--jq: {text:?} is no program of the jq language{reason}"),
                "write it as for jq, as in --jq '.results.data[].id'",
            )
        };
        if text.len() > LONGEST {
            return Err(Error::usage(format!("--jq: a program has at most {LONGEST} bytes")));
        }
        let owned = text.to_owned();
        // Nested programs are read by recursion.
        let reader = std::thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn(move || worker::compiled(&owned).map(drop));
        let no_room = |error| Error::usage(format!("--jq: there is no room to read the program: {error}"));
        let reader = reader.map_err(no_room)?;
        match reader.join() {
            Ok(Ok(())) => Ok(Program { text: text.to_owned() }),
            Ok(Err(reason)) => Err(refused(reason.map(|it| format!(": {it}")).unwrap_or_default())),
            Err(_) => Err(refused(String::new())),
        }
    }

    /// What the program makes of a JSON document, one value per line. Line formats get bare strings.
    ///
    /// # Errors
    /// When the program fails on the document, or takes more time or memory than it may.
    pub async fn run(&self, json: &[u8], format: Format) -> Result<String, Error> {
        let seconds = environment(SECONDS).and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_SECONDS);
        let too_long = || {
            stopped(
                format!("it took longer than {seconds} s ({SECONDS})"),
                "do less in it, or give it less to read with --limit".to_owned(),
            )
        };
        let worked = tokio::time::timeout(Duration::from_secs(seconds), self.worked(json, format, seconds));
        let output = worked.await.map_err(|_| too_long())??;
        match output.status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Some(code) if code == i32::from(worker::FAILED) => {
                let reason = String::from_utf8_lossy(&output.stderr);
                Err(failed(
                    reason.trim_end().to_owned(),
                    "look at the document without --jq; its fields are .meta and .results".to_owned(),
                ))
            }
            _ if used_its_time(output.status) => Err(too_long()),
            _ => Err(stopped(
                "it needs too much memory, or calls itself too deeply".to_owned(),
                "make fewer values at a time: .[] and limit instead of lists of everything".to_owned(),
            )),
        }
    }

    async fn worked(&self, json: &[u8], format: Format, seconds: u64) -> Result<Output, Error> {
        let broken = |error: std::io::Error| {
            let reason = format!("the process for it does not start: {error}");
            failed(reason, "leave out --jq, and use jq on the output".to_owned())
        };
        let mut command = Command::new(program_file().map_err(broken)?);
        // What is not there cannot be read.
        command.arg(worker::ARGUMENT).env_clear().envs(std::env::var_os("TZ").map(|zone| ("TZ", zone)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(broken)?;
        let task = json!({ "program": self.text, "format": format.name(), "seconds": seconds });
        if let Some(mut input) = process.stdin.take() {
            let head = format!("{task}\n");
            // A process that has ended tells why by its status.
            let _ = input.write_all(head.as_bytes()).await;
            let _ = input.write_all(json).await;
        }
        process.wait_with_output().await.map_err(broken)
    }
}

fn failed(reason: String, hint: String) -> Error {
    Error::Finding { message: format!("--jq: {reason}"), exit: Exit::Failure, hint: Some(hint) }
}

fn stopped(reason: String, hint: String) -> Error {
    failed(format!("the program was stopped: {reason}"), hint)
}

/// This program, also after its file was replaced.
fn program_file() -> std::io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    }
}

/// Whether the system ended a process because its time was over.
#[cfg(unix)]
fn used_its_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn used_its_time(_status: ExitStatus) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_refused() {
        for text in
            [".[", "env", "$ENV", "env.HOME", "input", "inputs", "input_filename", "import \"x\" as x; ."]
        {
            assert_eq!(Program::parse(text).err().map(|it| it.exit()), Some(Exit::Usage), "{text}");
        }
        assert!(Program::parse("nope").unwrap_err().to_string().ends_with("there is no \"nope\""));
        assert!(Program::parse(".results.data[].id").is_ok());
    }

    #[test]
    fn no_program_is_too_nested_to_be_read() {
        let nested =
            ["[", "(", "{a:", "-", "if ", "try ", "def f: ", "1 as $x | ", ".a|", "1,", "\"\\(", "reduce "];
        for piece in nested {
            let text = piece.repeat(LONGEST / piece.len());
            assert!(Program::parse(&text).is_err(), "{piece}");
        }
        for (open, close) in [("[", "]"), ("{a:", "}"), ("\"\\(", ")\""), ("try ", ""), ("1 as $x | ", "")] {
            let times = LONGEST / (open.len() + close.len()) - 1;
            let text = format!("{}1{}", open.repeat(times), close.repeat(times));
            assert!(Program::parse(&text).is_ok(), "{open}");
        }
        assert!(Program::parse(&" ".repeat(LONGEST + 1)).is_err());
    }
}

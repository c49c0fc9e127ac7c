//! An MCP server that offers every command as a tool.
//!
//! Layer: above `cli`, whose commands it runs inside this process without adding or changing any. Only the
//! protocol may write to stdout, an agent may not name secrets, nor files outside the folder that the owner
//! allowed, and no call may end the server.

mod arguments;
mod bound;
mod concurrency;
mod confirmation;
mod cut;
mod decode;
mod effects;
mod elicit;
mod error_result;
mod example;
mod instructions;
mod limits;
mod options;
mod plans;
mod progress;
mod prompts;
mod question;
mod raw;
mod resources;
mod run;
mod schema;
mod server;
#[allow(clippy::disallowed_methods, reason = "the protocol's own streams")]
mod stdio;
mod subject;
mod tool_result;
mod tools;
mod truncate;
mod untrusted;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;
use rmcp::ServiceExt;

use crate::cli::catalog::Entry;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::{CommandFuture, Session};

use arguments::ToolCall;
use options::ServerOptions;
use server::Server;
use untrusted::Origin;
use wire::Wire;

/// Runs the command line of this process, including the `mcp` command.
pub fn main() -> ExitCode {
    crate::cli::main(std::env::args_os().collect(), serve)
}

/// Runs the command line of this process as if its first argument were `mcp`.
pub fn server_main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let arguments = [program, OsString::from("mcp")].into_iter().chain(arguments);
    crate::cli::main(arguments.collect(), serve)
}

/// Commands whose output is text of this program, except for error texts quoted from the API.
const REPORTS: &[&str] = &[
    "agent-context",
    "auth status",
    "budget",
    "bulk runs",
    "doctor",
    "filter explain",
    "profile list",
    "profile show",
    "status",
    "which",
];

/// Who wrote the text in the result of this call.
fn origin(entry: &Entry, call: Option<&ToolCall>) -> Origin {
    let shows_schema =
        call.is_some_and(|call| call.given().get("schema").is_some_and(|schema| schema == true));
    match entry.words.as_str() {
        "sql" if shows_schema => Origin::Own,
        words if REPORTS.contains(&words) => Origin::Report,
        // A dry run shows only the request, which repeats the arguments.
        _ if entry.operation().is_some() && call.is_some_and(|call| call.dry_run) => Origin::Own,
        "sql" | "analytics" => Origin::Derived,
        _ if call.is_some_and(ToolCall::derives_values) => Origin::Derived,
        _ => Origin::Documents,
    }
}

/// Serves until the client disconnects or the process receives a signal to stop.
fn serve(session: Session, matches: &ArgMatches) -> CommandFuture<'_> {
    Box::pin(async move {
        let options = ServerOptions::read(matches)?.with_read_only(session.is_read_only()?);
        // Report invalid settings at startup instead of with every call.
        session.context().settings()?;
        let (input, output) = stdio::take()?;
        let server = Server::new(session, options);
        let failed = |reason: String| Error::Failed {
            message: format!("the client did not complete the MCP handshake: {reason}"),
            exit: Exit::Failure,
            hint: Some(
                Hint::new("start ")
                    .run("mcp")
                    .text(" from an MCP client")
                    .then("")
                    .run("--help")
                    .text(" lists the commands for people"),
            ),
        };
        match server.serve(Wire::new(input, output)).await {
            Ok(running) => tokio::select! {
                ended = running.waiting() => ended.map(drop).map_err(|error| failed(error.to_string())),
                () = stdio::stop_signal() => Ok(()),
            },
            // A client that disconnects at once has requested nothing.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(failed(error.to_string())),
        }
    })
}

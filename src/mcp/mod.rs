//! Every command as a tool of the Model Context Protocol.
//!
//! Stands above the command line and runs its commands inside this process; it adds no command and
//! changes none. Nothing but the protocol may reach stdout, no secret and no file may be named by an
//! agent unless its owner allowed a folder, and no call may end the server.

mod answer;
mod bound;
mod call;
mod confirmation;
mod cut;
mod decode;
mod effects;
mod elicit;
mod example;
mod instructions;
mod limits;
mod marks;
mod options;
mod pages;
mod plans;
mod progress;
mod prompts;
mod question;
mod raw;
mod refusal;
mod resources;
mod run;
mod schema;
mod server;
#[allow(clippy::disallowed_methods, reason = "the protocol's own streams")]
mod stdio;
mod subject;
mod tools;
mod turns;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;
use rmcp::ServiceExt;

use crate::cli::catalog::Entry;
use crate::cli::error::{Error, Exit};
use crate::cli::{Running, Session};

use call::Call;
use marks::Origin;
use options::Options;
use server::Server;
use wire::Wire;

/// Runs the process's command line, `mcp` among its commands.
pub fn main() -> ExitCode {
    crate::cli::main(std::env::args_os().collect(), serve)
}

/// Runs the process's command line as if `mcp` stood before its arguments.
pub fn server_main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let arguments = [program, OsString::from("mcp")].into_iter().chain(arguments);
    crate::cli::main(arguments.collect(), serve)
}

/// Commands whose answers are this program's own words, but for what the server said of a failure.
const OWN: &[&str] = &[
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

/// Whose words the answer to this call is made of.
fn origin(entry: &Entry, call: Option<&Call>) -> Origin {
    let shows_schema = call.is_some_and(|call| call.given().get("schema").is_some_and(|it| it == true));
    match entry.words.as_str() {
        "sql" if shows_schema => Origin::Own,
        words if OWN.contains(&words) => Origin::Report,
        // Only the request is shown, as it was called for.
        _ if entry.operation().is_some() && call.is_some_and(|call| call.dry_run) => Origin::Own,
        "sql" | "analytics" => Origin::Moved,
        _ if call.is_some_and(Call::moves_values) => Origin::Moved,
        _ => Origin::Documents,
    }
}

/// Serves until the client hangs up, or somebody tells the process to stop.
fn serve(session: Session, matches: &ArgMatches) -> Running<'_> {
    Box::pin(async move {
        let options = Options::read(matches)?.limited(session.is_read_only()?);
        // Better said to whoever starts the server than with every call.
        session.context().settings()?;
        let (input, output) = stdio::take()?;
        let server = Server::new(session, options);
        let failed = |reason: String| {
            Error::Finding {
            message: format!("the client does not speak MCP: {reason}"),
            exit: Exit::Failure,
            hint: Some("start `intercom-pp-cli mcp` from an MCP client; `intercom-pp-cli --help` lists the commands for people".to_owned()),
        }
        };
        match server.serve(Wire::new(input, output)).await {
            Ok(running) => tokio::select! {
                ended = running.waiting() => ended.map(drop).map_err(|error| failed(error.to_string())),
                () = stdio::told_to_stop() => Ok(()),
            },
            // A client that hangs up at once has asked for nothing.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(failed(error.to_string())),
        }
    })
}

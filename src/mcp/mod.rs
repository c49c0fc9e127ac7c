//! Every command as a tool of the Model Context Protocol.
//!
//! Stands above the command line and runs its commands inside this process; it adds no command and
//! changes none. Nothing but the protocol may reach stdout, no secret and no file may be named by an
//! agent unless its owner allowed a folder, and no call may end the server.

mod call;
mod confirmation;
mod effects;
mod instructions;
mod marks;
mod options;
mod pages;
mod prompts;
mod refusal;
mod resources;
mod run;
mod schema;
mod server;
mod stdio;
mod tools;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;
use rmcp::ServiceExt;

use crate::cli::error::{Error, Exit};
use crate::cli::{Running, Session};

use options::Options;
use server::Server;

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

/// Serves until the client hangs up, or somebody tells the process to stop.
fn serve(session: Session, matches: &ArgMatches) -> Running<'_> {
    Box::pin(async move {
        let options = Options::read(matches)?;
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
        match server.serve((input, output)).await {
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

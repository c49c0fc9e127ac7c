//! `mcp`: the command that starts the server.

use rmcp::ServiceExt;

use super::options::{ServeMcp, ServerOptions};
use super::stdio;
use super::tool_server::ToolServer;
use super::wire::Wire;
use crate::cli::Session;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::registry::{Effect, MetaCommand, Registry};

impl MetaCommand for ServeMcp {
    const WORDS: &'static str = "mcp";
    const EFFECT: Effect = Effect::Terminal;

    /// Serves until the client disconnects or the process receives a signal to stop.
    async fn run(self, context: &Context, registry: &'static Registry) -> Result<(), Error> {
        let session = Session::of(context, registry);
        let options = ServerOptions::of(self, registry)?.with_read_only(session.is_read_only()?);
        // Report invalid settings at startup instead of with every call.
        session.context().settings()?;
        let (input, output) = stdio::take()?;
        let server = ToolServer::new(session, options);
        match server.serve(Wire::new(input, output)).await {
            Ok(running) => tokio::select! {
                ended = running.waiting() => ended.map(drop).map_err(|error| no_handshake(&error.to_string())),
                () = stdio::stop_signal() => Ok(()),
            },
            // A client that disconnects at once has requested nothing.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(no_handshake(&error.to_string())),
        }
    }
}

fn no_handshake(reason: &str) -> Error {
    Error::Failed {
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
    }
}

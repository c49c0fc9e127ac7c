//! `mcp`: the command that starts the server.

use clap::Args;
use rmcp::ServiceExt;

use super::options::ServerOptions;
use super::server::Server;
use super::stdio;
use super::wire::Wire;
use crate::cli::Session;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::OwnerFile;
use crate::cli::mirror_paths::MirrorFlag;
use crate::cli::registry::{Effect, MetaCommand, Registry};

/// Serve all commands to AI agents over MCP, on stdin and stdout
#[derive(Args)]
pub struct ServeMcp {
    /// Let agents change the workspace; without it, they can only read
    #[arg(long)]
    pub allow_writes: bool,
    /// Let agents overwrite and remove records, with a confirmation token for each call
    #[arg(long, requires = "allow_writes")]
    pub allow_destructive: bool,
    /// Also list the tools of these groups, for example contacts,conversations
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    pub toolsets: Vec<String>,
    /// List a tool for every command
    #[arg(long)]
    pub all_tools: bool,
    /// Let agents use files in this folder
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<OwnerFile>,
    /// Maximum rows per response; a cursor continues
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value = "100")]
    pub max_rows: u32,
    /// Maximum bytes per response, at least 1000; a cursor continues
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1000..), default_value = "25000")]
    pub max_bytes: u32,
    #[command(flatten)]
    pub mirror: MirrorFlag,
}

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
        let server = Server::new(session, options);
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

//! An MCP server that offers every command as a tool.
//!
//! Layer: above `cli`, whose commands it runs inside this process without changing any. Only the protocol may write to stdout, an agent may not name secrets, nor files outside the folder that the owner
//! allowed, and no call may end the server.

mod arguments;
mod bound;
mod command;
mod concurrency;
mod confirmation;
mod cut;
mod decode;
mod effects;
mod elicit;
mod error_result;
mod example;
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
mod tool_server;
mod tools;
mod truncate;
mod untrusted;
mod wire;

use crate::cli::catalog::CatalogEntry;
use crate::cli::registry::Registration;

use arguments::ToolCall;
use untrusted::TextOrigin;

/// The command that starts the server, for the list of all commands.
pub(crate) const COMMANDS: &[Registration] = &[Registration::meta::<options::ServeMcp>()];

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
fn origin(entry: &CatalogEntry, call: Option<&ToolCall>) -> TextOrigin {
    let shows_schema =
        call.is_some_and(|call| call.given().get("schema").is_some_and(|schema| schema == true));
    match entry.words.as_str() {
        "sql" if shows_schema => TextOrigin::Own,
        words if REPORTS.contains(&words) => TextOrigin::Report,
        // A dry run shows only the request, which repeats the arguments.
        _ if entry.operation().is_some() && call.is_some_and(|call| call.dry_run) => TextOrigin::Own,
        "sql" | "analytics" => TextOrigin::Derived,
        _ if call.is_some_and(ToolCall::derives_values) => TextOrigin::Derived,
        _ => TextOrigin::Documents,
    }
}

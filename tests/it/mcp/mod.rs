//! The MCP server: its tools, their schemas and results, permissions, plans and confirmations.

mod client;
mod confirmation;
#[cfg(unix)]
mod effects;
mod jq;
mod malformed_messages;
mod permissions;
mod plans;
mod results;
mod schemas;
mod server;
mod timeouts;
mod untrusted;
mod verbs;
mod views;

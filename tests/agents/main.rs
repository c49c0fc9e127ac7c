//! What agents rely on: the MCP server, and the command line that describes itself.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod described;
#[cfg(unix)]
mod effects;
mod formats;
mod mcp;
mod profiles;
mod programs;
mod workflows;

use std::path::Path;
use std::process::Output;

use intercom::sandbox::{Options, Sandbox, TOKEN};

pub async fn sandbox() -> Sandbox {
    let options = Options { contacts: 60, companies: 8, conversations: 80, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}

/// Runs the command line against a sandbox.
pub fn run(home: &Path, sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut command = support::binary(home);
    command.env("INTERCOM_BASE_URL", sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
    command.args(arguments).output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

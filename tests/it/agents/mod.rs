//! What agents rely on: the MCP server, and the command line that describes itself.

mod answers;
mod binding;
mod client;
mod described;
#[cfg(unix)]
mod effects;
mod formats;
mod judged;
mod marks;
mod mcp;
mod patience;
mod plans;
mod profiles;
mod programs;
mod schemas;
mod wire;
mod workflows;

use crate::support;
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

//! The `intercom-pp-mcp` binary: `intercom-pp-cli mcp` for MCP clients that cannot pass arguments.

use std::ffi::OsString;

fn main() -> std::process::ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    arguments.insert(arguments.len().min(1), OsString::from("mcp"));
    intercom::cli::main(arguments, &intercom::program::COMMANDS)
}

//! The `intercom-pp-mcp` binary: `intercom-pp-cli mcp` under a name that clients can call without
//! arguments.

fn main() -> std::process::ExitCode {
    intercom::mcp::server_main()
}

//! The `intercom-pp-mcp` binary: `intercom-pp-cli mcp` for MCP clients that cannot pass arguments.

fn main() -> std::process::ExitCode {
    intercom::mcp::server_main()
}

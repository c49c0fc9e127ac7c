//! The `intercom-pp-cli` binary: everything is in the library's `cli` and `mcp`.

fn main() -> std::process::ExitCode {
    intercom::mcp::main()
}

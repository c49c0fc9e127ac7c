//! The `intercom-pp-cli` binary. The program itself is in the library's `cli` and `mcp` modules.

fn main() -> std::process::ExitCode {
    intercom::mcp::main()
}

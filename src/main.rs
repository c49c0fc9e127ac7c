//! The `intercom-pp-cli` binary: everything is in the library's `cli`.

fn main() -> std::process::ExitCode {
    intercom::cli::main()
}

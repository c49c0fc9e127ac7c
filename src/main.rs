//! The `intercom-pp-cli` binary. The program itself is in the library.

fn main() -> std::process::ExitCode {
    intercom::cli::main(std::env::args_os().collect(), &intercom::program::COMMANDS)
}

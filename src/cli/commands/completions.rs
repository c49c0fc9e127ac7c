//! `completions <shell>` and `man`: the command tree for shells and for man(1).

use std::io::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("completions")
        .about("Print a completion script for a shell")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(clap::value_parser!(Shell))
                .help("Which shell"),
        )
        .after_help("Example: intercom-pp-cli completions bash")
}

pub fn man() -> Command {
    Command::new("man").about("Print the manual page, or write one page per command into a folder").arg(
        Arg::new("out")
            .long("out")
            .value_name("FOLDER")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Write all pages here"),
    )
}

pub fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let Some(shell) = matches.get_one::<Shell>("shell") else { return Err(Error::usage("missing: <SHELL>")) };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut (context.program.whole_tree)(), "intercom-pp-cli", &mut script);
    write(&script)
}

pub fn run_man(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    if let Some(folder) = matches.get_one::<PathBuf>("out") {
        std::fs::create_dir_all(folder)?;
        return Ok(clap_mangen::generate_to((context.program.whole_tree)(), folder)?);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new((context.program.whole_tree)()).render(&mut page)?;
    write(&page)
}

fn write(content: &[u8]) -> Result<(), Error> {
    let mut stdout = std::io::stdout();
    Ok(stdout.write_all(content).and_then(|()| stdout.flush())?)
}

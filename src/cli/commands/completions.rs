//! `completions <SHELL>` and `man`: completion scripts and manual pages.
//!
//! A completion script only registers the program with the shell. The candidates come from the running program, see
//! `cli/completion.rs`.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use crate::cli::completion;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::files::Folder;

pub fn command() -> Command {
    Command::new("completions")
        .about("Print a completion script for a shell")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(clap::value_parser!(Shell))
                .help("Shell to print the script for"),
        )
        .after_help(
            "Save the script where the shell looks for it:\n  \
             bash  ~/.local/share/bash-completion/completions/intercom-pp-cli\n        \
             or, without the bash-completion package, in ~/.bashrc: source <(intercom-pp-cli completions bash)\n  \
             zsh   a folder in $fpath, as _intercom-pp-cli\n        \
             or in ~/.zshrc, after compinit: source <(intercom-pp-cli completions zsh)\n  \
             fish  ~/.config/fish/completions/intercom-pp-cli.fish\n\n\
             The script calls the program at each TAB, so save it again only if the program moves.\n\n\
             Example: intercom-pp-cli completions bash",
        )
}

pub fn man() -> Command {
    Command::new("man").about("Print the manual page, or write one page per command to a folder").arg(
        Arg::new("out")
            .long("out")
            .value_name("FOLDER")
            .value_parser(clap::value_parser!(Folder))
            .help("Write all pages to this folder"),
    )
}

pub fn run(matches: &ArgMatches) -> Result<(), Error> {
    let Some(shell) = matches.get_one::<Shell>("shell") else { return Err(Error::usage("missing: <SHELL>")) };
    write(completion::script(*shell)?.as_bytes())
}

pub fn run_man(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    if let Some(folder) = matches.get_one::<Folder>("out") {
        let folder = folder.create()?;
        return Ok(clap_mangen::generate_to((context.commands.whole_tree)(), folder)?);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new((context.commands.whole_tree)()).render(&mut page)?;
    write(&page)
}

fn write(content: &[u8]) -> Result<(), Error> {
    let mut stdout = std::io::stdout();
    Ok(stdout.write_all(content).and_then(|()| stdout.flush())?)
}

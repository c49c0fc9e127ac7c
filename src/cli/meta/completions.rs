//! `completions <SHELL>`: completion scripts.
//!
//! A completion script only registers the program with the shell. The candidates come from the running program, see
//! `cli/completion.rs`.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::cli::completion;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::registry::{Effect, MetaCommand, Registry};

/// Print a completion script for a shell
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Save the script where the shell looks for it:\n  \
    bash  ~/.local/share/bash-completion/completions/intercom-pp-cli\n        \
    or, without the bash-completion package, in ~/.bashrc: source <(intercom-pp-cli completions bash)\n  \
    zsh   a folder in $fpath, as _intercom-pp-cli\n        \
    or in ~/.zshrc, after compinit: source <(intercom-pp-cli completions zsh)\n  \
    fish  ~/.config/fish/completions/intercom-pp-cli.fish\n\n\
    The script calls the program at each TAB, so save it again only if the program moves.\n\n\
    Example: intercom-pp-cli completions bash")]
pub struct Completions {
    /// Shell to print the script for
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl MetaCommand for Completions {
    const WORDS: &'static str = "completions";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, _: &Context, _: &'static Registry) -> Result<(), Error> {
        write(completion::script(self.shell)?.as_bytes())
    }
}

/// Writes to stdout.
pub(super) fn write(content: &[u8]) -> Result<(), Error> {
    let mut stdout = std::io::stdout();
    Ok(stdout.write_all(content).and_then(|()| stdout.flush())?)
}

//! `man`: manual pages.
//!
//! One page per command. Global flags are explained on the page of the program only; the others refer to it.

use std::io::{Error as IoError, Write};

use clap::builder::Resettable;
use clap::{Args, Command};

use super::completions::write;
use crate::cli::catalog::{example_of, split_examples};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::files::Folder;
use crate::cli::registry::{Effect, MetaCommand, Registry};
use crate::cli::{globals, tree};

/// Print the manual page, or write one page per command to a folder
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli man --out man")]
pub struct Man {
    /// Write all pages to this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<Folder>,
}

impl MetaCommand for Man {
    const WORDS: &'static str = "man";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, _: &Context, registry: &'static Registry) -> Result<(), Error> {
        let mut root = tree::everything(registry);
        root.build();
        match self.out {
            Some(folder) => folder.write(&pages(&root, "")?),
            None => write(&page(&root, "")?),
        }
    }
}

/// File names and pages of a command and all below it. `path` are its words.
fn pages(command: &Command, path: &str) -> Result<Vec<(String, Vec<u8>)>, IoError> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut all = vec![(format!("{name}.1"), page(command, path)?)];
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        all.extend(pages(below, format!("{path} {}", below.get_name()).trim_start())?);
    }
    Ok(all)
}

fn page(command: &Command, path: &str) -> Result<Vec<u8>, IoError> {
    let (examples, notes) = explained(command, path);
    let mut command = command.clone();
    if !path.is_empty() {
        command = command.mut_args(|argument| {
            let is_global = argument.get_help_heading() == Some(globals::HEADING);
            if is_global { argument.hide(true) } else { argument }
        });
    }
    command =
        if notes.is_empty() { command.after_help(Resettable::Reset) } else { command.after_help(notes) };
    let (has_notes, has_subcommands) = (command.get_after_help().is_some(), command.has_subcommands());
    let man = clap_mangen::Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if !path.is_empty() {
        page.write_all(
            b".SH \"GLOBAL OPTIONS\"\nAll options of \\fBintercom\\-pp\\-cli\\fR(1) are accepted.\n",
        )?;
    }
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    if !examples.is_empty() {
        let lines: String = examples.iter().map(|line| format!("{}\n", verbatim(line))).collect();
        write!(page, ".SH EXAMPLES\n.nf\n{lines}.fi\n")?;
    }
    if has_notes {
        man.render_extra_section(&mut page)?;
    }
    if path.is_empty() {
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// The examples and the notes of a command.
fn explained(command: &Command, path: &str) -> (Vec<String>, String) {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (mut examples, notes) = split_examples(&after);
    let words: Vec<&str> = path.split(' ').collect();
    let is_group = command.is_subcommand_required_set();
    let operation = tree::operation(&words).filter(|_| !is_group && examples.is_empty());
    examples.extend(operation.and_then(|operation| example_of(path, operation).ok()));
    if path.is_empty() {
        examples.push("intercom-pp-cli demo".to_owned());
    }
    (examples, notes)
}

/// A line that roff prints as it is.
fn verbatim(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roff_prints_examples_as_they_are() {
        assert_eq!(verbatim("a --b 'c\\d'"), "a \\-\\-b 'c\\ed'");
        assert_eq!(verbatim(".x"), "\\&.x");
    }
}

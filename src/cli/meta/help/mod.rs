//! `help`: the page of a command, or a topic.
//!
//! Topics explain what many commands share. What a topic says about commands and flags is generated from their
//! declarations, or checked by a test.

mod flag_groups;
mod topic;

use clap::{Args, Command};

use super::agent_context::EXIT_CODES;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::flag_values::Suggested;
use crate::cli::output::Output;
use crate::cli::registry::{Effect, MetaCommand, Registry};
use crate::cli::tree;
use topic::Topic;

/// Names at least this similar (Jaro-Winkler) are suggested.
const LIKELY: f64 = 0.8;

/// Explain a command or a topic
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Topics: api, commands, dates, environment, exit-codes, filters, flags, output, profiles\n\n\
                        Example: intercom-pp-cli help output\n\n\
                        Example: intercom-pp-cli help conversations sla"
)]
pub struct ShowHelp {
    /// Words of a command, or the name of a topic
    #[arg(value_name = "COMMAND|TOPIC", num_args = 0.., value_parser = Suggested(Topic::names()), hide_possible_values = true)]
    words: Vec<String>,
}

impl MetaCommand for ShowHelp {
    const WORDS: &'static str = "help";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context, registry: &'static Registry) -> Result<(), Error> {
        if let [word] = self.words.as_slice() {
            if let Some(topic) = Topic::named(word) {
                return Output::open(&context.globals.output)?.text(&topic.text(registry)).await;
            }
            let root = tree::command(registry, &[]);
            if word != "help" && root.find_subcommand(word).is_none() {
                return Err(unknown(word, &root));
            }
        }
        Err(page(registry, &self.words))
    }
}

/// The page of a command. clap reports a help page as an error, which is printed on stdout.
fn page(registry: &Registry, words: &[String]) -> Error {
    let program = "intercom-pp-cli".to_owned();
    let help = "--help".to_owned();
    let line: Vec<String> =
        std::iter::once(program).chain(words.iter().cloned()).chain(std::iter::once(help)).collect();
    match tree::command(registry, &line).try_get_matches_from(&line) {
        Err(error) => Error::from(error),
        // `--help` always ends parsing, so this is a command that takes it as a value.
        Ok(_) => Error::usage(format!("no help found for {:?}", words.join(" "))),
    }
}

fn unknown(word: &str, root: &Command) -> Error {
    let topics = Topic::names();
    let names = topics.iter().map(String::as_str).chain(root.get_subcommands().map(Command::get_name));
    let nearest = names
        .map(|name| (strsim::jaro_winkler(name, word), name))
        .filter(|(similarity, _)| *similarity > LIKELY)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = match nearest {
        Some((_, name)) => Hint::new("did you mean ").run(format!("help {name}")).text("?"),
        None => Hint::new(format!("the topics are {}", topics.join(", "))),
    };
    Error::usage_with_hint(format!("unknown command or topic {word:?}"), hint)
}

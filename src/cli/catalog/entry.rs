//! One command of the catalog.

use clap::Command;

use super::example;
use super::parameter::{self, Parameter};
use crate::api::operation::{self, Operation};
use crate::cli::effect::Effect;

#[derive(Clone)]
pub struct Entry {
    /// The words users rely on, separated by one space.
    pub words: String,
    /// The words people are shown.
    pub shown: String,
    pub about: String,
    pub effect: Effect,
    /// Whether it adds records and leaves all others as they are.
    pub is_additive: bool,
    /// Whether running it twice leaves the same state as running it once.
    pub idempotent: bool,
    pub parameters: Vec<Parameter>,
    /// A command line that works, if one is known.
    pub example: Option<String>,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Operation(&'static Operation),
    Handwritten,
}

impl Entry {
    pub fn of_operation(operation: &'static Operation) -> Self {
        let shown = operation.spellings().next().unwrap_or(operation.command);
        let parameters = parameter::of_operation(operation);
        Entry {
            words: operation.command.to_owned(),
            shown: shown.to_owned(),
            about: operation.help.to_owned(),
            effect: match operation.effect {
                operation::Effect::Read => Effect::Read,
                operation::Effect::Write => Effect::Write,
                operation::Effect::Destructive => Effect::Destructive,
            },
            is_additive: operation.is_additive,
            idempotent: operation.effect == operation::Effect::Read || operation.method.is_idempotent(),
            example: Some(example::of(shown, operation)),
            parameters,
            source: Source::Operation(operation),
        }
    }

    pub fn of_command(words: String, effect: Effect, command: Command) -> Self {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let example = after.split("Example: ").nth(1).and_then(|rest| rest.split("\n\n").next());
        Entry {
            shown: words.clone(),
            about: command.get_about().map(ToString::to_string).unwrap_or_default(),
            effect,
            // What commands of ours do to one record, they do to many.
            is_additive: false,
            idempotent: matches!(effect, Effect::Read | Effect::Local),
            parameters: parameter::of_command(&command),
            example: example.map(|text| text.trim().to_owned()),
            words,
            source: Source::Handwritten,
        }
    }

    /// The name of the tool for this command: the words that people are shown.
    pub fn tool_name(&self) -> String {
        self.shown.replace(' ', "_")
    }

    /// All words under which the command can be called.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        let others =
            self.operation().into_iter().flat_map(|operation| operation.spellings().map(|it| -> &str { it }));
        std::iter::once(self.words.as_str()).chain(others)
    }

    /// The first word, which is what toolsets are named after.
    pub fn group(&self) -> &str {
        self.words.split(' ').next().unwrap_or_default()
    }

    pub fn operation(&self) -> Option<&'static Operation> {
        match self.source {
            Source::Operation(operation) => Some(operation),
            Source::Handwritten => None,
        }
    }
}

//! One command of the catalog.

use super::example::{self, split_examples};
use super::parameter::{self, CommandParameter};
use crate::api::operation::{self, Operation};
use crate::cli::registry::{Effect, Registration};

#[derive(Clone)]
pub struct CatalogEntry {
    /// The stable words of the command, separated by spaces.
    pub words: String,
    /// The readable words, which help and lists show.
    pub shown: String,
    pub about: String,
    pub effect: Effect,
    /// Whether it only adds records.
    pub is_additive: bool,
    /// Whether running it twice has the same effect as running it once.
    pub idempotent: bool,
    pub parameters: Vec<CommandParameter>,
    /// A valid command line, if there is one.
    pub example: Option<String>,
    origin: CommandOrigin,
}

#[derive(Clone)]
enum CommandOrigin {
    Operation(&'static Operation),
    Handwritten,
}

impl From<operation::Effect> for Effect {
    fn from(effect: operation::Effect) -> Self {
        match effect {
            operation::Effect::Read => Effect::Read,
            operation::Effect::Write => Effect::Write,
            operation::Effect::Destructive => Effect::Destructive,
        }
    }
}

impl CatalogEntry {
    pub fn of_operation(operation: &'static Operation) -> Self {
        let shown = operation.spellings().next().unwrap_or(operation.command);
        let parameters = parameter::of_operation(operation);
        CatalogEntry {
            words: operation.command.to_owned(),
            shown: shown.to_owned(),
            about: operation.help.to_owned(),
            effect: operation.effect.into(),
            is_additive: operation.is_additive,
            idempotent: operation.effect == operation::Effect::Read || operation.method.is_idempotent(),
            example: example::of(shown, operation).ok(),
            parameters,
            origin: CommandOrigin::Operation(operation),
        }
    }

    pub fn of_command(registration: &Registration) -> Self {
        let (words, effect) = (registration.words.to_owned(), registration.effect);
        let mut command = registration.command();
        command.build();
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let example = split_examples(&after).0.into_iter().next();
        CatalogEntry {
            shown: words.clone(),
            about: command.get_about().map(ToString::to_string).unwrap_or_default(),
            effect,
            // Hand-written commands can change many records.
            is_additive: false,
            idempotent: matches!(effect, Effect::Read | Effect::Local),
            parameters: parameter::of_command(&command),
            example,
            words,
            origin: CommandOrigin::Handwritten,
        }
    }

    /// The name of the MCP tool: the readable words joined by underscores.
    pub fn tool_name(&self) -> String {
        self.shown.replace(' ', "_")
    }

    /// All spellings of the command.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        let others = self
            .operation()
            .into_iter()
            .flat_map(|operation| operation.spellings().map(|name| -> &str { name }));
        std::iter::once(self.words.as_str()).chain(others)
    }

    /// The example as typed after the program's name; `None` for one with pipes or several commands.
    pub fn typed_example(&self) -> Option<&str> {
        let line = self.example.as_deref()?.lines().next()?.strip_prefix("intercom-pp-cli ")?;
        let is_single = !line.contains(['|', '>', ';', '`']);
        is_single.then_some(line)
    }

    /// The first word, which is the name of its toolset.
    pub fn group(&self) -> &str {
        self.words.split(' ').next().unwrap_or_default()
    }

    pub fn operation(&self) -> Option<&'static Operation> {
        match self.origin {
            CommandOrigin::Operation(operation) => Some(operation),
            CommandOrigin::Handwritten => None,
        }
    }
}

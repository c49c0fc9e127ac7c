//! Hand-written commands as data: a command states its words, its effect and how it runs in one place.
//!
//! A command that does not state its effect does not compile. The list of all commands is composed above the command
//! line, in `crate::program`, and passed down, so that `meta` need not import it.

use std::future::Future;
use std::pin::Pin;

use clap::{ArgMatches, Args, Command};

use super::context::Context;
use super::error::Error;

/// The future of a running command.
pub type CommandFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// What a command does, for granting permission to run it in an MCP server or a workflow: the strongest effect of any
/// of its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// Changes local files (mirror, exports, articles), not the workspace.
    Local,
    /// Adds to the workspace, or changes it in a way that can be undone.
    Write,
    /// Overwrites or removes something in the workspace, reaches customers, or cannot be undone.
    Destructive,
    /// For people at a terminal: reads secrets, runs until interrupted, or prints for a shell.
    Terminal,
}

impl Effect {
    pub fn name(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Local => "local",
            Effect::Write => "write",
            Effect::Destructive => "destructive",
            Effect::Terminal => "terminal",
        }
    }
}

/// A hand-written command, whose fields are its arguments.
pub trait HandwrittenCommand: Args {
    /// The words that call it, for example `conversations sla`.
    const WORDS: &'static str;
    const EFFECT: Effect;

    /// # Errors
    /// Those of the command.
    fn run(self, context: &Context) -> impl Future<Output = Result<(), Error>>;
}

/// A command that works with other commands: `which` searches them, `workflow run` runs some.
pub trait MetaCommand: Args {
    /// The words that call it, for example `workflow run`.
    const WORDS: &'static str;
    const EFFECT: Effect;

    /// # Errors
    /// Those of the command.
    fn run(self, context: &Context, registry: &'static Registry) -> impl Future<Output = Result<(), Error>>;
}

/// One entry of the list of commands.
pub struct Registration {
    pub words: &'static str,
    pub effect: Effect,
    declare: fn(Command) -> Command,
    run: for<'a> fn(&'a Context, &'static Registry, &'a ArgMatches) -> CommandFuture<'a>,
}

impl Registration {
    pub const fn of<C: HandwrittenCommand>() -> Self {
        Registration {
            words: C::WORDS,
            effect: C::EFFECT,
            declare: C::augment_args,
            // Boxed, so that the commands are not compiled once for each way the runtime can run a future.
            run: |context, _, matches| {
                Box::pin(async move { C::from_arg_matches(matches)?.run(context).await })
            },
        }
    }

    pub const fn meta<C: MetaCommand>() -> Self {
        Registration {
            words: C::WORDS,
            effect: C::EFFECT,
            declare: C::augment_args,
            run: |context, registry, matches| {
                Box::pin(async move { C::from_arg_matches(matches)?.run(context, registry).await })
            },
        }
    }

    /// The same command under other words.
    pub const fn called(self, words: &'static str) -> Self {
        Registration { words, ..self }
    }

    /// The clap declaration, without global flags.
    pub fn command(&self) -> Command {
        let name = self.words.rsplit(' ').next().unwrap_or(self.words);
        (self.declare)(Command::new(name))
    }

    pub fn run<'a>(
        &self,
        context: &'a Context,
        registry: &'static Registry,
        matches: &'a ArgMatches,
    ) -> CommandFuture<'a> {
        (self.run)(context, registry, matches)
    }
}

/// The help of a group that has only hand-written commands.
pub struct Group {
    pub word: &'static str,
    pub about: &'static str,
    pub after_help: &'static str,
}

/// All hand-written commands, in the order of the help.
pub struct Registry {
    lists: &'static [&'static [Registration]],
    groups: &'static [Group],
}

impl Registry {
    pub const fn new(lists: &'static [&'static [Registration]], groups: &'static [Group]) -> Self {
        Registry { lists, groups }
    }

    pub fn commands(&self) -> impl Iterator<Item = &'static Registration> {
        self.lists.iter().copied().flatten()
    }

    /// The command with these words; `None` if it is not hand-written.
    pub fn find(&self, words: &str) -> Option<&'static Registration> {
        self.commands().find(|command| command.words == words)
    }

    /// The help of a group, if it has only hand-written commands.
    pub fn group(&self, word: &str) -> Option<&'static Group> {
        self.groups.iter().find(|group| group.word == word)
    }
}

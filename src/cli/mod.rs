//! The command line: what was typed, turned into calls of the layers below and into output.
//!
//! This is the only layer that knows flags, terminals and exit codes.

mod arguments;
mod commands;
mod context;
mod credentials;
mod endpoint;
mod error;
mod globals;
mod journal;
mod keyring;
mod local;
mod output;
mod preview;
mod signals;
mod stores;
mod time;
mod tree;

use std::pin::Pin;
use std::process::ExitCode;

use clap::ArgMatches;

use context::Context;
use error::{Error, Exit};
use globals::Globals;

/// Runs the process's command line and says how it ended.
pub fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let as_json = globals::wants_json(&arguments);
    let exit = match run(arguments) {
        Ok(()) => Exit::Success,
        Err(error) => error.report(as_json),
    };
    ExitCode::from(exit as u8)
}

fn run(arguments: Vec<std::ffi::OsString>) -> Result<(), Error> {
    let typed: Vec<String> = arguments.iter().filter_map(|it| it.to_str().map(str::to_owned)).collect();
    let matches = tree::command(&typed).try_get_matches_from(arguments)?;
    let (words, levels) = levels(&matches);
    let leaf = levels[levels.len() - 1];
    let context = Context::new(Globals::read(&levels)?);
    if context.globals.verbose {
        trace_requests(&context.globals);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Boxed: the runtime would otherwise compile all commands into each of its ways to run a future.
    let command: Pin<Box<dyn Future<Output = Result<(), Error>> + '_>> =
        Box::pin(dispatch(&context, &words, leaf));
    runtime.block_on(command)
}

async fn dispatch(context: &Context, words: &[&str], matches: &ArgMatches) -> Result<(), Error> {
    if let Some(result) = commands::run(context, words, matches).await {
        return result;
    }
    match tree::operation(words) {
        Some(operation) => endpoint::run(context, operation, matches).await,
        None => Err(Error::usage(format!("there is no command {:?}", words.join(" ")))),
    }
}

/// Every request on stderr: method, path, status and duration, never a header or a body.
fn trace_requests(globals: &Globals) {
    use std::io::IsTerminal;
    use tracing_subscriber::layer::SubscriberExt;
    let colours = std::io::stderr().is_terminal() && !globals.no_color;
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours);
    let own = tracing_subscriber::filter::Targets::new().with_target("intercom", tracing::Level::DEBUG);
    let subscriber = subscriber.with_max_level(tracing::Level::DEBUG).finish().with(own);
    // Only fails when a subscriber is set already, which then has the events.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The words of the command, and the matches of each of its levels, outermost first.
fn levels(matches: &ArgMatches) -> (Vec<&str>, Vec<&ArgMatches>) {
    let (mut words, mut levels) = (Vec::new(), vec![matches]);
    let mut level = matches;
    while let Some((word, below)) = level.subcommand() {
        words.push(word);
        levels.push(below);
        level = below;
    }
    (words, levels)
}

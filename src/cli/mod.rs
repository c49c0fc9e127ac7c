//! The command line: parses arguments, runs commands and prints their results.
//!
//! This is the only layer that knows flags, terminals and exit codes.

mod arguments;
pub(crate) mod catalog;
mod clients;
pub(crate) mod commands;
mod completion;
mod confirmation;
pub(crate) mod consent;
mod contact_lookup;
mod context;
mod credentials;
mod endpoint;
pub(crate) mod error;
#[allow(clippy::disallowed_methods, reason = "the only module that opens files named by arguments")]
pub(crate) mod files;
mod filtered_page;
mod flags;
pub(crate) mod globals;
mod import_journal;
mod in_process;
mod keyring;
#[allow(clippy::disallowed_methods, reason = "the registry of mirrors in the data folder")]
mod mirror_paths;
mod offline;
mod open_mirror;
pub(crate) mod output;
mod preview;
mod read_only;
mod signals;
pub(crate) mod streams;
pub(crate) mod subject;
mod time;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::ArgMatches;

use catalog::Catalog;
use context::{CommandTable, Context};
use error::{Error, Exit};
use globals::Globals;
use tree::levels;

pub(crate) use context::CommandFuture;
pub(crate) use in_process::Session;

/// Runs `mcp`. Passed in because the `mcp` module depends on this one.
pub(crate) type ServeMcp = for<'a> fn(Session, &'a ArgMatches) -> CommandFuture<'a>;

/// Runs a command line and returns its exit code.
pub(crate) fn main(arguments: Vec<OsString>, serve: ServeMcp) -> ExitCode {
    if output::jq::is_worker() {
        return output::jq::work();
    }
    if let Some(exit) = completion::complete(&arguments) {
        return exit;
    }
    let as_json = globals::wants_json(&arguments);
    let exit = match run(arguments, serve) {
        Ok(()) => Exit::Success,
        Err(error) => error.report(as_json),
    };
    ExitCode::from(exit as u8)
}

fn run(arguments: Vec<OsString>, serve: ServeMcp) -> Result<(), Error> {
    let typed: Vec<String> = arguments.iter().filter_map(|word| word.to_str().map(str::to_owned)).collect();
    let matches = tree::command(&typed).try_get_matches_from(arguments)?;
    let (words, levels) = levels(&matches);
    let leaf = levels[levels.len() - 1];
    let globals = Globals::read(&levels)?;
    let context = Context::new(globals, &COMMANDS);
    context.warn_of_unknown_keys();
    // `profile save` must not copy the settings of the current profile into the new one.
    let context = if words[0] == "profile" { context } else { context.with_profile()? };
    let names = mirror_paths::record_names(&context, leaf);
    let context = context.with_names(names);
    if context.globals.verbose {
        trace_requests(&context.globals);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = match words[..] {
        ["mcp"] => runtime.block_on(serve(Session::of(context), leaf)),
        _ => runtime.block_on(dispatch(&context, &words, leaf)),
    };
    // Do not wait for a read of stdin that was abandoned.
    runtime.shutdown_background();
    result
}

static COMMANDS: CommandTable =
    CommandTable { tree: tree::command, whole_tree: tree::everything, catalog, dispatch };

/// Describes all commands as data.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::new(commands::top_level(), commands::in_group, commands::effect))
}

/// Boxed, so that the commands are not compiled once for each way the runtime can run a future.
fn dispatch<'a>(context: &'a Context, words: &'a [&'a str], matches: &'a ArgMatches) -> CommandFuture<'a> {
    Box::pin(async move {
        output::check_delivery(&context.globals)?;
        let result = match (commands::run(context, words, matches).await, tree::operation(words)) {
            (Some(result), _) => result,
            (None, Some(operation)) => endpoint::run(context, operation, matches).await,
            (None, None) => Err(Error::usage(format!("unknown command {:?}", words.join(" ")))),
        };
        result.map_err(|error| context.with_token_place(error))
    })
}

/// Logs every request to stderr: method, path, status and duration, never headers or bodies.
fn trace_requests(globals: &Globals) {
    use std::io::IsTerminal;
    use tracing_subscriber::layer::SubscriberExt;
    let colours = std::io::stderr().is_terminal() && !globals.no_color;
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours);
    let targets = tracing_subscriber::filter::Targets::new().with_target("intercom", tracing::Level::DEBUG);
    let subscriber = subscriber.with_max_level(tracing::Level::DEBUG).finish().with(targets);
    // Fails only if a subscriber is already set, which then receives the events.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

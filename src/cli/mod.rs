//! The command line: what was typed, turned into calls of the layers below and into output.
//!
//! This is the only layer that knows flags, terminals and exit codes.

mod arguments;
pub(crate) mod capture;
pub(crate) mod catalog;
mod clients;
pub(crate) mod commands;
mod completion;
pub(crate) mod consent;
mod context;
mod credentials;
#[allow(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) mod door;
pub(crate) mod effect;
mod endpoint;
mod environment;
pub(crate) mod error;
mod flags;
pub(crate) mod globals;
mod journal;
mod keyring;
mod levels;
mod local;
mod mirrored;
mod naming;
mod narrowed;
pub(crate) mod output;
mod people;
mod preview;
mod read_only;
mod session;
mod signals;
#[allow(clippy::disallowed_methods, reason = "the register of mirrors in the data folder")]
mod stores;
pub(crate) mod subject;
mod time;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::ArgMatches;

use catalog::Catalog;
use context::{Context, Program};
use error::{Error, Exit};
use globals::Globals;
use levels::levels;

pub(crate) use context::Running;
pub(crate) use session::Session;

/// What runs `mcp`. It is handed in, because it stands above the command line.
pub(crate) type Serve = for<'a> fn(Session, &'a ArgMatches) -> Running<'a>;

/// Runs a command line and says how it ended.
pub(crate) fn main(arguments: Vec<OsString>, serve: Serve) -> ExitCode {
    if output::jq::is_worker() {
        return output::jq::work();
    }
    if let Some(exit) = completion::answered(&arguments) {
        return exit;
    }
    let as_json = globals::wants_json(&arguments);
    let exit = match run(arguments, serve) {
        Ok(()) => Exit::Success,
        Err(error) => error.report(as_json),
    };
    ExitCode::from(exit as u8)
}

fn run(arguments: Vec<OsString>, serve: Serve) -> Result<(), Error> {
    let typed: Vec<String> = arguments.iter().filter_map(|it| it.to_str().map(str::to_owned)).collect();
    let matches = tree::command(&typed).try_get_matches_from(arguments)?;
    let (words, levels) = levels(&matches);
    let leaf = levels[levels.len() - 1];
    let globals = Globals::read(&levels)?;
    let context = Context::new(globals, &PROGRAM);
    context.warn_of_unknown_keys();
    // Settings of the profile in use must not end up in the one that is saved.
    let context = if words[0] == "profile" { context } else { context.with_profile()? };
    let names = stores::directory(&context, leaf);
    let context = context.with_names(names);
    if context.globals.verbose {
        trace_requests(&context.globals);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = match words[..] {
        ["mcp"] => runtime.block_on(serve(Session::of(context), leaf)),
        _ => runtime.block_on(dispatch(&context, &words, leaf)),
    };
    // A read of stdin that nobody waits for must not hold up the end.
    runtime.shutdown_background();
    result
}

static PROGRAM: Program = Program { tree: tree::command, whole_tree: tree::everything, catalog, dispatch };

/// All commands as data.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::new(commands::top_level(), commands::in_group, commands::effect))
}

/// Boxed: a runtime would otherwise compile all commands into each of its ways to run a future.
fn dispatch<'a>(context: &'a Context, words: &'a [&'a str], matches: &'a ArgMatches) -> Running<'a> {
    Box::pin(async move {
        output::check_delivery(&context.globals)?;
        let result = match (commands::run(context, words, matches).await, tree::operation(words)) {
            (Some(result), _) => result,
            (None, Some(operation)) => endpoint::run(context, operation, matches).await,
            (None, None) => Err(Error::usage(format!("there is no command {:?}", words.join(" ")))),
        };
        result.map_err(|error| context.with_token_place(error))
    })
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

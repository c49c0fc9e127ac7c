//! The command line: parses arguments, runs commands and prints their results.
//!
//! No layer below reads flags, prints, or decides exit codes.

mod arguments;
pub(crate) mod catalog;
mod clients;
pub(crate) mod commands;
mod completion;
mod confirmation;
pub(crate) mod consent;
pub(crate) mod context;
mod credentials;
mod dispatch;
mod download;
mod duration;
mod endpoint;
pub(crate) mod error;
#[allow(clippy::disallowed_methods, reason = "the only module that opens files named by arguments")]
pub(crate) mod files;
mod flag_values;
mod flags;
pub(crate) mod globals;
mod in_process;
mod keyring;
mod list_extent;
pub(crate) mod meta;
#[allow(clippy::disallowed_methods, reason = "the registry of mirrors in the data folder")]
pub(crate) mod mirror_paths;
mod offline;
mod open_mirror;
pub(crate) mod output;
mod preview;
mod profiles;
mod read_only;
pub mod registry;
mod signals;
pub(crate) mod streams;
pub(crate) mod subject;
mod time;
pub(crate) mod tree;
mod where_flag;

use std::ffi::OsString;
use std::process::ExitCode;

use context::Context;
use dispatch::dispatch;
use error::{Error, Exit};
use globals::Globals;
use registry::Registry;

pub(crate) use in_process::Session;

/// Runs a command line and returns its exit code.
pub fn main(arguments: Vec<OsString>, registry: &'static Registry) -> ExitCode {
    if output::jq::is_worker() {
        return output::jq::work();
    }
    if let Some(exit) = completion::complete(registry, &arguments) {
        return exit;
    }
    let as_json = globals::wants_json(&arguments);
    let exit = match run(arguments, registry) {
        Ok(()) => Exit::Success,
        Err(error) => error.report(as_json),
    };
    ExitCode::from(exit as u8)
}

fn run(arguments: Vec<OsString>, registry: &'static Registry) -> Result<(), Error> {
    let typed: Vec<String> = arguments.iter().filter_map(|word| word.to_str().map(str::to_owned)).collect();
    let matches = tree::command(registry, &typed).try_get_matches_from(arguments)?;
    let (words, levels) = tree::levels(&matches);
    let leaf = levels[levels.len() - 1];
    let globals = Globals::read(&levels)?;
    let context = Context::new(globals);
    context.warn_of_unknown_keys();
    // `profile save` must not copy the settings of the current profile into the new one.
    let context = if words[0] == "profile" { context } else { context.with_profile()? };
    let names = mirror_paths::record_names(&context, leaf);
    let context = context.with_names(names);
    if context.globals.connection.verbose {
        trace_requests(&context.globals);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(dispatch(&context, registry, &words, leaf));
    // Do not wait for a read of stdin that was abandoned.
    runtime.shutdown_background();
    result
}

/// Logs every request to stderr: method, path, status and duration, never headers or bodies.
fn trace_requests(globals: &Globals) {
    use std::io::IsTerminal;
    use tracing_subscriber::layer::SubscriberExt;
    let colours = std::io::stderr().is_terminal() && !globals.output.no_color;
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours);
    let targets = tracing_subscriber::filter::Targets::new().with_target("intercom", tracing::Level::DEBUG);
    let subscriber = subscriber.with_max_level(tracing::Level::DEBUG).finish().with(targets);
    // Fails only if a subscriber is already set, which then receives the events.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

//! The command line: parses arguments, runs commands and prints their results.
//!
//! No layer below reads flags, prints, or decides exit codes.

mod aliases;
mod arguments;
pub(crate) mod catalog;
mod client_secret;
mod clients;
pub(crate) mod commands;
mod completion;
mod confirmation;
pub(crate) mod consent;
pub(crate) mod context;
mod credentials;
mod dispatch;
mod download;
mod endpoint;
pub(crate) mod error;
#[allow(clippy::disallowed_methods, reason = "the only module that opens files named by arguments")]
pub(crate) mod files;
mod flag_values;
mod flags;
pub(crate) mod globals;
mod help;
mod in_process;
mod keyring;
mod list_extent;
mod live_block;
pub(crate) mod meta;
#[allow(clippy::disallowed_methods, reason = "the registry of mirrors in the data folder")]
pub(crate) mod mirror_paths;
mod offline;
mod open_mirror;
pub(crate) mod output;
mod preview;
mod profiles;
mod read_only;
mod regions;
pub mod registry;
mod signals;
mod snooze_time;
pub(crate) mod streams;
pub(crate) mod subject;
mod suggestions;
mod surroundings;
mod time;
mod token_errors;
mod token_store;
pub(crate) mod tree;
mod verbose;
mod version_changes;
mod versions;
mod web_flags;
mod where_flag;

use std::ffi::OsString;
use std::process::ExitCode;

use context::Context;
use dispatch::dispatch;
use error::{Error, Exit};
use globals::Globals;
use output::palette::Palette;
use registry::Registry;

use crate::data::times::duration;

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
    let typed: Vec<String> = arguments.iter().filter_map(|word| word.to_str().map(str::to_owned)).collect();
    let exit = match run(arguments, &typed, registry) {
        Ok(()) => Exit::Success,
        Err(error) => {
            let palette = Palette::of_errors(typed.iter().any(|word| word == "--no-color"));
            // Help and version must be instant; finding the words builds the tree again.
            let words = match &error {
                Error::Clap(error) if !error.use_stderr() => String::new(),
                _ => suggestions::command_words(registry, &typed),
            };
            error.report(as_json, &words, palette)
        }
    };
    ExitCode::from(exit as u8)
}

fn run(arguments: Vec<OsString>, typed: &[String], registry: &'static Registry) -> Result<(), Error> {
    let matches = tree::command(registry, typed)
        .try_get_matches_from(arguments)
        .map_err(|error| suggestions::explained(registry, typed, error))?;
    let (words, levels) = tree::levels(&matches);
    if words == [aliases::VERSION] {
        tree::command(registry, typed).try_get_matches_from(["intercom-pp-cli", "--version"])?;
    }
    let leaf = levels[levels.len() - 1];
    let mut globals = Globals::read(&levels)?;
    // Output that is repeated must not wait for a reader.
    globals.output.no_pager |= matches!(leaf.try_get_raw("watch"), Ok(Some(_)));
    let context = Context::new(globals);
    context.warn_of_unknown_keys();
    // `profile save` must not copy the settings of the current profile into the new one.
    let context = if words[0] == "profile" { context } else { context.with_profile()? };
    let names = mirror_paths::record_names(&context, leaf);
    let context = context.with_names(names);
    if context.globals.connection.verbose {
        verbose::print_requests();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(dispatch(&context, registry, &words, leaf));
    // Do not wait for a read of stdin that was abandoned.
    runtime.shutdown_background();
    result
}

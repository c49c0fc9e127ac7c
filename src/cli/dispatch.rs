//! Runs the command that the words of a command line call: a hand-written one, or an operation of the API.

use clap::ArgMatches;

use super::context::Context;
use super::error::Error;
use super::registry::{CommandFuture, Registry};
use super::{endpoint, output, tree};

/// Boxed, so that the commands are not compiled once for each way the runtime can run a future.
pub fn dispatch<'a>(
    context: &'a Context,
    registry: &'static Registry,
    words: &'a [&'a str],
    matches: &'a ArgMatches,
) -> CommandFuture<'a> {
    Box::pin(async move {
        output::check_delivery(&context.globals.output)?;
        let result = match (registry.find(&words.join(" ")), tree::operation(words)) {
            (Some(command), _) => command.run(context, registry, matches).await,
            (None, Some(operation)) => endpoint::run(context, operation, matches).await,
            (None, None) => Err(Error::usage(format!("unknown command {:?}", words.join(" ")))),
        };
        result.map_err(|error| context.with_token_place(error))
    })
}

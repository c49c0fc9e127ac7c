//! Runs the command that the words of a command line call: a hand-written one, or an operation of the API.

use clap::ArgMatches;

use super::context::Context;
use super::error::Error;
use super::registry::{CommandFuture, Registry};
use super::{aliases, endpoint, flags, output, token_errors, tree};

/// Boxed, so that the commands are not compiled once for each way the runtime can run a future.
pub fn dispatch<'a>(
    context: &'a Context,
    registry: &'static Registry,
    words: &'a [&'a str],
    matches: &'a ArgMatches,
) -> CommandFuture<'a> {
    Box::pin(async move {
        output::check_delivery(&context.globals.output)?;
        let typed = words.join(" ");
        let result = match (registry.find(aliases::target(&typed)), tree::operation(words)) {
            // The words of a command and of an operation: the flags of the operation mean the operation.
            (Some(_), Some(operation)) if flags::are_given(operation, matches) => {
                endpoint::run(context, operation, matches).await
            }
            (Some(command), _) => command.run(context, registry, matches).await,
            (None, Some(operation)) => endpoint::run(context, operation, matches).await,
            (None, None) => Err(Error::usage(format!("unknown command {typed:?}"))),
        };
        match result {
            Err(error) => Err(token_errors::explained(context, error).await),
            Ok(()) => Ok(()),
        }
    })
}

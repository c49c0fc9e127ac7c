//! Says when a call cannot be sent with the API version that was asked for.
//!
//! An operation or a flag that needs a later version is sent with that one, and a line on stderr says so. A flag
//! that the version no longer has is an error, because the API would ignore it. Nothing is said if no version was
//! asked for.

use super::context::Context;
use super::error::Error;
use super::streams::warn;
use crate::api::operation::{Operation, Place};
use crate::api::request_builder::Arguments;
use crate::api::version_history::{outdated, version_of};

/// # Errors
/// A usage error for a flag that the version no longer has; an invalid version in the config file.
pub fn check(context: &Context, operation: &Operation, arguments: &Arguments) -> Result<(), Error> {
    let requested = context.api_version()?.to_string();
    let sent = version_of(operation, arguments, &requested);
    if let Some((parameter, until)) = outdated(operation, arguments, &sent) {
        let name = match parameter.place {
            Place::Path => parameter.name.to_owned(),
            Place::Query | Place::Body => format!("--{}", parameter.flag),
        };
        return Err(Error::usage(format!(
            "{name} ends with API {until}, but the call is sent with {sent}: omit it, or add --api-version {until}"
        )));
    }
    if sent != requested && context.requests_version()? {
        warn(&format!(
            "{}: sent with API {sent} instead of {requested}",
            reason(operation, &sent, &requested)
        ));
    }
    Ok(())
}

/// Why a call is sent with another version than the requested one.
fn reason(operation: &Operation, sent: &str, requested: &str) -> String {
    let command = operation.spellings().next().unwrap_or(operation.command);
    let without_arguments = version_of(operation, &Arguments::default(), requested);
    match operation.until {
        Some(until) if until == sent => format!("{command} ends with API {until}"),
        _ if without_arguments == sent => format!("{command} needs API {sent}"),
        _ => format!("{command} needs API {sent} with these arguments"),
    }
}

//! Values as JSON, and JSON as values. A document that cannot be converted is an error, never an empty value.

use serde::Serialize;
use serde_json::Value;

use crate::cli::error::{Error, Exit, Hint};

/// A computed value as JSON.
///
/// # Errors
/// When it has no JSON form, for example because the keys of a map are not texts.
pub fn to_json(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| unprintable(&error))
}

/// A computed value as JSON text.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| unprintable(&error))
}

fn unprintable(error: &serde_json::Error) -> Error {
    Error::Failed {
        message: format!("cannot write the result as JSON: {error}"),
        exit: Exit::Failure,
        hint: None,
    }
}

/// Parses the JSON of a document or record. Numbers out of range and very deep nesting do not fit a [`Value`],
/// and must never turn into an empty one.
///
/// # Errors
/// When it cannot be parsed.
pub fn parse_json(raw: &str) -> Result<Value, Error> {
    serde_json::from_str(raw).map_err(|error| Error::Failed {
        message: format!("cannot read the response: {error}"),
        exit: Exit::Failure,
        hint: Some(
            Hint::default()
                .flag("json")
                .text(" without ")
                .flag("select")
                .text(" and ")
                .flag("compact")
                .text(" prints it as received"),
        ),
    })
}

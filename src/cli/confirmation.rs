//! Confirms an operation before it is sent, and words the notice afterwards, using the names of its records.
//!
//! Each name takes one request, so names are fetched only for a prompt. A record that cannot be read is shown by its
//! id.

use serde_json::{Map, Value};

use super::consent::{Confirm, Intent};
use super::context::Context;
use super::error::Error;
use super::subject::{self, Subject};
use crate::api::effect;
use crate::api::operation::{Method, Operation};
use crate::api::request_builder::Arguments;

/// Confirms an operation, and returns a description such as `Delete contact Ann (ann@example.com)`.
///
/// # Errors
/// Those of [`Context::confirm`].
pub async fn confirm(
    context: &Context,
    operation: &Operation,
    arguments: &Arguments,
) -> Result<String, Error> {
    let path = context.client_for_preview()?.request(operation, arguments)?.url().path().to_owned();
    let request = format!("{} {path}", operation.method.as_str());
    // A single request can contain many records.
    let body = body(arguments);
    let records = effect::records(Some(&Value::Object(body.clone())));
    let intent = Intent::new(request, operation.confirm).with_records(records);
    let subjects = subject::of(operation, &arguments.path, &body);
    if !context.needs_confirmation(&intent)? {
        return Ok(action(operation, arguments, &ids(&subjects)));
    }
    let action = action(operation, arguments, &names(context, &subjects).await);
    let intent = Intent::new(&action, operation.confirm).with_records(records);
    context.confirm(&intent.with_consequence(consequence(operation)))?;
    Ok(action)
}

/// Describes the operation, with the names of its records.
fn action(operation: &Operation, arguments: &Arguments, names: &[String]) -> String {
    let help = operation.help.split([',', ';', ':', '(']).next().unwrap_or(operation.help).trim();
    let name = if names.is_empty() { arguments.path.join(" ") } else { names.join(" into ") };
    let bare = [" a ", " an ", " one ", " the "]
        .iter()
        .fold(help.to_owned(), |text, word| text.replacen(word, " ", 1));
    match (name.is_empty(), bare.split(' ').count() <= 3) {
        (true, _) => help.to_owned(),
        (false, true) => format!("{bare} {name}"),
        (false, false) => format!("{help}: {name}"),
    }
}

/// The notice after a change: `done: delete contact Ann (ann@example.com)`.
pub fn done(action: &str) -> String {
    let mut letters = action.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    format!("done: {first}{}", letters.as_str())
}

fn consequence(operation: &Operation) -> &'static str {
    match (operation.confirm, operation.method) {
        (Confirm::Explicit, _) => "This cannot be undone.",
        (_, Method::Put | Method::Patch) => "The current values are overwritten.",
        _ => "",
    }
}

/// The fields of the body; none if it is not an object.
fn body(arguments: &Arguments) -> Map<String, Value> {
    let body = arguments.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
    body.unwrap_or_default()
}

fn ids(subjects: &[Subject]) -> Vec<String> {
    subjects.iter().map(|subject| subject.ids.join(" ")).collect()
}

/// The names of the records, or their ids.
async fn names(context: &Context, subjects: &[Subject]) -> Vec<String> {
    let mut names = ids(subjects);
    for (id, subject) in names.iter_mut().zip(subjects) {
        if let Some(name) = name(context, subject).await {
            *id = name;
        }
    }
    names
}

async fn name(context: &Context, subject: &Subject) -> Option<String> {
    let arguments = Arguments { path: subject.ids.clone(), ..Arguments::default() };
    let reply = context.client().ok()?.fetch(subject.reader, &arguments).await.ok()?;
    let record: Value = serde_json::from_str(reply.json_text().ok()?).ok()?;
    subject::name(&record)
}

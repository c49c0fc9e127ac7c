//! What a person is asked before a request of the table is sent, and what they hear when it was made: in words,
//! with the names of its records.
//!
//! A name takes one read of its record, which is made only when somebody is there to be asked. A record that
//! cannot be read goes by its id.

use serde_json::{Map, Value};

use super::consent::{Confirm, Intent};
use super::context::Context;
use super::error::Error;
use super::subject::{self, Subject};
use crate::api::effect;
use crate::api::operation::{Method, Operation};
use crate::api::request_builder::Arguments;

/// Returns when the operation may be sent, with what it does: `Delete contact Ann (ann@example.com)`.
///
/// # Errors
/// As [`Context::agree`].
pub async fn agree(context: &Context, operation: &Operation, arguments: &Arguments) -> Result<String, Error> {
    let path = context.client_for_preview()?.request(operation, arguments)?.url().path().to_owned();
    let request = format!("{} {path}", operation.method.as_str());
    // One request can name many records.
    let given = body(arguments);
    let records = effect::records(Some(&Value::Object(given.clone())));
    let intent = Intent::new(request, operation.confirm).of_many(records);
    let subjects = subject::of(operation, &arguments.path, &given);
    if !context.must_ask(&intent)? {
        return Ok(action(operation, arguments, &ids(&subjects)));
    }
    let action = action(operation, arguments, &names(context, &subjects).await);
    let intent = Intent::new(&action, operation.confirm).of_many(records);
    context.agree(&intent.with_consequence(consequence(operation)))?;
    Ok(action)
}

/// The operation in words, with what its records are called.
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

/// The line for a change that was made: `done: delete contact Ann (ann@example.com)`.
pub fn done(action: &str) -> String {
    let mut letters = action.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    format!("done: {first}{}", letters.as_str())
}

fn consequence(operation: &Operation) -> &'static str {
    match (operation.confirm, operation.method) {
        (Confirm::Explicit, _) => "This cannot be undone.",
        (_, Method::Put | Method::Patch) => "The present values are overwritten.",
        _ => "",
    }
}

fn body(arguments: &Arguments) -> Map<String, Value> {
    let body = arguments.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
    body.unwrap_or_default()
}

fn ids(subjects: &[Subject]) -> Vec<String> {
    subjects.iter().map(|subject| subject.ids.join(" ")).collect()
}

/// The names of the records, or else their ids.
async fn names(context: &Context, subjects: &[Subject]) -> Vec<String> {
    let mut names = ids(subjects);
    for (called, subject) in names.iter_mut().zip(subjects) {
        if let Some(found) = name(context, subject).await {
            *called = found;
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

//! Confirms an operation before it is sent, and words the sentence afterwards, using the names of its records.
//!
//! Each name takes one request, so names are fetched only for a prompt. A record that cannot be read soon is
//! shown by its id.

mod wording;

use serde_json::{Map, Value};

use self::wording::{Piece, Wording};
use super::consent::{Confirm, Intent};
use super::context::Context;
use super::error::Error;
use super::subject;
use crate::api::effect;
use crate::api::operation::{Method, Operation};
use crate::api::request_builder::Arguments;
use crate::data::lenient;

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
    let asks = context.needs_confirmation(&intent)?;
    let Some(wording) = wording::of(operation) else {
        let action = unworded(operation, arguments);
        if asks {
            let intent = Intent { action: action.clone(), ..intent };
            context.confirm(&intent.with_consequence(consequence(operation)))?;
        }
        return Ok(action);
    };
    if !asks {
        return Ok(action(None, &wording, arguments, &body).await);
    }
    let action = action(Some(context), &wording, arguments, &body).await;
    let intent = Intent { action: action.clone(), ..intent };
    let intent = intent.with_consequence(wording.consequence).or_else(wording.verb.declined);
    context.confirm(&intent)?;
    Ok(action)
}

/// The verb and the records of an operation: by name with a context to read them with, and by id otherwise.
async fn action(
    context: Option<&Context>,
    wording: &Wording,
    arguments: &Arguments,
    body: &Map<String, Value>,
) -> String {
    let mut text = format!("{} ", wording.verb.bare);
    for piece in wording.pieces() {
        let (id, collection) = match piece {
            Piece::Text(words) => {
                text.push_str(words);
                continue;
            }
            Piece::InPath(position, collection) => (arguments.path.get(position).cloned(), collection),
            Piece::InBody(field, collection) => (body.get(field).and_then(lenient::id), collection),
        };
        let id = id.unwrap_or_default();
        let name = match (context, collection) {
            (Some(context), Some(collection)) => name(context, collection, &id).await,
            _ => None,
        };
        text.push_str(&name.unwrap_or(id));
    }
    text
}

/// The name of a record, read from the workspace.
async fn name(context: &Context, collection: &str, id: &str) -> Option<String> {
    let arguments = Arguments::of_record(id);
    let reader = subject::reader_in(collection)?;
    let client = context.client().ok()?;
    let reply =
        tokio::time::timeout(subject::NAME_TIMEOUT, client.fetch(reader, &arguments)).await.ok()?.ok()?;
    let record: Value = serde_json::from_str(reply.json_text().ok()?).ok()?;
    subject::name(&record)
}

/// Describes an operation that has no words here: its help, and the ids of its path.
fn unworded(operation: &Operation, arguments: &Arguments) -> String {
    let help = operation.help.split([',', ';', ':', '(']).next().unwrap_or(operation.help).trim();
    if arguments.path.is_empty() { help.to_owned() } else { format!("{help}: {}", arguments.path.join(" ")) }
}

fn consequence(operation: &Operation) -> &'static str {
    match (operation.confirm, operation.method) {
        (Confirm::Explicit, _) => "This cannot be undone.",
        (_, Method::Put | Method::Patch) => "The current values are overwritten.",
        _ => "",
    }
}

/// The sentence after a change: `Deleted contact Ann (ann@example.com)`.
pub fn done(action: &str) -> String {
    wording::past(action).unwrap_or_else(|| format!("done: {action}"))
}

/// The fields of the body; none if it is not an object.
fn body(arguments: &Arguments) -> Map<String, Value> {
    let body = arguments.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
    body.unwrap_or_default()
}

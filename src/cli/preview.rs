//! `--dry-run`: shows a request without sending it.

use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::Error;
use super::output::Output;
use super::streams;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};

/// Shows the request that identifies the token's owner.
///
/// # Errors
/// If a setting is invalid, or the output cannot be written.
pub async fn show_identify(context: &Context) -> Result<(), Error> {
    let client = context.client_for_preview()?;
    let request = client.request(operation("identifyAdmin")?, &Arguments::default())?;
    show(context, &client, &request).await
}

/// Writes method, URL, query, headers (secrets masked) and body. The request is built by the code that sends it.
///
/// # Errors
/// If the output cannot be written.
pub async fn show(context: &Context, client: &Client, request: &reqwest::Request) -> Result<(), Error> {
    let preview = client.transport().preview(request);
    let mut query = Map::new();
    for (name, value) in request.url().query_pairs() {
        match query.get_mut(name.as_ref()) {
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first.take(), value]),
            None => drop(query.insert(name.into_owned(), json!(value))),
        }
    }
    let headers: Map<String, Value> =
        preview.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = preview
        .body
        .as_deref()
        .map(|body| serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body))));
    let mut shown = json!({
        "dry_run": true,
        "method": preview.method,
        "url": preview.url,
        "query": query,
        "headers": headers,
        "body": body,
    });
    // Headers come from the owner's settings, which an agent or a workflow must not see.
    if let (true, Some(fields)) = (streams::current().is_some(), shown.as_object_mut()) {
        fields.remove("headers");
    }
    Output::open(&context.globals.output)?.value(&shown).await
}

//! Reads single records from the workspace, many in parallel.
//!
//! A few unreadable records must not stop a run, but a workspace that fails to return any record is an error.

use std::collections::HashMap;

use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};

use super::change::Change;
use super::target::BulkTarget;
use crate::api;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;

/// Reads one record.
///
/// # Errors
/// API errors; a response that is not JSON.
pub async fn document(client: &Client, target: BulkTarget, id: &str) -> Result<Value, api::Error> {
    let arguments = Arguments::of_record(id);
    client.fetch(operation(target.read_operation())?, &arguments).await?.json()
}

/// Finds conversations with a single search and returns their documents by id. Returns none if the search fails; the
/// caller then reads each conversation.
pub async fn search_by_ids<'a>(
    client: &Client,
    ids: impl Iterator<Item = &'a str>,
) -> HashMap<String, Value> {
    let ids: Vec<&str> = ids.collect();
    let body = json!({
        "query": { "field": "id", "operator": "IN", "value": ids },
        "pagination": { "per_page": ids.len() },
    });
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let response = async {
        let reply = client.fetch(operation("searchConversations")?, &arguments).await?;
        let page: Option<Value> = serde_json::from_str(reply.json_text()?).ok();
        Ok::<_, api::Error>(page)
    };
    let documents = match response.await {
        Ok(page) => page.and_then(|mut page| page.get_mut("conversations").map(Value::take)),
        Err(error) => {
            tracing::debug!(%error, "cannot search conversations by id");
            None
        }
    };
    let Some(Value::Array(documents)) = documents else { return HashMap::new() };
    documents.into_iter().filter_map(|document| Some((lenient::id(&document["id"])?, document))).collect()
}

/// Reads many records; returns them in order of arrival.
pub fn documents<'a>(
    client: &'a Client,
    target: BulkTarget,
    ids: Vec<String>,
    concurrency: usize,
) -> impl Stream<Item = (String, Result<Value, api::Error>)> + 'a {
    client.transport().expect(ids.len());
    stream::iter(ids)
        .map(move |id| async move {
            let result = document(client, target, &id).await;
            (id, result)
        })
        .buffer_unordered(concurrency)
}

/// Adds all tags to a contact's document if the change needs them and the document has only some of them.
///
/// # Errors
/// As [`document`].
pub async fn complete_tags(
    client: &Client,
    target: BulkTarget,
    change: &Change,
    document: &mut Value,
    id: &str,
) -> Result<(), api::Error> {
    let needs_tags = matches!(change, Change::Tag { .. } | Change::Untag { .. });
    let tags = &document["tags"];
    if target != BulkTarget::Contacts || !needs_tags || !(tags.is_null() || lenient::is_cut(tags)) {
        return Ok(());
    }
    let arguments = Arguments::of_record(id);
    let reply = client.fetch(operation("listTagsForAContact")?, &arguments).await?;
    let list: Value = reply.json()?;
    document["tags"] = serde_json::json!({ "data": list["data"].clone() });
    Ok(())
}

//! Reads single records from the workspace, many at a time.
//!
//! One record that the workspace cannot hand out must not keep the others from being dealt with; a workspace
//! that hands out none is an error.

use std::collections::HashMap;

use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};

use super::change::{Change, Target};
use super::error::told;
use crate::api;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::fields;

/// So many records may fail whatever became of the others; beyond that, more must have been read.
const FEW: usize = 20;

/// Tells records that cannot be read from a workspace that does not answer.
#[derive(Debug, Default)]
pub struct Patience {
    read: usize,
    failed: usize,
    last: Option<api::Error>,
}

impl Patience {
    /// Another record was read.
    pub fn read(&mut self) {
        self.read += 1;
    }

    /// Another one could not be read: the error as it is told, if reading may go on.
    ///
    /// # Errors
    /// The error itself, when it is not about this record alone.
    pub fn bear(&mut self, error: api::Error) -> Result<Value, api::Error> {
        self.failed += 1;
        let is_general = error.is_unauthorized() || error.is_rate_limited() || error.is_offline();
        if is_general || self.failed > FEW.max(self.read) {
            return Err(error);
        }
        let told = told(&error);
        self.last = Some(error);
        Ok(told)
    }

    /// When all were asked for.
    ///
    /// # Errors
    /// The last error, when none could be read.
    pub fn end(self) -> Result<(), api::Error> {
        self.last.filter(|_| self.read == 0).map_or(Ok(()), Err)
    }
}

/// The document of one record.
///
/// # Errors
/// Whatever the transport reports; an answer that is no document.
pub async fn document(client: &Client, target: Target, id: &str) -> Result<Value, api::Error> {
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    let reply = client.fetch(operation(target.read_operation())?, &arguments).await?;
    let text = reply.json_text()?;
    Ok(serde_json::from_str(text).unwrap_or_default())
}

/// The documents of these conversations that one search shows, by id. A search that fails finds none; the caller
/// then reads each conversation.
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
    let answer = async {
        let reply = client.fetch(operation("searchConversations")?, &arguments).await?;
        let page: Option<Value> = serde_json::from_str(reply.json_text()?).ok();
        Ok::<_, api::Error>(page)
    };
    let documents = match answer.await {
        Ok(page) => page.and_then(|mut page| page.get_mut("conversations").map(Value::take)),
        Err(error) => {
            tracing::debug!(%error, "conversations cannot be searched by id");
            None
        }
    };
    let Some(Value::Array(documents)) = documents else { return HashMap::new() };
    documents.into_iter().filter_map(|document| Some((fields::id(&document["id"])?, document))).collect()
}

/// The documents of these records, in the order of their arrival.
pub fn documents<'a>(
    client: &'a Client,
    target: Target,
    ids: Vec<String>,
    concurrency: usize,
) -> impl Stream<Item = (String, Result<Value, api::Error>)> + 'a {
    client.transport().expect(ids.len());
    stream::iter(ids)
        .map(move |id| async move {
            let found = document(client, target, &id).await;
            (id, found)
        })
        .buffer_unordered(concurrency)
}

/// Puts all tags of a contact into its document, where it shows only some of them or none and they matter.
///
/// # Errors
/// As [`document`].
pub async fn complete(
    client: &Client,
    target: Target,
    change: &Change,
    document: &mut Value,
    id: &str,
) -> Result<(), api::Error> {
    let about_tags = matches!(change, Change::Tag { .. } | Change::Untag { .. });
    let tags = &document["tags"];
    if target != Target::Contacts || !about_tags || !(tags.is_null() || crate::mirror::fields::is_cut(tags)) {
        return Ok(());
    }
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    let reply = client.fetch(operation("listTagsForAContact")?, &arguments).await?;
    let list: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    document["tags"] = serde_json::json!({ "data": list["data"].clone() });
    Ok(())
}

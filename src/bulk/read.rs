//! Reads single records from the workspace, many at a time.

use futures::{Stream, StreamExt, stream};
use serde_json::Value;

use super::change::{Change, Target};
use crate::api;
use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};

/// The document of one record.
///
/// # Errors
/// Whatever the transport reports; an answer that is no document.
pub async fn document(client: &Client, target: Target, id: &str) -> Result<Value, api::Error> {
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    let reply = client.execute(operation(target.read_operation())?, &arguments).await?;
    let text = reply.json_text()?;
    Ok(serde_json::from_str(text).unwrap_or_default())
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

/// Puts all tags of a contact into its document, where it shows only some of them and they matter.
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
    if target != Target::Contacts || !about_tags || !crate::mirror::fields::is_cut(&document["tags"]) {
        return Ok(());
    }
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    let reply = client.execute(operation("listTagsForAContact")?, &arguments).await?;
    let list: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    document["tags"] = serde_json::json!({ "data": list["data"].clone() });
    Ok(())
}

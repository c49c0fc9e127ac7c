//! Reads the state that a change affects, and whether the record still belongs to its run.

use serde_json::{Value, json};

use super::change::Change;
use super::plan::Head;
use super::read;
use crate::api;
use crate::api::client::Client;

pub(super) struct RecordState {
    /// `None` if the document lacks it.
    pub state: Option<Value>,
    /// Whether the record no longer matches the filter of the run.
    pub is_excluded: bool,
}

/// Reads the current state of a record.
///
/// # Errors
/// API errors. A lead that is gone counts as merged.
pub(super) async fn read_record(
    client: &Client,
    head: &Head,
    change: &Change,
    id: &str,
) -> Result<RecordState, api::Error> {
    let mut document = match read::document(client, head.target, id).await {
        Err(error) if error.is_gone() && matches!(change, Change::Merge { .. }) => {
            return Ok(RecordState { state: Some(json!({ "merged": true })), is_excluded: false });
        }
        document => document?,
    };
    read::complete_tags(client, head.target, change, &mut document, id).await?;
    let is_excluded =
        head.selection.as_ref().is_some_and(|selection| selection.excludes(head.target, &document));
    Ok(RecordState { state: change.state(head.target, &head.admin_id, &document), is_excluded })
}

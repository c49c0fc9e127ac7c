//! Finds every conversation that mentions a phrase in a time window. Only reads.
//!
//! The server's search covers only opening messages, word by word. So this fetches every conversation that changed
//! since the start of the window (a message is never newer than the last change), and compares texts and times here.
//! Parts come from the mirror if it has their current version, otherwise from the workspace. Conversations that cannot
//! be searched must be counted, never dropped silently.

mod document;
mod query;

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use self::document::{is_cut, merged, parts, parts_in_mirror, shown};
pub use self::query::{InboxState, IncidentQuery, SearchScope, WindowBasis};
use super::change::Change;
use super::error::{Error, error_json};
use super::phrase_match::{MessageText, PhraseHit, PhraseResult};
use super::plan::PlannedRecord;
use super::read;
use super::target::BulkTarget;
use crate::api::ErrorBudget;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::Store;

/// Maximum number of conversations whose parts are fetched one by one; more need a mirror.
const MAX_FETCHED: usize = 5_000;
/// Page size of the search: the maximum of the API.
const PAGE_SIZE: u32 = 150;

#[derive(Debug, Default)]
pub struct IncidentMatches {
    pub records: Vec<PlannedRecord>,
    /// Number of conversations searched.
    pub searched: usize,
    pub parts: PartsCoverage,
    /// Conversations that could not be read, so that their parts were not searched.
    pub unread: Vec<UnreadConversation>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnreadConversation {
    pub id: String,
    pub error: Value,
}

/// Number of conversations by the source of their parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PartsCoverage {
    pub in_mirror: usize,
    pub in_workspace: usize,
    /// Not searched.
    pub nowhere: usize,
    /// Of these, conversations of which the API did not return all parts.
    pub cut: usize,
}

/// Finds the conversations and plans `change`, a [`Change::Tag`], for each.
///
/// # Errors
/// API and mirror errors.
pub async fn find(
    client: &Client,
    mirror: Option<&Store>,
    query: &IncidentQuery,
    change: &Change,
    concurrency: usize,
) -> Result<IncidentMatches, Error> {
    let candidates = candidates(client, query).await?;
    let mut found = IncidentMatches { searched: candidates.len(), ..IncidentMatches::default() };
    let mut to_fetch = Vec::new();
    for candidate in candidates {
        match query.result_without_parts(&candidate) {
            Some(PhraseResult::Mentioned(hits)) => found.add(query, change, &candidate, &hits),
            Some(_) => {}
            None => match mirror.map(|store| parts_in_mirror(store, &candidate)).transpose()?.flatten() {
                Some(parts) => {
                    found.parts.in_mirror += 1;
                    found.add_if_mentioned(query, change, &candidate, parts);
                }
                None => to_fetch.push(candidate),
            },
        }
    }
    found.fetch(client, query, change, to_fetch, concurrency).await?;
    found.fetch_missing_tags(client, change, concurrency).await?;
    found.records.sort_by(|one, other| {
        let at = |record: &PlannedRecord| std::cmp::Reverse(record.shown["updated_at"].as_i64());
        at(one).cmp(&at(other)).then_with(|| one.id.cmp(&other.id))
    });
    Ok(found)
}

/// The conversations that may be in the window, without duplicates.
async fn candidates(client: &Client, query: &IncidentQuery) -> Result<Vec<Value>, Error> {
    let condition = |field: &str, operator: &str, value: i64| json!({ "field": field, "operator": operator, "value": value });
    // The API does not document whether bounds are inclusive, so widen them by one second.
    let since = query.since.map_or(0, |since| (since - 1).max(0));
    let time_field = if query.needs_only_opening() { "created_at" } else { "updated_at" };
    let mut filter = condition(time_field, ">", since);
    if let Some(until) = query.until {
        filter = json!({ "operator": "AND", "value": [filter, condition("created_at", "<", until + 1)] });
    }
    // With this order, records that change during pagination reappear at the end, so none is missed.
    let body = json!({ "query": filter, "sort": { "field": "updated_at", "order": "ascending" } });
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let search = operation("searchConversations")?;
    let mut pages = std::pin::pin!(client.pages(search, arguments, Some(PAGE_SIZE)));
    let (mut positions, mut candidates) = (HashMap::new(), Vec::new());
    while let Some(page) = pages.try_next().await? {
        page.require_list()?;
        for raw in page.items {
            let Ok(document) = serde_json::from_str::<Value>(raw.get()) else { continue };
            let Some(id) = lenient::id(&document["id"]) else { continue };
            match positions.get(&id) {
                Some(position) => candidates[*position] = document,
                None => {
                    positions.insert(id, candidates.len());
                    candidates.push(document);
                }
            }
        }
    }
    candidates.retain(|document| query.is_match(document));
    Ok(candidates)
}

impl IncidentMatches {
    /// Searches the parts, and the opening message if it is in scope.
    fn add_if_mentioned(
        &mut self,
        query: &IncidentQuery,
        change: &Change,
        document: &Value,
        parts: Vec<MessageText>,
    ) {
        let mut messages = Vec::with_capacity(parts.len() + 1);
        if query.scope == SearchScope::All {
            messages.push(MessageText::opening(document));
        }
        messages.extend(parts);
        if let PhraseResult::Mentioned(hits) = query.phrases.search(&messages) {
            self.add(query, change, document, &hits);
        }
    }

    fn add(&mut self, query: &IncidentQuery, change: &Change, document: &Value, hits: &[PhraseHit]) {
        let Some(id) = lenient::id(&document["id"]) else { return };
        let hits = query.in_window(document, hits);
        if hits.is_empty() {
            return;
        }
        let before = change.state(BulkTarget::Conversations, "", document).unwrap_or_default();
        let mut record = PlannedRecord::new(id, change.clone(), before);
        record.shown = shown(document, &hits);
        self.records.push(record);
    }

    /// Fetches conversations with their parts, unless there are too many.
    async fn fetch(
        &mut self,
        client: &Client,
        query: &IncidentQuery,
        change: &Change,
        documents: Vec<Value>,
        concurrency: usize,
    ) -> Result<(), Error> {
        if documents.len() > MAX_FETCHED {
            self.parts.nowhere = documents.len();
            for document in documents {
                // Parts could only remove a hit in the opening message, by an excluded phrase.
                if query.scope == SearchScope::All {
                    self.add_if_mentioned(query, change, &document, Vec::new());
                }
            }
            return Ok(());
        }
        let mut listed: HashMap<String, Value> = documents
            .into_iter()
            .filter_map(|document| Some((lenient::id(&document["id"])?, document)))
            .collect();
        let ids = listed.keys().cloned().collect();
        let mut answers =
            std::pin::pin!(read::documents(client, BulkTarget::Conversations, ids, concurrency));
        let mut budget = ErrorBudget::default();
        while let Some((id, answer)) = answers.next().await {
            let listed = listed.remove(&id).unwrap_or_default();
            match answer {
                Ok(document) => {
                    budget.record_success();
                    self.parts.in_workspace += 1;
                    // The list has fields that the single document may lack.
                    let document = merged(listed, document);
                    let parts = parts(&document);
                    self.parts.cut += usize::from(is_cut(&document, parts.len()));
                    self.add_if_mentioned(query, change, &document, parts);
                }
                // Deleted since it was listed.
                Err(error) if error.is_not_found() => budget.record_success(),
                Err(error) => {
                    let error = error_json(budget.tolerate(error)?);
                    self.unread.push(UnreadConversation { id, error });
                    if query.scope == SearchScope::All {
                        self.add_if_mentioned(query, change, &listed, Vec::new());
                    }
                }
            }
        }
        Ok(budget.finish()?)
    }

    /// Fetches the tags of conversations whose document lacks them.
    async fn fetch_missing_tags(
        &mut self,
        client: &Client,
        change: &Change,
        concurrency: usize,
    ) -> Result<(), Error> {
        let without_tags = self.records.iter().filter(|record| record.before.is_null());
        let ids: HashSet<String> = without_tags.map(|record| record.id.clone()).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let mut answers =
            std::pin::pin!(read::documents(client, BulkTarget::Conversations, ids, concurrency));
        let mut budget = ErrorBudget::default();
        while let Some((id, answer)) = answers.next().await {
            let Some(record) = self.records.iter_mut().find(|record| record.id == id) else { continue };
            let document = match answer {
                Ok(document) => document,
                Err(error) if error.is_not_found() => continue,
                // It then gets the tag again, which is harmless.
                Err(error) => match budget.tolerate(error) {
                    Ok(_) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            budget.record_success();
            // A conversation without a list of tags has no tags.
            let untagged = json!({ "tagged": false });
            let before = change.state(BulkTarget::Conversations, "", &document).unwrap_or(untagged);
            let shown = std::mem::take(&mut record.shown);
            *record = PlannedRecord { shown, ..PlannedRecord::new(id, change.clone(), before) };
        }
        Ok(())
    }
}

//! A compiled filter, and its test of each record that a search returns.
//!
//! Fields that the search result lacks are read from the record. A record is selected only if the document or the
//! search proves that it matches.

use std::borrow::Borrow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::filter::judge::{self, Judgement};
use crate::filter::{CompiledFilter, Searchable};

/// Maximum number of records read one by one for a filter.
const MAX_READS: usize = 5_000;
/// Concurrent reads.
const READ_CONCURRENCY: usize = 16;

/// A compiled `--where` filter: a search query, and a test for each document found.
#[derive(Debug)]
pub struct WhereFilter {
    pub compiled: CompiledFilter,
    searched: Searchable,
    /// Time zone of the workspace.
    pub zone: Option<TimeZone>,
    /// Called for the first record that cannot be tested.
    on_skipped: fn(SkippedRecord<'_>),
    /// Whether this server rejects null values.
    rejects_null: AtomicBool,
    has_skipped: AtomicBool,
    /// Number of records read because the search result was incomplete.
    reads: AtomicUsize,
}

/// A record that does not show all fields in the filter.
#[derive(Debug, Clone, Copy)]
pub struct SkippedRecord<'a> {
    pub searched: Searchable,
    /// Empty if it has none.
    pub id: &'a str,
}

impl WhereFilter {
    pub fn new(
        compiled: CompiledFilter,
        searched: Searchable,
        zone: Option<TimeZone>,
        on_skipped: fn(SkippedRecord<'_>),
    ) -> Self {
        WhereFilter {
            compiled,
            searched,
            zone,
            on_skipped,
            rejects_null: AtomicBool::new(false),
            has_skipped: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
        }
    }

    /// The documents that the filter selects, unchanged. Missing fields are read from the record. For fields that the
    /// record does not show either, the server decides if the search compared exactly that; otherwise the record is
    /// skipped.
    ///
    /// # Errors
    /// When a request fails.
    pub async fn select<T: Borrow<RawValue>>(
        &self,
        client: &Client,
        documents: Vec<T>,
    ) -> Result<Vec<T>, Error> {
        let tests: Vec<_> = documents.iter().map(|raw| self.selects(client, raw.borrow())).collect();
        let verdicts: Vec<bool> = stream::iter(tests).buffered(READ_CONCURRENCY).try_collect().await?;
        let judged = documents.into_iter().zip(verdicts);
        Ok(judged.filter_map(|(raw, is_selected)| is_selected.then_some(raw)).collect())
    }

    /// Whether records were skipped because they do not show all fields in the filter.
    pub fn has_skipped(&self) -> bool {
        self.has_skipped.load(Ordering::Relaxed)
    }

    async fn selects(&self, client: &Client, raw: &RawValue) -> Result<bool, Error> {
        // Show invalid documents instead of hiding them.
        let Ok(document) = serde_json::from_str::<Value>(raw.get()) else { return Ok(true) };
        let id = lenient::id(&document["id"]);
        let mut verdict = self.judge(&document, false);
        if verdict == Judgement::Incomplete
            && self.reads.fetch_add(1, Ordering::Relaxed) < MAX_READS
            && let Some(id) = &id
        {
            verdict = match read(client, self.searched, id).await {
                Ok(record) => self.judge(&record, true),
                // A deleted record cannot be shown or changed.
                Err(error) if error.is_not_found() => Judgement::Excluded,
                Err(error) if error.status().is_some() => Judgement::Undecided,
                Err(error) => return Err(error),
            };
        }
        let is_decided = matches!(verdict, Judgement::Selected | Judgement::Excluded);
        if !is_decided && !self.has_skipped.swap(true, Ordering::Relaxed) {
            (self.on_skipped)(SkippedRecord {
                searched: self.searched,
                id: id.as_deref().unwrap_or_default(),
            });
        }
        Ok(verdict == Judgement::Selected)
    }

    fn judge(&self, document: &Value, is_record: bool) -> Judgement {
        let CompiledFilter { query, without_null, exact } = &self.compiled;
        let sent = without_null.as_ref().filter(|_| self.rejects_null.load(Ordering::Relaxed));
        let (sent, zone) = (sent.unwrap_or(query), self.zone.as_ref());
        judge::judge(self.searched, exact, sent, document, zone, is_record)
    }

    /// The arguments of the search without null values, after a server rejected them.
    pub fn without_null(&self, arguments: &Arguments, error: &Error) -> Option<Arguments> {
        let other = self.compiled.without_null.as_ref().filter(|_| error.status() == Some(400))?;
        let mut body: Value = serde_json::from_slice(arguments.body.as_deref()?).ok()?;
        body["query"] = other.clone();
        self.rejects_null.store(true, Ordering::Relaxed);
        Some(Arguments { body: Some(body.to_string().into_bytes()), ..arguments.clone() })
    }
}

/// Reads a whole record.
async fn read(client: &Client, searched: Searchable, id: &str) -> Result<Value, Error> {
    let name = match searched {
        Searchable::Contacts => "ShowContact",
        Searchable::Tickets => "getTicket",
        Searchable::Conversations => "retrieveConversation",
    };
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    let reply = client.fetch(operation(name)?, &arguments).await?;
    serde_json::from_str(reply.json_text()?).map_err(|error| reply.wrong_shape(&error))
}

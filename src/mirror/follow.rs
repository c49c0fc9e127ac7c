//! Follows new and changed records through the API's searches.
//!
//! Queries the API, not the mirror. Each query overlaps the one before, because new records can take a while to appear
//! in searches; unchanged records are not returned again. A record with a time of change in the future must never make
//! the next query skip changes until then.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::TryStreamExt;
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;

use super::projection::Projection;
use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::filter::Searchable;

/// Overlap of two queries in seconds, before the newest change seen.
const OVERLAP: i64 = 120;
const DAY: i64 = 86_400;
const PAGE: u32 = 100;

/// Queries one resource again and again. Times are epoch seconds.
pub struct Follower<'a> {
    client: &'a Client,
    resource: Searchable,
    /// Older changes are never returned.
    since: i64,
    /// Time of the latest change seen, but never later than the server's clock.
    newest: i64,
    /// For records within the overlap: the time of change, and a hash of the document.
    seen: HashMap<String, (i64, u64)>,
}

struct ChangedRecord {
    at: i64,
    id: Option<String>,
    document: Box<RawValue>,
}

impl<'a> Follower<'a> {
    pub fn new(client: &'a Client, resource: Searchable, since: i64) -> Self {
        Follower { client, resource, since, newest: since, seen: HashMap::new() }
    }

    /// The request that the next poll sends first.
    ///
    /// # Errors
    /// Those of [`Client::first_page_request`].
    pub fn request(&self) -> Result<reqwest::Request, Error> {
        let search = operation(self.resource.operation())?;
        self.client.first_page_request(search, &self.search_from(self.from()), Some(PAGE))
    }

    /// The records that changed since the last poll, oldest change first.
    ///
    /// # Errors
    /// API errors. [`is_temporary`] decides whether the next poll may succeed.
    pub async fn poll(&mut self) -> Result<Vec<Box<RawValue>>, Error> {
        let (mut changed, now) = self.changed_since(self.from()).await?;
        changed.sort_by_key(|record| record.at);
        let mut new = Vec::new();
        for ChangedRecord { at, id, document } in changed {
            let Some(id) = id else { continue };
            let mut hasher = DefaultHasher::new();
            document.get().hash(&mut hasher);
            let version = (at, hasher.finish());
            if self.seen.insert(id, version) != Some(version) {
                new.push(document);
            }
            self.newest = self.newest.max(at.min(now));
        }
        let oldest = self.newest - OVERLAP;
        self.seen.retain(|_, (at, _)| *at >= oldest);
        Ok(new)
    }

    fn from(&self) -> i64 {
        (self.newest - OVERLAP).max(self.since)
    }

    /// The records that changed at or after a time, and the server's time of the query.
    async fn changed_since(&self, from: i64) -> Result<(Vec<ChangedRecord>, i64), Error> {
        let fields = Projection::of(["/id", "/updated_at"]);
        let search = operation(self.resource.operation())?;
        let mut pages = std::pin::pin!(self.client.pages(search, self.search_from(from), Some(PAGE)));
        let mut changed = Vec::new();
        let mut asked_at = None;
        while let Some(page) = pages.try_next().await? {
            page.require_list()?;
            let mut older = 0;
            asked_at = asked_at.or_else(|| page.reply.date());
            let count = page.items.len();
            for document in page.items {
                let record = fields.read(document.get()).map_err(|error| page.reply.wrong_shape(&error))?;
                match lenient::time(&record["updated_at"]) {
                    Some(at) if at >= from => {
                        changed.push(ChangedRecord { at, id: lenient::id(&record["id"]), document });
                    }
                    _ => older += 1,
                }
            }
            if self.resource == Searchable::Contacts && older == count {
                break;
            }
        }
        Ok((changed, asked_at.unwrap_or_else(|| Timestamp::now().as_second())))
    }

    /// A search for records that changed at or after a time.
    fn search_from(&self, from: i64) -> Arguments {
        let (after, order) = match self.resource {
            // This search compares whole days in the workspace's time zone: request more and stop early.
            Searchable::Contacts => (from - 2 * DAY, "descending"),
            Searchable::Conversations | Searchable::Tickets => (from - 1, "ascending"),
        };
        let body = json!({
            "query": { "field": "updated_at", "operator": ">", "value": after.max(0) },
            "sort": { "field": "updated_at", "order": order },
        });
        Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() }
    }
}

/// Whether a later poll may succeed.
pub fn is_temporary(error: &Error) -> bool {
    !matches!(error.status(), Some(400..=407 | 409..=428))
}

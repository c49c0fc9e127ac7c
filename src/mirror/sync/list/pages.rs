//! Reads a list page by page, by cursors or page numbers.

use std::pin::pin;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::missing_ids;
use super::pagination::{Pagination, PaginationEnd};
use crate::api::operation::Paging;
use crate::api::paging::{Coverage, Next};
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::{Bound, Resource};

impl Pagination<'_, '_> {
    /// Reads the list from a position, or from its beginning.
    pub async fn read(&mut self, from: Option<Next>) -> Result<PaginationEnd, Error> {
        let (run, resource, since) = (self.sync.run, self.sync.resource, self.plan.since());
        let mut arguments = self.route.arguments(since);
        if let Some(next) = &from {
            arguments = next.apply(self.operation, arguments)?;
        }
        let mut pages = pin!(run.client.pages(self.operation, arguments, run.options.per_page));
        let (mut number, mut rows, mut total, mut shrunk) = (0, 0, None, false);
        let mut order = ChangeOrder::default();
        let mut end = None;
        let mut next = pages.next().await;
        while let Some(page) = next {
            self.sync.progress.requests += 1;
            let mut page = page?;
            page.require_list()?;
            self.is_fresh = false;
            number += 1;
            rows += page.items.len() as u64;
            let counted = page.total;
            if self.route.bound == Bound::NewestFirst || since.is_none() {
                self.sync.progress.total = counted;
            }
            shrunk |= counted.zip(total).is_some_and(|(now, before)| now < before);
            total = counted.or(total);
            let changed = order.changed(resource, since, &page.items);
            let reached_known = changed.is_empty() && order.is_descending && since.is_some();
            let is_last = page.next.is_none() || (reached_known && self.route.is_newest_first());
            self.sync.progress.pages += 1;
            let stop = !is_last && run.options.max_pages.is_some_and(|most| self.sync.progress.pages >= most);
            next = if is_last || stop {
                self.store(&page, number, &changed)?;
                None
            } else {
                // Request the next page while this one is stored.
                let stored = async { self.store(&page, number, &changed) };
                let (next, stored) = futures::join!(pages.next(), stored);
                stored?;
                next
            };
            end = page.end.take();
            self.sync.emit_progress(rows, total);
            if stop {
                let plural = if self.sync.progress.pages == 1 { "" } else { "s" };
                let reason = format!("stopped after {} page{plural}", self.sync.progress.pages);
                return Ok(PaginationEnd::Stopped(reason));
            }
        }
        if !self.missing_ids.is_empty() {
            return Ok(PaginationEnd::Stopped(missing_ids::message(&self.missing_ids)));
        }
        if shrunk && number > 1 && self.is_numbered() {
            return Ok(PaginationEnd::Shifted("records disappeared between two pages".to_owned()));
        }
        // A listing that stopped at known records has nothing to compare with its count.
        Ok(end.and_then(|end: Coverage| end.reason).map_or(PaginationEnd::Complete, PaginationEnd::Short))
    }

    /// If a record disappears from a numbered page that was read, the first record of the next page moves onto it
    /// and is missed.
    fn is_numbered(&self) -> bool {
        matches!(self.operation.paging, Paging::Page { .. })
    }
}

/// The order of the times in a listing.
#[derive(Debug)]
struct ChangeOrder {
    last: i64,
    /// Whether all have come newest first so far.
    is_descending: bool,
}

impl Default for ChangeOrder {
    fn default() -> Self {
        ChangeOrder { last: i64::MAX, is_descending: true }
    }
}

impl ChangeOrder {
    /// The records that changed at or after `since`, and those without a time.
    fn changed<'p>(
        &mut self,
        resource: &Resource,
        since: Option<i64>,
        items: &'p [Box<RawValue>],
    ) -> Vec<&'p str> {
        let (Some(since), Some(column)) = (since, resource.updated_at_column) else {
            return items.iter().map(|item| item.get()).collect();
        };
        let mut changed = Vec::with_capacity(items.len());
        for item in items {
            let updated_at = updated_at(item, column);
            self.is_descending &= updated_at.is_some_and(|updated_at| updated_at <= self.last);
            self.last = updated_at.unwrap_or(self.last);
            if updated_at.is_none_or(|updated_at| updated_at >= since) {
                changed.push(item.get());
            }
        }
        changed
    }
}

fn updated_at(item: &RawValue, column: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Times {
        #[serde(default)]
        created_at: Value,
        #[serde(default)]
        updated_at: Value,
    }
    let times: Times = serde_json::from_str(item.get()).ok()?;
    lenient::time(if column == "created_at" { &times.created_at } else { &times.updated_at })
}

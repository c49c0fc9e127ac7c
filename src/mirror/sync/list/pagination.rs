//! One listing by one route: what its pages share, and how a page is stored.

use super::missing_ids;
use crate::api;
use crate::api::operation::Operation;
use crate::api::paging::{Next, RawPage};
use crate::api::request_builder::operation;
use crate::mirror::error::Error;
use crate::mirror::resources::Route;
use crate::mirror::store::write::ListPage;
use crate::mirror::sync::plan::{ListCursor, ListPlan};
use crate::mirror::sync::sync_context::{ResourceSync, local_now};

/// How a listing ended without an error.
#[derive(Debug)]
pub(super) enum PaginationEnd {
    Complete,
    /// Stopped early; a restart would not help.
    Stopped(String),
    /// At the end, but records moved between pages meanwhile.
    Shifted(String),
    /// At the end, but with fewer records than the list counts.
    Short(String),
}

pub(super) struct Pagination<'p, 'a> {
    pub sync: &'p mut ResourceSync<'a>,
    pub plan: &'p ListPlan,
    pub route: &'static Route,
    pub operation: &'static Operation,
    /// Whether no page has been requested by a cursor yet.
    pub is_fresh: bool,
    /// Descriptions of records without an id.
    pub missing_ids: Vec<String>,
}

impl<'p, 'a> Pagination<'p, 'a> {
    pub fn new(
        sync: &'p mut ResourceSync<'a>,
        plan: &'p ListPlan,
        route: &'static Route,
        is_fresh: bool,
    ) -> Result<Self, api::Error> {
        let operation = operation(route.operation)?;
        Ok(Pagination { sync, plan, route, operation, is_fresh, missing_ids: Vec::new() })
    }

    /// Stores a page together with its cursor; pages count from 1. Remembers the records that have no id and cannot be
    /// stored.
    pub fn store(&mut self, page: &RawPage, number: u64, items: &[&str]) -> Result<(), Error> {
        // A page number means another position as soon as a record comes or goes. After records without an id, the
        // next run starts over, since they may have one then.
        let is_lasting = |next: &&Next| {
            self.route.resumable && self.missing_ids.is_empty() && !matches!(next, Next::Page(_))
        };
        let cursor = page.next.as_ref().filter(is_lasting).map(|next| ListCursor {
            operation: self.operation.id.to_owned(),
            position: next.clone(),
            since: self.plan.since(),
            removes: self.plan.removes(),
        });
        let cursor = cursor.and_then(|cursor| serde_json::to_string(&cursor).ok());
        let written = self.sync.store_list_page(&ListPage {
            items,
            cursor: cursor.as_deref(),
            synced_at: local_now(),
            fetched_at: page.reply.date().unwrap_or_else(|| self.sync.run.clock.now()),
            mark_seen: self.plan.removes(),
        })?;
        if written.unidentified > 0 {
            let missing_ids = missing_ids::describe(self.sync.resource, &page.items, number);
            self.sync.warn(format!("not stored: {}", missing_ids::message(&missing_ids)));
            self.missing_ids.extend(missing_ids);
        }
        Ok(())
    }
}

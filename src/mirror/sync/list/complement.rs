//! Lists what the list of a resource leaves out in newer API versions, from the list that has it instead.
//!
//! Must run before records that were not listed are removed.

use std::pin::pin;

use futures::StreamExt;

use crate::api::request_builder::operation;
use crate::mirror::error::Error;
use crate::mirror::store::write::ListPage;
use crate::mirror::sync::sync_context::{ResourceSync, local_now};

/// Stores the records of the other list, if the version in effect needs it.
///
/// # Errors
/// [`Error::Api`] if the list cannot be read, another one if the database fails.
pub(super) async fn read(sync: &mut ResourceSync<'_>) -> Result<(), Error> {
    let run = sync.run;
    let Some(complement) = &sync.resource.complement else { return Ok(()) };
    if !(complement.is_needed)(&run.client.api_version()) {
        return Ok(());
    }
    let route = &complement.route;
    let list = operation(route.operation)?;
    let mut pages = pin!(run.client.pages(list, route.arguments(None), run.options.per_page));
    while let Some(page) = pages.next().await {
        let page = page?;
        sync.progress.requests += 1;
        page.require_list()?;
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        sync.store_list_page(&ListPage {
            items: &items,
            cursor: None,
            synced_at: local_now(),
            fetched_at: page.reply.date().unwrap_or_else(|| run.clock.now()),
            mark_seen: true,
        })?;
    }
    sync.with_store(|store| store.mark_unlisted(sync.name(), complement.unlisted))
}

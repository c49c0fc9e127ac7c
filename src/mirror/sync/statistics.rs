//! Fetches the views and reactions of articles, which lists omit.
//!
//! This takes one request per article: immediately for new or changed articles, once a day for the others, the ones
//! fetched longest ago first.

use futures::stream;

use super::fetch_each::{FetchAnswer, FetchFailures, fetch_each};
use super::sync_context::{Ending, ResourceSync, local_now};
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::pending::PendingRecord;

/// Fetches the statistics that are due.
///
/// # Errors
/// If the database fails, or the error budget is spent.
pub(super) async fn fetch(sync: &mut ResourceSync<'_>) -> Result<Ending, Error> {
    let run = sync.run;
    let Some(get) = sync.resource.get_operation else { return Ok(Ending::Complete) };
    let get = operation(get)?;
    let due = sync.with_store(|store| store.statistics_due(run.clock.now()))?;
    let request = |record: PendingRecord| async move {
        let fetched_at = run.clock.now();
        let reply = run.client.fetch(get, &Arguments::of_record(&record.id)).await;
        let document = reply.and_then(|reply| reply.json_text().map(str::to_owned));
        let result = document.map(|document| (document, fetched_at)).map_err(Into::into);
        Ok(FetchAnswer { record, requests: 1, result })
    };
    let failures = fetch_each(
        sync,
        FetchFailures::new(ResourceName::Articles, "article"),
        stream::iter(due.into_iter().map(Ok)),
        request,
        |(document, _)| document.len(),
        |sync, failures, articles| {
            let earliest = articles.iter().map(|(_, (_, fetched_at))| *fetched_at).min().unwrap_or(i64::MAX);
            let documents = articles.iter().map(|(article, (document, _))| (article, document.as_str()));
            sync.with_store(|store| store.store_statistics(documents, earliest, local_now()))?;
            articles.iter().for_each(|_| failures.add_success());
            Ok(())
        },
    );
    failures.await?.finish(sync)
}

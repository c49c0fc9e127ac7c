//! Fetches the views and reactions of articles, which lists omit.
//!
//! This takes one request per article: immediately for new or changed articles, once a day for the others, the ones
//! fetched longest ago first.

use futures::stream::{self, StreamExt};
use rusqlite::params;

use super::cadence::DAILY;
use super::pending::{FetchFailures, SETTLE_SECONDS, next_chunk};
use super::sync_context::{Ending, ResourceProgress, SyncContext, local_now};
use crate::api;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::store::Store;
use crate::mirror::store::quarantine::is_retryable;
use crate::mirror::store::write::Table;

/// Unchanged articles fetched per run.
const MOST: u32 = 500;

impl Store {
    /// Articles to fetch, each with its `updated_at`: those that changed, and some of the others.
    fn statistics_due(&self, now: i64) -> Result<Vec<(String, Option<i64>)>, Error> {
        let changed =
            "s.article_id IS NULL OR s.updated_at IS NOT c.updated_at OR s.fetched_at < s.updated_at + ?1";
        let from = "FROM articles c LEFT JOIN article_statistics_state s ON s.article_id = c.id";
        let retryable = is_retryable(ResourceName::Articles);
        let sql = format!(
            "SELECT c.id, c.updated_at {from} WHERE ({changed}) AND {retryable}
             UNION ALL
             SELECT id, updated_at FROM (SELECT c.id, c.updated_at {from}
                 WHERE NOT ({changed}) AND {retryable} AND abs(?2 - s.fetched_at) >= ?3 ORDER BY s.fetched_at LIMIT ?4)"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let due = statement
            .query_map(params![SETTLE_SECONDS, now, DAILY, MOST], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(due.collect::<Result<_, _>>()?)
    }

    fn put_statistics(
        &mut self,
        resource: &'static Resource,
        articles: &[(String, Option<i64>, String)],
        fetched_at: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        {
            let mut table = Table::new(&transaction, resource, local_now())?;
            table.keeps_equal = false;
            let mut record_state = transaction.prepare_cached(
                "INSERT OR REPLACE INTO article_statistics_state (article_id, updated_at, fetched_at)
                 SELECT id, ?2, ?3 FROM articles WHERE id = ?1",
            )?;
            for (id, updated_at, document) in articles {
                table.upsert(document, None)?;
                record_state.execute(params![id, updated_at, fetched_at])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// Fetches the statistics that are due.
///
/// # Errors
/// If the database fails, or the error budget is spent.
pub(super) async fn fetch(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    progress: &mut ResourceProgress,
) -> Result<Ending, Error> {
    let Some(get) = resource.get_operation else { return Ok(Ending::Complete) };
    let get = operation(get)?;
    let due = run.with_store(|store| store.statistics_due(run.clock.now()))?;
    let requests = stream::iter(due).map(|(id, updated_at)| async move {
        let fetched_at = run.clock.now();
        let arguments = Arguments { path: vec![id.clone()], ..Arguments::default() };
        (id, updated_at, fetched_at, run.client.fetch(get, &arguments).await)
    });
    let concurrency = run.options.concurrency.max(1);
    let mut responses = std::pin::pin!(requests.buffer_unordered(concurrency));
    let size = |response: &(String, Option<i64>, i64, Result<Reply, api::Error>)| match &response.3 {
        Ok(reply) => reply.body.len(),
        Err(_) => 0,
    };
    let mut failures = FetchFailures::new(ResourceName::Articles, ResourceName::Articles, "article");
    let mut gone = Vec::new();
    while let Some(chunk) = next_chunk(&mut responses, size).await {
        let mut articles = Vec::new();
        let mut earliest = i64::MAX;
        let mut last_error = None;
        for (id, updated_at, fetched_at, response) in chunk {
            progress.requests += 1;
            match response.and_then(|reply| reply.json_text().map(str::to_owned)) {
                Ok(document) => {
                    failures.add_success();
                    earliest = earliest.min(fetched_at);
                    articles.push((id, updated_at, document));
                }
                Err(error) if error.is_gone() => gone.push(id),
                Err(error) => {
                    failures.add_error(run, &id, &error);
                    last_error = Some(error);
                }
            }
        }
        run.with_store(|store| store.put_statistics(resource, &articles, earliest))?;
        if let Some(error) = last_error.filter(|_| failures.must_stop()) {
            progress.add_cause(failures.cause());
            return Err(error.into());
        }
    }
    failures.remove_gone(run, ResourceName::Articles, gone, progress).await?;
    failures.finish(run, progress)
}

//! Fetches the views and reactions of articles, which their lists do not show.
//!
//! A call per article: at once for those that are new or changed, once a day for the others, those first that were
//! asked for longest ago.

use futures::stream::{self, StreamExt};
use rusqlite::params;

use super::cadence::DAILY;
use super::error::Error;
use super::quarantine::is_awake;
use super::queue::{Failures, SETTLED, arrived};
use super::resources::{Resource, ResourceName};
use super::run::{Ending, Run, Tally, local};
use super::store::Store;
use super::write::Table;
use crate::api;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};

/// Articles asked for again in one run because it is a day ago.
const MOST: u32 = 500;

impl Store {
    /// Articles to be asked for: those that changed, and some of the others. Each with its `updated_at`.
    fn statistics_due(&self, now: i64) -> Result<Vec<(String, Option<i64>)>, Error> {
        let changed =
            "s.article_id IS NULL OR s.updated_at IS NOT c.updated_at OR s.fetched_at < s.updated_at + ?1";
        let from = "FROM articles c LEFT JOIN article_statistics_state s ON s.article_id = c.id";
        let awake = is_awake(ResourceName::Articles);
        let sql = format!(
            "SELECT c.id, c.updated_at {from} WHERE ({changed}) AND {awake}
             UNION ALL
             SELECT id, updated_at FROM (SELECT c.id, c.updated_at {from}
                 WHERE NOT ({changed}) AND {awake} AND abs(?2 - s.fetched_at) >= ?3 ORDER BY s.fetched_at LIMIT ?4)"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let due =
            statement.query_map(params![SETTLED, now, DAILY, MOST], |row| Ok((row.get(0)?, row.get(1)?)))?;
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
            let mut table = Table::new(&transaction, resource, local())?;
            table.keeps_equal = false;
            let mut note = transaction.prepare_cached(
                "INSERT OR REPLACE INTO article_statistics_state (article_id, updated_at, fetched_at)
                 SELECT id, ?2, ?3 FROM articles WHERE id = ?1",
            )?;
            for (id, updated_at, document) in articles {
                table.upsert(document, None)?;
                note.execute(params![id, updated_at, fetched_at])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// Fetches what is due.
///
/// # Errors
/// When the store refuses, and when it is certain that the API will not answer any more.
pub(super) async fn fetch(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Ending, Error> {
    let Some(one) = resource.one else { return Ok(Ending::Complete) };
    let one = operation(one)?;
    let due = run.with_store(|store| store.statistics_due(run.clock.server()))?;
    let answers = stream::iter(due).map(|(id, updated_at)| async move {
        let fetched_at = run.clock.server();
        let arguments = Arguments { path: vec![id.clone()], ..Arguments::default() };
        (id, updated_at, fetched_at, run.client.fetch(one, &arguments).await)
    });
    let concurrency = run.options.concurrency.max(1);
    let mut answers = std::pin::pin!(answers.buffer_unordered(concurrency));
    let size = |answer: &(String, Option<i64>, i64, Result<Reply, api::Error>)| match &answer.3 {
        Ok(reply) => reply.body.len(),
        Err(_) => 0,
    };
    let mut failures = Failures::new(ResourceName::Articles, ResourceName::Articles, "article");
    let mut gone = Vec::new();
    while let Some(chunk) = arrived(&mut answers, size).await {
        let mut found = Vec::new();
        let mut earliest = i64::MAX;
        let mut refused = None;
        for (id, updated_at, fetched_at, answer) in chunk {
            tally.requests += 1;
            match answer.and_then(|reply| reply.json_text().map(str::to_owned)) {
                Ok(document) => {
                    failures.success();
                    earliest = earliest.min(fetched_at);
                    found.push((id, updated_at, document));
                }
                Err(error) if error.is_gone() => gone.push(id),
                Err(error) => {
                    failures.refusal(run, &id, &error);
                    refused = Some(error);
                }
            }
        }
        run.with_store(|store| store.put_statistics(resource, &found, earliest))?;
        if let Some(error) = refused.filter(|_| failures.hopeless()) {
            tally.blame(failures.cause());
            return Err(error.into());
        }
    }
    failures.gone(run, ResourceName::Articles, gone, tally).await?;
    failures.ending(run, tally)
}

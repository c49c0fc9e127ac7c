//! Searches whose query depends on the workspace, and whose results are tested again.
//!
//! A filter in the language of `--where` names teams and tags, and says exactly what it selects; the search may return
//! more. The module `selection` knows how to resolve and to test it. Here nothing may pass that was not tested.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use super::client::Client;
use super::error::Error;
use super::operation::Operation;
use super::page_arguments::set_query;
use super::paging::{Next, RawPage};
use super::request_builder::Arguments;

/// A filter whose names have not been looked up yet.
pub(crate) trait UnresolvedFilter: Send + Sync + fmt::Debug {
    /// Looks up the names in the workspace, for one kind of record.
    fn resolve<'a>(
        &'a self,
        client: &'a Client,
        search: &'static Operation,
    ) -> BoxFuture<'a, Result<Arc<dyn RecordTest>, Error>>;
}

/// A filter that can test records.
pub(crate) trait RecordTest: Send + Sync {
    /// The query of the search, which selects at least the matching records.
    fn query(&self) -> &Value;

    /// The arguments for a server that has refused null as a value with this error.
    fn without_null(&self, arguments: &Arguments, error: &Error) -> Option<Arguments>;

    /// The records that match.
    fn select<'a>(
        &'a self,
        client: &'a Client,
        records: Vec<Box<RawValue>>,
    ) -> BoxFuture<'a, Result<Vec<Box<RawValue>>, Error>>;

    /// Whether records were left out because they do not show all fields in the filter.
    fn has_skipped(&self) -> bool;
}

/// A search with a filter that is resolved before the first page. Clones resolve it once.
#[derive(Clone)]
pub(super) struct TestedSearch {
    filter: Arc<dyn UnresolvedFilter>,
    resolved: Arc<OnceCell<Arc<dyn RecordTest>>>,
}

impl TestedSearch {
    pub fn new(filter: Arc<dyn UnresolvedFilter>) -> Self {
        TestedSearch { filter, resolved: Arc::default() }
    }

    /// All pages, without the records that do not match. Their number is unknown, so that pages have no total.
    pub fn pages(
        self,
        client: Client,
        search: &'static Operation,
        mut arguments: Arguments,
        size: Option<u32>,
        position: Option<Next>,
    ) -> BoxStream<'static, Result<RawPage, Error>> {
        let pages = async move {
            let test = self.resolved.get_or_try_init(|| self.filter.resolve(&client, search)).await?.clone();
            set_query(&mut arguments, test.query().clone())?;
            let mut pages = client.pages_at(search, arguments.clone(), size, position.clone()).boxed();
            let mut first = pages.next().await;
            if let Some(Err(error)) = &first
                && let Some(other) = test.without_null(&arguments, error)
            {
                pages = client.pages_at(search, other, size, position).boxed();
                first = pages.next().await;
            }
            let pages = stream::iter(first).chain(pages);
            Ok::<_, Error>(pages.and_then(move |page| select(client.clone(), test.clone(), page)))
        };
        stream::once(pages).try_flatten().boxed()
    }
}

async fn select(client: Client, test: Arc<dyn RecordTest>, mut page: RawPage) -> Result<RawPage, Error> {
    page.items = test.select(&client, std::mem::take(&mut page.items)).await?;
    page.total = None;
    if let Some(end) = page.end.as_mut().filter(|end| end.complete && test.has_skipped()) {
        end.complete = false;
        end.reason = Some("some records do not show all fields in the filter".to_owned());
    }
    Ok(page)
}

//! Pagination: fetches all pages of a list or a search.
//!
//! A page keeps its records as raw JSON text; `list.rs` reads them as types. The next page is read leniently
//! from the response (`pages.next` may be an object, a URL or null), but used only as query or body values of
//! the same operation: an address in a response is never followed. Pagination must not end early without an
//! error or a report, and must not loop.

mod coverage;
mod read;
pub(crate) mod scroll;

use std::time::Duration;

use futures::stream::{self, Stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::Client;
use super::error::{Error, Unexpected};
use super::operation::{Operation, Paging};
use super::page_arguments::{page_size, set_in_body, set_in_query, set_number, with_size};
use super::reply::Reply;
use super::request_builder::Arguments;
use coverage::CoverageTracker;
pub use coverage::{Coverage, is_first as is_first_page};
use scroll::ScrollEnd;

/// One page of a list, with its records as received.
#[derive(Debug)]
pub struct RawPage {
    /// The response as received.
    pub reply: Reply,
    /// Path of the list inside the document, keys joined by dots: `data`, `conversations`, `data.articles`.
    /// `None` if the document contains no list.
    pub key: Option<String>,
    /// The records, as received.
    pub items: Vec<Box<RawValue>>,
    /// How to request the next page; `None` on the last one.
    pub next: Option<Next>,
    /// Total number of records, as reported by the API.
    pub total: Option<u64>,
    /// The response says that there is more, but not how to request it.
    pub has_more: bool,
    /// The page size that was requested, if any.
    pub size: Option<u32>,
    /// On the last page of [`Client::pages`]: whether all records were received.
    pub end: Option<Coverage>,
}

/// The position of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// The page after this cursor, which only the API can read.
    StartingAfter(String),
    /// The page with this number, counted from 1.
    Page(u64),
    /// The next page of this scroll. A scroll ends after a minute without a request.
    Scroll(String),
    /// Another query parameter, with its value.
    Query(String, String),
}

impl Client {
    /// All pages, starting with the one that `arguments` describe, each fetched when it is polled. `per_page`
    /// is limited to what the operation accepts, and halved if large pages time out.
    pub fn pages<'a>(
        &self,
        operation: &'a Operation,
        arguments: Arguments,
        per_page: Option<u32>,
    ) -> impl Stream<Item = Result<RawPage, Error>> + use<'a> {
        self.pages_at(operation, arguments, per_page, None)
    }

    /// Like [`Client::pages`]. The arguments describe the page at `position`, if it is not the first one.
    pub(super) fn pages_at<'a>(
        &self,
        operation: &'a Operation,
        arguments: Arguments,
        per_page: Option<u32>,
        position: Option<Next>,
    ) -> impl Stream<Item = Result<RawPage, Error>> + use<'a> {
        let pager = Pager {
            client: self.clone(),
            operation,
            arguments,
            size: page_size(operation, per_page),
            position,
            waited: Duration::ZERO,
            timeouts: 0,
            tracker: CoverageTracker::default(),
            from_start: None,
            sizes: scroll::PageSizes::default(),
        };
        stream::try_unfold(Some(pager), |pager| async move {
            let Some(mut pager) = pager else { return Ok(None) };
            let mut page = pager.fetch().await?;
            pager.sizes.add(page.items.len());
            let is_stuck = pager.tracker.add(&page);
            let rest = match &page.next {
                Some(next) if is_stuck || coverage::is_loop(pager.position.as_ref(), next) => {
                    return Err(Error::PagingLoop { path: pager.operation.path.to_owned() });
                }
                Some(next) => {
                    pager.arguments = next.apply(pager.operation, pager.arguments)?;
                    pager.position = Some(next.clone());
                    Some(pager)
                }
                None => {
                    page.end = Some(pager.end(&page).await?);
                    None
                }
            };
            Ok(Some((page, rest)))
        })
    }
}

/// Pages are not halved below this: a server that cannot return this few records is down, and every size
/// costs a round of retries.
const MIN_PAGE_SIZE: u32 = 32;
/// How many page sizes in a row may time out. Each costs minutes of waiting.
const MAX_TIMEOUTS: u32 = 2;
/// How long to wait for another scroll. The server drops an idle one after a minute.
const SCROLL_TIMEOUT: Duration = Duration::from_secs(65);
const SCROLL_POLL: Duration = Duration::from_secs(5);

/// The state of one pagination.
struct Pager<'a> {
    client: Client,
    operation: &'a Operation,
    arguments: Arguments,
    size: Option<u32>,
    /// The position of the current page; `None` on the first one.
    position: Option<Next>,
    /// Time spent waiting for another scroll to end.
    waited: Duration,
    /// Page sizes that have timed out since the last page.
    timeouts: u32,
    tracker: CoverageTracker,
    /// Whether pagination started with the first page; `None` before the first request.
    from_start: Option<bool>,
    sizes: scroll::PageSizes,
}

impl Pager<'_> {
    async fn fetch(&mut self) -> Result<RawPage, Error> {
        let from_start = coverage::is_first(&self.arguments.query, self.arguments.body.as_deref());
        self.from_start.get_or_insert(from_start);
        loop {
            let arguments = with_size(self.operation, self.arguments.clone(), self.size)?;
            match self.client.fetch(self.operation, &arguments).await {
                Ok(reply) => {
                    self.timeouts = 0;
                    let page = RawPage::read(self.operation, &arguments, reply)?;
                    return Ok(RawPage { size: self.size, ..page });
                }
                // Either the end of the scroll or a lost scroll; `end` decides.
                Err(error) if error.is_not_found() && matches!(self.position, Some(Next::Scroll(_))) => {
                    return Ok(RawPage::empty());
                }
                // Each app has one scroll at a time; another one expires within a minute.
                Err(error) if error.code() == Some("scroll_exists") && self.waited < SCROLL_TIMEOUT => {
                    tracing::info!("another scroll is open, waiting for it to end");
                    self.waited += SCROLL_POLL;
                    tokio::time::sleep(SCROLL_POLL).await;
                }
                Err(error)
                    if error.is_overload()
                        && self.size.is_some_and(|size| size > MIN_PAGE_SIZE)
                        && self.timeouts < MAX_TIMEOUTS =>
                {
                    self.timeouts += u32::from(matches!(error, Error::Timeout { .. }));
                    self.halve(&error)?;
                }
                Err(error) if error.is_about_page_size() && self.size.is_some_and(|size| size > 1) => {
                    self.halve(&error)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Halves the page size from here on. A cursor stays valid; a page number is recomputed so that the next
    /// page begins where the last one ended, or slightly before.
    fn halve(&mut self, error: &Error) -> Result<(), Error> {
        let Some(size) = self.size else { return Ok(()) };
        let smaller = (size / 2).max(1);
        tracing::debug!(size = smaller, %error, "requesting smaller pages");
        self.size = Some(smaller);
        if let Some(Next::Page(page)) = self.position {
            let next = Next::Page(page.saturating_sub(1) * u64::from(size) / u64::from(smaller) + 1);
            self.arguments = next.apply(self.operation, std::mem::take(&mut self.arguments))?;
            self.position = Some(next);
        }
        Ok(())
    }

    /// Checks on the last page whether all records were received.
    async fn end(&self, last: &RawPage) -> Result<Coverage, Error> {
        let coverage = self.tracker.coverage(last, self.from_start == Some(true));
        let ends_empty = last.items.is_empty() && last.key.is_some();
        let is_continued = self.from_start != Some(true);
        if self.operation.paging != Paging::Scroll || (ends_empty && is_continued) {
            return Ok(coverage);
        }
        let counted = scroll::companies_counted(&self.client).await;
        let came = self.tracker.distinct();
        if ends_empty && counted.is_none_or(|counted| counted <= came) {
            return Ok(coverage);
        }
        match scroll::judge(self.sizes, came, counted) {
            ScrollEnd::Whole => Ok(Coverage { total: counted, ..coverage }),
            ScrollEnd::Doubtful | ScrollEnd::Lost => {
                Err(Error::LostScroll { path: self.operation.path.to_owned(), came })
            }
        }
    }
}

impl Next {
    /// The arguments that request this page.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the body of a search is not a JSON object.
    pub fn apply(&self, operation: &Operation, mut arguments: Arguments) -> Result<Arguments, Error> {
        match (self, operation.paging) {
            (Next::StartingAfter(cursor), Paging::CursorInBody { .. }) => {
                set_in_body(&mut arguments, "starting_after", json!(cursor))?;
            }
            (Next::StartingAfter(cursor), _) => {
                set_in_query(&mut arguments, "starting_after", cursor.clone())
            }
            (Next::Page(page), Paging::CursorInBody { .. }) => {
                set_in_body(&mut arguments, "page", json!(page))?;
            }
            (Next::Page(page), _) => set_number(operation, &mut arguments, "page", *page)?,
            (Next::Scroll(scroll), _) => set_in_query(&mut arguments, "scroll_param", scroll.clone()),
            (Next::Query(name, value), _) => set_in_query(&mut arguments, name, value.clone()),
        }
        Ok(arguments)
    }
}

impl RawPage {
    /// The records as a model of [`types`](crate::types) or any other type.
    pub fn records<T: DeserializeOwned>(&self) -> impl Iterator<Item = Result<T, Error>> {
        self.items
            .iter()
            .map(|record| serde_json::from_str(record.get()).map_err(|error| self.reply.wrong_shape(&error)))
    }

    /// Fails if the response contains no list: it must not be taken for an empty one.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] if the list is missing. A response without content, as at the end of a
    /// scroll, is accepted.
    pub fn require_list(&self) -> Result<(), Error> {
        if self.key.is_none() && !self.reply.body.is_empty() {
            return Err(self.reply.unexpected(Unexpected::Shape, Some("it contains no list".into())));
        }
        Ok(())
    }

    /// Like [`RawPage::require_list`]; on the last page, all records must have been received.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] with the reason.
    pub fn require_whole(&self) -> Result<(), Error> {
        self.require_list()?;
        match self.end.as_ref().and_then(|end| end.reason.clone()) {
            Some(reason) => Err(self.reply.unexpected(Unexpected::Shape, Some(reason))),
            None => Ok(()),
        }
    }

    /// Refuses a page with records that have no id: whoever keeps records by their ids would lose them.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] with their number.
    pub fn require_ids(&self) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        struct Identified {
            #[serde(default)]
            id: Value,
        }
        let has_id =
            |item: &RawValue| match serde_json::from_str::<Identified>(item.get()).map(|record| record.id) {
                Ok(Value::String(id)) => !id.trim().is_empty(),
                Ok(Value::Number(_)) => true,
                _ => false,
            };
        match self.items.iter().filter(|item| !has_id(item)).count() {
            0 => Ok(()),
            without => {
                let detail = format!("{without} of its records have no id");
                Err(self.reply.unexpected(Unexpected::Shape, Some(detail)))
            }
        }
    }

    /// Whether this is an end page without a body, or with null instead of the list.
    pub fn is_empty_list(&self) -> bool {
        let lists = ["data", "conversations", "tickets", "contacts", "companies"];
        let has_null =
            |document: Value| lists.iter().any(|key| document.get(*key).is_some_and(Value::is_null));
        self.reply.body.is_empty() || serde_json::from_slice(&self.reply.body).is_ok_and(has_null)
    }

    pub(crate) fn empty() -> Self {
        let (reply, items) = (Reply::empty(), Vec::new());
        RawPage { reply, key: None, items, next: None, total: None, has_more: false, size: None, end: None }
    }
}

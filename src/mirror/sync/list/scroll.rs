//! Lists everything through a scroll.
//!
//! The server keeps the position of a scroll and advances it with every response, even one that is lost in transit, so
//! a retried request may skip a page. A scroll with a doubtful step is therefore read to its end, which also frees
//! it, and then again. Pages come in the same order in every pass, so a step that was certain once is certain: the
//! listing is complete once certain steps lead from the beginning to the end.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use super::missing_ids;
use super::pagination::{Pagination, PaginationEnd};
use crate::api;
use crate::api::error::Unexpected;
use crate::api::paging::scroll::{self, PageSizes, ScrollEnd};
use crate::api::paging::{Next, RawPage};
use crate::api::request_builder::Arguments;
use crate::mirror::error::Error;
use crate::mirror::sync::events::Event;

/// The server drops a scroll that is unused for a minute, and then reports its end.
const SCROLL_IDLE: Duration = Duration::from_secs(55);
/// Times that the scroll is read from its beginning.
const PASSES: u32 = 10;
/// Requests per step.
const ATTEMPTS: u32 = 10;
/// Pause between attempts to open a scroll while another one is open.
const PAUSE: Duration = Duration::from_secs(5);

/// From the last record of each page to that of the next; `None` is the beginning, and the end.
type Steps = HashMap<Option<String>, Option<String>>;

impl Pagination<'_, '_> {
    pub(super) async fn scroll(&mut self) -> Result<PaginationEnd, Error> {
        let mut steps = Steps::new();
        let mut doubts = 0;
        let mut doubtful_count = None;
        self.sync.progress.requests += 1;
        let counted = scroll::companies_counted(self.sync.run.client).await;
        for pass in 0..PASSES {
            let mut seen = HashSet::new();
            let pass_error = self.pass(&mut steps, &mut seen, doubtful_count).await?;
            if leads_to_the_end(&steps) {
                return self.compare_count(counted, &seen).await;
            }
            let cause = pass_error.unwrap_or_else(|| PassError::Step("a response was lost".to_owned()));
            if pass == 0 {
                self.sync.warn(format!("starting over: {cause}"));
            }
            match cause {
                // No response was lost: the server itself ends the scroll, or repeats it.
                PassError::Doubtful(error) if doubts == 1 => return Err(error.into()),
                PassError::Doubtful(_) => {
                    doubts += 1;
                    doubtful_count = Some(seen.len() as u64);
                }
                PassError::Step(_) => {}
            }
        }
        Ok(PaginationEnd::Short(format!("the scroll broke {PASSES} times")))
    }

    /// Compares a scroll that reached its end with the count from before it. Companies that were deleted in the
    /// meantime are not missing.
    async fn compare_count(
        &mut self,
        before: Option<u64>,
        seen: &HashSet<String>,
    ) -> Result<PaginationEnd, Error> {
        let received = seen.len() as u64;
        let Some(before) = before.filter(|before| *before > received) else {
            return Ok(PaginationEnd::Complete);
        };
        let stored = self.sync.stored()?;
        self.sync.progress.requests += 1;
        let now = scroll::companies_counted(self.sync.run.client).await.unwrap_or(before).min(before);
        if now <= received.max(stored) {
            return Ok(PaginationEnd::Complete);
        }
        Ok(PaginationEnd::Short(format!(
            "the workspace counts {now} companies, but only {received} were listed"
        )))
    }

    /// Reads the scroll from its beginning; returns what ended it early. `doubtful_count` is the number of records in
    /// an earlier pass whose end was doubtful.
    async fn pass(
        &mut self,
        steps: &mut Steps,
        seen: &mut HashSet<String>,
        doubtful_count: Option<u64>,
    ) -> Result<Option<PassError>, Error> {
        let mut page = self.open().await?;
        let (mut last, mut certain, mut sizes) = (None, true, PageSizes::default());
        let mut ends = HashSet::new();
        loop {
            let end = self.store_page(&page, ends.len() as u64 + 1, seen)?;
            let is_repeated = end.as_ref().is_some_and(|end| !ends.insert(end.clone()));
            if is_repeated {
                let path = self.operation.path.to_owned();
                return Ok(Some(PassError::Doubtful(api::Error::PagingLoop { path })));
            }
            if certain {
                steps.insert(last.clone(), end.clone());
            }
            let Some(end) = end else { return Ok(None) };
            sizes.add(page.items.len());
            let Some(next) = page.next.take() else {
                return self.end(steps, end, sizes, (seen, doubtful_count)).await;
            };
            last = Some(end.clone());
            (page, certain) = match self.step(&next).await {
                Ok(answer) => answer,
                Err(error) if error.is_unauthorized() || error.is_offline() || error.is_rate_limited() => {
                    return Err(error.into());
                }
                Err(error) if error.is_not_found() => {
                    return self.end(steps, end, sizes, (seen, doubtful_count)).await;
                }
                Err(error) => return Ok(Some(PassError::Step(error.to_string()))),
            };
        }
    }

    /// Accepts an end without an empty page only if the count agrees, the last page is short, or two passes end at the
    /// same record.
    async fn end(
        &mut self,
        steps: &mut Steps,
        end: String,
        sizes: PageSizes,
        (seen, doubtful_count): (&HashSet<String>, Option<u64>),
    ) -> Result<Option<PassError>, Error> {
        self.sync.progress.requests += 1;
        let came = seen.len() as u64;
        let is_complete =
            match scroll::judge(sizes, came, scroll::companies_counted(self.sync.run.client).await) {
                ScrollEnd::Whole => true,
                ScrollEnd::Doubtful => doubtful_count == Some(came),
                ScrollEnd::Lost => false,
            };
        if is_complete {
            steps.insert(Some(end), None);
            return Ok(None);
        }
        Ok(Some(PassError::Doubtful(api::Error::LostScroll { path: self.operation.path.to_owned(), came })))
    }

    /// Opens a scroll; waits while another one is open.
    async fn open(&mut self) -> Result<RawPage, Error> {
        let began = Instant::now();
        let mut waited = false;
        loop {
            self.sync.progress.requests += 1;
            let error = match self.request(&Arguments::default()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            if error.code() == Some("scroll_exists")
                && !waited
                && !self.sync.run.options.scroll_patience.is_zero()
            {
                waited = true;
                self.sync.run.emit(Event::SyncWaiting {
                    resource: self.sync.resource.name,
                    seconds: self.sync.run.options.scroll_patience.as_secs(),
                    message: "another scroll is open, perhaps from an interrupted run".to_owned(),
                });
            }
            let left = self.sync.run.options.scroll_patience.saturating_sub(began.elapsed());
            // A lost response may have opened a scroll: the next attempt shows whether it did.
            if left.is_zero() || !(error.code() == Some("scroll_exists") || is_transient(&error)) {
                return Err(error.into());
            }
            tokio::time::sleep(if is_transient(&error) {
                Duration::from_millis(200)
            } else {
                PAUSE.min(left)
            })
            .await;
        }
    }

    /// The next page, and whether it is certain that no page was skipped.
    async fn step(&mut self, next: &Next) -> Result<(RawPage, bool), api::Error> {
        let arguments = next.apply(self.operation, Arguments::default())?;
        let mut attempt = 1;
        loop {
            self.sync.progress.requests += 1;
            let requested = Instant::now();
            match self.request(&arguments).await {
                // An expired scroll looks like one that has reached its end.
                Ok(page) => return Ok((page, attempt == 1 && requested.elapsed() < SCROLL_IDLE)),
                Err(error) if is_transient(&error) && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn request(&self, arguments: &Arguments) -> Result<RawPage, api::Error> {
        let reply = self.sync.run.client.execute(self.operation, arguments).await?;
        let page = RawPage::read(self.operation, arguments, reply)?;
        page.require_list()?;
        Ok(page)
    }

    /// Stores a page. Returns its last id; `None` if it is empty.
    fn store_page(
        &mut self,
        page: &RawPage,
        number: u64,
        seen: &mut HashSet<String>,
    ) -> Result<Option<String>, Error> {
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        let id = |item: &str| serde_json::from_str(item).ok().and_then(|item| self.sync.resource.id(&item));
        let ids: Vec<Option<String>> = items.iter().map(|item| id(item)).collect();
        let Some(last) = ids.last().cloned() else { return Ok(None) };
        self.store(page, number, &items)?;
        self.sync.progress.pages += 1;
        self.sync.emit_progress(self.sync.progress.written.fetched, None);
        seen.extend(ids.into_iter().flatten());
        if !self.missing_ids.is_empty() {
            let detail = missing_ids::message(&self.missing_ids);
            return Err(page.reply.unexpected(Unexpected::Shape, Some(detail)).into());
        }
        Ok(last)
    }
}

/// What ended a pass early.
#[derive(Debug)]
enum PassError {
    /// A response was lost, or the request was refused.
    Step(String),
    /// The server itself ended the scroll, or repeats it.
    Doubtful(api::Error),
}

impl fmt::Display for PassError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PassError::Step(reason) => formatter.write_str(reason),
            PassError::Doubtful(error) => write!(formatter, "{error}"),
        }
    }
}

/// Whether a retry may help. The server may or may not have advanced the scroll.
fn is_transient(error: &api::Error) -> bool {
    let broken = error.status().is_some_and(|status| status >= 500);
    let lost = matches!(error.failure(), api::Error::Network { .. } | api::Error::UnexpectedResponse(_));
    broken || lost || error.is_overload()
}

fn leads_to_the_end(steps: &Steps) -> bool {
    let mut position = &None;
    for _ in 0..=steps.len() {
        match steps.get(position) {
            Some(None) => return true,
            Some(next) => position = next,
            None => return false,
        }
    }
    false
}

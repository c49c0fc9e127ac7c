//! Reads everything through a scroll.
//!
//! The server keeps the place of a scroll and moves it on with every answer, also with one that is lost
//! on the way: whoever asks again may have missed a page. So a scroll with a doubtful step is read to its
//! end, which also frees it, and then once more. The pages come in the same order every time, so a step
//! that is certain in any of the passes is certain: the walk is over when certain steps lead from the
//! beginning to the end.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use super::{SCROLL_REST, Walk, Walked, nameless};
use crate::api;
use crate::api::error::Unexpected;
use crate::api::paging::scroll::{self, PageSizes, ScrollEnd};
use crate::api::paging::{Next, Page};
use crate::api::request_builder::Arguments;
use crate::mirror::error::Error;
use crate::mirror::events::Event;
use crate::mirror::read::Choice;
use crate::mirror::run::Tally;

/// How often the whole scroll is read at most.
const PASSES: u32 = 10;
/// How often one step is tried in a row.
const ATTEMPTS: u32 = 10;
/// How long between attempts to get hold of the scroll.
const PAUSE: Duration = Duration::from_secs(5);

/// From one page to the next, each known by its last record; `None` stands for the beginning and for the
/// end of everything.
type Steps = HashMap<Option<String>, Option<String>>;

impl Walk<'_, '_> {
    pub(super) async fn scroll(&mut self, tally: &mut Tally) -> Result<Walked, Error> {
        let mut steps = Steps::new();
        let mut doubts = 0;
        let mut doubted = None;
        tally.requests += 1;
        let counted = scroll::companies_counted(self.run.client).await;
        for pass in 0..PASSES {
            let mut seen = HashSet::new();
            let broken = self.pass(&mut steps, &mut seen, doubted, tally).await?;
            if leads_to_the_end(&steps) {
                return self.verdict(counted, &seen, tally).await;
            }
            let cause = broken.unwrap_or_else(|| Broken::Step("an answer was lost".to_owned()));
            if pass == 0 {
                self.run.warn(self.resource.name, format!("starting over: {cause}"));
            }
            match cause {
                // Nothing is lost on the way: the server ends the scroll, or repeats it.
                Broken::Doubtful(error) if doubts == 1 => return Err(error.into()),
                Broken::Doubtful(_) => {
                    doubts += 1;
                    doubted = Some(seen.len() as u64);
                }
                Broken::Step(_) => {}
            }
        }
        Ok(Walked::Short(format!("the scroll broke {PASSES} times")))
    }

    /// What a scroll that came to its end has to say of the count taken before it. Companies that were deleted in
    /// the meantime are not missing.
    async fn verdict(
        &self,
        before: Option<u64>,
        seen: &HashSet<String>,
        tally: &mut Tally,
    ) -> Result<Walked, Error> {
        let came = seen.len() as u64;
        let Some(before) = before.filter(|before| *before > came) else { return Ok(Walked::ToTheEnd) };
        let stored = self.run.with_store(|store| store.count(self.resource.name, &Choice::default()))?;
        tally.requests += 1;
        let now = scroll::companies_counted(self.run.client).await.unwrap_or(before).min(before);
        if now <= came.max(stored) {
            return Ok(Walked::ToTheEnd);
        }
        Ok(Walked::Short(format!("the workspace counts {now} companies, but {came} came")))
    }

    /// Reads the scroll from its beginning as far as it goes; returns what ended it early. `doubted` is the number of
    /// records of an earlier pass whose end was in doubt.
    async fn pass(
        &mut self,
        steps: &mut Steps,
        seen: &mut HashSet<String>,
        doubted: Option<u64>,
        tally: &mut Tally,
    ) -> Result<Option<Broken>, Error> {
        let mut page = self.open(tally).await?;
        let (mut last, mut certain, mut sizes) = (None, true, PageSizes::default());
        let mut ends = HashSet::new();
        loop {
            let end = self.keep(&page, ends.len() as u64 + 1, seen, tally)?;
            let stands_still = end.as_ref().is_some_and(|end| !ends.insert(end.clone()));
            if stands_still {
                let path = self.operation.path.to_owned();
                return Ok(Some(Broken::Doubtful(api::Error::PagingLoop { path })));
            }
            if certain {
                steps.insert(last.clone(), end.clone());
            }
            let Some(end) = end else { return Ok(None) };
            sizes.add(page.items.len());
            let Some(next) = page.next.take() else {
                return self.end(steps, end, sizes, (seen, doubted), tally).await;
            };
            last = Some(end.clone());
            (page, certain) = match self.step(&next, tally).await {
                Ok(answer) => answer,
                Err(error) if error.is_unauthorized() || error.is_offline() || error.is_rate_limited() => {
                    return Err(error.into());
                }
                Err(error) if error.is_not_found() => {
                    return self.end(steps, end, sizes, (seen, doubted), tally).await;
                }
                Err(error) => return Ok(Some(Broken::Step(error.to_string()))),
            };
        }
    }

    /// A scroll that ended without an empty page is at its end only if a count agrees, its last page is short, or two
    /// passes end at the same place.
    async fn end(
        &self,
        steps: &mut Steps,
        end: String,
        sizes: PageSizes,
        (seen, doubted): (&HashSet<String>, Option<u64>),
        tally: &mut Tally,
    ) -> Result<Option<Broken>, Error> {
        tally.requests += 1;
        let came = seen.len() as u64;
        let is_whole = match scroll::judge(sizes, came, scroll::companies_counted(self.run.client).await) {
            ScrollEnd::Whole => true,
            ScrollEnd::Doubtful => doubted == Some(came),
            ScrollEnd::Lost => false,
        };
        if is_whole {
            steps.insert(Some(end), None);
            return Ok(None);
        }
        Ok(Some(Broken::Doubtful(api::Error::LostScroll { path: self.operation.path.to_owned(), came })))
    }

    /// Begins a scroll; waits while another one is open.
    async fn open(&self, tally: &mut Tally) -> Result<Page, Error> {
        let began = Instant::now();
        let mut waited = false;
        loop {
            tally.requests += 1;
            let error = match self.ask(&Arguments::default()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            if error.code() == Some("scroll_exists") && !waited && !self.run.options.scroll_patience.is_zero()
            {
                waited = true;
                self.run.tell(Event::SyncWaiting {
                    resource: self.resource.name,
                    seconds: self.run.options.scroll_patience.as_secs(),
                    message: "another scroll is open, perhaps of a run that was stopped".to_owned(),
                });
            }
            let left = self.run.options.scroll_patience.saturating_sub(began.elapsed());
            // Nobody knows whether an answer that was lost has opened a scroll: the next try tells.
            if left.is_zero() || !(error.code() == Some("scroll_exists") || is_passing(&error)) {
                return Err(error.into());
            }
            tokio::time::sleep(if is_passing(&error) { Duration::from_millis(200) } else { PAUSE.min(left) })
                .await;
        }
    }

    /// The next page, and whether it certainly is the one after the last.
    async fn step(&self, next: &Next, tally: &mut Tally) -> Result<(Page, bool), api::Error> {
        let arguments = next.apply(self.operation, Arguments::default())?;
        let mut attempt = 1;
        loop {
            tally.requests += 1;
            let asked = Instant::now();
            match self.ask(&arguments).await {
                // A scroll that has rested too long looks like one that is at its end.
                Ok(page) => return Ok((page, attempt == 1 && asked.elapsed() < SCROLL_REST)),
                Err(error) if is_passing(&error) && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask(&self, arguments: &Arguments) -> Result<Page, api::Error> {
        let reply = self.run.client.execute(self.operation, arguments).await?;
        let page = Page::read(self.operation, arguments, reply)?;
        page.require_list()?;
        Ok(page)
    }

    /// Stores a page. Returns its last id; `None` when it is empty.
    fn keep(
        &mut self,
        page: &Page,
        number: u64,
        seen: &mut HashSet<String>,
        tally: &mut Tally,
    ) -> Result<Option<String>, Error> {
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        let id = |item: &str| serde_json::from_str(item).ok().and_then(|item| self.resource.id(&item));
        let ids: Vec<Option<String>> = items.iter().map(|item| id(item)).collect();
        let Some(last) = ids.last().cloned() else { return Ok(None) };
        let nameless = self.store(page, number, &items, tally)?;
        tally.pages += 1;
        let requests_left = self.run.requests_left();
        let rows = tally.written.fetched;
        self.run.tell(Event::SyncProgress { resource: self.resource.name, rows, total: None, requests_left });
        seen.extend(ids.into_iter().flatten());
        if !nameless.is_empty() {
            let detail = nameless::in_words(&nameless);
            return Err(page.reply.unexpected(Unexpected::Shape, Some(detail)).into());
        }
        Ok(last)
    }
}

/// What ended a pass early.
#[derive(Debug)]
enum Broken {
    /// An answer was lost, or refused.
    Step(String),
    /// The server itself ended the scroll, or repeats it.
    Doubtful(api::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Step(reason) => formatter.write_str(reason),
            Broken::Doubtful(error) => write!(formatter, "{error}"),
        }
    }
}

/// Whether asking again may help: nobody knows what the server made of the call.
fn is_passing(error: &api::Error) -> bool {
    let broken = error.status().is_some_and(|status| status >= 500);
    let lost = matches!(error, api::Error::Network { .. } | api::Error::UnexpectedResponse(_));
    broken || lost || error.is_overload()
}

fn leads_to_the_end(steps: &Steps) -> bool {
    let mut at = &None;
    for _ in 0..=steps.len() {
        match steps.get(at) {
            Some(None) => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

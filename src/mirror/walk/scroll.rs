//! Reads everything through a scroll.
//!
//! The server keeps the place of a scroll and moves it on with every answer, also with one that is lost
//! on the way: whoever asks again may have missed a page. So a scroll with a doubtful step is read to its
//! end, which also frees it, and then once more. The pages come in the same order every time, so a step
//! that is certain in any of the passes is certain: the walk is over when certain steps lead from the
//! beginning to the end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{SCROLL_REST, Walk, Walked};
use crate::api;
use crate::api::executor::Arguments;
use crate::api::paging::{Next, Page};
use crate::mirror::error::Error;
use crate::mirror::events::Event;
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
        for pass in 0..PASSES {
            let broken = self.pass(&mut steps, tally).await?;
            if leads_to_the_end(&steps) {
                return Ok(Walked::ToTheEnd);
            }
            if pass == 0 {
                let cause = broken.map_or_else(|| "an answer was lost".to_owned(), |error| error.to_string());
                self.run.warn(self.resource.name, format!("starting over: {cause}"));
            }
        }
        Ok(Walked::Short(format!("the scroll broke {PASSES} times")))
    }

    /// Reads the scroll from its beginning as far as it goes; returns what ended it early.
    async fn pass(&mut self, steps: &mut Steps, tally: &mut Tally) -> Result<Option<api::Error>, Error> {
        let mut page = self.open(tally).await?;
        let (mut last, mut certain) = (None, true);
        loop {
            let end = self.keep(&page, tally)?;
            if certain {
                steps.insert(last, end.clone());
            }
            let (Some(end), Some(next)) = (end, page.next.take()) else { return Ok(None) };
            last = Some(end);
            (page, certain) = match self.step(&next, tally).await {
                Ok(answer) => answer,
                Err(error) if error.is_unauthorized() || error.is_offline() || error.is_rate_limited() => {
                    return Err(error.into());
                }
                Err(error) => return Ok(Some(error)),
            };
        }
    }

    /// Begins a scroll; waits while another one is open.
    async fn open(&self, tally: &mut Tally) -> Result<Page, Error> {
        let began = Instant::now();
        loop {
            tally.requests += 1;
            let error = match self.ask(&Arguments::default()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
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
                Err(error) if error.is_not_found() && attempt == 1 => return Ok((Page::empty(), true)),
                Err(error) if is_passing(&error) && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask(&self, arguments: &Arguments) -> Result<Page, api::Error> {
        let reply = self.run.client.execute(self.operation, arguments).await?;
        Page::read(self.operation, arguments, reply)
    }

    /// Stores a page. Returns its last id; `None` when it is empty.
    fn keep(&mut self, page: &Page, tally: &mut Tally) -> Result<Option<String>, Error> {
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        let Some(last) = items.last() else { return Ok(None) };
        self.store(page, &items, tally)?;
        tally.pages += 1;
        let requests_left = self.run.requests_left();
        let rows = tally.written.fetched;
        self.run.tell(Event::SyncProgress { resource: self.resource.name, rows, total: None, requests_left });
        Ok(serde_json::from_str(last).ok().and_then(|last| self.resource.id(&last)))
    }
}

/// Whether asking again may help: nobody knows what the server made of the call.
fn is_passing(error: &api::Error) -> bool {
    let broken = error.status().is_some_and(|status| status >= 500);
    let lost = matches!(error, api::Error::Network { .. } | api::Error::UnexpectedAnswer(_));
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

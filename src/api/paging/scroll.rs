//! Distinguishes the end of a scroll from a scroll that was lost.
//!
//! A scroll ends with an empty page. Servers also answer 404 at its end, but a lost scroll answers 404 too, and a
//! page without a scroll parameter leads nowhere. An empty page can come early as well. Only a count can settle it.

use serde_json::json;

use super::RawPage;
use crate::api::client::Client;
use crate::api::page_arguments::with_size;
use crate::api::request_builder::{Arguments, operation};

/// Number of records on every page of a scroll except the last.
const FULL_PAGE: usize = 100;

/// The number of companies according to the workspace. Companies without users are not counted.
pub(crate) async fn companies_counted(client: &Client) -> Option<u64> {
    let list = operation("listAllCompanies").ok()?;
    let body = list.body.map(|_| json!({}).to_string().into_bytes());
    let arguments = with_size(list, Arguments { body, ..Arguments::default() }, Some(1)).ok()?;
    let reply = client.fetch(list, &arguments).await.ok()?;
    RawPage::read(list, &arguments, reply).ok()?.total
}

/// The sizes of the pages of a scroll, empty ones left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PageSizes {
    first: usize,
    last: usize,
    pages: usize,
}

impl PageSizes {
    pub(crate) fn add(&mut self, size: usize) {
        if size > 0 {
            self.first = if self.pages == 0 { size } else { self.first };
            self.last = size;
            self.pages += 1;
        }
    }
}

/// What the end of a scroll is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScrollEnd {
    /// Everything came.
    Whole,
    /// Everything came if another scroll ends at the same place.
    Doubtful,
    Lost,
}

/// Judges a scroll that ended without an empty page. `counted` is what [`companies_counted`] returns.
pub(crate) fn judge(sizes: PageSizes, distinct: u64, counted: Option<u64>) -> ScrollEnd {
    match counted {
        Some(counted) if counted == distinct => ScrollEnd::Whole,
        Some(counted) if counted > distinct => ScrollEnd::Lost,
        // A page that is shorter than those before it is the last one.
        _ if sizes.pages > 1 && sizes.last < sizes.first => ScrollEnd::Whole,
        _ if sizes.pages > 1 && sizes.last < FULL_PAGE => ScrollEnd::Doubtful,
        _ => ScrollEnd::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scroll_without_an_empty_page_is_whole_only_if_its_count_or_its_last_page_agree() {
        let judge = |pages: &[usize], counted: Option<u64>| {
            let mut sizes = PageSizes::default();
            pages.iter().for_each(|page| sizes.add(*page));
            super::judge(sizes, pages.iter().sum::<usize>() as u64, counted)
        };
        for (pages, counted, end) in [
            (&[100][..], Some(250), ScrollEnd::Lost),
            (&[100], Some(90), ScrollEnd::Lost),
            (&[100], None, ScrollEnd::Lost),
            (&[100], Some(100), ScrollEnd::Whole),
            (&[100, 40], Some(130), ScrollEnd::Whole),
            (&[100, 40], Some(150), ScrollEnd::Lost),
            (&[50], Some(30), ScrollEnd::Lost),
            (&[50], None, ScrollEnd::Lost),
            (&[50, 50], Some(30), ScrollEnd::Doubtful),
            (&[50, 50, 20, 0], None, ScrollEnd::Whole),
        ] {
            assert_eq!(judge(pages, counted), end, "{pages:?} {counted:?}");
        }
    }
}

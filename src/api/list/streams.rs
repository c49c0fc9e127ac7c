//! The streams of records and of pages.
//!
//! A stream that ends too early reports it after its last record, never instead of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

use super::{List, Page};
use crate::api::error::Error;
use crate::api::paging::RawPage;

/// The state of [`List::pages`].
struct PageWalk<T> {
    pages: BoxStream<'static, Result<RawPage, Error>>,
    list: List<T>,
    /// How many records may still come.
    left: usize,
    /// The error to report after the last page.
    shortfall: Option<Error>,
}

impl<T: DeserializeOwned> PageWalk<T> {
    async fn next(&mut self) -> Option<Result<Page<T>, Error>> {
        if let Some(error) = self.shortfall.take() {
            return Some(Err(error));
        }
        if self.left == 0 {
            return None;
        }
        let raw = match self.pages.next().await? {
            Ok(raw) => raw,
            Err(error) => return Some(Err(error)),
        };
        let shortfall = self.list.shortfall(&raw);
        let page = Page::read(&self.list, raw).map(|mut page| {
            self.left -= page.cut(self.left);
            page
        });
        self.shortfall = shortfall.filter(|_| self.left > 0);
        Some(page)
    }
}

impl<T: DeserializeOwned + Send + 'static> Pages<T> {
    /// The pages of a list, the last one cut at its limit.
    pub(super) fn of(list: List<T>, pages: BoxStream<'static, Result<RawPage, Error>>) -> Self {
        let left = list.limit.unwrap_or(usize::MAX);
        let walk = PageWalk { pages, list, left, shortfall: None };
        let pages = stream::unfold(walk, |mut walk| async { walk.next().await.map(|page| (page, walk)) });
        Pages(pages.boxed())
    }
}

macro_rules! streams {
    ($($(#[$documentation:meta])+ $name:ident of $item:ty;)+) => {$(
        $(#[$documentation])+
        ///
        /// Implements [`Stream`]. The methods [`next`](Self::next) and [`try_next`](Self::try_next) need no imports.
        #[must_use = "a stream requests nothing until it is polled"]
        pub struct $name<T>(pub(super) BoxStream<'static, Result<$item, Error>>);

        impl<T> $name<T> {
            /// The next item or error; `None` at the end.
            pub async fn next(&mut self) -> Option<Result<$item, Error>> {
                self.0.next().await
            }

            /// The next item; `None` at the end.
            ///
            /// # Errors
            /// The error of the stream at this place.
            pub async fn try_next(&mut self) -> Result<Option<$item>, Error> {
                self.0.try_next().await
            }
        }

        impl<T> Stream for $name<T> {
            type Item = Result<$item, Error>;

            fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.0.poll_next_unpin(context)
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

streams! {
    /// The records of a list, see [`List::stream`].
    Records of T;
    /// The pages of a list, see [`List::pages`].
    Pages of Page<T>;
}

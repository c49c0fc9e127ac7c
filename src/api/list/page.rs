//! One page of a list.
//!
//! A page with a record that cannot be read is an error: its other records must not look like all of them.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::List;
use crate::api::error::Error;
use crate::api::paging::{Next, RawPage};
use crate::api::reply::Reply;

/// One page of a list: a slice of records.
///
/// ```no_run
/// # async fn example(list: intercom::List<intercom::types::Contact>) -> Result<(), intercom::Error> {
/// let page = list.per_page(50).page().await?;
/// println!("{} of {:?}", page.len(), page.total_count());
/// if let Some(next) = page.next().await? {
///     println!("{:?}", next.first());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Page<T> {
    items: Vec<T>,
    reply: Reply,
    total: Option<u64>,
    /// The list after this page; `None` on the last one.
    rest: Option<List<T>>,
}

impl<T> Page<T> {
    pub(super) fn read(list: &List<T>, raw: RawPage) -> Result<Self, Error>
    where
        T: DeserializeOwned,
    {
        raw.require_list()?;
        let items = raw.records().collect::<Result<_, _>>()?;
        Ok(Page { items, rest: list.after(&raw), total: raw.total, reply: raw.reply })
    }

    /// Drops the records after this many. Returns how many are left.
    pub(super) fn cut(&mut self, records: usize) -> usize {
        self.items.truncate(records);
        self.items.len()
    }

    /// The records.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// How many records the whole list has, if the server reports it. Lists that change meanwhile change it.
    pub fn total_count(&self) -> Option<u64> {
        self.total
    }

    /// Whether another page follows.
    pub fn has_next(&self) -> bool {
        self.rest.is_some()
    }

    /// The position of the next page, which can be stored and given to [`List::start_at`]; `None` on the last page.
    pub fn next_position(&self) -> Option<&Next> {
        self.rest.as_ref()?.position.as_ref()
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// As [`List::page`].
    pub async fn next(&self) -> Result<Option<Page<T>>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        match &self.rest {
            Some(rest) => rest.clone().page().await.map(Some),
            None => Ok(None),
        }
    }

    /// The JSON text as received, unknown fields included.
    pub fn raw(&self) -> &Bytes {
        &self.reply.body
    }

    /// Status and headers.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The id of the request, which Intercom's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.reply.request_id()
    }
}

impl<T> Deref for Page<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'p, T> IntoIterator for &'p Page<T> {
    type Item = &'p T;
    type IntoIter = std::slice::Iter<'p, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Page<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Page")
            .field("items", &self.items)
            .field("total_count", &self.total)
            .field("next", &self.next_position())
            .finish_non_exhaustive()
    }
}

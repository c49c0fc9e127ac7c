//! Lists and searches as programs use them: lazy requests for typed records.
//!
//! Nothing is requested before a page, a stream or all records are. A record that cannot be read is an error, never
//! left out, and a list that ends too early is an error unless the program allows it.

mod page;
mod streams;

use std::fmt;
use std::marker::PhantomData;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::client::Client;
use super::error::Error;
use super::operation::{Operation, Paging};
use super::page_arguments::set_sort;
use super::paging::{Next, RawPage};
use super::request_builder::{Arguments, operation};
use super::search_filter::{Filter, Order};
#[cfg(feature = "filter")]
use super::tested_search::TestedSearch;
pub use page::Page;
pub use streams::{Pages, Records};

/// A list or search that has not been requested yet.
///
/// Choose what to read with the methods that return `Self`, then request it:
///
/// | Method | Result |
/// |---|---|
/// | [`stream`](List::stream) | the records one by one, with one page in memory |
/// | [`all`](List::all) | all records, or as many as [`limit`](List::limit) allows |
/// | [`first`](List::first) | the first record, if there is one |
/// | [`page`](List::page) | one page, which leads to the next one |
/// | [`pages`](List::pages) | all pages, one by one |
///
/// Each page is requested when it is needed. Pages that are too large for the server are requested again in smaller
/// pieces. A record that moves while pages are read can come twice.
#[must_use = "a list is requested by `stream`, `all`, `first`, `page` or `pages`"]
pub struct List<T> {
    client: Client,
    /// A problem that was found before the first request, which reports it.
    request: Result<(&'static Operation, Arguments), String>,
    position: Option<Next>,
    per_page: Option<u32>,
    limit: Option<usize>,
    allows_incomplete: bool,
    #[cfg(feature = "filter")]
    tested: Option<TestedSearch>,
    records: PhantomData<fn() -> T>,
}

impl Client {
    /// The typed list of a row of the operation table. The groups of the client, for example
    /// `client.contacts()`, do this for every list.
    pub fn list<T>(&self, operation: &'static Operation, arguments: Arguments) -> List<T> {
        List::of(self, Ok((operation, arguments)))
    }

    /// The typed search of a row of the operation table whose body has a query.
    pub fn search<T>(&self, operation: &'static Operation, filter: impl Into<Filter>) -> List<T> {
        List::search(self, operation.id, &[], &[], filter)
    }
}

impl<T> List<T> {
    /// The list of an operation of the table.
    #[allow(dead_code, reason = "for the generated groups")]
    pub(crate) fn new(
        client: &Client,
        id: &'static str,
        path: &[String],
        query: &[(&str, Option<String>)],
        body: Option<&impl Serialize>,
    ) -> Self {
        List::of(client, operation(id).and_then(|list| Ok((list, Arguments::typed(path, query, body)?))))
    }

    /// The search of an operation of the table.
    pub(crate) fn search(
        client: &Client,
        id: &'static str,
        path: &[String],
        query: &[(&str, Option<String>)],
        filter: impl Into<Filter>,
    ) -> Self {
        let filter = filter.into();
        #[cfg(feature = "filter")]
        if let Some(unresolved) = filter.to_resolve() {
            let request = operation(id)
                .and_then(|search| Ok((search, Arguments::typed(path, query, Some(&json!({})))?)));
            return List { tested: Some(TestedSearch::new(unresolved)), ..List::of(client, request) };
        }
        let request = operation(id).and_then(|search| {
            let body = json!({ "query": filter.query_at(search.path, client.requested_version())? });
            Ok((search, Arguments::typed(path, query, Some(&body))?))
        });
        List::of(client, request)
    }

    fn of(client: &Client, request: Result<(&'static Operation, Arguments), Error>) -> Self {
        List {
            client: client.clone(),
            request: request.map_err(|error| error.to_string()),
            position: None,
            per_page: None,
            limit: None,
            allows_incomplete: false,
            #[cfg(feature = "filter")]
            tested: None,
            records: PhantomData,
        }
    }

    /// The same list with its records read as another type, for example as a struct with only the fields that a
    /// program needs, or as [`serde_json::Value`].
    pub fn read_as<U>(self) -> List<U> {
        List {
            client: self.client,
            request: self.request,
            position: self.position,
            per_page: self.per_page,
            limit: self.limit,
            allows_incomplete: self.allows_incomplete,
            #[cfg(feature = "filter")]
            tested: self.tested,
            records: PhantomData,
        }
    }

    /// Records per page, as far as the operation allows; the default is the most that it allows. Has no effect on
    /// lists whose page size the server decides.
    pub fn per_page(mut self, records: u32) -> Self {
        self.per_page = Some(records);
        self
    }

    /// Ends after this many records, and requests no more pages than that takes.
    pub fn limit(mut self, records: usize) -> Self {
        self.limit = Some(records);
        self
    }

    /// Starts after a cursor, as [`Page::next_position`] reports it.
    pub fn starting_after(self, cursor: impl Into<String>) -> Self {
        self.start_at(Next::StartingAfter(cursor.into()))
    }

    /// Starts with this page, counted from 1, in lists that have page numbers.
    pub fn from_page(self, number: u64) -> Self {
        self.start_at(Next::Page(number))
    }

    /// Starts at a position that [`Page::next_position`] has reported, for example in an earlier run.
    pub fn start_at(mut self, position: Next) -> Self {
        self.position = Some(position);
        self
    }

    /// Sorts the results of a search by a field. Only searches with a [`Filter`] can be sorted.
    pub fn sort(mut self, field: impl Into<String>, order: Order) -> Self {
        self.request = self.request.and_then(|(list, mut arguments)| {
            if !matches!(list.paging, Paging::CursorInBody { .. }) {
                return Err(format!("{} cannot be sorted: use a search", list.path));
            }
            set_sort(&mut arguments, &field.into(), order.as_str()).map_err(|error| error.to_string())?;
            Ok((list, arguments))
        });
        self
    }

    /// Accepts a list that ends before all of its records came. Without it, [`stream`](List::stream) and
    /// [`all`](List::all) end with [`Error::IncompleteList`] if the server counts more records than it returns.
    pub fn allow_incomplete(mut self) -> Self {
        self.allows_incomplete = true;
        self
    }

    /// The operation and the arguments of the first page.
    fn first_request(&self) -> Result<(&'static Operation, Arguments), Error> {
        let (list, arguments) = self.request.clone().map_err(Error::InvalidRequest)?;
        let arguments = match (&self.position, list.paging) {
            (None, _) => arguments,
            (Some(Next::StartingAfter(_)), Paging::Page { .. }) => {
                return Err(Error::InvalidRequest(format!("{} has page numbers: use from_page", list.path)));
            }
            (Some(Next::Page(_)), Paging::Cursor { .. } | Paging::CursorInBody { .. }) => {
                return Err(Error::InvalidRequest(format!("{} has cursors: use starting_after", list.path)));
            }
            (Some(position), _) => position.apply(list, arguments)?,
        };
        Ok((list, arguments))
    }

    /// The page size to request, no larger than the limit.
    fn size(&self, list: &Operation) -> Option<u32> {
        let max = match list.paging {
            Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max } => max,
            Paging::None | Paging::Whole | Paging::Scroll => 0,
        };
        // Most results may be dropped, so that small pages would mean many requests.
        #[cfg(feature = "filter")]
        if self.tested.is_some() {
            return self.per_page;
        }
        // Without a known maximum, the server may not accept a size at all.
        let limit = self.limit.and_then(|limit| u32::try_from(limit).ok()).filter(|limit| *limit < max);
        match (self.per_page, limit) {
            (Some(size), Some(limit)) => Some(size.min(limit)),
            (size, limit) => size.or(limit),
        }
    }

    fn raw_pages(&self) -> Result<BoxStream<'static, Result<RawPage, Error>>, Error> {
        let (list, arguments) = self.first_request()?;
        #[cfg(feature = "filter")]
        if let Some(tested) = self.tested.clone() {
            let (client, position) = (self.client.clone(), self.position.clone());
            return Ok(tested.pages(client, list, arguments, self.size(list), position));
        }
        let pages = self.client.pages_at(list, arguments, self.size(list), self.position.clone());
        Ok(pages.boxed())
    }

    /// The rest of the list after a page.
    fn after(&self, page: &RawPage) -> Option<Self> {
        let position = page.next.clone()?;
        Some(List { position: Some(position), per_page: page.size.or(self.per_page), ..self.clone() })
    }

    /// The error for a list that ended before all records came.
    fn shortfall(&self, page: &RawPage) -> Option<Error> {
        let end = page.end.as_ref().filter(|end| !end.complete && !self.allows_incomplete)?;
        let path = self.request.as_ref().map(|(list, _)| list.path).unwrap_or_default();
        let reason = end.reason.clone().unwrap_or_else(|| "records are missing".to_owned());
        Some(Error::IncompleteList {
            path: path.to_owned(),
            received: end.distinct,
            total: end.total,
            reason,
        })
    }
}

impl<T: DeserializeOwned + Send + 'static> List<T> {
    /// The records one by one, with one page in memory.
    ///
    /// ```no_run
    /// # async fn example(list: intercom::List<intercom::types::Contact>) -> Result<(), intercom::Error> {
    /// let mut contacts = list.stream();
    /// while let Some(contact) = contacts.try_next().await? {
    ///     println!("{contact:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A page that cannot be fetched ends the stream with an error. After a record that cannot be read
    /// ([`Error::UnexpectedResponse`]), the stream continues with the next record.
    pub fn stream(self) -> Records<T> {
        let limit = self.limit.unwrap_or(usize::MAX);
        let pages = match self.raw_pages() {
            Ok(pages) => pages,
            Err(error) => return Records(stream::iter([Err(error)]).boxed()),
        };
        let records = pages.map_ok(move |page| {
            let mut records: Vec<Result<T, Error>> = match page.require_list() {
                Ok(()) => page.records().collect(),
                Err(error) => vec![Err(error)],
            };
            records.extend(self.shortfall(&page).map(Err));
            stream::iter(records)
        });
        Records(records.try_flatten().take(limit).boxed())
    }

    /// All records, or as many as [`limit`](List::limit) allows.
    ///
    /// # Errors
    /// Those of the requests; [`Error::UnexpectedResponse`] if a record cannot be read; [`Error::IncompleteList`] if
    /// the list ended early.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        self.stream().0.try_collect().await
    }

    /// The first record; `None` if the list is empty.
    ///
    /// # Errors
    /// As [`List::all`].
    pub async fn first(self) -> Result<Option<T>, Error> {
        self.limit(1).stream().try_next().await
    }

    /// One page: the first one, or the one at the position that was set.
    ///
    /// # Errors
    /// Those of the request; [`Error::UnexpectedResponse`] if a record cannot be read.
    pub async fn page(self) -> Result<Page<T>, Error> {
        let page = self.raw_pages()?.try_next().await?.unwrap_or_else(RawPage::empty);
        Page::read(&self, page)
    }

    /// All pages, one by one. With a [`limit`](List::limit), the last page is cut.
    pub fn pages(self) -> Pages<T> {
        match self.raw_pages() {
            Ok(pages) => Pages::of(self, pages),
            Err(error) => Pages(stream::iter([Err(error)]).boxed()),
        }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        List {
            client: self.client.clone(),
            request: self.request.clone(),
            position: self.position.clone(),
            per_page: self.per_page,
            limit: self.limit,
            allows_incomplete: self.allows_incomplete,
            #[cfg(feature = "filter")]
            tested: self.tested.clone(),
            records: PhantomData,
        }
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = formatter.debug_struct("List");
        match &self.request {
            Ok((operation, arguments)) => {
                list.field("operation", &operation.id).field("arguments", arguments)
            }
            Err(problem) => list.field("problem", problem),
        };
        list.field("position", &self.position)
            .field("per_page", &self.per_page)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

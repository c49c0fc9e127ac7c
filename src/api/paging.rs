//! Follows a list or a search to its end.
//!
//! A page keeps its records as JSON text, untouched. What comes next is read from the answer
//! leniently (`pages.next` may be an object, a URL or null), but only ever used as query or body
//! values of the same operation: an address in an answer is never followed. It must not end early
//! without saying so, and must not go round in circles.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, Stream};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::Client;
use super::error::Error;
use super::executor::Arguments;
use super::operation::{Operation, Paging};
use super::page_arguments::{page_size, set_in_body, set_in_query, with_size};
use super::reply::Reply;

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    pub reply: Reply,
    /// Where the list is inside the document, keys joined by dots: `data`, `conversations`,
    /// `data.articles`. `None` when there is none.
    pub key: Option<String>,
    /// The records, as received.
    pub items: Vec<Box<RawValue>>,
    /// How to ask for the page after this one; `None` on the last.
    pub next: Option<Next>,
}

/// The start of the following page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    StartingAfter(String),
    Page(u64),
    Scroll(String),
}

impl Client {
    /// All pages from the one that `arguments` describe, each fetched when it is polled. `per_page` is
    /// a wish: it is cut to what the operation accepts, and halved when large pages time out.
    pub fn pages<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: Arguments,
        per_page: Option<u32>,
    ) -> impl Stream<Item = Result<Page, Error>> + 'a {
        let walk = Walk {
            client: self,
            operation,
            arguments,
            size: page_size(operation, per_page),
            last: None,
            waited: Duration::ZERO,
            silent: 0,
        };
        stream::try_unfold(Some(walk), |walk| async move {
            let Some(mut walk) = walk else { return Ok(None) };
            let page = walk.fetch().await?;
            let following = match &page.next {
                // A scroll has one name from its beginning to its end.
                Some(next) if walk.last.as_ref() == Some(next) && !matches!(next, Next::Scroll(_)) => {
                    return Err(Error::PagingLoop { path: walk.operation.path.to_owned() });
                }
                Some(next) => {
                    walk.arguments = next.apply(walk.operation, walk.arguments)?;
                    walk.last = Some(next.clone());
                    Some(walk)
                }
                None => None,
            };
            Ok(Some((page, following)))
        })
    }
}

/// Pages are not halved below this: a server that cannot give so few records is down, and every size
/// costs a round of retries.
const SMALLEST_PAGE: u32 = 32;
/// So many page sizes may go unanswered one after another: each has cost some minutes of silence.
const SILENT_ROUNDS: u32 = 2;
/// An idle scroll is dropped by the server after a minute.
const SCROLL_PATIENCE: Duration = Duration::from_secs(65);
const SCROLL_POLL: Duration = Duration::from_secs(5);

struct Walk<'a> {
    client: &'a Client,
    operation: &'a Operation,
    arguments: Arguments,
    size: Option<u32>,
    last: Option<Next>,
    waited: Duration,
    /// Page sizes that no answer came to, since the last page.
    silent: u32,
}

impl Walk<'_> {
    async fn fetch(&mut self) -> Result<Page, Error> {
        loop {
            let arguments = with_size(self.operation, self.arguments.clone(), self.size)?;
            match self.client.fetch(self.operation, &arguments).await {
                Ok(reply) => {
                    self.silent = 0;
                    return Page::read(self.operation, &arguments, reply);
                }
                // The end of a scroll may be an empty list or a 404.
                Err(error) if error.is_not_found() && matches!(self.last, Some(Next::Scroll(_))) => {
                    return Ok(Page::empty());
                }
                // There is one scroll per app; another one ends within a minute.
                Err(error) if error.code() == Some("scroll_exists") && self.waited < SCROLL_PATIENCE => {
                    tracing::info!("another scroll is open, waiting for its end");
                    self.waited += SCROLL_POLL;
                    tokio::time::sleep(SCROLL_POLL).await;
                }
                // Halving keeps the cursor valid; page numbers would shift.
                Err(error)
                    if error.is_overload()
                        && self.size.is_some_and(|size| size > SMALLEST_PAGE)
                        && self.silent < SILENT_ROUNDS
                        && self.by_cursor() =>
                {
                    self.silent += u32::from(matches!(error, Error::Timeout { .. }));
                    self.size = self.size.map(|size| size / 2);
                    tracing::debug!(size = self.size, %error, "asking for smaller pages");
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn by_cursor(&self) -> bool {
        matches!(self.operation.paging, Paging::Cursor { .. } | Paging::CursorInBody { .. })
    }
}

impl Next {
    /// The arguments that ask for this page instead of the first one.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the body of a search is no JSON object.
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
            (Next::Page(page), _) => set_in_query(&mut arguments, "page", page.to_string()),
            (Next::Scroll(scroll), _) => set_in_query(&mut arguments, "scroll_param", scroll.clone()),
        }
        Ok(arguments)
    }
}

impl Page {
    /// The records read as a model of [`crate::types`], or any type of one's own.
    pub fn records<T: DeserializeOwned>(&self) -> impl Iterator<Item = Result<T, Error>> {
        self.items.iter().map(|record| {
            serde_json::from_str(record.get()).map_err(|error| self.reply.of_another_shape(&error))
        })
    }

    /// Whether this is the end of a list that has no list in it any more, or null in its place.
    pub fn is_empty_list(&self) -> bool {
        let lists = ["data", "conversations", "tickets", "contacts", "companies"];
        let document: Value = serde_json::from_slice(&self.reply.body).unwrap_or_default();
        self.reply.body.is_empty() || lists.iter().any(|key| document.get(*key).is_some_and(Value::is_null))
    }

    pub(crate) fn empty() -> Self {
        Page { reply: Reply::empty(), key: None, items: Vec::new(), next: None }
    }

    /// Reads a list document: its records and what comes next.
    ///
    /// # Errors
    /// When the answer is no JSON object.
    pub fn read(operation: &Operation, arguments: &Arguments, reply: Reply) -> Result<Self, Error> {
        let text = reply.json_text()?;
        let fields: Fields = serde_json::from_str(text).map_err(|error| reply.of_another_shape(&error))?;
        let (key, list) = list_of(operation, &fields).unzip();
        let items: Vec<Box<RawValue>> = match list {
            Some(list) => serde_json::from_str(list.get()).map_err(|error| reply.of_another_shape(&error))?,
            None => Vec::new(),
        };
        let value = |name: &str| -> Value {
            fields.get(name).and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default()
        };
        let next = match operation.paging {
            Paging::None | Paging::Whole => None,
            Paging::Scroll if items.is_empty() => None,
            Paging::Scroll => value("scroll_param").as_str().map(|it| Next::Scroll(it.to_owned())),
            _ => next_page(&value("pages"), arguments, operation.paging),
        };
        Ok(Page { reply, key, items, next })
    }
}

/// The list of a document and where it is: `data`, or named like the path, below `data` too. A document
/// that is said to be a list has it in its only array; a single record may have arrays of its own.
fn list_of(operation: &Operation, fields: &Fields) -> Option<(String, Box<RawValue>)> {
    let name =
        operation.path.split('/').rfind(|it| !it.is_empty() && !it.starts_with('{') && *it != "search");
    let array = |fields: &Fields, name: &str| fields.get(name).filter(|it| is_array(it)).cloned();
    for name in ["data"].into_iter().chain(name) {
        if let Some(list) = array(fields, name) {
            return Some((name.to_owned(), list));
        }
    }
    if let (Some(name), Some(data)) = (name, fields.get("data"))
        && let Some(list) = serde_json::from_str(data.get()).ok().and_then(|data| array(&data, name))
    {
        return Some((format!("data.{name}"), list));
    }
    let only = fields.iter().find(|(_, value)| is_array(value)).filter(|_| operation.paging != Paging::None);
    only.map(|(name, list)| (name.clone(), list.clone()))
}

type Fields = BTreeMap<String, Box<RawValue>>;

fn is_array(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

fn next_page(pages: &Value, arguments: &Arguments, paging: Paging) -> Option<Next> {
    let next = &pages["next"];
    if let Some(cursor) = text(&next["starting_after"]) {
        return Some(Next::StartingAfter(cursor));
    }
    if let Some(address) = next.as_str() {
        return from_address(address);
    }
    let by_number = matches!(paging, Paging::Page { .. });
    let asked =
        || arguments.query.iter().find(|(name, _)| name == "page").and_then(|(_, it)| it.parse().ok());
    let page = number(&pages["page"]).or_else(asked).unwrap_or(1);
    match number(&pages["total_pages"]) {
        Some(total) if by_number && page < total => Some(Next::Page(page + 1)),
        _ => number(&next["page"]).filter(|next| *next > page).map(Next::Page),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The cursor or page number in the query of a `next` address; the address itself is not used.
fn from_address(address: &str) -> Option<Next> {
    let (_, query) = address.split_once('?')?;
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)?;
        let found = found.replace('+', " ");
        Some(percent_encoding::percent_decode_str(&found).decode_utf8_lossy().into_owned())
    };
    value("starting_after")
        .map(Next::StartingAfter)
        .or_else(|| value("page").and_then(|page| page.parse().ok()).map(Next::Page))
}

//! Determines how much of an operation's list is shown, and which flags show the rest.

use super::error::Hint;
use super::output::{Extent, NextPage};
use crate::api::operation::Operation;
use crate::api::paging::{Next, RawPage, is_first_page};
use crate::api::request_builder::Arguments;

/// The flags for the rest of a list.
pub fn more_hint() -> Hint {
    Hint::default().flag("all").text(" or ").flag("limit").text(" N for more")
}

/// The extent of a list of which one page is shown; `advice` says how to get the rest.
pub fn first_page(operation: &Operation, arguments: &Arguments, page: &RawPage, advice: Hint) -> Extent {
    let shown = page.items.len() as u64;
    let total = page.total.filter(|total| *total >= shown);
    let is_short = is_first_page(&arguments.query, arguments.body.as_deref())
        && total.is_some_and(|total| total > shown);
    extent(operation, total, page.next.is_some() || page.has_more || is_short, advice)
}

/// The extent of a list. `total` is the number of all records, if known.
pub fn extent(operation: &Operation, total: Option<u64>, has_more: bool, advice: Hint) -> Extent {
    let noun = records(operation);
    let extent = Extent::partial(noun.clone(), total, has_more, advice);
    let is_search = operation.path.ends_with("/search");
    if is_search { extent.when_empty(format!("no {noun} match")) } else { extent }
}

/// The flag for the next page.
pub fn next_page(operation: &Operation, next: Option<&Next>) -> Option<NextPage> {
    let (name, cursor) = match next? {
        Next::StartingAfter(cursor) => ("starting_after", cursor.clone()),
        Next::Page(page) => ("page", page.to_string()),
        Next::Scroll(cursor) => ("scroll_param", cursor.clone()),
        Next::Query(name, value) => (name.as_str(), value.clone()),
    };
    let names = [name.to_owned(), format!("pagination.{name}")];
    let parameter =
        operation.parameters.iter().find(|parameter| names.iter().any(|name| name == parameter.name))?;
    Some(NextPage { flag: format!("--{}", parameter.flag), cursor })
}

/// The records that an operation lists, in the plural: the last noun of its path.
fn records(operation: &Operation) -> String {
    let is_noun = |word: &&str| !word.starts_with('{') && !["", "search", "list", "scroll"].contains(word);
    let word = operation.path.split('/').rfind(is_noun).unwrap_or("records");
    word.replace('_', " ")
}

//! Parses a page: its records and the position of the next page.
//!
//! Must never take another array of the document, such as a list of errors, for the records.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Next, RawPage};
use crate::api::error::Error;
use crate::api::operation::{Operation, Paging};
use crate::api::reply::Reply;
use crate::api::request_builder::Arguments;

/// Arrays that may appear beside the records.
const NOT_RECORDS: [&str; 3] = ["errors", "warnings", "messages"];

type PageFields = BTreeMap<String, Box<RawValue>>;

impl RawPage {
    /// Parses a list document.
    ///
    /// # Errors
    /// If the response is not a JSON object.
    pub fn read(operation: &Operation, arguments: &Arguments, reply: Reply) -> Result<Self, Error> {
        let fields: PageFields = reply.json()?;
        let (key, list) = list_of(operation, &fields).unzip();
        let items: Vec<Box<RawValue>> = match list {
            Some(list) => serde_json::from_str(list.get()).map_err(|error| reply.wrong_shape(&error))?,
            None => Vec::new(),
        };
        let value = |name: &str| match fields.get(name) {
            Some(field) => serde_json::from_str(field.get()).map_err(|error| reply.wrong_shape(&error)),
            None => Ok(Value::Null),
        };
        let (more, total) = (value("has_more")?, value("total_count")?);
        let pages = match value("pages")? {
            // Some lists have their page numbers beside the records.
            Value::Null => json!({"page": value("page")?, "total_pages": value("total_pages")?}),
            pages => pages,
        };
        let next = match operation.paging {
            Paging::None => None,
            Paging::Scroll if items.is_empty() => None,
            Paging::Scroll => text_of(&value("scroll_param")?).map(Next::Scroll),
            paging => {
                let cursor = text_of(&value("next_cursor")?).filter(|_| more != Value::Bool(false));
                let cursor = cursor.map(|cursor| Next::Query("cursor".to_owned(), cursor));
                next_page(&pages, arguments, paging).or(cursor)
            }
        };
        let has_more =
            next.is_none() && (more == Value::Bool(true) || (has_unknown_next(&pages) && !items.is_empty()));
        Ok(RawPage { reply, key, items, next, total: number(&total), has_more, size: None, end: None })
    }
}

/// The list of a document and its path. It is where the description puts it, in `data`, or under the last
/// word of the URL path. Only an operation without a described list may have it in another array, and only if
/// there is just one.
fn list_of(operation: &Operation, fields: &PageFields) -> Option<(String, Box<RawValue>)> {
    let is_name = |segment: &&str| !segment.is_empty() && !segment.starts_with('{') && *segment != "search";
    let name = operation.path.split('/').rfind(is_name);
    for place in operation.list.into_iter().chain(["data"]).chain(name) {
        if let Some(list) = array_at(fields, place) {
            return Some((place.to_owned(), list));
        }
    }
    if let Some(place) = name.map(|name| format!("data.{name}"))
        && let Some(list) = array_at(fields, &place)
    {
        return Some((place, list));
    }
    if operation.paging == Paging::None || operation.list.is_some() {
        return None;
    }
    let mut arrays =
        fields.iter().filter(|(name, value)| is_array(value) && !NOT_RECORDS.contains(&name.as_str()));
    let only = arrays.next().filter(|_| arrays.next().is_none());
    only.map(|(name, list)| (name.clone(), list.clone()))
}

/// The array at a path such as `data` or `data.articles`.
fn array_at(fields: &PageFields, place: &str) -> Option<Box<RawValue>> {
    let (name, below) = place.split_once('.').map_or((place, None), |(name, below)| (name, Some(below)));
    let value = fields.get(name)?;
    match below {
        Some(below) => array_at(&serde_json::from_str(value.get()).ok()?, below),
        None => Some(value.clone()).filter(|value| is_array(value)),
    }
}

fn is_array(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

fn next_page(pages: &Value, arguments: &Arguments, paging: Paging) -> Option<Next> {
    let next = &pages["next"];
    if let Some(cursor) = text_of(&next["starting_after"]) {
        return Some(Next::StartingAfter(cursor));
    }
    if let Some(address) = next.as_str() {
        return from_address(address);
    }
    let by_number = matches!(paging, Paging::Page { .. } | Paging::Whole);
    let requested =
        || arguments.query.iter().find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok());
    let page = number(&pages["page"]).or_else(requested).unwrap_or(1);
    if by_number && number(&pages["total_pages"]).is_some_and(|total| page < total) {
        return Some(Next::Page(page + 1));
    }
    // A null cursor ends the list, even if a page number comes with it.
    if next.get("starting_after").is_some() {
        return None;
    }
    number(&next["page"]).filter(|next| *next > page).map(Next::Page)
}

/// Whether the response has a next page in an unknown format.
fn has_unknown_next(pages: &Value) -> bool {
    match &pages["next"] {
        Value::Null => false,
        Value::String(address) => !address.is_empty(),
        next => next.get("starting_after").is_none() && next.get("page").is_none(),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..1e15).contains(number);
    let decimal = || value.as_f64().filter(whole).map(|number| number as u64);
    value.as_u64().or_else(decimal).or_else(|| value.as_str()?.trim().parse().ok())
}

/// The cursor or page number in the query of a `next` URL. The URL itself is not used.
fn from_address(address: &str) -> Option<Next> {
    let (_, query) = address.split_once('?')?;
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, encoded) = pairs.into_iter().find(|(key, _)| *key == name)?;
        let encoded = encoded.replace('+', " ");
        Some(percent_encoding::percent_decode_str(&encoded).decode_utf8_lossy().into_owned())
    };
    let parameter = |name: &str| {
        value(name).filter(|value| !value.is_empty()).map(|value| Next::Query(name.to_owned(), value))
    };
    value("starting_after")
        .filter(|cursor| !cursor.is_empty())
        .map(Next::StartingAfter)
        .or_else(|| value("page").and_then(|page| page.parse().ok()).map(Next::Page))
        .or_else(|| ["cursor", "before"].into_iter().find_map(parameter))
}

//! The page that a search with `--where` shows: what the server found, without what was not meant.
//!
//! Where the server found just that, its answer is left as it is, byte for byte. Otherwise records are taken
//! out and following pages asked until the page is full, the records that stay keep their bytes, and the
//! count is the true one or none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::commands::filter::Condition;
use crate::api::client::Client;
use crate::api::operation::Operation;
use crate::api::paging::{Next, Page, is_first_page};
use crate::api::request_builder::Arguments;

/// A page that was narrowed down.
pub struct Narrowed {
    /// The document.
    pub text: String,
    pub list: Option<String>,
    /// How many records the page shows, and how many there are in all, as far as that is known.
    pub shown: u64,
    pub has_more: bool,
    pub total: Option<u64>,
    /// How many records there can be at most, where nobody has counted those that are meant.
    pub at_most: Option<u64>,
    /// How to ask for the page after this one.
    pub next: Option<Next>,
}

/// Asks for one page, and for as many more as fill it.
///
/// # Errors
/// When a page does not come; nothing is shown then.
pub async fn page(
    client: &Client,
    operation: &'static Operation,
    arguments: &Arguments,
    condition: &Condition,
) -> Result<Narrowed, crate::api::Error> {
    let mut arguments = arguments.clone();
    let mut page = match fetch(client, operation, &arguments).await {
        Err(error) => match condition.without_null(&arguments, &error) {
            Some(other) => {
                arguments = other;
                fetch(client, operation, &arguments).await?
            }
            None => return Err(error),
        },
        page => page?,
    };
    let text = page.reply.json_text()?.to_owned();
    let list = page.key.clone();
    let counted = total(&text);
    let size = page.items.len();
    let is_first = is_first_page(&arguments.query, arguments.body.as_deref());
    let (mut kept, mut seen, mut last) = (Vec::new(), 0, text.clone());
    loop {
        seen += page.items.len();
        kept.extend(condition.select(client, std::mem::take(&mut page.items)).await?);
        // A page that the server found just right is left alone, and so is one that is full.
        let Some(next) = page.next.take_if(|_| kept.len() < seen && kept.len() < size) else { break };
        arguments = next.apply(operation, arguments)?;
        page = fetch(client, operation, &arguments).await?;
        page.reply.json_text()?.clone_into(&mut last);
    }
    // A list that ends before its count is cut, as on the unfiltered page.
    let is_short = is_first && counted.is_some_and(|total| total > seen as u64);
    let is_whole = page.next.is_none() && !page.has_more && !is_short;
    let dropped = seen - kept.len();
    let at_most = counted.filter(|_| !is_whole).map(|total| total.saturating_sub(dropped as u64));
    let total = match (dropped, is_whole) {
        (0, _) => counted,
        (_, true) => Some(kept.len() as u64),
        (_, false) => None,
    };
    let shown = kept.len() as u64;
    let text = match &list {
        Some(key) if dropped > 0 => {
            let count = if is_whole { json!(kept.len()) } else { Value::Null };
            rewritten(&text, key, &kept, &count, &last)
        }
        _ => text,
    };
    let has_more = !is_whole;
    Ok(Narrowed { text, list, shown, has_more, total, at_most, next: page.next })
}

async fn fetch(
    client: &Client,
    operation: &'static Operation,
    arguments: &Arguments,
) -> Result<Page, crate::api::Error> {
    Page::read(operation, arguments, client.fetch(operation, arguments).await?)
}

type Members<'t> = BTreeMap<Cow<'t, str>, &'t RawValue>;

/// `None` for what is not an object; a page of a list is one.
fn members(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

fn total(text: &str) -> Option<u64> {
    members(text)?.get("total_count")?.get().parse().ok()
}

/// The document with another list and count, and with the pages of the last document; all else is as it was.
fn rewritten(text: &str, key: &str, kept: &[Box<RawValue>], count: &Value, last: &str) -> String {
    let Some(members) = members(text) else { return text.to_owned() };
    let last = self::members(last);
    let items: Vec<&str> = kept.iter().map(|raw| raw.get()).collect();
    let mut changes = vec![(key, format!("[{}]", items.join(","))), ("total_count", count.to_string())];
    changes.extend(
        last.as_ref().and_then(|last| last.get("pages")).map(|pages| ("pages", pages.get().to_owned())),
    );
    let mut places: Vec<(usize, usize, String)> = changes
        .into_iter()
        .filter_map(|(name, new)| {
            let old = members.get(name)?.get();
            // The member is a part of this text.
            let start = (old.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
            (start + old.len() <= text.len()).then(|| (start, start + old.len(), new))
        })
        .collect();
    places.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
    let mut text = text.to_owned();
    for (start, end, new) in places {
        text.replace_range(start..end, &new);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_the_count_and_the_pages_change() {
        let text = r#"{"type": "list" ,"data" : [ {"id":1.0}, {"id":2} ],"total_count": 2, "pages":{"next":null,"page":1},"é":"x"}"#;
        let kept = [RawValue::from_string(r#"{"id":1.0}"#.to_owned()).unwrap()];
        let last = r#"{"pages": {"next":null,"page":2}}"#;
        assert_eq!(
            rewritten(text, "data", &kept, &json!(1), last),
            r#"{"type": "list" ,"data" : [{"id":1.0}],"total_count": 1, "pages":{"next":null,"page":2},"é":"x"}"#
        );
        let nested = rewritten(text, "data.articles", &[], &Value::Null, "{}");
        assert!(nested.contains(r#""total_count": null, "pages":{"next":null,"page":1}"#), "{nested}");
    }
}

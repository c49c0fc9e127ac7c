//! One page of a search with `--where`: the server's results without records that do not match the filter.
//!
//! If all results match, the response is returned unchanged, byte for byte. Otherwise records are removed, and further
//! pages are fetched until the page is full. Remaining records keep their bytes. The count must be exact or absent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::where_filter::WhereFilter;
use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::operation::Operation;
use crate::api::paging::{Next, RawPage, is_first_page};
use crate::api::request_builder::Arguments;

/// A page of matching records.
pub struct FilteredPage {
    /// The JSON document.
    pub text: String,
    pub list: Option<String>,
    /// Number of records on the page.
    pub shown: u64,
    pub has_more: bool,
    /// Number of matching records on all pages, if known.
    pub total: Option<u64>,
    /// Upper bound of `total`, if `total` is unknown.
    pub at_most: Option<u64>,
    /// The cursor of the next page.
    pub next: Option<Next>,
}

impl WhereFilter {
    /// Fetches a page of matching records, and further pages until it is full.
    ///
    /// # Errors
    /// If any page cannot be fetched.
    pub async fn page(
        &self,
        client: &Client,
        operation: &'static Operation,
        arguments: &Arguments,
    ) -> Result<FilteredPage, Error> {
        let mut arguments = arguments.clone();
        let mut page = match fetch(client, operation, &arguments).await {
            Err(error) => {
                arguments = self.without_null(&arguments, &error).ok_or(error)?;
                fetch(client, operation, &arguments).await?
            }
            Ok(page) => page,
        };
        let text = page.reply.json_text()?.to_owned();
        let list = page.key.clone();
        let server_total = total(&text);
        let size = page.items.len();
        let is_first = is_first_page(&arguments.query, arguments.body.as_deref());
        let (mut kept, mut seen, mut last) = (Vec::new(), 0, text.clone());
        loop {
            seen += page.items.len();
            kept.extend(self.select(client, std::mem::take(&mut page.items)).await?);
            // Fetch more only if records were removed and the page is not full.
            let Some(next) = page.next.take_if(|_| kept.len() < seen && kept.len() < size) else { break };
            arguments = next.apply(operation, arguments)?;
            page = fetch(client, operation, &arguments).await?;
            page.reply.json_text()?.clone_into(&mut last);
        }
        // A list with fewer records than its count is incomplete.
        let is_short = is_first && server_total.is_some_and(|total| total > seen as u64);
        let is_complete = page.next.is_none() && !page.has_more && !is_short;
        let dropped = seen - kept.len();
        let at_most = server_total.filter(|_| !is_complete).map(|total| total.saturating_sub(dropped as u64));
        let total = match (dropped, is_complete) {
            (0, _) => server_total,
            (_, true) => Some(kept.len() as u64),
            (_, false) => None,
        };
        let shown = kept.len() as u64;
        let text = match &list {
            Some(key) if dropped > 0 => {
                let count = if is_complete { json!(kept.len()) } else { Value::Null };
                rewrite(&text, key, &kept, &count, &last)
            }
            _ => text,
        };
        Ok(FilteredPage { text, list, shown, has_more: !is_complete, total, at_most, next: page.next })
    }
}

async fn fetch(
    client: &Client,
    operation: &'static Operation,
    arguments: &Arguments,
) -> Result<RawPage, Error> {
    RawPage::read(operation, arguments, client.fetch(operation, arguments).await?)
}

type Members<'t> = BTreeMap<Cow<'t, str>, &'t RawValue>;

/// The members of an object; `None` for any other JSON.
fn members(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

fn total(text: &str) -> Option<u64> {
    members(text)?.get("total_count")?.get().parse().ok()
}

/// Replaces the list, the count and `pages` (taken from the last document), and nothing else.
fn rewrite(text: &str, key: &str, kept: &[Box<RawValue>], count: &Value, last: &str) -> String {
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
            // `old` is a slice of `text`.
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
            rewrite(text, "data", &kept, &json!(1), last),
            r#"{"type": "list" ,"data" : [{"id":1.0}],"total_count": 1, "pages":{"next":null,"page":2},"é":"x"}"#
        );
        let nested = rewrite(text, "data.articles", &[], &Value::Null, "{}");
        assert!(nested.contains(r#""total_count": null, "pages":{"next":null,"page":1}"#), "{nested}");
    }
}

//! Pagination by cursor and by page number, and the `pages` object that points to the next page.
//!
//! A cursor identifies the last record returned, not a position. Records added or moved during pagination
//! therefore do not shift the others; a record that moves across the cursor is returned twice or never, as in
//! the real API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::record_set::{RecordSet, WorkspaceRecord};
use super::request::ApiRequest;
use super::response::{ErrorResponse, SuccessResponse};

/// The page that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub per_page: usize,
    after: Option<PageCursor>,
}

#[derive(Debug, PartialEq, Eq)]
struct PageCursor {
    key: i64,
    id: String,
    page: usize,
}

impl PageCursor {
    fn encode(&self) -> String {
        STANDARD.encode(json!([self.key * 1_000, self.id, self.page]).to_string())
    }

    fn decode(text: &str) -> Result<Self, ErrorResponse> {
        let read = || -> Option<PageCursor> {
            let (key, id, page): (i64, String, usize) =
                serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
            Some(PageCursor { key: key / 1_000, id, page })
        };
        read().ok_or_else(|| ErrorResponse::invalid("starting_after", "starting_after is not a valid cursor"))
    }
}

impl PageRequest {
    /// Reads `per_page` and `starting_after` from the query.
    pub fn from_query(request: &ApiRequest, default: usize) -> Result<Self, ErrorResponse> {
        let per_page = match request.query("per_page") {
            Some(text) => Some(parse_integer("per_page", text)?),
            None => None,
        };
        PageRequest::new(per_page, request.query("starting_after"), default, request.max_page_size(150))
    }

    /// Reads `pagination.per_page` and `pagination.starting_after` from the body.
    pub fn from_body(request: &ApiRequest, default: usize) -> Result<Self, ErrorResponse> {
        let pagination = &request.body["pagination"];
        let per_page = pagination["per_page"].as_i64();
        PageRequest::new(per_page, pagination["starting_after"].as_str(), default, request.max_page_size(150))
    }

    fn new(
        per_page: Option<i64>,
        after: Option<&str>,
        default: usize,
        max: usize,
    ) -> Result<Self, ErrorResponse> {
        let per_page = validate_page_size(per_page.unwrap_or(default as i64), max)?;
        let after = after.filter(|text| !text.is_empty()).map(PageCursor::decode).transpose()?;
        Ok(PageRequest { per_page, after })
    }
}

pub fn parse_integer(name: &str, text: &str) -> Result<i64, ErrorResponse> {
    text.parse().map_err(|_| ErrorResponse::invalid(name, format!("{name} must be an integer")))
}

fn validate_page_size(per_page: i64, max: usize) -> Result<usize, ErrorResponse> {
    match usize::try_from(per_page) {
        Ok(size) if size >= 1 && size <= max => Ok(size),
        _ => Err(ErrorResponse::invalid("per_page", format!("per_page must be between 1 and {max}"))),
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct RecordPage<'a, T> {
    pub records: Vec<&'a T>,
    pub total_count: usize,
    /// The `pages` object.
    pub pages: Value,
}

/// The keys of a list after `type`, in the order in which the API sends them.
pub type ListKeys = &'static [&'static str];

pub const COUNT_LAST: ListKeys = &["pages", "data", "total_count"];
pub const DATA_FIRST: ListKeys = &["data", "total_count", "pages"];
pub const PAGES_FIRST: ListKeys = &["pages", "total_count", "data"];

impl<'a, T> RecordPage<'a, T> {
    fn new(records: Vec<&'a T>, total_count: usize, next: Value, page: usize, per_page: usize) -> Self {
        let pages = json!({
            "type": "pages",
            "next": next,
            "page": page,
            "per_page": per_page,
            "total_pages": total_count.div_ceil(per_page),
        });
        RecordPage { records, total_count, pages }
    }

    /// The response with this page. The key of the records is neither `pages` nor `total_count`.
    pub fn list(self, kind: &str, keys: ListKeys, document: impl FnMut(&'a T) -> Value) -> SuccessResponse {
        let mut list = json!({"type": kind});
        let mut data = Value::Array(self.records.into_iter().map(document).collect());
        for key in keys {
            list[*key] = match *key {
                "pages" => self.pages.clone(),
                "total_count" => json!(self.total_count),
                _ => data.take(),
            };
        }
        list.into()
    }

    /// The page without the address of the next one, as lists answer it that only count their pages.
    pub fn without_link(mut self) -> Self {
        if let Some(pages) = self.pages.as_object_mut() {
            pages.shift_remove("next");
        }
        self
    }

    /// The response with this page, with the page numbers beside the records instead of in `pages`.
    pub fn flat_list(self, document: impl FnMut(&'a T) -> Value) -> SuccessResponse {
        json!({
            "type": "list",
            "data": self.records.into_iter().map(document).collect::<Vec<_>>(),
            "total_count": self.total_count,
            "page": self.pages["page"],
            "per_page": self.pages["per_page"],
            "total_pages": self.pages["total_pages"],
        })
        .into()
    }
}

/// The requested page of `sorted`, which must be in order of (key, id), ascending or `descending`.
pub fn cursor_page<'a, T: WorkspaceRecord>(
    sorted: &[(i64, &'a T)],
    descending: bool,
    page_request: &PageRequest,
) -> RecordPage<'a, T> {
    let already_returned = |key: i64, record: &T, cursor: &PageCursor| {
        let order = (key, record.id()).cmp(&(cursor.key, cursor.id.as_str()));
        if descending { order.is_ge() } else { order.is_le() }
    };
    let per_page = page_request.per_page;
    let (start, page) = match &page_request.after {
        Some(cursor) => {
            (sorted.partition_point(|(key, record)| already_returned(*key, record, cursor)), cursor.page)
        }
        None => (0, 1),
    };
    let end = (start + per_page).min(sorted.len());
    let next = (end < sorted.len() && end > start).then(|| {
        let (key, record) = sorted[end - 1];
        let cursor = PageCursor { key, id: record.id().to_owned(), page: page + 1 };
        json!({"per_page": per_page, "starting_after": cursor.encode()})
    });
    let records = sorted[start..end].iter().map(|(_, record)| *record).collect();
    RecordPage::new(records, sorted.len(), json!(next), page, per_page)
}

/// The page that the query asks for of the records that satisfy `keep`, last updated first.
pub fn newest_first<'a, T: WorkspaceRecord>(
    request: &ApiRequest,
    records: &'a RecordSet<T>,
    default_page_size: usize,
    keep: impl Fn(&T) -> bool,
) -> Result<RecordPage<'a, T>, ErrorResponse> {
    let page_request = PageRequest::from_query(request, default_page_size)?;
    let kept = records.newest_first().filter(|record| keep(record));
    let sorted: Vec<_> = kept.map(|record| (record.updated_at(), record)).collect();
    Ok(cursor_page(&sorted, true, &page_request))
}

/// The page given by `page` (from 1) and `per_page` in the query; the next one is a link. `sizes` are the default
/// and the maximum size.
pub fn numbered_page<'a, T>(
    request: &ApiRequest,
    rows: &'a [T],
    sizes: (usize, usize),
) -> Result<RecordPage<'a, T>, ErrorResponse> {
    let number = |name| request.query(name).map(|text| parse_integer(name, text)).transpose();
    let position = (number("page")?, number("per_page")?);
    page_at(request, rows, position, sizes, |page, per_page| json!(next_link(request, page, per_page)))
}

/// The page given by `page` (from 1) and `per_page` in the body, which says nothing about the next one but their
/// number.
pub fn page_in_body<'a, T>(
    request: &ApiRequest,
    rows: &'a [T],
    sizes: (usize, usize),
) -> Result<RecordPage<'a, T>, ErrorResponse> {
    let position = (request.integer("page"), request.integer("per_page"));
    page_at(request, rows, position, sizes, |_, _| Value::Null)
}

fn page_at<'a, T>(
    request: &ApiRequest,
    rows: &'a [T],
    (page, per_page): (Option<i64>, Option<i64>),
    (default, max): (usize, usize),
    next: impl FnOnce(usize, usize) -> Value,
) -> Result<RecordPage<'a, T>, ErrorResponse> {
    let per_page = validate_page_size(per_page.unwrap_or(default as i64), request.max_page_size(max))?;
    let page = usize::try_from(page.unwrap_or(1))
        .ok()
        .filter(|page| *page >= 1)
        .ok_or_else(|| ErrorResponse::invalid("page", "page must be 1 or greater"))?;
    let start = ((page - 1).saturating_mul(per_page)).min(rows.len());
    let end = (start + per_page).min(rows.len());
    let next = if end < rows.len() { next(page + 1, per_page) } else { Value::Null };
    Ok(RecordPage::new(rows[start..end].iter().collect(), rows.len(), next, page, per_page))
}

/// The response with a list that has no pages.
pub fn whole_list(kind: &str, key: &str, documents: impl Iterator<Item = Value>) -> SuccessResponse {
    json!({"type": kind, key: documents.collect::<Vec<_>>()}).into()
}

/// The address of another page of the same list.
pub fn next_link(request: &ApiRequest, page: usize, per_page: usize) -> String {
    let mut link = format!("{}{}?per_page={per_page}&page={page}", request.base_url, request.url_path);
    for (name, value) in request.query.iter().filter(|(name, _)| name != "page" && name != "per_page") {
        let escape = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        link.push_str(&format!("&{}={}", escape(name), escape(value)));
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::model::plain::PlainRecord;

    fn record(id: &str, updated_at: i64) -> PlainRecord {
        PlainRecord::new(json!({"id": id, "updated_at": updated_at}))
    }

    fn collect_pages(
        rows: &mut Vec<PlainRecord>,
        mut between_pages: impl FnMut(&mut Vec<PlainRecord>),
    ) -> Vec<String> {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            rows.sort_by_key(|row| (row.updated_at(), row.id.clone()));
            let sorted: Vec<_> = rows.iter().map(|row| (row.updated_at(), row)).collect();
            let page_request = PageRequest::new(Some(2), after.as_deref(), 20, 150).unwrap();
            let page = cursor_page(&sorted, false, &page_request);
            seen.extend(page.records.iter().map(|row| row.id.clone()));
            after = page.pages["next"]["starting_after"].as_str().map(str::to_owned);
            if after.is_none() {
                return seen;
            }
            between_pages(rows);
        }
    }

    #[test]
    fn a_cursor_is_stable_under_insertions_before_it_and_equal_keys() {
        let mut rows: Vec<_> = ["a", "b", "c", "d", "e"].map(|id| record(id, 9)).into();
        let mut added = 0;
        let seen = collect_pages(&mut rows, |rows| {
            added += 1;
            rows.push(record(&format!("early {added}"), 1));
        });
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn page_sizes_and_cursors_are_validated() {
        assert!(PageRequest::new(Some(151), None, 20, 150).is_err());
        assert!(PageRequest::new(Some(0), None, 20, 150).is_err());
        assert!(PageRequest::new(None, Some("nonsense"), 20, 150).is_err());
        assert_eq!(PageRequest::new(None, None, 20, 150).unwrap().per_page, 20);
    }
}

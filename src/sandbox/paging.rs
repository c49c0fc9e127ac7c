//! Pagination by cursor and by page number, and the `pages` object that points to the next page.
//!
//! A cursor identifies the last record returned, not a position. Records added or moved during pagination
//! therefore do not shift the others; a record that moves across the cursor is returned twice or never, as in
//! the real API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::request::Request;
use super::response::ErrorResponse;
use super::table::{Record, Table};

/// The page that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub per_page: usize,
    after: Option<Cursor>,
}

#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    key: i64,
    id: String,
    page: usize,
}

impl Cursor {
    fn encode(&self) -> String {
        STANDARD.encode(json!([self.key * 1_000, self.id, self.page]).to_string())
    }

    fn decode(text: &str) -> Result<Self, ErrorResponse> {
        let read = || -> Option<Cursor> {
            let (key, id, page): (i64, String, usize) =
                serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
            Some(Cursor { key: key / 1_000, id, page })
        };
        read().ok_or_else(|| {
            ErrorResponse::invalid_parameter("starting_after", "starting_after is not a valid cursor")
        })
    }
}

impl PageRequest {
    /// Reads `per_page` and `starting_after` from the query.
    pub fn from_query(request: &Request, default: usize) -> Result<Self, ErrorResponse> {
        let per_page = match request.query("per_page") {
            Some(text) => Some(parse_integer("per_page", text)?),
            None => None,
        };
        PageRequest::new(per_page, request.query("starting_after"), default, request.max_page_size(150))
    }

    /// Reads `pagination.per_page` and `pagination.starting_after` from the body.
    pub fn from_body(request: &Request, default: usize) -> Result<Self, ErrorResponse> {
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
        let after = after.filter(|text| !text.is_empty()).map(Cursor::decode).transpose()?;
        Ok(PageRequest { per_page, after })
    }
}

fn parse_integer(name: &str, text: &str) -> Result<i64, ErrorResponse> {
    text.parse().map_err(|_| ErrorResponse::invalid_parameter(name, format!("{name} must be an integer")))
}

fn validate_page_size(per_page: i64, max: usize) -> Result<usize, ErrorResponse> {
    match usize::try_from(per_page) {
        Ok(size) if size >= 1 && size <= max => Ok(size),
        _ => {
            Err(ErrorResponse::invalid_parameter("per_page", format!("per_page must be between 1 and {max}")))
        }
    }
}

/// One page of a list that is paginated by cursor.
#[derive(Debug)]
pub struct CursorPage<'a, T> {
    pub records: Vec<&'a T>,
    pub total_count: usize,
    /// The `pages` object.
    pub pages: Value,
}

/// The requested page of `sorted`, which must be in order of (key, id), ascending or `descending`.
pub fn cursor_page<'a, T: Record>(
    sorted: &[(i64, &'a T)],
    descending: bool,
    page_request: &PageRequest,
) -> CursorPage<'a, T> {
    let already_returned = |key: i64, record: &T, cursor: &Cursor| {
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
        let cursor = Cursor { key, id: record.id().to_owned(), page: page + 1 };
        json!({"per_page": per_page, "starting_after": cursor.encode()})
    });
    CursorPage {
        records: sorted[start..end].iter().map(|(_, record)| *record).collect(),
        total_count: sorted.len(),
        pages: json!({
            "type": "pages",
            "next": next,
            "page": page,
            "per_page": per_page,
            "total_pages": sorted.len().div_ceil(per_page),
        }),
    }
}

/// The records of a table that satisfy `keep`, last updated first, as input for [`cursor_page`].
pub fn newest_first<T: Record>(table: &Table<T>, keep: impl Fn(&T) -> bool) -> Vec<(i64, &T)> {
    table.newest_first().filter(|row| keep(row)).map(|row| (row.updated_at(), row)).collect()
}

/// One page of a list that is paginated by number; `pages.next` is a link.
#[derive(Debug)]
pub struct NumberedPage<'a, T> {
    pub records: &'a [T],
    pub total_count: usize,
    /// The `pages` object.
    pub pages: Value,
}

/// The page given by `page` (from 1) and `per_page` in the query.
pub fn numbered_page<'a, T>(
    request: &Request,
    rows: &'a [T],
    default: usize,
    max: usize,
) -> Result<NumberedPage<'a, T>, ErrorResponse> {
    let number = |name| request.query(name).map(|text| parse_integer(name, text)).transpose();
    let per_page =
        validate_page_size(number("per_page")?.unwrap_or(default as i64), request.max_page_size(max))?;
    let page = usize::try_from(number("page")?.unwrap_or(1))
        .ok()
        .filter(|page| *page >= 1)
        .ok_or_else(|| ErrorResponse::invalid_parameter("page", "page must be 1 or greater"))?;
    let start = ((page - 1).saturating_mul(per_page)).min(rows.len());
    let end = (start + per_page).min(rows.len());
    let next = (end < rows.len()).then(|| next_link(request, page + 1, per_page));
    Ok(NumberedPage {
        records: &rows[start..end],
        total_count: rows.len(),
        pages: json!({
            "type": "pages",
            "next": next,
            "page": page,
            "per_page": per_page,
            "total_pages": rows.len().div_ceil(per_page),
        }),
    })
}

fn next_link(request: &Request, page: usize, per_page: usize) -> String {
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

    struct Row(i64, String);

    impl Record for Row {
        fn id(&self) -> &str {
            &self.1
        }
        fn updated_at(&self) -> i64 {
            self.0
        }
    }

    fn collect_pages(rows: &mut Vec<Row>, mut between_pages: impl FnMut(&mut Vec<Row>)) -> Vec<String> {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            rows.sort_by_key(|row| (row.0, row.1.clone()));
            let sorted: Vec<_> = rows.iter().map(|row| (row.0, row)).collect();
            let page_request = PageRequest::new(Some(2), after.as_deref(), 20, 150).unwrap();
            let page = cursor_page(&sorted, false, &page_request);
            seen.extend(page.records.iter().map(|row| row.1.clone()));
            after = page.pages["next"]["starting_after"].as_str().map(str::to_owned);
            if after.is_none() {
                return seen;
            }
            between_pages(rows);
        }
    }

    #[test]
    fn a_cursor_is_stable_under_insertions_before_it_and_equal_keys() {
        let mut rows: Vec<_> = ["a", "b", "c", "d", "e"].map(|id| Row(9, id.to_owned())).into();
        let mut added = 0;
        let seen = collect_pages(&mut rows, |rows| {
            added += 1;
            rows.push(Row(1, format!("early {added}")));
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

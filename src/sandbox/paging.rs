//! Pages: by cursor, by number, and the `pages` object that leads to the next one.
//!
//! A cursor names the last record that was handed out, not a position. So what is added or moved
//! while somebody pages shifts nothing else; a record that moves across the cursor comes twice, or
//! never, just as with the real service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::Problem;
use super::request::Request;
use super::table::{Record, Table};

/// Which page is wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
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

    fn decode(text: &str) -> Result<Self, Problem> {
        let read = || -> Option<Cursor> {
            let parts: (i64, String, usize) = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
            Some(Cursor { key: parts.0 / 1_000, id: parts.1, page: parts.2 })
        };
        read().ok_or_else(|| Problem::invalid("starting_after", "starting_after is no cursor of this list"))
    }
}

impl Wanted {
    /// `per_page` and `starting_after` of the query.
    pub fn in_query(request: &Request, usual: usize) -> Result<Self, Problem> {
        let per_page = match request.query("per_page") {
            Some(text) => Some(whole("per_page", text)?),
            None => None,
        };
        Wanted::new(per_page, request.query("starting_after"), usual, request.largest_page(150))
    }

    /// `pagination.per_page` and `pagination.starting_after` of the body.
    pub fn in_body(request: &Request, usual: usize) -> Result<Self, Problem> {
        let pagination = &request.body["pagination"];
        let per_page = pagination["per_page"].as_i64();
        Wanted::new(per_page, pagination["starting_after"].as_str(), usual, request.largest_page(150))
    }

    fn new(per_page: Option<i64>, after: Option<&str>, usual: usize, most: usize) -> Result<Self, Problem> {
        let per_page = checked_size(per_page.unwrap_or(usual as i64), most)?;
        let after = after.filter(|text| !text.is_empty()).map(Cursor::decode).transpose()?;
        Ok(Wanted { per_page, after })
    }
}

fn whole(name: &str, text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::invalid(name, format!("{name} must be a whole number")))
}

fn checked_size(per_page: i64, most: usize) -> Result<usize, Problem> {
    match usize::try_from(per_page) {
        Ok(size) if size >= 1 && size <= most => Ok(size),
        _ => Err(Problem::invalid("per_page", format!("per_page must be between 1 and {most}"))),
    }
}

/// One page of a listing, and what is said about the rest.
#[derive(Debug)]
pub struct Page<'a, T> {
    pub records: Vec<&'a T>,
    pub total_count: usize,
    /// The `pages` object.
    pub pages: Value,
}

/// The page of `sorted` that is wanted. `sorted` comes in the order of (key, id), `descending` or not.
pub fn by_cursor<'a, T: Record>(sorted: &[(i64, &'a T)], descending: bool, wanted: &Wanted) -> Page<'a, T> {
    let handed_out = |key: i64, record: &T, cursor: &Cursor| {
        let order = (key, record.id()).cmp(&(cursor.key, cursor.id.as_str()));
        if descending { order.is_ge() } else { order.is_le() }
    };
    let (start, page) = match &wanted.after {
        Some(cursor) => {
            (sorted.partition_point(|(key, record)| handed_out(*key, record, cursor)), cursor.page)
        }
        None => (0, 1),
    };
    let end = (start + wanted.per_page).min(sorted.len());
    let next = (end < sorted.len() && end > start).then(|| {
        let (key, record) = sorted[end - 1];
        let cursor = Cursor { key, id: record.id().to_owned(), page: page + 1 };
        json!({"per_page": wanted.per_page, "starting_after": cursor.encode()})
    });
    Page {
        records: sorted[start..end].iter().map(|(_, record)| *record).collect(),
        total_count: sorted.len(),
        pages: json!({
            "type": "pages",
            "next": next,
            "page": page,
            "per_page": wanted.per_page,
            "total_pages": sorted.len().div_ceil(wanted.per_page),
        }),
    }
}

/// The records of a table that `keep` lets through, last changed first, ready for [`by_cursor`].
pub fn newest_first<T: Record>(table: &Table<T>, keep: impl Fn(&T) -> bool) -> Vec<(i64, &T)> {
    table.newest_first().filter(|row| keep(row)).map(|row| (row.updated_at(), row)).collect()
}

/// A page by number, the next one being a link.
#[derive(Debug)]
pub struct Numbered<'a, T> {
    pub records: &'a [T],
    pub total_count: usize,
    /// The `pages` object.
    pub pages: Value,
}

/// The page that `page` and `per_page` of the query ask for; pages count from 1.
pub fn by_number<'a, T>(
    request: &Request,
    rows: &'a [T],
    usual: usize,
    most: usize,
) -> Result<Numbered<'a, T>, Problem> {
    let number = |name| request.query(name).map(|text| whole(name, text)).transpose();
    let per_page = checked_size(number("per_page")?.unwrap_or(usual as i64), request.largest_page(most))?;
    let page = usize::try_from(number("page")?.unwrap_or(1))
        .ok()
        .filter(|page| *page >= 1)
        .ok_or_else(|| Problem::invalid("page", "page counts from 1"))?;
    let start = ((page - 1).saturating_mul(per_page)).min(rows.len());
    let end = (start + per_page).min(rows.len());
    let next = (end < rows.len()).then(|| next_link(request, page + 1, per_page));
    Ok(Numbered {
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
    let mut link = format!("{}{}?per_page={per_page}&page={page}", request.base_url, request.called);
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

    fn walk(rows: &mut Vec<Row>, mut between: impl FnMut(&mut Vec<Row>)) -> Vec<String> {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            rows.sort_by_key(|row| (row.0, row.1.clone()));
            let sorted: Vec<_> = rows.iter().map(|row| (row.0, row)).collect();
            let wanted = Wanted::new(Some(2), after.as_deref(), 20, 150).unwrap();
            let page = by_cursor(&sorted, false, &wanted);
            seen.extend(page.records.iter().map(|row| row.1.clone()));
            after = page.pages["next"]["starting_after"].as_str().map(str::to_owned);
            if after.is_none() {
                return seen;
            }
            between(rows);
        }
    }

    #[test]
    fn a_cursor_survives_insertions_before_it_and_equal_keys() {
        let mut rows: Vec<_> = ["a", "b", "c", "d", "e"].map(|id| Row(9, id.to_owned())).into();
        let mut added = 0;
        let seen = walk(&mut rows, |rows| {
            added += 1;
            rows.push(Row(1, format!("early {added}")));
        });
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn sizes_and_cursors_are_checked() {
        assert!(Wanted::new(Some(151), None, 20, 150).is_err());
        assert!(Wanted::new(Some(0), None, 20, 150).is_err());
        assert!(Wanted::new(None, Some("nonsense"), 20, 150).is_err());
        assert_eq!(Wanted::new(None, None, 20, 150).unwrap().per_page, 20);
    }
}

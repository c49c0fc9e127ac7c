//! Checks whether a list was received completely.
//!
//! A list that has ended is not necessarily complete: pages can be short, repeat, or miss records that move.
//! Records are counted by id, each once. Never keeps more of a record than a hash, to limit memory.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;

use super::{Next, RawPage};

/// How many pages in a row may contain nothing new. It happens when known records change and are listed
/// again.
const MAX_PAGES_WITHOUT_NEWS: u32 = 100;

/// How completely a list was received, known on its last page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Whether nothing indicates that records are missing.
    pub complete: bool,
    /// Records received, each counted once.
    pub distinct: u64,
    /// Total number of records, as reported by the API.
    pub total: Option<u64>,
    /// Why the list is incomplete, for people.
    pub reason: Option<String>,
}

/// Tracks the pages and records received so far.
#[derive(Debug, Default)]
pub(super) struct CoverageTracker {
    ids: HashSet<u64>,
    pages: HashSet<u64>,
    pages_without_news: u32,
    /// Entries that are not records.
    invalid: u64,
    /// A page was received twice.
    repeated: bool,
    first_total: Option<u64>,
    min_total: Option<u64>,
}

impl CoverageTracker {
    /// Records a page. Returns whether the list is stuck: there are further pages, but they repeat.
    pub fn add(&mut self, page: &RawPage) -> bool {
        let before = self.ids.len();
        let mut content = DefaultHasher::new();
        for item in &page.items {
            item.get().hash(&mut content);
            match identity(item.get()) {
                Some(id) => {
                    self.ids.insert(id);
                }
                None => self.invalid += 1,
            }
        }
        let is_new = self.pages.insert(content.finish());
        self.repeated |= !is_new && !page.items.is_empty();
        self.pages_without_news = if self.ids.len() > before { 0 } else { self.pages_without_news + 1 };
        self.update_total(page);
        page.next.is_some() && (!is_new || self.pages_without_news >= MAX_PAGES_WITHOUT_NEWS)
    }

    /// A shrinking total means deletions. The total of an empty page may only count the page itself.
    fn update_total(&mut self, page: &RawPage) {
        let Some(total) = page.total else { return };
        self.first_total.get_or_insert(total);
        if !page.items.is_empty() || total >= self.ids.len() as u64 {
            self.min_total = Some(self.min_total.map_or(total, |min| min.min(total)));
        }
    }

    pub fn distinct(&self) -> u64 {
        self.ids.len() as u64
    }

    /// The result after the last page. `from_start` says whether pagination started with the first one.
    pub fn coverage(&self, last: &RawPage, from_start: bool) -> Coverage {
        let distinct = self.distinct();
        let total = self.min_total.or(self.first_total);
        let missing = total.filter(|total| from_start && *total > distinct);
        let reason = if self.invalid > 0 {
            Some(format!("{} entries of the list are not records", self.invalid))
        } else if let Some(total) = missing {
            let noun = if total == 1 { "record" } else { "records" };
            Some(format!("the list counts {total} {noun}, but {distinct} were received"))
        } else if self.repeated {
            Some("the list repeats a page".to_owned())
        } else if last.key.is_none() && !last.reply.body.is_empty() {
            Some("the last page contains no list".to_owned())
        } else if last.has_more && total.is_none_or(|total| !from_start || total > distinct) {
            Some("the last page says that there are more records".to_owned())
        } else {
            None
        };
        Coverage { complete: reason.is_none(), distinct, total, reason }
    }
}

/// A hash that identifies a record: of its id, or of the whole record if it has none. A name, as in a list of kinds,
/// is a record too. `None` for anything else.
fn identity(item: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct RecordIdentity {
        #[serde(default)]
        id: Value,
        #[serde(default)]
        code: Value,
        #[serde(default)]
        message: Value,
    }
    let mut hasher = DefaultHasher::new();
    if item.starts_with('"') {
        item.hash(&mut hasher);
        return Some(hasher.finish());
    }
    let record: RecordIdentity =
        serde_json::from_str(item).ok().filter(|_| item.trim_start().starts_with('{'))?;
    match &record.id {
        Value::String(id) if !id.trim().is_empty() => id.trim().hash(&mut hasher),
        Value::Number(id) => id.to_string().hash(&mut hasher),
        // An entry of an error list.
        _ if record.code.is_string() && record.message.is_string() => return None,
        _ => item.hash(&mut hasher),
    }
    Some(hasher.finish())
}

/// Whether the arguments request the first page.
pub fn is_first(query: &[(String, String)], body: Option<&[u8]>) -> bool {
    let in_query = query.iter().any(|(name, value)| match name.as_str() {
        "starting_after" | "scroll_param" | "before" | "cursor" => !value.is_empty(),
        "page" => value.trim() != "1",
        _ => false,
    });
    let names_page = |body: Value| {
        let pagination = &body["pagination"];
        pagination["starting_after"].as_str().is_some_and(|cursor| !cursor.is_empty())
            || [&pagination["page"], &body["page"]]
                .iter()
                .any(|page| page.as_u64().is_some_and(|page| page > 1))
    };
    // A body that is not JSON names no page.
    let in_body = body.and_then(|body| serde_json::from_slice(body).ok()).is_some_and(names_page);
    !in_query && !in_body
}

/// Whether the next page is the current one.
pub(super) fn is_loop(current: Option<&Next>, next: &Next) -> bool {
    // A scroll keeps its parameter from the first page to the last.
    current == Some(next) && !matches!(next, Next::Scroll(_))
}

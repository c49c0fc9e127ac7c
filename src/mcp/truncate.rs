//! Pagination of large results: returns the first part, and stores the rest for `read_more`.
//!
//! Stored parts are compressed, and bounded in bytes and in time; the least recently used result is evicted
//! first. A cursor can be used more than once.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use super::confirmation::random;
use super::cut::{Cut, Limits, ResultPart, cut};
use super::{decode, untrusted};

/// Maximum compressed bytes of all stored results.
const MAX_BYTES: usize = 64 << 20;

/// How long a result is stored after its last use.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Bytes reserved in each part for its number and its cursor.
const ENVELOPE_BYTES: usize = 120;

pub struct Pages {
    limits: Limits,
    kept: Mutex<HashMap<String, StoredAnswer>>,
}

/// A result that is returned in parts.
#[derive(Clone)]
struct StoredAnswer {
    /// The `untrusted` mark of the parts after the first, which contains its own.
    mark: Value,
    parts: Arc<Vec<CompressedPart>>,
    bytes: usize,
    used: Instant,
}

struct CompressedPart {
    body: Vec<u8>,
    cut: Vec<Cut>,
    is_rest: bool,
}

impl Pages {
    pub fn new(max_rows: usize, max_bytes: usize) -> Self {
        Pages { limits: Limits { bytes: max_bytes, rows: max_rows }, kept: Mutex::default() }
    }

    /// The document with these fields, or its first part with a cursor. `mark` is the `untrusted` mark of the
    /// parts after the first.
    pub fn first<'a>(&self, fields: impl IntoIterator<Item = (&'a str, &'a str)>, mark: Value) -> Value {
        let reserved = ENVELOPE_BYTES + mark.to_string().len();
        let bytes = self.limits.bytes.saturating_sub(reserved);
        let mut parts = cut(fields, Limits { bytes, ..self.limits });
        if parts.len() <= 1 {
            return document(parts.pop().unwrap_or_default().body);
        }
        let Some(id) = random().map(|id| id[..12].to_owned()) else {
            return failure("cannot create a cursor: the system provides no random numbers");
        };
        let packed = parts.into_iter().map(CompressedPart::of).collect::<io::Result<Vec<_>>>();
        let packed = match packed {
            Ok(packed) => packed,
            Err(error) => return failure(&format!("cannot store the result: {error}")),
        };
        let bytes = packed.iter().map(|part| part.body.len() + 64).sum::<usize>();
        let kept = StoredAnswer { mark, parts: Arc::new(packed), bytes, used: Instant::now() };
        let first = self.part(&id, &kept, 0);
        self.keep(id, kept);
        first
    }

    /// The part that a cursor refers to; `None` if the cursor is unknown or has expired.
    pub fn next(&self, cursor: &str) -> Option<Value> {
        let (id, at) = cursor.split_once('.')?;
        let at: usize = at.parse().ok()?;
        let mut stored = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut stored);
        let kept = stored.get_mut(id)?;
        kept.used = Instant::now();
        let kept = kept.clone();
        drop(stored);
        (at < kept.parts.len()).then(|| self.part(id, &kept, at))
    }

    fn keep(&self, id: String, kept: StoredAnswer) {
        let mut stored = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut stored);
        let mut bytes: usize = kept.bytes + stored.values().map(|kept| kept.bytes).sum::<usize>();
        while bytes > MAX_BYTES {
            let oldest = stored.iter().min_by_key(|(_, kept)| kept.used).map(|(id, _)| id.clone());
            let Some(dropped) = oldest.and_then(|id| stored.remove(&id)) else { break };
            bytes -= dropped.bytes;
        }
        stored.insert(id, kept);
    }

    fn part(&self, id: &str, kept: &StoredAnswer, at: usize) -> Value {
        let (part, of) = (&kept.parts[at], kept.parts.len());
        let mut answer = json!({});
        if at > 0 && !kept.mark.is_null() {
            answer["untrusted"] =
                if part.is_rest { untrusted::mark(&["results.text"]) } else { kept.mark.clone() };
        }
        let body = match part.unpacked() {
            Ok(body) => document(body),
            Err(error) => failure(&format!("cannot read the stored result: {error}")),
        };
        if let (Some(fields), Value::Object(body)) = (answer.as_object_mut(), body) {
            fields.extend(body);
        }
        if !part.cut.is_empty() {
            let cut = part.cut.iter().map(|cut| {
                json!({ "path": cut.path, "shown": cut.shown, "of": cut.of, "cursor": format!("{id}.{}", cut.part) })
            });
            answer["cut"] = cut.collect();
        }
        answer["part"] = json!({ "number": at + 1, "of": of });
        if at + 1 < of {
            answer["cursor"] = json!(format!("{id}.{}", at + 1));
        }
        answer
    }
}

fn failure(message: &str) -> Value {
    json!({ "error": { "kind": "failure", "message": message, "hint": "request less data with select or limit" } })
}

fn forget_old(stored: &mut HashMap<String, StoredAnswer>) {
    stored.retain(|_, kept| kept.used.elapsed() < LIFETIME);
}

/// Parses the fields of an object, given without its braces.
fn document(body: String) -> Value {
    let text = format!("{{{body}}}");
    decode::lenient(text.as_bytes()).unwrap_or_else(|_| json!({ "results": text }))
}

impl CompressedPart {
    fn of(part: ResultPart) -> io::Result<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let body = encoder.write_all(part.body.as_bytes()).and_then(|()| encoder.finish())?;
        Ok(CompressedPart { body, cut: part.cut, is_rest: part.is_rest })
    }

    fn unpacked(&self) -> io::Result<String> {
        io::read_to_string(DeflateDecoder::new(self.body.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(pages: &Pages, rows: usize) -> Value {
        let results = json!((0..rows).collect::<Vec<_>>()).to_string();
        pages.first([("meta", "{}"), ("results", results.as_str())], Value::Null)
    }

    fn cursor(answer: &Value) -> String {
        answer["cursor"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    #[test]
    fn all_parts_can_be_read_and_read_again() {
        let pages = Pages::new(100, 1_000);
        let mut part = first(&pages, 250);
        let again = cursor(&part);
        let mut rows = Vec::new();
        loop {
            rows.extend(part["results"].as_array().unwrap().clone());
            assert!(part.to_string().len() <= 1_000);
            let Some(cursor) = part["cursor"].as_str().map(str::to_owned) else { break };
            part = pages.next(&cursor).unwrap();
        }
        assert_eq!(rows, (0..250).map(|row| json!(row)).collect::<Vec<_>>());
        assert_eq!(pages.next(&again).unwrap(), pages.next(&again).unwrap());
        assert!(pages.next("x").is_none() && pages.next("a.b").is_none() && pages.next("x.99").is_none());
    }

    #[test]
    fn results_are_stored_side_by_side_until_they_expire() {
        let pages = Pages::new(10, 1_000);
        let cursors: Vec<String> = (0..50).map(|_| cursor(&first(&pages, 25))).collect();
        assert!(cursors.iter().all(|cursor| pages.next(cursor).is_some()));
        for kept in pages.kept.lock().unwrap().values_mut() {
            kept.used = Instant::now().checked_sub(LIFETIME).unwrap();
        }
        let fresh = cursor(&first(&pages, 25));
        assert!(pages.next(&cursors[0]).is_none() && pages.next(&fresh).is_some());
        assert_eq!(pages.kept.lock().unwrap().len(), 1);
    }

    #[test]
    fn stored_results_are_bounded_in_bytes() {
        let pages = Pages::new(10, 1_000);
        for bytes in [MAX_BYTES / 2, MAX_BYTES / 2, MAX_BYTES / 3] {
            let kept = StoredAnswer { mark: Value::Null, parts: Arc::default(), bytes, used: Instant::now() };
            pages.keep(bytes.to_string() + &random().unwrap(), kept);
        }
        let stored = pages.kept.lock().unwrap();
        assert_eq!(stored.len(), 2);
        assert!(stored.values().map(|kept| kept.bytes).sum::<usize>() <= MAX_BYTES);
    }
}

//! The parts of answers that wait for `read_more`.
//!
//! What is kept is compressed text, bounded in bytes and in time: an answer that nobody went on with is
//! dropped, and so is the one that was used longest ago when there is no room. A cursor can be used again.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use super::confirmation::random;
use super::cut::{Cut, Limits, Part, cut};
use super::{decode, marks};

/// Bytes of all answers that wait together.
const MOST_BYTES: usize = 64 << 20;

/// How long an answer is kept for its next page.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Bytes of a part for what stands beside the document: which part it is, and the cursor.
const BESIDE: usize = 120;

pub struct Pages {
    limits: Limits,
    kept: Mutex<HashMap<String, Kept>>,
}

/// An answer that is handed out in parts.
#[derive(Clone)]
struct Kept {
    /// The mark of parts after the first, which carries its own.
    mark: Value,
    parts: Arc<Vec<Packed>>,
    bytes: usize,
    used: Instant,
}

struct Packed {
    body: Vec<u8>,
    cut: Vec<Cut>,
    is_rest: bool,
}

impl Pages {
    pub fn new(max_rows: usize, max_bytes: usize) -> Self {
        Pages { limits: Limits { bytes: max_bytes, rows: max_rows }, kept: Mutex::default() }
    }

    /// The answer with these fields, or its first part with a cursor. `mark` says of the parts after the
    /// first what is untrusted in them.
    pub fn first<'a>(&self, fields: impl IntoIterator<Item = (&'a str, &'a str)>, mark: Value) -> Value {
        let reserved = BESIDE + mark.to_string().len();
        let bytes = self.limits.bytes.saturating_sub(reserved);
        let mut parts = cut(fields, Limits { bytes, ..self.limits });
        if parts.len() <= 1 {
            return document(parts.pop().unwrap_or_default().body);
        }
        let Some(id) = random().map(|id| id[..12].to_owned()) else {
            return json!({ "error": { "kind": "failure", "message": "the system gives no random numbers for a cursor",
                "hint": "ask for less, with select or limit" } });
        };
        let packed: Vec<Packed> = parts.into_iter().map(Packed::of).collect();
        let bytes = packed.iter().map(|part| part.body.len() + 64).sum::<usize>();
        let kept = Kept { mark, parts: Arc::new(packed), bytes, used: Instant::now() };
        let first = self.part(&id, &kept, 0);
        self.keep(id, kept);
        first
    }

    /// The part that a cursor stands for; `None` for a cursor that is not known any more.
    pub fn next(&self, cursor: &str) -> Option<Value> {
        let (id, at) = cursor.split_once('.')?;
        let at: usize = at.parse().ok()?;
        let mut waiting = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut waiting);
        let kept = waiting.get_mut(id)?;
        kept.used = Instant::now();
        let kept = kept.clone();
        drop(waiting);
        (at < kept.parts.len()).then(|| self.part(id, &kept, at))
    }

    fn keep(&self, id: String, kept: Kept) {
        let mut waiting = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut waiting);
        let mut bytes: usize = kept.bytes + waiting.values().map(|kept| kept.bytes).sum::<usize>();
        while bytes > MOST_BYTES {
            let oldest = waiting.iter().min_by_key(|(_, kept)| kept.used).map(|(id, _)| id.clone());
            let Some(dropped) = oldest.and_then(|id| waiting.remove(&id)) else { break };
            bytes -= dropped.bytes;
        }
        waiting.insert(id, kept);
    }

    fn part(&self, id: &str, kept: &Kept, at: usize) -> Value {
        let (part, of) = (&kept.parts[at], kept.parts.len());
        let mut answer = json!({});
        if at > 0 && !kept.mark.is_null() {
            answer["untrusted"] = if part.is_rest { marks::of(&["results.text"]) } else { kept.mark.clone() };
        }
        if let (Some(fields), Value::Object(body)) = (answer.as_object_mut(), document(part.unpacked())) {
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

fn forget_old(waiting: &mut HashMap<String, Kept>) {
    waiting.retain(|_, kept| kept.used.elapsed() < LIFETIME);
}

/// The document with the fields of this text.
fn document(body: String) -> Value {
    let text = format!("{{{body}}}");
    decode::lenient(text.as_bytes()).unwrap_or_else(|_| json!({ "results": text }))
}

impl Packed {
    fn of(part: Part) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        // Writing into memory does not fail.
        let body = encoder.write_all(part.body.as_bytes()).and_then(|()| encoder.finish());
        Packed { body: body.unwrap_or_default(), cut: part.cut, is_rest: part.is_rest }
    }

    fn unpacked(&self) -> String {
        let mut body = String::new();
        match DeflateDecoder::new(self.body.as_slice()).read_to_string(&mut body) {
            Ok(_) => body,
            Err(_) => String::new(),
        }
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
    fn an_answer_is_read_to_its_end_and_again() {
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
    fn answers_wait_side_by_side_until_they_are_too_old() {
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
    fn what_waits_is_bounded_in_bytes() {
        let pages = Pages::new(10, 1_000);
        for bytes in [MOST_BYTES / 2, MOST_BYTES / 2, MOST_BYTES / 3] {
            let kept = Kept { mark: Value::Null, parts: Arc::default(), bytes, used: Instant::now() };
            pages.keep(bytes.to_string() + &random().unwrap(), kept);
        }
        let waiting = pages.kept.lock().unwrap();
        assert_eq!(waiting.len(), 2);
        assert!(waiting.values().map(|kept| kept.bytes).sum::<usize>() <= MOST_BYTES);
    }
}

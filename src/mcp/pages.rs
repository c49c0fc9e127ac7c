//! Answers cut to a size that an agent can take, with a cursor for the rest.
//!
//! A list is cut between its records. What cannot be cut so, because a single record is too large, is
//! handed out as pieces of its JSON text. The rest of an answer is kept here for a while; a cursor stays
//! good when it is used again, and old rests make room for new ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::confirmation::random;

/// Answers whose rest is kept at the same time.
const MOST: usize = 8;

pub struct Pages {
    max_rows: usize,
    max_bytes: usize,
    kept: Mutex<VecDeque<(String, Arc<Kept>)>>,
}

/// An answer that is handed out in parts.
struct Kept {
    /// The answer without its list.
    envelope: Value,
    /// Where the list belongs: `results`, or a field of it.
    key: Option<String>,
    rows: Vec<Value>,
}

impl Pages {
    pub fn new(max_rows: usize, max_bytes: usize) -> Self {
        Pages { max_rows, max_bytes, kept: Mutex::default() }
    }

    /// The answer, or its first part with a cursor.
    pub fn first(&self, answer: Value) -> Value {
        let fits = answer.to_string().len() <= self.max_bytes;
        let (envelope, key, rows) = match apart(answer) {
            Ok(apart) => apart,
            Err(answer) if fits => return answer,
            Err(answer) => return self.keep(pieces(&answer, self.max_bytes)),
        };
        if fits && rows.len() <= self.max_rows {
            return together(&envelope, key.as_deref(), rows);
        }
        if rows.iter().any(|row| row.to_string().len() > self.max_bytes) {
            let whole = together(&envelope, key.as_deref(), rows);
            return self.keep(pieces(&whole, self.max_bytes));
        }
        self.keep(Kept { envelope, key, rows })
    }

    /// The part that a cursor stands for; `None` for a cursor that is not known any more.
    pub fn next(&self, cursor: &str) -> Option<Value> {
        let (id, at) = cursor.split_once('.')?;
        let at = at.parse().ok()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(other, _)| other == id).map(|(_, kept)| Arc::clone(kept))?;
        drop(kept);
        (at < found.rows.len()).then(|| self.part(id, &found, at))
    }

    fn keep(&self, answer: Kept) -> Value {
        let Some(id) = random() else {
            return json!({ "error": { "message": "the system gives no random numbers for a cursor" } });
        };
        let id = id[..12].to_owned();
        let answer = Arc::new(answer);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back((id.clone(), Arc::clone(&answer)));
        drop(kept);
        self.part(&id, &answer, 0)
    }

    fn part(&self, id: &str, answer: &Kept, at: usize) -> Value {
        let room = self.max_bytes.saturating_sub(answer.envelope.to_string().len() + 200);
        let (mut bytes, mut end) = (0, at);
        for row in answer.rows[at..].iter().take(self.max_rows) {
            bytes += row.to_string().len() + 1;
            if bytes > room && end > at {
                break;
            }
            end += 1;
        }
        let mut part = together(&answer.envelope, answer.key.as_deref(), answer.rows[at..end].to_vec());
        let shown = json!({ "from": at, "to": end, "of": answer.rows.len() });
        part["part"] = shown;
        if end < answer.rows.len() {
            part["cursor"] = json!(format!("{id}.{end}"));
        }
        part
    }
}

/// An answer without its list, the list's key, and the list.
type Apart = (Value, Option<String>, Vec<Value>);

fn apart(mut answer: Value) -> Result<Apart, Value> {
    match &mut answer["results"] {
        Value::Array(rows) => {
            let rows = std::mem::take(rows);
            Ok((answer, None, rows))
        }
        Value::Object(fields) => {
            let lists = fields.iter().filter_map(|(key, value)| Some((key, value.as_array()?.len())));
            let Some(key) = lists.max_by_key(|(_, length)| *length).map(|(key, _)| key.clone()) else {
                return Err(answer);
            };
            let rows = fields.get_mut(&key).and_then(Value::as_array_mut).map(std::mem::take);
            Ok((answer, Some(key), rows.unwrap_or_default()))
        }
        _ => Err(answer),
    }
}

fn together(envelope: &Value, key: Option<&str>, rows: Vec<Value>) -> Value {
    let mut answer = envelope.clone();
    match key {
        Some(key) => answer["results"][key] = rows.into(),
        None => answer["results"] = rows.into(),
    }
    answer
}

/// An answer as pieces of its text, each with room for the escaping of quotes.
fn pieces(answer: &Value, max_bytes: usize) -> Kept {
    let text = answer.to_string();
    let size = (max_bytes / 2).max(200);
    let mut rows = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let mut end = size.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        rows.push(json!(piece));
        rest = after;
    }
    let note = "one record is too large: `results` holds the JSON text of the answer in pieces, to be joined";
    Kept { envelope: json!({ "note": note, "bytes": text.len() }), key: None, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pages: &Pages, answer: Value) -> (Vec<Value>, usize) {
        let mut part = pages.first(answer);
        let (mut rows, mut parts) = (Vec::new(), 1);
        loop {
            let list = if part["results"].is_array() { &part["results"] } else { &part["results"]["data"] };
            rows.extend(list.as_array().unwrap().iter().cloned());
            assert!(part.to_string().len() <= pages.max_bytes + 100, "{}", part.to_string().len());
            let Some(cursor) = part["cursor"].as_str().map(str::to_owned) else { return (rows, parts) };
            part = pages.next(&cursor).unwrap();
            parts += 1;
        }
    }

    #[test]
    fn a_list_is_cut_by_rows_and_by_bytes() {
        let rows: Vec<Value> = (0..250).map(|id| json!({ "id": id, "text": "x".repeat(50) })).collect();
        let answer = json!({ "meta": {}, "results": { "type": "list", "data": rows } });
        assert_eq!(all(&Pages::new(100, 1_000_000), answer.clone()), (rows.clone(), 3));
        let (found, parts) = all(&Pages::new(100, 2_000), answer);
        assert_eq!(found, rows);
        assert!(parts > 8, "{parts}");
        let small = json!({ "meta": {}, "results": [{ "id": 1 }] });
        assert_eq!(Pages::new(100, 1_000).first(small.clone()), small);
    }

    #[test]
    fn a_large_record_comes_as_text() {
        let answer = json!({ "meta": {}, "results": { "id": "1", "body": "é\"".repeat(5_000) } });
        let (pieces, _) = all(&Pages::new(100, 4_000), answer.clone());
        let text: String = pieces.iter().map(|piece| piece.as_str().unwrap()).collect();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), answer);
    }

    #[test]
    fn a_cursor_can_be_used_again_until_it_is_forgotten() {
        let pages = Pages::new(1, 1_000);
        let cursor = |answer: &Value| answer["cursor"].as_str().unwrap().to_owned();
        let first = cursor(&pages.first(json!({ "results": [1, 2, 3] })));
        assert_eq!(pages.next(&first), pages.next(&first));
        (0..MOST).for_each(|_| drop(pages.first(json!({ "results": [1, 2] }))));
        assert!(pages.next(&first).is_none() && pages.next("x").is_none() && pages.next("a.b").is_none());
    }
}

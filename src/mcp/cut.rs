//! Splits a result into parts of limited size.
//!
//! Each part is JSON of the same shape as the document and continues where the last one ended; only the ids of the
//! enclosing records are repeated. Lists are split between records, large records between fields, at any depth. A
//! text too large for any part is cut; its rest is in the last parts, and `cut` says in which. No part may exceed
//! the limit, whatever the document contains.

mod text_rest;

use self::text_rest::TextRest;
use super::raw::{elements, end_within, fields, quoted};

/// Values nested deeper than this become text.
const MAX_DEPTH: usize = 64;

/// Limits of one part.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: usize,
    pub rows: usize,
}

/// A part: the fields of an object as JSON text, and the texts cut in it.
#[derive(Debug, Default)]
pub struct ResultPart {
    pub body: String,
    pub cut: Vec<Cut>,
    /// Whether it continues a cut text.
    pub is_rest: bool,
}

/// A text of which only the beginning is shown.
#[derive(Debug, Clone)]
pub struct Cut {
    pub path: String,
    /// Characters shown, and in total.
    pub shown: usize,
    pub of: usize,
    /// The part that continues it.
    pub part: usize,
}

impl Cut {
    /// Maximum bytes of its entry in `cut`.
    fn width(&self) -> usize {
        quoted(&self.path).len() + 110
    }
}

/// An object or array being written.
struct Level {
    /// Its name and its bracket.
    opener: String,
    is_array: bool,
    /// The fields that identify the record, repeated in the parts after the first.
    identity: String,
    /// Whether this part contains its opener, and any content.
    begun: bool,
    filled: bool,
    /// Elements in this part, if they are counted.
    rows: Option<usize>,
}

struct Cutter {
    limits: Limits,
    parts: Vec<ResultPart>,
    part: ResultPart,
    levels: Vec<Level>,
    path: Vec<String>,
    /// Bytes of this part's entries in `cut`.
    notes: usize,
    rests: Vec<TextRest>,
}

/// Splits the fields of a result, given as JSON text.
pub fn cut<'a>(answer: impl IntoIterator<Item = (&'a str, &'a str)>, limits: Limits) -> Vec<ResultPart> {
    let mut cutter = Cutter {
        limits,
        parts: Vec::new(),
        part: ResultPart::default(),
        levels: Vec::new(),
        path: Vec::new(),
        notes: 0,
        rests: Vec::new(),
    };
    for (name, text) in answer {
        cutter.value(Some(name), text);
    }
    cutter.end()
}

impl Cutter {
    fn value(&mut self, name: Option<&str>, text: &str) {
        let key = name.map(|name| self.key(name)).unwrap_or_default();
        self.path.push(match name {
            Some(name) => shortened(name, 60),
            None => "[]".to_owned(),
        });
        self.row();
        let rows = self.rows_of(text);
        let fits = rows.is_none_or(|rows| rows <= self.limits.rows);
        let bytes = key.len() + text.len();
        if fits && self.left() >= bytes {
            self.write(&key, text);
        } else if fits && self.left_of_new() >= bytes {
            self.turn();
            self.write(&key, text);
        } else if let Some(fields) = self.is_shallow().then(|| fields(text)).flatten() {
            self.open(&key, false, None);
            for (name, value) in fields {
                self.value(Some(&name), value.get());
            }
            self.close();
        } else if let Some(elements) = self.is_shallow().then(|| elements(text)).flatten() {
            self.open(&key, true, (!self.levels.iter().any(|level| level.is_array)).then_some(0));
            for element in elements {
                self.value(None, element.get());
            }
            self.close();
        } else {
            self.text(&key, text);
        }
        self.path.pop();
    }

    /// Whether another container fits.
    fn is_shallow(&self) -> bool {
        let taken: usize = self.levels.iter().map(Level::width).sum();
        self.levels.len() < MAX_DEPTH && taken < self.limits.bytes / 2
    }

    fn key(&self, name: &str) -> String {
        let key = quoted(name);
        if key.len() <= self.limits.bytes / 8 {
            return format!("{key}:");
        }
        format!("{}:", quoted(&shortened(name, self.limits.bytes / 64)))
    }

    /// The length of the longest list in a value; `None` inside of a list.
    fn rows_of(&self, text: &str) -> Option<usize> {
        let inside = self.levels.iter().any(|level| level.is_array);
        if inside { None } else { longest(text, 0) }
    }

    /// Counts a row of the current list; starts a new part if there are too many.
    fn row(&mut self) {
        let most = self.limits.rows;
        let Some(rows) = self.levels.last_mut().and_then(|level| level.rows.as_mut()) else { return };
        if *rows == most {
            self.turn();
        }
        if let Some(rows) = self.levels.last_mut().and_then(|level| level.rows.as_mut()) {
            *rows += 1;
        }
    }

    /// Bytes left in this part for a value.
    fn left(&self) -> usize {
        let waiting: usize = self.levels.iter().filter(|level| !level.begun).map(Level::width).sum();
        let taken = self.part.body.len() + waiting + self.levels.len() + self.notes + 2;
        self.limits.bytes.saturating_sub(taken)
    }

    /// Bytes that a new part would have for a value.
    fn left_of_new(&self) -> usize {
        let taken: usize = self.levels.iter().map(|level| level.width() + 1).sum();
        self.limits.bytes.saturating_sub(taken + 2)
    }

    fn write(&mut self, key: &str, text: &str) {
        self.begin();
        self.comma();
        self.part.body.push_str(key);
        self.part.body.push_str(text);
        let Some(level) = self.levels.last_mut() else { return };
        level.filled = true;
        let names_record = ["\"id\":", "\"type\":"].contains(&key) && text.len() <= 100 && !level.is_array;
        if names_record && !text.starts_with(['{', '[']) {
            level
                .identity
                .push_str(&format!("{}{key}{text}", if level.identity.is_empty() { "" } else { "," }));
        }
    }

    fn comma(&mut self) {
        let is_first = match self.levels.last() {
            None => self.part.body.is_empty(),
            Some(level) => !level.filled,
        };
        if !is_first {
            self.part.body.push(',');
        }
    }

    /// Opens the enclosing containers in this part.
    fn begin(&mut self) {
        let mut filled = !self.part.body.is_empty();
        for level in &mut self.levels {
            if !level.begun {
                if filled {
                    self.part.body.push(',');
                }
                self.part.body.push_str(&level.opener);
                self.part.body.push_str(&level.identity);
                level.begun = true;
                level.filled = !level.identity.is_empty();
            }
            filled = level.filled;
            level.filled = true;
        }
        if let Some(level) = self.levels.last_mut() {
            level.filled = filled;
        }
    }

    fn open(&mut self, key: &str, is_array: bool, rows: Option<usize>) {
        let opener = format!("{key}{}", if is_array { '[' } else { '{' });
        self.levels.push(Level {
            opener,
            is_array,
            identity: String::new(),
            begun: false,
            filled: false,
            rows,
        });
    }

    fn close(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        if level.begun {
            self.part.body.push(level.closer());
        }
    }

    /// Ends this part and starts the next.
    fn turn(&mut self) {
        for level in self.levels.iter().rev().filter(|level| level.begun) {
            self.part.body.push(level.closer());
        }
        for level in &mut self.levels {
            (level.begun, level.filled) = (false, false);
            level.rows = level.rows.map(|_| 0);
        }
        self.notes = 0;
        let part = std::mem::take(&mut self.part);
        if !part.body.is_empty() {
            self.parts.push(part);
        }
    }

    /// Writes the beginning of a text that is too large for any part.
    fn text(&mut self, key: &str, raw: &str) {
        let text: String = serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned());
        let of = text.chars().count();
        let mut cut = Cut { path: self.path(), shown: 0, of, part: self.rests.len() };
        let shown = self.limits.bytes / 4;
        if self.left() < key.len() + shown + cut.width() + 2 {
            self.turn();
        }
        let shown = shown.min(self.left().saturating_sub(key.len() + cut.width() + 2));
        let (beginning, rest) = text.split_at(end_within(&text, shown));
        cut.shown = beginning.chars().count();
        self.write(key, &quoted(beginning));
        self.notes += cut.width();
        self.rests.push(TextRest { path: cut.path.clone(), text: rest.to_owned(), from: cut.shown, of });
        self.part.cut.push(cut);
    }

    fn path(&self) -> String {
        let path = self.path.join(".").replace(".[]", "[]");
        path[..end_within(&path, 300)].to_owned()
    }

    fn end(mut self) -> Vec<ResultPart> {
        self.turn();
        let mut first_of = Vec::new();
        for rest in std::mem::take(&mut self.rests) {
            first_of.push(self.parts.len());
            let bodies = rest.bodies(self.limits.bytes).into_iter();
            self.parts.extend(bodies.map(|body| ResultPart { body, cut: Vec::new(), is_rest: true }));
        }
        for cut in self.parts.iter_mut().flat_map(|part| &mut part.cut) {
            cut.part = first_of.get(cut.part).copied().unwrap_or_default();
        }
        self.parts
    }
}

impl Level {
    fn width(&self) -> usize {
        self.opener.len() + self.identity.len() + 2
    }

    fn closer(&self) -> char {
        if self.is_array { ']' } else { '}' }
    }
}

fn longest(text: &str, depth: usize) -> Option<usize> {
    if let Some(elements) = elements(text) {
        return Some(elements.len());
    }
    let fields = (depth < 4).then(|| fields(text)).flatten()?;
    fields.iter().filter_map(|(_, value)| longest(value.get(), depth + 1)).max()
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parts(document: &Value, limits: Limits) -> Vec<Value> {
        let texts: Vec<(String, String)> = document
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        let parts = cut(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())), limits);
        let parsed = parts.iter().map(|part| {
            assert!(part.body.len() <= limits.bytes, "{} of {}", part.body.len(), limits.bytes);
            serde_json::from_str(&format!("{{{}}}", part.body))
                .unwrap_or_else(|error| panic!("{error}: {}", part.body))
        });
        parsed.collect()
    }

    fn bytes(limit: usize) -> Limits {
        Limits { bytes: limit, rows: 1000 }
    }

    #[test]
    fn a_document_that_fits_is_not_split() {
        let document = json!({ "meta": {}, "results": [{ "id": 1 }, []] });
        assert_eq!(parts(&document, bytes(500)), [document]);
    }

    #[test]
    fn lists_are_split_between_records_by_rows_and_by_bytes() {
        let rows: Vec<Value> = (0..250).map(|id| json!({ "id": id, "text": "x".repeat(50) })).collect();
        let document = json!({ "meta": { "a": 1 }, "results": { "type": "list", "data": rows } });
        for limits in [Limits { bytes: 1_000_000, rows: 100 }, bytes(2_000)] {
            let parts = parts(&document, limits);
            let found: Vec<Value> =
                parts.iter().flat_map(|part| part["results"]["data"].as_array().unwrap().clone()).collect();
            assert_eq!(found, rows);
            assert!(parts.len() == 3 || limits.bytes == 2_000, "{}", parts.len());
            assert_eq!(parts[0]["meta"]["a"], 1);
            assert!(parts[1].get("meta").is_none() && parts[1]["results"]["type"] == "list");
        }
    }

    #[test]
    fn a_nested_list_is_split_without_repeating_its_surroundings() {
        let messages: Vec<Value> =
            (0..300).map(|at| json!({ "id": format!("m{at}"), "text": "word ".repeat(10) })).collect();
        let document = json!({ "results": {
            "id": "c1", "name": "Ann ".repeat(40), "talks": [
                { "id": "t1", "title": "first", "messages": messages },
                { "id": "t2", "title": "second", "messages": [{ "id": "last" }] },
            ],
        } });
        let parts = parts(&document, bytes(4_000));
        let total: usize = parts.iter().map(|part| part.to_string().len()).sum();
        assert!(total < document.to_string().len() * 11 / 10, "{total}");
        let mut seen = Vec::new();
        for part in &parts {
            assert_eq!(part["results"]["id"], "c1");
            for talk in part["results"]["talks"].as_array().unwrap() {
                let of_talk = talk["messages"].as_array().into_iter().flatten();
                seen.extend(of_talk.map(|message| (talk["id"].clone(), message["id"].clone())));
            }
        }
        assert_eq!(seen.len(), 301);
        assert_eq!(seen[300], (json!("t2"), json!("last")));
        assert!(
            seen[..300].iter().enumerate().all(|(at, (talk, id))| *talk == "t1" && *id == format!("m{at}"))
        );
        assert_eq!(parts.iter().filter(|part| part.to_string().contains("Ann Ann")).count(), 1);
    }

    #[test]
    fn a_long_text_shows_its_beginning_and_its_rest_comes_last() {
        let body = "é\"\n".repeat(5_000);
        let document = json!({ "results": { "id": "1", "body": body, "after": 7 } });
        let limits = bytes(4_000);
        let texts = [("results".to_owned(), document["results"].to_string())];
        let cut = cut(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())), limits);
        let note = cut.iter().flat_map(|part| &part.cut).next().unwrap();
        assert_eq!((note.path.as_str(), note.of), ("results.body", 15_000));
        let parts = parts(&document, limits);
        let mut text = parts[0]["results"]["body"].as_str().unwrap().to_owned();
        assert_eq!(text.chars().count(), note.shown);
        assert!(parts[..note.part].iter().any(|part| part["results"]["after"] == 7));
        for part in &parts[note.part..] {
            assert_eq!(part["results"]["from"], text.chars().count());
            text.push_str(part["results"]["text"].as_str().unwrap());
        }
        assert_eq!(text, body);
    }

    #[test]
    fn no_part_exceeds_the_limit() {
        let mut deep = json!("x".repeat(3_000));
        for at in 0..90 {
            deep = if at % 2 == 0 { json!([deep]) } else { json!({ "k": deep }) };
        }
        for document in [
            json!({ "results": "x".repeat(50_000) }),
            json!({ "error": { "message": "e".repeat(9_000) }, "results": vec!["\u{1}".repeat(4_000); 9] }),
            json!({ "results": { "k".repeat(9_000): { "z".repeat(9_000): "v".repeat(9_000) } } }),
            json!({ "results": deep }),
            json!({ "results": vec![vec![vec![json!({}); 500]; 3]; 3] }),
        ] {
            assert!(!parts(&document, bytes(2_000)).is_empty());
        }
    }
}

//! The one way from what a command wrote to what a client gets.
//!
//! Every answer is made here, plans and errors and resources among them: its fields in the order in which
//! they should be read, what people wrote marked, and cut to size. Nothing reaches a client beside this.

use serde_json::{Value, json};

use super::marks::{self, Origin};
use super::pages::Pages;
use super::raw::{elements, fields, quoted};
use crate::cli::error::Error;

/// Texts to people that are passed on with one answer.
const MOST_SAID: usize = 20;

/// An answer on its way out.
pub struct Answer {
    origin: Origin,
    error: Option<Value>,
    /// Whether a command made the error, not this server.
    is_answered: bool,
    /// Fields as JSON text, in their order, with whose words they are.
    fields: Vec<(String, String, Origin)>,
}

impl Answer {
    pub fn new(origin: Origin) -> Self {
        Answer { origin, error: None, is_answered: false, fields: Vec::new() }
    }

    /// An answer that is an error of this program's.
    pub fn refused(error: Value) -> Self {
        Answer { error: Some(error), ..Answer::new(Origin::Own) }
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: &Value, origin: Origin) -> Self {
        self.fields.push((name.to_owned(), value.to_string(), origin));
        self
    }

    /// Adds a field that is JSON text.
    pub fn with_text(mut self, name: &str, text: String, origin: Origin) -> Self {
        self.fields.push((name.to_owned(), text, origin));
        self
    }

    /// An error of this server's.
    pub fn with_error(self, error: Option<Value>) -> Self {
        Answer { error, ..self }
    }

    /// The error that a command ended with.
    pub fn with_failure(self, error: Option<Value>) -> Self {
        Answer { error, is_answered: true, ..self }
    }

    /// Adds what a command said to people.
    pub fn with_said(self, said: &[String]) -> Self {
        let newest: Vec<&String> = said.iter().skip(said.len().saturating_sub(MOST_SAID)).collect();
        match (newest.is_empty(), self.origin) {
            (true, _) => self,
            // Warnings quote what they warn about.
            (_, Origin::Own | Origin::Report) => self.with("warnings", &json!(newest), Origin::Own),
            _ => self.with("warnings", &json!(newest), Origin::Moved),
        }
    }

    /// Adds the fields of the document that a command wrote; what is no object is the results.
    pub fn with_output(mut self, output: &str) -> Self {
        let text = output.trim();
        let origin = self.origin;
        if let Some(found) = fields(text) {
            for (name, value) in found {
                // What is known about the records comes before them.
                let place = if name == "meta" { 0 } else { self.fields.len() };
                let origin = if name == "meta" { Origin::Own } else { origin };
                self.fields.insert(place, (name, value.get().to_owned(), origin));
            }
            self
        } else {
            self.with_results(output)
        }
    }

    /// Adds output as the results, whatever it looks like.
    pub fn with_results(mut self, output: &str) -> Self {
        let text = output.trim();
        if !text.is_empty() {
            self.fields.push(("results".to_owned(), results(text), self.origin));
        }
        self
    }

    pub fn is_error(&self) -> bool {
        self.error.is_some()
    }

    /// The field of this name; null when there is none.
    pub fn field(&self, name: &str) -> Value {
        self.text(name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The JSON text of the field of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, ..)| other == name).map(|(_, text, _)| text.as_str())
    }

    /// Puts this value into the field `meta`.
    pub fn note(&mut self, name: &str, value: Value) {
        let mut meta = self.field("meta");
        if !meta.is_object() {
            meta = json!({});
            self.fields.insert(0, ("meta".to_owned(), String::new(), Origin::Own));
        }
        meta[name] = value;
        if let Some((_, text, _)) = self.fields.iter_mut().find(|(other, ..)| other == "meta") {
            *text = meta.to_string();
        }
    }

    /// Drops the error.
    pub fn forgive(&mut self) {
        self.error = None;
    }

    /// The document for the client, or its first part.
    pub fn document(self, pages: &Pages) -> Value {
        let mut places = Vec::new();
        if let Some(error) = self.error.as_ref().filter(|_| self.is_answered) {
            places.extend(error_places(error));
        }
        places.extend(self.fields.iter().flat_map(|(name, text, origin)| marks::places(name, text, *origin)));
        let mark = if places.is_empty() { Value::Null } else { marks::of(&places) };
        let error = self.error.map(|error| error.to_string());
        let shown = if mark.is_null() { None } else { Some(mark.to_string()) };
        let (meta, rest): (Vec<_>, Vec<_>) = self.fields.iter().partition(|(name, ..)| name == "meta");
        let first = error.iter().map(|text| ("error", text.as_str()));
        let meta = meta.into_iter().map(|(name, text, _)| (name.as_str(), text.as_str()));
        let marked = shown.iter().map(|text| ("untrusted", text.as_str()));
        let rest = rest.into_iter().map(|(name, text, _)| (name.as_str(), text.as_str()));
        pages.first(first.chain(meta).chain(marked).chain(rest), mark)
    }
}

/// Which parts of a command's error may not be this program's words: messages quote the names of teams and
/// tags, and the server's own text.
fn error_places(error: &Value) -> Vec<String> {
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let mut places = Vec::new();
    if !text("message").is_empty() && text("message") != Error::NoToken.to_string() {
        places.push("error.message".to_owned());
    }
    // Names that fit are quoted, and so is the command to describe.
    if text("hint").contains('"') && !text("hint").contains("describe_command") {
        places.push("error.hint".to_owned());
    }
    if !error["http_status"].is_null() {
        let given = ["code", "request_id"].into_iter().filter(|name| !text(name).is_empty());
        places.extend(given.map(|name| format!("error.{name}")));
    }
    places
}

/// Output that is no object, as JSON: a value, several of them line by line, or text.
fn results(text: &str) -> String {
    if fields(text).is_some() || elements(text).is_some() || serde_json::from_str::<Value>(text).is_ok() {
        return text.to_owned();
    }
    // A program of --jq writes a value a line.
    let lines: Option<Vec<String>> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Box<serde_json::value::RawValue>>(line).ok().map(|it| it.get().to_owned())
        })
        .collect();
    lines.map_or_else(|| quoted(text), |lines| format!("[{}]", lines.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        Pages::new(100, 2_000)
    }

    #[test]
    fn an_error_and_what_is_known_come_first() {
        let rows: Vec<Value> = (0..200).map(|id| json!({ "id": id, "name": "Ann" })).collect();
        let output = json!({ "results": rows, "meta": { "complete": false } }).to_string();
        let error = json!({ "kind": "failure", "http_status": 500, "message": "they say" });
        let answer = Answer::new(Origin::Documents).with_said(&["careful".to_owned()]).with_output(&output);
        let part = answer.with_failure(Some(error)).document(&pages());
        let names: Vec<&String> = part.as_object().unwrap().keys().collect();
        assert_eq!(names, ["error", "meta", "untrusted", "warnings", "results", "part", "cursor"]);
        assert_eq!(part["untrusted"]["fields"], json!(["error.message", "warnings", "results[].name"]));
        assert!(part.to_string().len() <= 2_000);
    }

    #[test]
    fn output_of_any_kind_is_results() {
        for (output, expected) in [
            ("", json!({})),
            ("[1,2]", json!({ "results": [1, 2] })),
            ("1\n{\"a\":2}\n", json!({ "results": [1, { "a": 2 }] })),
            ("id,name\n1,Ann\n", json!({ "results": "id,name\n1,Ann" })),
            ("{\"method\":\"GET\"}", json!({ "method": "GET" })),
        ] {
            assert_eq!(Answer::new(Origin::Own).with_output(output).document(&pages()), expected, "{output}");
        }
    }

    #[test]
    fn a_note_is_a_part_of_what_is_known() {
        let mut answer =
            Answer::new(Origin::Own).with_output("{\"results\":[],\"meta\":{\"source\":\"live\"}}");
        answer.note("has_more", json!(true));
        assert_eq!(
            answer.document(&pages()),
            json!({ "meta": { "source": "live", "has_more": true }, "results": [] })
        );
    }
}

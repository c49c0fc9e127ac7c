//! Builds every result that a client gets, including plans, errors and resources.
//!
//! Orders the fields by importance, marks text that people wrote, and cuts the result to size. No other module
//! may send data to a client.

use serde_json::{Map, Value, json};

use super::decode;
use super::error_result::ErrorResult;
use super::raw::{elements, fields, quoted};
use super::truncate::Pages;
use super::untrusted::{self, TextOrigin};

/// Maximum number of notices in one result.
const MAX_NOTICES: usize = 20;

/// A result being built.
pub struct ToolResult {
    origin: TextOrigin,
    error: Option<Value>,
    /// Fields of the error that may contain foreign text.
    untrusted_in_error: Vec<&'static str>,
    /// Names, JSON texts and origins, in order.
    fields: Vec<(String, String, TextOrigin)>,
}

impl ToolResult {
    pub fn new(origin: TextOrigin) -> Self {
        ToolResult { origin, error: None, untrusted_in_error: Vec::new(), fields: Vec::new() }
    }

    /// A result that is an error of this program.
    pub fn from_error(error: Value) -> Self {
        ToolResult { error: Some(error), ..ToolResult::new(TextOrigin::Own) }
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: &Value, origin: TextOrigin) -> Self {
        self.fields.push((name.to_owned(), value.to_string(), origin));
        self
    }

    /// Adds a field that is JSON text.
    pub fn with_text(mut self, name: &str, text: String, origin: TextOrigin) -> Self {
        self.fields.push((name.to_owned(), text, origin));
        self
    }

    /// Sets an error made by this server.
    pub fn with_error(self, error: Option<Value>) -> Self {
        ToolResult { error, ..self }
    }

    /// Sets the error of a command.
    pub fn with_failure(self, failure: Option<ErrorResult>) -> Self {
        match failure {
            Some(ErrorResult { value, untrusted }) => {
                ToolResult { error: Some(value), untrusted_in_error: untrusted, ..self }
            }
            None => self,
        }
    }

    /// Adds the notices that a command printed for people, the newest if there are too many.
    pub fn with_notices(self, notices: &[String]) -> Self {
        let newest: Vec<&String> = notices.iter().skip(notices.len().saturating_sub(MAX_NOTICES)).collect();
        match (newest.is_empty(), self.origin) {
            (true, _) => self,
            // Warnings may quote untrusted text.
            (_, TextOrigin::Own | TextOrigin::Report) => {
                self.with("warnings", &json!(newest), TextOrigin::Own)
            }
            _ => self.with("warnings", &json!(newest), TextOrigin::Derived),
        }
    }

    /// Adds the fields of the document that a command wrote. Anything but an object becomes `results`.
    pub fn with_output(mut self, output: &str) -> Self {
        let text = output.trim();
        let origin = self.origin;
        if let Some(members) = fields(text) {
            for (name, value) in members {
                // `meta` comes before the records.
                let index = if name == "meta" { 0 } else { self.fields.len() };
                let origin = if name == "meta" { TextOrigin::Own } else { origin };
                self.fields.insert(index, (name, value.get().to_owned(), origin));
            }
            self
        } else {
            self.with_results(output)
        }
    }

    /// Adds the whole output as `results`, even if it is an object.
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

    /// A value in `meta`.
    pub fn meta(&self, name: &str) -> Option<Value> {
        self.whole_meta()?.remove(name)
    }

    /// `meta`, if it is an object that can be read.
    fn whole_meta(&self) -> Option<Map<String, Value>> {
        match decode::lenient(self.text("meta")?.as_bytes()) {
            Ok(Value::Object(meta)) => Some(meta),
            _ => None,
        }
    }

    /// The JSON text of a field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, ..)| other == name).map(|(_, text, _)| text.as_str())
    }

    /// Adds a value to `meta`.
    pub fn note(&mut self, name: &str, value: Value) {
        if self.text("meta").is_none() {
            self.fields.insert(0, ("meta".to_owned(), "{}".to_owned(), TextOrigin::Own));
        }
        // A `meta` that cannot be read stays as it is.
        let Some(mut meta) = self.whole_meta() else { return };
        meta.insert(name.to_owned(), value);
        if let Some((_, text, _)) = self.fields.iter_mut().find(|(other, ..)| other == "meta") {
            *text = Value::Object(meta).to_string();
        }
    }

    /// Removes the error.
    pub fn clear_error(&mut self) {
        self.error = None;
    }

    /// The document for the client, or its first part.
    pub fn document(self, pages: &Pages) -> Value {
        let mut marked = Vec::new();
        if self.error.is_some() {
            marked.extend(self.untrusted_in_error.iter().map(|field| (*field).to_owned()));
        }
        marked.extend(
            self.fields.iter().flat_map(|(name, text, origin)| untrusted::fields(name, text, *origin)),
        );
        let mark = if marked.is_empty() { Value::Null } else { untrusted::mark(&marked) };
        let error = self.error.map(|error| error.to_string());
        let mark_text = if mark.is_null() { None } else { Some(mark.to_string()) };
        let (meta, rest): (Vec<_>, Vec<_>) = self.fields.iter().partition(|(name, ..)| name == "meta");
        let first = error.iter().map(|text| ("error", text.as_str()));
        let meta = meta.into_iter().map(|(name, text, _)| (name.as_str(), text.as_str()));
        let mark_field = mark_text.iter().map(|text| ("untrusted", text.as_str()));
        let rest = rest.into_iter().map(|(name, text, _)| (name.as_str(), text.as_str()));
        pages.first(first.chain(meta).chain(mark_field).chain(rest), mark)
    }
}

/// The output as a JSON value: a value as it is, one value per line as an array, or else text.
fn results(text: &str) -> String {
    if fields(text).is_some() || elements(text).is_some() || serde_json::from_str::<Value>(text).is_ok() {
        return text.to_owned();
    }
    // jq programs write one value per line.
    let lines: Option<Vec<String>> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Box<serde_json::value::RawValue>>(line)
                .ok()
                .map(|value| value.get().to_owned())
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
    fn the_error_and_meta_come_first() {
        let rows: Vec<Value> = (0..200).map(|id| json!({ "id": id, "name": "Ann" })).collect();
        let output = json!({ "results": rows, "meta": { "complete": false } }).to_string();
        let error = json!({ "kind": "failure", "http_status": 500, "message": "they say" });
        let error = ErrorResult { value: error, untrusted: vec!["error.message"] };
        let answer =
            ToolResult::new(TextOrigin::Documents).with_notices(&["careful".to_owned()]).with_output(&output);
        let part = answer.with_failure(Some(error)).document(&pages());
        let names: Vec<&String> = part.as_object().unwrap().keys().collect();
        assert_eq!(names, ["error", "meta", "untrusted", "warnings", "results", "part", "cursor"]);
        assert_eq!(part["untrusted"]["fields"], json!(["error.message", "warnings", "results[].name"]));
        assert!(part.to_string().len() <= 2_000);
    }

    #[test]
    fn output_that_is_not_an_object_becomes_results() {
        for (output, expected) in [
            ("", json!({})),
            ("[1,2]", json!({ "results": [1, 2] })),
            ("1\n{\"a\":2}\n", json!({ "results": [1, { "a": 2 }] })),
            ("id,name\n1,Ann\n", json!({ "results": "id,name\n1,Ann" })),
            ("{\"method\":\"GET\"}", json!({ "method": "GET" })),
        ] {
            assert_eq!(
                ToolResult::new(TextOrigin::Own).with_output(output).document(&pages()),
                expected,
                "{output}"
            );
        }
    }

    #[test]
    fn a_note_is_added_to_meta() {
        let mut answer =
            ToolResult::new(TextOrigin::Own).with_output("{\"results\":[],\"meta\":{\"source\":\"live\"}}");
        answer.note("has_more", json!(true));
        assert_eq!(
            answer.document(&pages()),
            json!({ "meta": { "source": "live", "has_more": true }, "results": [] })
        );
    }
}

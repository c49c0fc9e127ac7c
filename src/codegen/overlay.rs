//! `spec/overlay.yaml`: our words for the operations, and our corrections of their description.
//!
//! Corrections are written into the description before anything is generated, so that the typed
//! client and the command table agree. An entry for an operation that the description lacks is
//! ignored: one overlay serves several versions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::description::{Description, METHODS, operation_id};
use super::error::Error;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    #[serde(default)]
    pub operations: BTreeMap<String, Entry>,
    /// Help for flags by wire name, wherever the operation has none of its own.
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    #[serde(default)]
    pub additions: Additions,
}

/// Operations of a later version, offered already.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Additions {
    #[serde(default, rename = "why")]
    _why: String,
    #[serde(default)]
    pub paths: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub command: Option<String>,
    #[serde(default)]
    pub readable: Vec<String>,
    pub effect: Option<Effect>,
    #[serde(default)]
    pub help: String,
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    pub paging: Option<Paging>,
    /// Query parameters that the description omits.
    #[serde(default)]
    pub parameters: Vec<Addition>,
    /// Body fields that the description omits; dotted for a field of an object.
    #[serde(default)]
    pub fields: Vec<Addition>,
    /// Corrected types of parameters, by name.
    #[serde(default)]
    pub types: BTreeMap<String, TypeCorrection>,
    /// Parameters that hold epoch seconds though their type does not say so.
    #[serde(default)]
    pub times: BTreeMap<String, Reason>,
    pub version: Option<Version>,
    pub answer: Option<Answer>,
    pub body: Option<BodyCorrection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Read,
    Write,
    Destructive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagingKind {
    Cursor,
    CursorInBody,
    Page,
    Scroll,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    pub kind: PagingKind,
    #[serde(default)]
    pub max: u32,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addition {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(rename = "enum")]
    pub choices: Option<Vec<Value>>,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeCorrection {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(rename = "enum")]
    pub choices: Option<Vec<Value>>,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    pub at_least: String,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerKind {
    Json,
    Text,
    Bytes,
    Nothing,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub kind: AnswerKind,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyCorrection {
    pub schema: Value,
    #[serde(rename = "why")]
    _why: String,
}

impl Overlay {
    /// # Errors
    /// [`Error::Yaml`] when the text is no YAML or holds a key that is not ours.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_saphyr::from_str(text)
            .map_err(|error| Error::Yaml { what: "spec/overlay.yaml", reason: error.to_string() })
    }

    /// Writes the corrections into the description.
    pub fn apply(&self, description: &mut Description) {
        self.add_operations(description);
        let Some(paths) = description.root["paths"].as_object_mut() else { return };
        for (path, item) in paths {
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                if let Some(entry) = self.operations.get(&operation_id(method, path, operation)) {
                    entry.correct(operation);
                }
            }
        }
        self.add_body_fields(description);
    }

    fn add_operations(&self, description: &mut Description) {
        let known: Vec<String> = description.operations().into_iter().map(|it| it.id).collect();
        for (path, item) in &self.additions.paths {
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                if !known.contains(&operation_id(method, path, operation)) {
                    description.root["paths"][path][method] = operation.clone();
                }
            }
        }
    }

    /// Gives the operation a request schema of its own, `allOf` the described one and the addition,
    /// because the described one is often shared with operations that need no correction.
    fn add_body_fields(&self, description: &mut Description) {
        let Some(paths) = description.root["paths"].as_object_mut() else { return };
        for (path, item) in paths {
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                let id = operation_id(method, path, operation);
                let Some(entry) = self.operations.get(&id).filter(|it| !it.fields.is_empty()) else {
                    continue;
                };
                let place = "/requestBody/content/application~1json/schema";
                if let Some(schema) = operation.pointer_mut(place) {
                    *schema = json!({ "allOf": [schema.take(), fields_schema(&entry.fields)] });
                }
            }
        }
    }

    /// Our line for an operation; its id when the overlay does not know it.
    pub fn help(&self, operation: &str) -> String {
        let help = self.operations.get(operation).map_or("", |entry| entry.help.as_str());
        if help.is_empty() { operation.to_owned() } else { help.to_owned() }
    }

    /// Our help for one flag of one operation; empty when the name has to do.
    pub fn flag_help(&self, operation: &str, wire_name: &str) -> &str {
        let own = self.operations.get(operation).and_then(|entry| entry.flags.get(wire_name));
        own.or_else(|| self.flags.get(wire_name)).map_or("", String::as_str)
    }
}

impl Entry {
    fn correct(&self, operation: &mut Value) {
        let mut parameters = match operation["parameters"].take() {
            Value::Array(parameters) => parameters,
            _ => Vec::new(),
        };
        for (name, correction) in &self.types {
            for parameter in parameters.iter_mut().filter(|it| it["name"] == name.as_str()) {
                parameter["schema"] = scalar(&correction.kind, correction.choices.as_ref());
            }
        }
        for name in self.times.keys() {
            for parameter in parameters.iter_mut().filter(|it| it["name"] == name.as_str()) {
                parameter["schema"]["format"] = "timestamp".into();
            }
        }
        for addition in &self.parameters {
            if parameters.iter().all(|it| it["name"] != addition.name.as_str()) {
                let schema = scalar(&addition.kind, addition.choices.as_ref());
                parameters.push(json!({ "name": addition.name, "in": "query", "schema": schema }));
            }
        }
        operation["parameters"] = parameters.into();
        if let (Some(body), None) = (&self.body, operation.get("requestBody")) {
            operation["requestBody"] =
                json!({ "content": { "application/json": { "schema": body.schema } } });
        }
    }
}

fn scalar(kind: &str, choices: Option<&Vec<Value>>) -> Value {
    match choices {
        Some(choices) => json!({ "type": kind, "enum": choices }),
        None => json!({ "type": kind }),
    }
}

fn fields_schema(fields: &[Addition]) -> Value {
    let mut schema = json!({ "type": "object", "properties": {} });
    for field in fields {
        let value = scalar(&field.kind, field.choices.as_ref());
        match field.name.split_once('.') {
            Some((object, name)) => {
                schema["properties"][object]["type"] = "object".into();
                schema["properties"][object]["properties"][name] = value;
            }
            None => schema["properties"][&field.name] = value,
        }
    }
    schema
}

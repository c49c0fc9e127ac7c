//! Reads `spec/overlay.yaml`: our names and help for the operations, and our corrections of the description.
//!
//! Corrections are applied to the description before anything is generated, so that the typed client and the
//! command table agree. Entries for operations that the description lacks must be ignored: one overlay serves
//! several versions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::description::{Description, METHODS, operation_id};
use super::effect::{Confirm, Reach};
use super::error::Error;
use super::versions;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    #[serde(default)]
    pub operations: BTreeMap<String, OperationEntry>,
    /// Default help for flags by wire name, used if the operation does not define it.
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    /// Corrected choices of fields, by schema name and field name.
    #[serde(default)]
    pub choices: BTreeMap<String, BTreeMap<String, ChoicesCorrection>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoicesCorrection {
    pub values: Vec<String>,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationEntry {
    pub command: Option<String>,
    #[serde(default)]
    pub readable: Vec<String>,
    pub effect: Option<Reach>,
    pub confirm: Option<Confirm>,
    #[serde(default)]
    pub help: String,
    /// Arguments of an example call, as typed after the words of the command.
    pub example: Option<String>,
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    pub paging: Option<PagingCorrection>,
    /// Query parameters that the description omits.
    #[serde(default)]
    pub parameters: Vec<AddedField>,
    /// Body fields that the description omits; dotted for a field of an object.
    #[serde(default)]
    pub fields: Vec<AddedField>,
    /// Corrected types of parameters, by name.
    #[serde(default)]
    pub types: BTreeMap<String, TypeCorrection>,
    /// Parameters, and fields of an inline body, that contain epoch seconds although their type does not say so.
    #[serde(default)]
    pub times: BTreeMap<String, TimeCorrection>,
    /// Names of path parameters, by their described name.
    #[serde(default)]
    pub placeholders: BTreeMap<String, String>,
    pub version: Option<RequiredVersion>,
    pub answer: Option<AnswerCorrection>,
    pub body: Option<BodyCorrection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagingKind {
    Cursor,
    CursorInBody,
    Page,
    Scroll,
    /// The response itself says how to get the next page.
    Whole,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagingCorrection {
    pub kind: PagingKind,
    #[serde(default)]
    pub max: u32,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedField {
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
pub struct TimeCorrection {
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredVersion {
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
pub struct AnswerCorrection {
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
    /// [`Error::Yaml`] if the text is not YAML or contains an unknown key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_saphyr::from_str(text)
            .map_err(|error| Error::Yaml { what: "spec/overlay.yaml", reason: error.to_string() })
    }

    /// Renames path parameters.
    pub fn rename_placeholders(&self, description: &mut Description) {
        let Some(paths) = description.root["paths"].as_object_mut() else { return };
        for (path, mut item) in std::mem::take(paths) {
            let entries = METHODS
                .iter()
                .filter_map(|method| self.operations.get(&operation_id(method, &path, item.get(*method)?)));
            let names: Vec<&BTreeMap<String, String>> = entries.map(|entry| &entry.placeholders).collect();
            let renamed = names.into_iter().flatten().fold(path.clone(), |path, (described, name)| {
                path.replace(&format!("{{{described}}}"), &format!("{{{name}}}"))
            });
            versions::rename_placeholders(&path, &renamed, &mut item);
            paths.insert(renamed, item);
        }
    }

    /// Applies the corrections to the description.
    pub fn apply(&self, description: &mut Description) {
        for (schema, fields) in &self.choices {
            for (field, choices) in fields {
                let place = format!("/components/schemas/{schema}/properties/{field}/enum");
                if let Some(values) = description.root.pointer_mut(&place) {
                    *values = json!(choices.values);
                }
            }
        }
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

    /// Replaces the request schema by an `allOf` of the described one and the addition. The described one is
    /// left alone, because other operations often share it.
    fn add_body_fields(&self, description: &mut Description) {
        let Some(paths) = description.root["paths"].as_object_mut() else { return };
        for (path, item) in paths {
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                let id = operation_id(method, path, operation);
                let Some(entry) = self.operations.get(&id).filter(|entry| !entry.fields.is_empty()) else {
                    continue;
                };
                let place = "/requestBody/content/application~1json/schema";
                if let Some(schema) = operation.pointer_mut(place) {
                    *schema = json!({ "allOf": [schema.take(), fields_schema(&entry.fields)] });
                }
            }
        }
    }

    /// The help line of an operation, or its id if the overlay has none.
    pub fn help(&self, operation: &str) -> String {
        let help = self.operations.get(operation).map_or("", |entry| entry.help.as_str());
        if help.is_empty() { operation.to_owned() } else { help.to_owned() }
    }

    /// The help of one flag of one operation, or an empty text.
    pub fn flag_help(&self, operation: &str, wire_name: &str) -> &str {
        let specific = self.operations.get(operation).and_then(|entry| entry.flags.get(wire_name));
        specific.or_else(|| self.flags.get(wire_name)).map_or("", String::as_str)
    }
}

impl OperationEntry {
    fn correct(&self, operation: &mut Value) {
        let mut parameters = match operation["parameters"].take() {
            Value::Array(parameters) => parameters,
            _ => Vec::new(),
        };
        for (name, correction) in &self.types {
            for parameter in parameters.iter_mut().filter(|parameter| parameter["name"] == name.as_str()) {
                parameter["schema"] = scalar(&correction.kind, correction.choices.as_ref());
            }
        }
        for name in self.times.keys() {
            for parameter in parameters.iter_mut().filter(|parameter| parameter["name"] == name.as_str()) {
                parameter["schema"]["format"] = "timestamp".into();
            }
            let field = format!("/requestBody/content/application~1json/schema/properties/{name}");
            if let Some(field) = operation.pointer_mut(&field) {
                field["format"] = "timestamp".into();
            }
        }
        for addition in &self.parameters {
            if parameters.iter().all(|parameter| parameter["name"] != addition.name.as_str()) {
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

fn fields_schema(fields: &[AddedField]) -> Value {
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

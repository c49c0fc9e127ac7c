//! Converts request schemas to a flat list of fields, for flags, and to JSON Schema 2020-12, for validating
//! requests.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, SCHEMAS, reference};
use super::versions::{LATER, LATER_VALUES, SINCE};

/// One top-level field of a request body.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub schema: Value,
    pub required: bool,
}

/// Schemas that contain themselves are followed up to this depth.
const MAX_DEPTH: usize = 16;

/// The fields of a body, joined over all its alternatives. A field is required only if every alternative of the
/// oldest version requires it, and a choice offers the values of all alternatives.
pub fn fields(description: &Description, schema: &Value) -> Vec<Field> {
    fields_at(description, schema, 0)
}

fn fields_at(description: &Description, schema: &Value, depth: usize) -> Vec<Field> {
    let schema = description.resolve(schema);
    let mut fields: Vec<Field> = Vec::new();
    if depth > MAX_DEPTH {
        return fields;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        for field in fields_at(description, part, depth + 1) {
            add(&mut fields, field, true);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let field = Field { name: name.clone(), schema: property.clone(), required: false };
        add(&mut fields, field, true);
    }
    for combination in ["oneOf", "anyOf"] {
        let Some(alternatives) = schema[combination].as_array() else { continue };
        let alternatives: Vec<(bool, Vec<Field>)> = alternatives
            .iter()
            .map(|alternative| {
                let fields = fields_at(description, alternative, depth + 1);
                (alternative.get(SINCE).is_none(), since(alternative, fields))
            })
            // An alternative without fields only states which other fields are required together.
            .filter(|(_, fields)| !fields.is_empty())
            .collect();
        let is_always_required = |name: &str| {
            let mut oldest = alternatives.iter().filter(|(is_oldest, _)| *is_oldest);
            oldest.all(|(_, fields)| fields.iter().any(|field| field.name == name && field.required))
        };
        let required: Vec<String> = alternatives
            .first()
            .into_iter()
            .flat_map(|(_, fields)| fields)
            .filter(|field| is_always_required(&field.name))
            .map(|field| field.name.clone())
            .collect();
        for mut field in alternatives.into_iter().flat_map(|(_, fields)| fields) {
            field.required = required.contains(&field.name);
            add(&mut fields, field, false);
        }
    }
    for name in required(description, schema, depth) {
        for field in fields.iter_mut().filter(|field| name == field.name) {
            field.required = true;
        }
    }
    fields
}

/// Marks the fields of an alternative that a later version adds.
fn since(alternative: &Value, mut fields: Vec<Field>) -> Vec<Field> {
    if let Some(version) = alternative.get(SINCE) {
        for schema in fields.iter_mut().filter_map(|field| field.schema.as_object_mut()) {
            schema.entry(SINCE).or_insert_with(|| version.clone());
        }
    }
    fields
}

/// The fields that every alternative of a body requires.
fn required(description: &Description, schema: &Value, depth: usize) -> BTreeSet<String> {
    let schema = description.resolve(schema);
    let named = schema["required"].as_array().into_iter().flatten();
    let mut required: BTreeSet<String> = named.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    if depth > MAX_DEPTH {
        return required;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        required.extend(self::required(description, part, depth + 1));
    }
    for combination in ["oneOf", "anyOf"] {
        let alternatives = schema[combination].as_array().into_iter().flatten();
        let in_all = alternatives
            .filter(|alternative| alternative.get(SINCE).is_none())
            .map(|alternative| self::required(description, alternative, depth + 1))
            .reduce(|one, other| one.intersection(&other).cloned().collect());
        required.extend(in_all.unwrap_or_default());
    }
    required
}

/// Adds a field, or merges it into the one with the same name. Choices offer the values of both. With
/// `together`, both schemas apply at once; otherwise they are alternatives.
fn add(fields: &mut Vec<Field>, field: Field, together: bool) {
    let Some(known) = fields.iter_mut().find(|known| known.name == field.name) else {
        fields.push(field);
        return;
    };
    known.required =
        if together { known.required || field.required } else { known.required && field.required };
    let choices = |schema: &Value| schema["enum"].as_array().cloned();
    if let (None, Some(schema)) = (field.schema.get(SINCE), known.schema.as_object_mut()) {
        schema.shift_remove(SINCE);
    }
    match (choices(&known.schema), choices(&field.schema)) {
        (Some(mut values), Some(more)) => {
            let new: Vec<_> = more.into_iter().filter(|value| !values.contains(value)).collect();
            for value in new.iter().filter_map(Value::as_str) {
                if let Some(version) = field.schema[LATER_VALUES].get(value) {
                    known.schema[LATER_VALUES][value] = version.clone();
                }
            }
            values.extend(new);
            known.schema["enum"] = values.into();
        }
        (Some(_), None) => known.schema = field.schema,
        _ if together && known.schema != field.schema => {
            known.schema = json!({ "allOf": [known.schema.take(), field.schema] });
        }
        _ => {}
    }
}

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// The schema as JSON Schema 2020-12: `nullable` becomes a type, and references point to `#/$defs/`.
pub fn json_schema(schema: &Value) -> Value {
    let Some(source) = schema.as_object() else { return schema.clone() };
    if let Some(target) = reference(schema) {
        return json!({ "$ref": definition(target) });
    }
    let mut kept = Map::new();
    for (keyword, value) in source.iter().filter(|(keyword, _)| !keyword.starts_with("x-")) {
        match keyword.as_str() {
            "nullable" | "format" | "default" | "deprecated" | "discriminator" => None,
            "properties" => kept.insert(keyword.clone(), json_schemas(value)),
            "items" | "not" => kept.insert(keyword.clone(), json_schema(value)),
            // Free maps are described with one value type, mostly string, but accept every scalar.
            "additionalProperties" if value.is_object() => None,
            "additionalProperties" => kept.insert(keyword.clone(), value.clone()),
            "type" => value
                .as_str()
                .filter(|kind| TYPES.contains(kind))
                .and_then(|_| kept.insert(keyword.clone(), value.clone())),
            // JSON Schema does not allow empty combinations.
            "oneOf" | "anyOf" | "allOf" if value.as_array().is_none_or(Vec::is_empty) => None,
            "oneOf" | "anyOf" | "allOf" => {
                let parts = value.as_array().into_iter().flatten().map(json_schema).collect();
                // Alternatives overlap (a reply matches two of them), and the API accepts such values.
                let keyword = if keyword == "oneOf" { "anyOf" } else { keyword };
                kept.insert(keyword.to_owned(), parts)
            }
            _ => kept.insert(keyword.clone(), value.clone()),
        };
    }
    if let Some(later) = source.get(LATER) {
        let earlier = std::mem::take(&mut kept);
        kept.insert("anyOf".to_owned(), json!([earlier, json_schema(&later["schema"])]));
    }
    if source.get("nullable") == Some(&Value::Bool(true)) && !kept.is_empty() {
        return json!({ "anyOf": [kept, { "type": "null" }] });
    }
    kept.into()
}

fn json_schemas(properties: &Value) -> Value {
    let properties = properties.as_object().into_iter().flatten();
    properties.map(|(name, schema)| (name.clone(), json_schema(schema))).collect::<Map<_, _>>().into()
}

fn definition(pointer: &str) -> String {
    pointer.replacen(SCHEMAS, "#/$defs/", 1)
}

/// All component schemas that these schemas refer to, by name, as JSON Schema.
pub fn definitions<'a>(
    description: &Description,
    roots: impl Iterator<Item = &'a Value>,
) -> Map<String, Value> {
    let mut names = BTreeSet::new();
    for root in roots {
        reach(description, root, &mut names);
    }
    let schemas = &description.root["components"]["schemas"];
    names.iter().map(|name| (name.clone(), json_schema(&schemas[name]))).collect()
}

/// Collects the names of the component schemas that a value refers to, directly or indirectly.
pub fn reach(description: &Description, value: &Value, names: &mut BTreeSet<String>) {
    if let Some(name) = reference(value).and_then(|target| target.strip_prefix(SCHEMAS)) {
        if names.insert(name.to_owned()) {
            reach(description, &description.root["components"]["schemas"][name], names);
        }
        return;
    }
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| reach(description, entry, names)),
        Value::Object(entries) => entries.values().for_each(|entry| reach(description, entry, names)),
        _ => {}
    }
}

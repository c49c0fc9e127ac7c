//! Rewrites a single schema: leniently for responses, strictly for requests.
//!
//! Must not depend on operations; the rules in [`normalize`](super::normalize) decide which schema is which. A lenient
//! schema must never reject a response.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, plain, reference};
use super::schema::{Field, fields};
use super::versions::SINCE;

/// Suffix of the request copy of a schema that responses use too.
pub(super) const INPUT: &str = "_input";

/// Keyword of a property: its name on the wire, if the property has another one.
pub(super) const WIRE: &str = "x-wire";

/// Keyword of an object: whether it is part of a request or of an answer.
pub(super) const ROLE: &str = "x-role";
pub(super) const REQUEST: &str = "request";
pub(super) const ANSWER: &str = "answer";

/// A schema for responses. Keeps types, and what typed values come from: choices and formats. No field is required. A
/// later version that changes a type does not change the field: its values stay in `extra`, and programs compile as
/// before.
pub fn lenient(description: &Description, schema: &Value) -> Value {
    let mut lenient = lenient_type(description, schema);
    keep_since(schema, &mut lenient);
    lenient
}

/// Keeps the version that a field needs, for its documentation.
fn keep_since(source: &Value, schema: &mut Value) {
    if let Some(version) = source.get(SINCE) {
        schema[SINCE] = version.clone();
    }
}

fn lenient_type(description: &Description, schema: &Value) -> Value {
    if let Some(target) = reference(schema) {
        return json!({ "$ref": format!("#{target}") });
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return lenient(description, &merged(description, schema, parts));
    }
    if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
        if !are_objects(description, schema) {
            return json!({});
        }
        let fields = fields(description, schema);
        return object(properties(fields, |schema| lenient(description, schema)), &json!([]), ANSWER);
    }
    match scalar(schema) {
        Some(scalar) => scalar,
        None if schema["type"] == "array" => {
            json!({ "type": "array", "items": lenient(description, &schema["items"]) })
        }
        None => match schema["properties"].as_object() {
            Some(properties) if !properties.is_empty() => {
                let properties = properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), lenient(description, schema)))
                    .collect();
                object(properties, &json!([]), ANSWER)
            }
            _ if schema["type"] == "object" => free_object(),
            _ => json!({}),
        },
    }
}

/// A schema for requests: types, required fields, choices, and which fields can be null. Defaults are dropped because
/// they would be sent. Alternatives become one object with the fields of all of them.
pub fn strict(description: &Description, schema: &Value, shared: &BTreeSet<String>) -> Value {
    let mut strict = strict_type(description, schema, shared);
    if schema["nullable"] == true || description.resolve(schema)["nullable"] == true {
        strict["nullable"] = true.into();
    }
    keep_since(schema, &mut strict);
    strict
}

fn strict_type(description: &Description, schema: &Value, shared: &BTreeSet<String>) -> Value {
    if let Some(target) = reference(schema) {
        let name = target.trim_start_matches("/components/schemas/");
        let ending = if shared.contains(name) { INPUT } else { "" };
        return json!({ "$ref": format!("#/components/schemas/{name}{ending}") });
    }
    if let Some(only) = only_object(description, schema) {
        return strict_type(description, only, shared);
    }
    if ["allOf", "oneOf", "anyOf"].iter().any(|keyword| schema.get(keyword).is_some()) {
        let fields = fields(description, schema);
        if fields.is_empty() {
            return json!({});
        }
        let required: Vec<String> =
            fields.iter().filter(|field| field.required).map(|field| field.name.clone()).collect();
        let properties = properties(fields, |schema| strict(description, schema, shared));
        return object(properties, &json!(required), REQUEST);
    }
    match scalar(schema) {
        Some(scalar) => scalar,
        None if schema["type"] == "array" => {
            json!({ "type": "array", "items": strict_type(description, &schema["items"], shared) })
        }
        None => match schema["properties"].as_object() {
            Some(properties) if !properties.is_empty() => {
                let required = schema.get("required").cloned().unwrap_or_else(|| json!([]));
                let properties = properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), strict(description, schema, shared)))
                    .collect();
                object(properties, &required, REQUEST)
            }
            _ if schema["type"] == "object" => free_object(),
            _ => json!({}),
        },
    }
}

fn properties(fields: Vec<Field>, shape: impl Fn(&Value) -> Value) -> Map<String, Value> {
    fields.into_iter().map(|field| (field.name, shape(&field.schema))).collect()
}

/// An object with any fields.
fn free_object() -> Value {
    json!({ "type": "object", "additionalProperties": {} })
}

/// Whether all alternatives are objects, or only name fields of the object.
fn are_objects(description: &Description, schema: &Value) -> bool {
    ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten().all(|part| {
        let part = description.resolve(part);
        let names_fields = ["properties", "required", "allOf"].iter().any(|key| part.get(*key).is_some());
        names_fields || (part.get("oneOf").is_some() && are_objects(description, part))
    })
}

/// The only alternative that is an object, if it is a reference: one record or a list of them.
fn only_object<'a>(description: &Description, schema: &'a Value) -> Option<&'a Value> {
    if schema.get("properties").is_some() || schema.get("allOf").is_some() {
        return None;
    }
    let alternatives =
        ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten();
    let mut objects = alternatives.filter(|part| !fields(description, part).is_empty());
    objects.next().filter(|only| reference(only).is_some() && objects.next().is_none())
}

/// A scalar with what its type in Rust depends on: its format and its choices.
fn scalar(schema: &Value) -> Option<Value> {
    let choices = choices(schema);
    let kind = match schema["type"].as_str() {
        Some(kind @ ("string" | "integer" | "number" | "boolean")) => kind,
        None if !choices.is_empty() => "string",
        _ => return None,
    };
    let mut scalar = json!({ "type": kind });
    if let Some(format) = schema.get("format") {
        scalar["format"] = format.clone();
    }
    if kind == "string" && !choices.is_empty() {
        scalar["enum"] = json!(choices);
    }
    Some(scalar)
}

/// The choices of a string, each once.
pub(super) fn choices(schema: &Value) -> Vec<&str> {
    let mut taken = BTreeSet::new();
    let choices = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    choices.filter(|choice| taken.insert(*choice)).collect()
}

/// An object that also accepts unknown fields. Required fields without a description are dropped. A property whose
/// name would become a Rust field that exists, or the map of unknown fields, gets another name and keeps its own as
/// [`WIRE`].
fn object(properties: Map<String, Value>, required: &Value, role: &str) -> Value {
    let required: BTreeSet<&str> =
        required.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut taken = BTreeSet::from(["extra".to_owned()]);
    let mut named = Map::new();
    let mut required_names = Vec::new();
    for (wire, mut property) in properties {
        let base = if plain(&wire).is_empty() { "field" } else { wire.as_str() };
        let mut name = base.to_owned();
        let mut number = 2;
        while !taken.insert(plain(&name)) {
            name = format!("{base}_{number}");
            number += 1;
        }
        if required.contains(wire.as_str()) {
            required_names.push(name.clone());
        }
        if name != wire && property.is_object() {
            property[WIRE] = wire.into();
        }
        named.insert(name, property);
    }
    let mut object = json!({ "type": "object", ROLE: role, "properties": named, "additionalProperties": {} });
    if !required_names.is_empty() {
        object["required"] = json!(required_names);
    }
    object
}

/// Merges `allOf` and the properties beside it into one object.
pub(super) fn merged(description: &Description, schema: &Value, parts: &[Value]) -> Value {
    let mut properties = Map::new();
    for part in parts.iter().chain([schema]) {
        let part = description.resolve(part);
        let nested = part["allOf"].as_array().filter(|_| !std::ptr::eq(part, schema));
        let part = nested.map_or_else(|| part.clone(), |parts| merged(description, part, parts));
        if let Some(more) = part["properties"].as_object() {
            properties.extend(more.iter().map(|(name, schema)| (name.clone(), schema.clone())));
        }
    }
    json!({ "type": "object", "properties": properties })
}

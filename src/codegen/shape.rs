//! Rewrites a single schema: leniently for responses, strictly for requests.
//!
//! Must not depend on operations; the rules in [`normalize`](super::normalize) decide which schema is which. A lenient
//! schema must never reject a response.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, plain, reference};
use super::schema::fields;
use super::versions::LATER;

/// Suffix of the request copy of a schema that responses use too.
pub(super) const INPUT: &str = "_input";

/// A schema for responses. Keeps types only: no required fields, choices, formats or limits.
pub fn lenient(description: &Description, schema: &Value) -> Value {
    if let Some(target) = reference(schema) {
        return json!({ "$ref": format!("#{target}") });
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return lenient(description, &merged(description, schema, parts));
    }
    if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
        return json!({});
    }
    match scalar_type(schema).or(schema["type"].as_str()) {
        Some("array") => {
            let items = lenient(description, &schema["items"]);
            json!({ "type": "array", "items": items, "nullable": true })
        }
        Some(kind @ ("string" | "integer" | "number" | "boolean")) => {
            json!({ "type": kind, "nullable": true })
        }
        _ => match schema["properties"].as_object() {
            // typify ignores `additionalProperties: true`, but not the equivalent empty schema.
            Some(properties) if !properties.is_empty() => {
                let properties = properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), lenient(description, schema)))
                    .collect();
                object(properties, &json!([]))
            }
            _ if schema["type"] == "object" => {
                json!({ "type": "object", "additionalProperties": {}, "nullable": true })
            }
            _ => json!({}),
        },
    }
}

/// The type of a scalar that every version's values can be read as.
fn scalar_type(schema: &Value) -> Option<&'static str> {
    let later = schema.get(LATER)?["schema"]["type"].as_str()?;
    match (schema["type"].as_str()?, later) {
        ("integer" | "number", "integer" | "number") => Some("number"),
        ("string" | "integer" | "number" | "boolean", "string" | "integer" | "number" | "boolean") => {
            Some("string")
        }
        _ => None,
    }
}

/// A schema for requests: types, required fields, and choices that are valid Rust names. Defaults are dropped
/// because they would be sent. Alternatives become one object with the fields of all of them.
pub fn strict(description: &Description, schema: &Value, shared: &BTreeSet<String>) -> Value {
    if let Some(target) = reference(schema) {
        let name = target.trim_start_matches("/components/schemas/");
        let ending = if shared.contains(name) { INPUT } else { "" };
        return json!({ "$ref": format!("#/components/schemas/{name}{ending}") });
    }
    if ["allOf", "oneOf", "anyOf"].iter().any(|keyword| schema.get(keyword).is_some()) {
        let fields = fields(description, schema);
        if fields.is_empty() {
            return json!({});
        }
        let required: Vec<&str> =
            fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        let properties: Map<_, _> = fields
            .iter()
            .map(|field| (field.name.clone(), strict(description, &field.schema, shared)))
            .collect();
        return object(properties, &json!(required));
    }
    match schema["type"].as_str() {
        Some("array") => json!({ "type": "array", "items": strict(description, &schema["items"], shared) }),
        Some("string") => match named_choices(schema) {
            Some(choices) => json!({ "type": "string", "enum": choices }),
            None => json!({ "type": "string" }),
        },
        Some(kind @ ("integer" | "number" | "boolean")) => json!({ "type": kind }),
        _ => match schema["properties"].as_object() {
            Some(properties) if !properties.is_empty() => {
                let required = schema.get("required").cloned().unwrap_or_else(|| json!([]));
                let properties = properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), strict(description, schema, shared)))
                    .collect();
                object(properties, &required)
            }
            _ if schema["type"] == "object" => json!({ "type": "object", "additionalProperties": {} }),
            _ => json!({}),
        },
    }
}

/// An object that also accepts unknown fields. Required fields without a description are dropped. If several
/// properties would become the same Rust field, or one would be named like the map of unknown fields, only
/// the first is kept; the others are available in that map.
fn object(properties: Map<String, Value>, required: &Value) -> Value {
    let mut taken = BTreeSet::from(["extra".to_owned()]);
    let properties: Map<_, _> = properties
        .into_iter()
        .filter(|(name, _)| !plain(name).is_empty() && taken.insert(plain(name)))
        .collect();
    let required: Vec<&Value> = required
        .as_array()
        .into_iter()
        .flatten()
        .filter(|name| name.as_str().is_some_and(|name| properties.contains_key(name)))
        .collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": {} });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// The choices of a string. `None` if one of them (`=`, `!=`, `~`, a number) cannot be a Rust name, or if two
/// of them would become the same name.
pub(super) fn named_choices(schema: &Value) -> Option<Vec<&str>> {
    let choices: Vec<&str> = schema["enum"].as_array()?.iter().filter_map(Value::as_str).collect();
    let is_name = |choice: &&str| choice.starts_with(|first: char| first.is_ascii_alphabetic());
    let distinct: BTreeSet<String> = choices.iter().map(|choice| plain(choice)).collect();
    let usable = !choices.is_empty() && choices.iter().all(is_name) && distinct.len() == choices.len();
    usable.then_some(choices)
}

/// Merges `allOf` and the properties beside it into one object.
fn merged(description: &Description, schema: &Value, parts: &[Value]) -> Value {
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

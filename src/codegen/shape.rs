//! What one schema becomes: lenient where it describes an answer, strict where it describes a request.
//!
//! Nothing here knows operations; which schema is which is decided by the rules in
//! [`normalise`](super::normalise). A lenient schema must take whatever drift brings.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, plain, reference};
use super::schema::fields;

/// Ending of the request's copy of a schema that answers use as well.
pub(super) const INPUT: &str = "_input";

/// A schema for answers. Keeps types only: no required fields, no choices, no formats, no limits.
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
    match schema["type"].as_str() {
        Some("array") => {
            let items = lenient(description, &schema["items"]);
            json!({ "type": "array", "items": items, "nullable": true })
        }
        Some(kind @ ("string" | "integer" | "number" | "boolean")) => {
            json!({ "type": kind, "nullable": true })
        }
        _ => match schema["properties"].as_object() {
            // `additionalProperties: true` is ignored by typify; the empty schema says the same.
            Some(properties) if !properties.is_empty() => {
                let properties =
                    properties.iter().map(|(name, it)| (name.clone(), lenient(description, it))).collect();
                object(properties, &json!([]))
            }
            _ if schema["type"] == "object" => {
                json!({ "type": "object", "additionalProperties": {}, "nullable": true })
            }
            _ => json!({}),
        },
    }
}

/// A schema for requests: types, required fields, and the choices that make Rust names. Defaults are
/// dropped because they would be sent; alternatives become one object with the fields of all.
pub fn strict(description: &Description, schema: &Value, shared: &BTreeSet<String>) -> Value {
    if let Some(target) = reference(schema) {
        let name = target.trim_start_matches("/components/schemas/");
        let ending = if shared.contains(name) { INPUT } else { "" };
        return json!({ "$ref": format!("#/components/schemas/{name}{ending}") });
    }
    if ["allOf", "oneOf", "anyOf"].iter().any(|it| schema.get(it).is_some()) {
        let fields = fields(description, schema);
        if fields.is_empty() {
            return json!({});
        }
        let required: Vec<&str> = fields.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
        let properties: Map<_, _> =
            fields.iter().map(|it| (it.name.clone(), strict(description, &it.schema, shared))).collect();
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
                    .map(|(name, it)| (name.clone(), strict(description, it, shared)))
                    .collect();
                object(properties, &required)
            }
            _ if schema["type"] == "object" => json!({ "type": "object", "additionalProperties": {} }),
            _ => json!({}),
        },
    }
}

/// An object that takes unknown fields too. What is required but not described is not asked for.
/// Of properties that would make the same Rust field the first one stays, and none may take the name
/// of the map of unknown fields: the others are found in that map.
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

/// The choices of a string, unless one of them (`=`, `!=`, `~`, a number) makes no Rust name, or two
/// of them make the same.
pub(super) fn named_choices(schema: &Value) -> Option<Vec<&str>> {
    let choices: Vec<&str> = schema["enum"].as_array()?.iter().filter_map(Value::as_str).collect();
    let named = |choice: &&str| choice.starts_with(|first: char| first.is_ascii_alphabetic());
    let distinct: BTreeSet<String> = choices.iter().map(|choice| plain(choice)).collect();
    let usable = !choices.is_empty() && choices.iter().all(named) && distinct.len() == choices.len();
    usable.then_some(choices)
}

/// One object out of `allOf` and the properties that stand beside it.
fn merged(description: &Description, schema: &Value, parts: &[Value]) -> Value {
    let mut properties = Map::new();
    for part in parts.iter().chain([schema]) {
        let part = description.resolve(part);
        let nested = part["allOf"].as_array().filter(|_| !std::ptr::eq(part, schema));
        let part = nested.map_or_else(|| part.clone(), |parts| merged(description, part, parts));
        if let Some(more) = part["properties"].as_object() {
            properties.extend(more.iter().map(|(name, it)| (name.clone(), it.clone())));
        }
    }
    json!({ "type": "object", "properties": properties })
}

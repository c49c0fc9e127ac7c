//! Gives one thing one schema: answers repeat the same record under several names.
//!
//! These rules work on the described schemas, before requests and responses are separated. They must never drop a
//! property.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, SCHEMAS, plain, reference};
use super::normalize::{component_name, each_operation, redirect};
use super::schema::reach;
use super::shape::merged;

/// Replaces a combination of a single reference, which only adds keywords to it, by the reference.
pub fn unwrap_single_references(description: &mut Description) {
    unwrap(&mut description.root);
}

fn unwrap(value: &mut Value) {
    if let Some(target) = single_reference(value) {
        let is_nullable = value["nullable"] == true;
        let mut unwrapped = json!({ "$ref": target });
        if is_nullable {
            unwrapped["nullable"] = true.into();
        }
        *value = unwrapped;
        return;
    }
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(unwrap),
        Value::Object(fields) => fields.values_mut().for_each(unwrap),
        _ => {}
    }
}

fn single_reference(value: &Value) -> Option<Value> {
    let schema = value.as_object()?;
    if schema.contains_key("properties") {
        return None;
    }
    let mut parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array());
    match (parts.next()?.as_slice(), parts.next()) {
        ([only], None) => reference(only).and_then(|_| only.get("$ref")).cloned(),
        _ => None,
    }
}

/// Endings of components that are a record with fewer fields: in lists, or in answers to changes.
const PARTIAL: [&str; 2] = ["_list_item", "_basic"];

/// Merges a component `x_list_item` or `x_basic` into the component `x`: the same record, with fewer fields.
pub fn merge_partial_records(description: &mut Description) {
    let names = schemas(description).flat_map(|(name, _)| {
        PARTIAL.iter().filter_map(|ending| Some((name.clone(), name.strip_suffix(ending)?.to_owned())))
    });
    for (partial, name) in names.collect::<Vec<_>>() {
        let known = |name: &str| description.root["components"]["schemas"].get(name).cloned();
        let (Some(record), Some(listed)) = (known(&name), known(&partial)) else { continue };
        let mut all = merged(description, &record, parts(&record));
        let more = merged(description, &listed, parts(&listed));
        add_properties(&mut all, &more);
        description.root["components"]["schemas"][&name] = all;
        if let Some(schemas) = description.root["components"]["schemas"].as_object_mut() {
            schemas.shift_remove(&partial);
        }
        redirect(&mut description.root, &format!("#{SCHEMAS}{partial}"), &format!("#{SCHEMAS}{name}"));
    }
}

fn parts(schema: &Value) -> &[Value] {
    schema["allOf"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn schemas(description: &Description) -> impl Iterator<Item = (&String, &Value)> {
    description.root["components"]["schemas"].as_object().into_iter().flatten()
}

/// Adds the properties that a schema lacks.
fn add_properties(schema: &mut Value, more: &Value) {
    for (name, property) in more["properties"].as_object().into_iter().flatten() {
        let known = &mut schema["properties"][name];
        if known.is_null() {
            *known = property.clone();
        }
    }
}

/// Replaces an inline `allOf` of one reference and some properties by the reference, and adds the properties to the
/// component. In responses always, unless requests use the component; in request bodies only if the component
/// belongs to the operation.
pub fn extend_references(description: &mut Description) {
    let (mut requests, mut responses) = (BTreeSet::new(), BTreeSet::new());
    for operation in description.operation_values() {
        reach(description, &operation["responses"], &mut responses);
        if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
            reach(description, body, &mut requests);
        }
    }
    let is_answer = |name: &str| !requests.contains(name);
    let mut extensions: Vec<(String, Value)> = Vec::new();
    let snapshot = Description { root: description.root.clone() };
    let uses = references(&snapshot.root);
    each_operation(description, |_, _, operation| {
        extend(&snapshot, &mut operation["responses"], &is_answer, &mut extensions);
        let own = plain(&format!("{}_request", operation["operationId"].as_str().unwrap_or_default()));
        let is_own = |name: &str| plain(name) == own || uses.iter().filter(|used| *used == name).count() == 1;
        if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
            extend_one(&snapshot, body, &is_own, &mut extensions);
        }
    });
    for (name, schema) in description.root["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if responses.contains(name) && is_answer(name) {
            for part in schema.as_object_mut().into_iter().flat_map(Map::values_mut) {
                if !part.is_array() {
                    extend(&snapshot, part, &is_answer, &mut extensions);
                }
            }
        }
    }
    for (name, more) in extensions {
        let schema = &description.root["components"]["schemas"][&name];
        let mut all = schema.clone();
        if let Some(parts) = schema["allOf"].as_array() {
            all = merged(description, schema, parts);
        }
        add_properties(&mut all, &more);
        description.root["components"]["schemas"][&name] = all;
    }
}

/// The names of all referenced components, once per reference.
fn references(value: &Value) -> Vec<String> {
    if let Some(name) = reference(value).and_then(|target| target.strip_prefix(SCHEMAS)) {
        return vec![name.to_owned()];
    }
    match value {
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        Value::Object(fields) => fields.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn extend(
    description: &Description,
    value: &mut Value,
    is_free: &dyn Fn(&str) -> bool,
    extensions: &mut Vec<(String, Value)>,
) {
    extend_one(description, value, is_free, extensions);
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| extend(description, element, is_free, extensions));
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| extend(description, field, is_free, extensions));
        }
        _ => {}
    }
}

fn extend_one(
    description: &Description,
    value: &mut Value,
    is_free: &dyn Fn(&str) -> bool,
    extensions: &mut Vec<(String, Value)>,
) {
    let Some(parts) = value["allOf"].as_array() else { return };
    let names: Vec<&str> = parts.iter().filter_map(|part| reference(part)?.strip_prefix(SCHEMAS)).collect();
    let [name] = names[..] else { return };
    let is_object = !description.root["components"]["schemas"][name]["properties"].is_null()
        || !description.root["components"]["schemas"][name]["allOf"].is_null();
    if !is_free(name) || !is_object {
        return;
    }
    let name = name.to_owned();
    let mut more = json!({ "type": "object", "properties": {} });
    for part in parts.iter().filter(|part| reference(part).is_none()).chain([&*value]) {
        add_properties(&mut more, part);
    }
    *value = json!({ "$ref": format!("#{SCHEMAS}{name}") });
    extensions.push((name, more));
}

/// Gives a request body that is a component of another name a component named after its operation, so that all
/// bodies are named alike.
pub fn name_bodies_by_operation(description: &mut Description) {
    let mut taken: BTreeSet<String> = schemas(description).map(|(name, _)| plain(name)).collect();
    let mut named = Map::new();
    let source = description.root["components"]["schemas"].clone();
    each_operation(description, |_, _, operation| {
        let name = format!("{}_request", component_name(operation));
        let Some(body) = operation.pointer_mut("/requestBody/content/application~1json/schema") else {
            return;
        };
        let Some(component) = reference(body).and_then(|target| target.strip_prefix(SCHEMAS)) else { return };
        if plain(component).ends_with("request") || !taken.insert(plain(&name)) {
            return;
        }
        named.insert(name.clone(), source[component].clone());
        *body = json!({ "$ref": format!("#{SCHEMAS}{name}") });
    });
    if let Some(schemas) = description.root["components"]["schemas"].as_object_mut() {
        schemas.extend(named);
    }
}

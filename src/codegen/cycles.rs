//! Removes what no value can match from schemas: combinations of a schema with itself, and records that require a
//! record of their kind.
//!
//! A record may contain records of its kind, in an optional field or a list, and such schemas stay as they are. A
//! schema that is a part or an alternative of itself adds nothing, and rules that follow parts would never end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::description::{SCHEMAS, reference};

const COMBINATIONS: [&str; 3] = ["allOf", "oneOf", "anyOf"];

/// Removes parts and alternatives of a component that are the component itself, directly or through others, and lets
/// fields that would need an endless value be left out.
pub fn cut_cycles(root: &mut Value) {
    let names: Vec<String> = root["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        let mut schema = root["components"]["schemas"][&name].clone();
        if cut(root, &name, &mut schema) {
            root["components"]["schemas"][&name] = schema;
        }
        let schema = &root["components"]["schemas"][&name];
        let required = schema["required"].as_array().into_iter().flatten();
        let possible: Vec<Value> = required
            .filter(|field| {
                let field = &schema["properties"][field.as_str().unwrap_or_default()];
                !requires(root, &name, field, &mut BTreeSet::new())
            })
            .cloned()
            .collect();
        if schema["required"].as_array().is_some_and(|required| required.len() > possible.len()) {
            root["components"]["schemas"][&name]["required"] = possible.into();
        }
    }
}

/// Whether every value of a schema contains a value of a component.
fn requires(root: &Value, name: &str, schema: &Value, seen: &mut BTreeSet<String>) -> bool {
    if let Some(target) = reference(schema) {
        let is_same = target.strip_prefix(SCHEMAS) == Some(name);
        return is_same
            || seen.insert(target.to_owned())
                && root.pointer(target).is_some_and(|schema| requires(root, name, schema, seen));
    }
    let fields = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields = fields.filter_map(|field| schema["properties"].get(field));
    let parts = schema["allOf"].as_array().into_iter().flatten();
    fields.chain(parts).any(|value| requires(root, name, value, seen))
}

/// Whether anything was removed.
fn cut(root: &Value, name: &str, schema: &mut Value) -> bool {
    let mut has_cut = false;
    if is_cyclic(root, name, schema) {
        *schema = json!({});
        return true;
    }
    for keyword in COMBINATIONS {
        let Some(parts) = schema.get_mut(keyword).and_then(Value::as_array_mut) else { continue };
        let before = parts.len();
        parts.retain(|part| !is_cyclic(root, name, part));
        has_cut |= parts.len() < before;
        for part in parts {
            has_cut |= cut(root, name, part);
        }
    }
    has_cut
}

/// Whether a reference leads back to a component without passing a field.
fn is_cyclic(root: &Value, name: &str, schema: &Value) -> bool {
    reference(schema).is_some() && leads_to(root, name, schema, &mut BTreeSet::new())
}

fn leads_to(root: &Value, name: &str, schema: &Value, seen: &mut BTreeSet<String>) -> bool {
    if let Some(target) = reference(schema) {
        let is_same = target.strip_prefix(SCHEMAS) == Some(name);
        return is_same
            || seen.insert(target.to_owned())
                && root.pointer(target).is_some_and(|schema| leads_to(root, name, schema, seen));
    }
    let parts = COMBINATIONS.iter().filter_map(|keyword| schema[*keyword].as_array()).flatten();
    parts.into_iter().any(|part| leads_to(root, name, part, seen))
}

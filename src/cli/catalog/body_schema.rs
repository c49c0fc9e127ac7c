//! What the API's description says about the fields of a request body, beyond the operation table.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::api::commands::DEFINITIONS;
use crate::api::operation::Operation;

/// The schemas that those of request bodies refer to, or why they cannot be read.
static SHARED_SCHEMAS: LazyLock<Result<Value, String>> =
    LazyLock::new(|| serde_json::from_str(DEFINITIONS).map_err(|error| format!("DEFINITIONS: {error}")));

/// The schema of a request body, with those it refers to.
#[derive(Clone)]
pub struct BodySchema {
    schema: Value,
    definitions: &'static Value,
}

impl BodySchema {
    /// The schema of an operation's body; `None` if it has no body.
    ///
    /// # Errors
    /// If the operation table contains a schema that is not JSON.
    pub fn of(operation: &Operation) -> Result<Option<Self>, String> {
        let Some(body) = operation.body else { return Ok(None) };
        let definitions = SHARED_SCHEMAS.as_ref().map_err(Clone::clone)?;
        let schema = serde_json::from_str(body.schema)
            .map_err(|error| format!("OPERATIONS: body of {}: {error}", operation.id))?;
        Ok(Some(BodySchema { schema, definitions }))
    }

    /// The smallest valid value of a field.
    pub fn smallest(&self, field: &str) -> Value {
        let body = resolve(&self.schema, self.definitions);
        smallest(&body["properties"][field], self.definitions)
    }

    /// Whether a field is a list. Dots separate the fields of objects.
    pub fn is_list(&self, field: &str) -> bool {
        let found = field
            .split('.')
            .try_fold(self.schema.clone(), |schema, field| field_of(self.definitions, &schema, field, 0));
        found.is_some_and(|schema| has_type(self.definitions, &schema, "array", 0))
    }
}

/// Resolves `$ref`, `allOf` and the first of `anyOf` into one schema.
fn resolve(schema: &Value, definitions: &Value) -> Value {
    let (mut required, mut properties) = (Vec::new(), Map::new());
    let target = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
    let all = schema["allOf"].as_array().into_iter().flatten();
    let first = schema["anyOf"].as_array().and_then(|options| options.first());
    let mut joined = schema.clone();
    for part in target.map(|name| &definitions[name]).into_iter().chain(all).chain(first) {
        let part = resolve(part, definitions);
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        if joined["type"].is_null() {
            joined["type"] = part["type"].clone();
        }
    }
    required.extend(schema["required"].as_array().cloned().unwrap_or_default());
    properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    joined["required"] = required.into();
    joined["properties"] = properties.into();
    joined
}

/// The smallest valid value of a schema.
fn smallest(schema: &Value, definitions: &Value) -> Value {
    let schema = resolve(schema, definitions);
    match schema["type"].as_str() {
        Some("array") => json!([smallest(&schema["items"], definitions)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("string") => schema["enum"].get(0).cloned().unwrap_or_else(|| json!("ID")),
        _ => {
            let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields =
                names.map(|name| (name.to_owned(), smallest(&schema["properties"][name], definitions)));
            Value::Object(fields.collect())
        }
    }
}

/// The schema of a field, searching all alternatives of its object.
fn field_of(defined: &Value, schema: &Value, field: &str, depth: u8) -> Option<Value> {
    if depth > 8 {
        return None;
    }
    if let Some(found) = schema["properties"].get(field) {
        return Some(found.clone());
    }
    alternatives(defined, schema).iter().find_map(|schema| field_of(defined, schema, field, depth + 1))
}

fn has_type(defined: &Value, schema: &Value, kind: &str, depth: u8) -> bool {
    depth < 8
        && (schema["type"] == kind
            || alternatives(defined, schema).iter().any(|schema| has_type(defined, schema, kind, depth + 1)))
}

/// The schemas that a schema refers to or combines.
fn alternatives(defined: &Value, schema: &Value) -> Vec<Value> {
    let named = schema["$ref"].as_str().and_then(|name| defined.get(name.strip_prefix("#/$defs/")?));
    let listed = ["anyOf", "allOf", "oneOf"].into_iter().filter_map(|keyword| schema[keyword].as_array());
    named.into_iter().chain(listed.flatten()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::commands::OPERATIONS;

    #[test]
    fn every_schema_of_the_operation_table_can_be_read() {
        for operation in OPERATIONS {
            let schema = BodySchema::of(operation);
            assert!(
                schema.is_ok_and(|schema| schema.is_some() == operation.body.is_some()),
                "{}",
                operation.id
            );
        }
    }

    #[test]
    fn fields_are_found_behind_references() {
        for (id, field, is_list, smallest) in [
            ("createTicket", "contacts", true, json!([{ "id": "ID" }])),
            ("createTicket", "ticket_type_id", false, json!("ID")),
            ("createTicket", "nothing", false, json!({})),
        ] {
            let operation = crate::api::request_builder::operation(id).unwrap();
            let schema = BodySchema::of(operation).unwrap().unwrap();
            assert_eq!((schema.is_list(field), schema.smallest(field)), (is_list, smallest), "{id} {field}");
        }
    }
}

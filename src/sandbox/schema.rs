//! Validates a value against a schema of the operation table.
//!
//! Must support exactly the keywords that code generation emits. Tests enumerate them and compare the results
//! with a complete JSON Schema implementation, which at run time would add a fifth to the size of the binary.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::api::commands::DEFINITIONS;

/// All supported keywords.
#[cfg(test)]
pub const KEYWORDS: [&str; 15] = [
    "type",
    "enum",
    "minimum",
    "maximum",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "anyOf",
    "allOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "$ref",
];

static COMPONENTS: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(DEFINITIONS).unwrap_or_default());

/// How a value violates a schema, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaViolation {
    /// Dotted path of the field; empty for the body itself.
    pub field: String,
    pub kind: ViolationKind,
    /// Total number of violations in the value.
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViolationKind {
    Missing,
    Invalid,
}

/// The first violation, or `None` if the value is valid. `skipped` names a field of the body to ignore.
pub fn first_violation(schema: &Value, value: &Value, skipped: Option<&str>) -> Option<SchemaViolation> {
    check(schema, value, "", skipped)
}

fn check(schema: &Value, value: &Value, path: &str, skipped: Option<&str>) -> Option<SchemaViolation> {
    let mut violations: Vec<SchemaViolation> = Vec::new();
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        violations.extend(COMPONENTS.get(name).and_then(|target| check(target, value, path, skipped)));
    }
    if !satisfies_value_keywords(schema, value) {
        violations.push(SchemaViolation { field: path.to_owned(), kind: ViolationKind::Invalid, count: 1 });
    }
    if let Value::Object(fields) = value {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing = required.filter(|name| !fields.contains_key(*name));
        violations.extend(missing.map(|name| SchemaViolation {
            field: join_path(path, name),
            kind: ViolationKind::Missing,
            count: 1,
        }));
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = fields.get(name).filter(|_| !(path.is_empty() && skipped == Some(name))) {
                violations.extend(check(property, value, &join_path(path, name), skipped));
            }
        }
        if schema["additionalProperties"] == false {
            let unknown = fields.keys().filter(|name| schema["properties"].get(name).is_none());
            violations.extend(unknown.map(|name| SchemaViolation {
                field: join_path(path, name),
                kind: ViolationKind::Invalid,
                count: 1,
            }));
        }
    }
    if let (Value::Array(elements), Some(items)) = (value, schema.get("items")) {
        violations.extend(elements.iter().enumerate().filter_map(|(index, element)| {
            check(items, element, &join_path(path, &index.to_string()), skipped)
        }));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        violations.extend(check(part, value, path, skipped));
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        violations.extend(closest_violation(alternatives, value, path, skipped));
    }
    let count = violations.iter().map(|violation| violation.count).sum();
    violations.into_iter().next().map(|first| SchemaViolation { count, ..first })
}

/// The violation of the alternative with the fewest violations, or `None` if any alternative is satisfied.
fn closest_violation(
    alternatives: &[Value],
    value: &Value,
    path: &str,
    skipped: Option<&str>,
) -> Option<SchemaViolation> {
    let mut closest: Option<SchemaViolation> = None;
    for alternative in alternatives {
        let violation = check(alternative, value, path, skipped)?;
        if closest.as_ref().is_none_or(|best| violation.count < best.count) {
            closest = Some(violation);
        }
    }
    closest
}

/// Checks the keywords that do not involve nested schemas.
fn satisfies_value_keywords(schema: &Value, value: &Value) -> bool {
    let has_type = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        _ => true,
    };
    let in_enum = schema["enum"].as_array().is_none_or(|choices| choices.contains(value));
    let has_length = |min: &str, max: &str, length: Option<usize>| {
        let bound = |keyword: &str| schema[keyword].as_u64().and_then(|bound| usize::try_from(bound).ok());
        length.is_none_or(|length| {
            bound(min).is_none_or(|min| length >= min) && bound(max).is_none_or(|max| length <= max)
        })
    };
    let characters = value.as_str().map(|text| text.chars().count());
    let bound = |keyword: &str| schema[keyword].as_f64();
    let is_in_range = value.as_f64().is_none_or(|number| {
        bound("minimum").is_none_or(|min| number >= min) && bound("maximum").is_none_or(|max| number <= max)
    });
    has_type
        && in_enum
        && is_in_range
        && has_length("minLength", "maxLength", characters)
        && has_length("minItems", "maxItems", value.as_array().map(Vec::len))
}

fn join_path(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::commands::OPERATIONS;

    fn collect_keywords(schema: &Value, keywords: &mut Vec<String>) {
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            keywords.push(keyword.clone());
            match keyword.as_str() {
                "properties" => {
                    for property in value.as_object().into_iter().flat_map(Map::values) {
                        collect_keywords(property, keywords);
                    }
                }
                "anyOf" | "allOf" => {
                    for part in value.as_array().into_iter().flatten() {
                        collect_keywords(part, keywords);
                    }
                }
                "items" => collect_keywords(value, keywords),
                _ => {}
            }
        }
    }

    fn body_schemas() -> Vec<Value> {
        let bodies = OPERATIONS.iter().filter_map(|operation| operation.body.as_ref());
        bodies.map(|body| serde_json::from_str(body.schema).unwrap()).collect()
    }

    #[test]
    fn every_keyword_of_the_table_is_supported() {
        let mut keywords = Vec::new();
        for schema in body_schemas().iter().chain(COMPONENTS.values()) {
            collect_keywords(schema, &mut keywords);
        }
        keywords.sort();
        keywords.dedup();
        let unknown: Vec<_> =
            keywords.iter().filter(|keyword| !KEYWORDS.contains(&keyword.as_str())).collect();
        assert_eq!(unknown, Vec::<&String>::new());
    }

    fn collect_property_names(schema: &Value, names: &mut Vec<String>) {
        let schema = match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
            Some(name) => &COMPONENTS[name],
            None => schema,
        };
        names.extend(schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned());
        for combination in ["anyOf", "allOf"] {
            for part in schema[combination].as_array().into_iter().flatten() {
                collect_property_names(part, names);
            }
        }
    }

    /// Values of every type, both bare and in every property of the schema.
    fn sample_bodies(schema: &Value) -> Vec<Value> {
        let values = [
            json!(null),
            json!("x"),
            json!("user"),
            json!("comment"),
            json!(7),
            json!(1.5),
            json!(true),
            json!([]),
            json!(["a", 1]),
            json!({}),
            json!({"id": "5f0000000000000000000001", "type": "user"}),
        ];
        let mut names = Vec::new();
        collect_property_names(schema, &mut names);
        let mut bodies: Vec<Value> = values.to_vec();
        let with_all_properties =
            |value: &Value| Value::Object(names.iter().map(|name| (name.clone(), value.clone())).collect());
        bodies.extend(values.iter().map(with_all_properties));
        for name in &names {
            for value in &values {
                let mut body = with_all_properties(&json!("x"));
                body[name] = value.clone();
                bodies.push(body);
            }
        }
        bodies
    }

    #[test]
    fn validation_agrees_with_json_schema() {
        let mut compared = 0;
        for schema in body_schemas() {
            let mut standalone = schema.clone();
            standalone["$defs"] = Value::Object(COMPONENTS.clone());
            let reference = jsonschema::draft202012::new(&standalone).unwrap();
            for body in sample_bodies(&schema) {
                let is_valid = first_violation(&schema, &body, None).is_none();
                assert_eq!(is_valid, reference.is_valid(&body), "{schema} {body}");
                compared += 1;
            }
        }
        assert!(compared > 1000, "{compared}");
    }
}

//! Holds a value against a schema of the operation table.
//!
//! Covers exactly the keywords that code generation writes, which a test enumerates; its verdicts are
//! compared with those of a full implementation of JSON Schema in the tests. A full one at run time
//! would make up a fifth of the program for eleven keywords.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::api::commands::DEFINITIONS;

/// Every keyword that is understood.
#[cfg(test)]
pub const KEYWORDS: [&str; 12] = [
    "type",
    "enum",
    "required",
    "properties",
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

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    /// Dotted path of the field; empty for the body itself.
    pub field: String,
    pub kind: Kind,
    /// How many things are wrong altogether.
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Missing,
    Wrong,
}

/// The first thing that is wrong with the value; `None` when it satisfies the schema. `skipped` is a
/// field of the body that is not looked at.
pub fn offence(schema: &Value, value: &Value, skipped: Option<&str>) -> Option<Offence> {
    check(schema, value, "", skipped)
}

fn check(schema: &Value, value: &Value, path: &str, skipped: Option<&str>) -> Option<Offence> {
    let mut offences: Vec<Offence> = Vec::new();
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) {
        offences.extend(COMPONENTS.get(name).and_then(|target| check(target, value, path, skipped)));
    }
    if !own_keywords_hold(schema, value) {
        offences.push(Offence { field: path.to_owned(), kind: Kind::Wrong, count: 1 });
    }
    if let Value::Object(fields) = value {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing = required.filter(|name| !fields.contains_key(*name));
        offences.extend(missing.map(|name| Offence {
            field: joined(path, name),
            kind: Kind::Missing,
            count: 1,
        }));
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = fields.get(name).filter(|_| !(path.is_empty() && skipped == Some(name))) {
                offences.extend(check(property, value, &joined(path, name), skipped));
            }
        }
    }
    if let (Value::Array(elements), Some(items)) = (value, schema.get("items")) {
        let each = elements.iter().enumerate();
        offences.extend(
            each.filter_map(|(index, it)| check(items, it, &joined(path, &index.to_string()), skipped)),
        );
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        offences.extend(check(part, value, path, skipped));
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        offences.extend(none_fits(forms, value, path, skipped));
    }
    let count = offences.iter().map(|it| it.count).sum();
    offences.into_iter().next().map(|first| Offence { count, ..first })
}

/// What is wrong with the form that the value comes closest to, if it fits none.
fn none_fits(forms: &[Value], value: &Value, path: &str, skipped: Option<&str>) -> Option<Offence> {
    let mut closest: Option<Offence> = None;
    for form in forms {
        let offence = check(form, value, path, skipped)?;
        if closest.as_ref().is_none_or(|known| offence.count < known.count) {
            closest = Some(offence);
        }
    }
    closest
}

/// The keywords that look at the value alone.
fn own_keywords_hold(schema: &Value, value: &Value) -> bool {
    let typed = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
        }
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        _ => true,
    };
    let chosen = schema["enum"].as_array().is_none_or(|choices| choices.contains(value));
    let within = |least: &str, most: &str, length: Option<usize>| {
        let bound = |keyword: &str| schema[keyword].as_u64().and_then(|it| usize::try_from(it).ok());
        length.is_none_or(|it| {
            bound(least).is_none_or(|least| it >= least) && bound(most).is_none_or(|most| it <= most)
        })
    };
    let characters = value.as_str().map(|text| text.chars().count());
    typed
        && chosen
        && within("minLength", "maxLength", characters)
        && within("minItems", "maxItems", value.as_array().map(Vec::len))
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::commands::OPERATIONS;

    fn keywords(schema: &Value, found: &mut Vec<String>) {
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            found.push(keyword.clone());
            match keyword.as_str() {
                "properties" => {
                    value.as_object().into_iter().flatten().for_each(|(_, it)| keywords(it, found))
                }
                "anyOf" | "allOf" => {
                    value.as_array().into_iter().flatten().for_each(|it| keywords(it, found))
                }
                "items" => keywords(value, found),
                _ => {}
            }
        }
    }

    fn bodies() -> Vec<Value> {
        let bodies = OPERATIONS.iter().filter_map(|operation| operation.body.as_ref());
        bodies.map(|body| serde_json::from_str(body.schema).unwrap()).collect()
    }

    #[test]
    fn every_keyword_of_the_table_is_understood() {
        let mut found = Vec::new();
        bodies().iter().chain(COMPONENTS.values()).for_each(|schema| keywords(schema, &mut found));
        found.sort();
        found.dedup();
        let unknown: Vec<_> = found.iter().filter(|it| !KEYWORDS.contains(&it.as_str())).collect();
        assert_eq!(unknown, Vec::<&String>::new());
    }

    /// Values of every type, as they stand and inside every property that a schema names.
    fn trials(schema: &Value) -> Vec<Value> {
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
        fn named(schema: &Value, names: &mut Vec<String>) {
            let schema = match schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) {
                Some(name) => &COMPONENTS[name],
                None => schema,
            };
            names
                .extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
            for combination in ["anyOf", "allOf"] {
                schema[combination].as_array().into_iter().flatten().for_each(|it| named(it, names));
            }
        }
        named(schema, &mut names);
        let mut trials: Vec<Value> = values.to_vec();
        let full =
            |value: &Value| Value::Object(names.iter().map(|name| (name.clone(), value.clone())).collect());
        trials.extend(values.iter().map(full));
        for name in &names {
            for value in &values {
                let mut body = full(&json!("x"));
                body[name] = value.clone();
                trials.push(body);
            }
        }
        trials
    }

    #[test]
    fn verdicts_are_those_of_json_schema() {
        let mut compared = 0;
        for mut schema in bodies() {
            let trials = trials(&schema);
            let own = schema.clone();
            schema["$defs"] = Value::Object(COMPONENTS.clone());
            let reference = jsonschema::draft202012::new(&schema).unwrap();
            for trial in trials {
                let verdict = offence(&own, &trial, None).is_none();
                assert_eq!(verdict, reference.is_valid(&trial), "{own} {trial}");
                compared += 1;
            }
        }
        assert!(compared > 1000, "{compared}");
    }
}

//! Builds an example command line for each operation, with its required arguments only.
//!
//! Words in capitals are placeholders. The line must be valid in a shell.

use serde_json::{Map, Value, json};

use crate::api::commands::DEFINITIONS;
use crate::api::operation::{Kind, Operation, Parameter, Place};
use crate::cli::flags::search_argument;

/// The example for an operation, called by these words.
pub fn of(words: &str, operation: &Operation) -> String {
    let mut line = format!("intercom-pp-cli {words}");
    let searches = search_argument(operation).is_some();
    if searches {
        line.push_str(" --where 'created_at > 7d'");
    }
    let required =
        operation.parameters.iter().filter(|parameter| parameter.required && parameter.default.is_none());
    for parameter in required.filter(|parameter| !(searches && parameter.name == "query")) {
        match field_flags(operation, parameter) {
            None => line.push_str(&argument(operation, parameter)),
            Some(fields) => fields.iter().for_each(|field| line.push_str(&argument(operation, field))),
        }
    }
    line
}

/// For an object whose fields have flags, the flags to use: none if some are required (and added anyway), else the
/// first.
fn field_flags<'a>(operation: &'a Operation, object: &Parameter) -> Option<Vec<&'a Parameter>> {
    let is_field = |parameter: &&Parameter| {
        parameter.place == object.place
            && parameter.name.strip_prefix(object.name).is_some_and(|rest| rest.starts_with('.'))
    };
    let mut fields = operation.parameters.iter().filter(is_field);
    if fields.clone().any(|field| field.required) {
        return Some(Vec::new());
    }
    fields.next().map(|first| vec![first])
}

/// A parameter with a value, as typed.
fn argument(operation: &Operation, parameter: &Parameter) -> String {
    let name = || parameter.flag.replace('-', "_").to_uppercase();
    let value = match parameter.kind {
        Kind::Choice(values) => values.first().map_or_else(name, |value| (*value).to_owned()),
        Kind::Boolean => "true".to_owned(),
        Kind::Integer | Kind::Number => "1".to_owned(),
        Kind::Time if parameter.flag.ends_with("before") => "1d".to_owned(),
        Kind::Time => "7d".to_owned(),
        Kind::Json => format!("'{}'", in_body(operation, parameter.name)),
        Kind::String | Kind::List(_) => name(),
    };
    match (parameter.place, parameter.kind) {
        (Place::Path, _) => format!(" {value}"),
        (_, Kind::Boolean) => format!(" --{}={value}", parameter.flag),
        _ => format!(" --{} {value}", parameter.flag),
    }
}

/// The smallest valid value of a body field.
fn in_body(operation: &Operation, field: &str) -> Value {
    let definitions: Value = serde_json::from_str(DEFINITIONS).unwrap_or_default();
    let body = operation.body.map(|body| serde_json::from_str(body.schema).unwrap_or_default());
    let body = resolve(&body.unwrap_or_default(), &definitions);
    smallest(&body["properties"][field], &definitions)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    #[test]
    fn an_example_contains_the_required_arguments() {
        for (command, example) in [
            ("contacts show", "contacts show ID"),
            ("contacts search", "contacts search --where 'created_at > 7d'"),
            ("conversations create", "conversations create --from-type lead --from-id FROM_ID --body BODY"),
            (
                "tickets create",
                "tickets create --ticket-type-id TICKET_TYPE_ID --contacts '[{\"id\":\"ID\"}]'",
            ),
            ("events list-data", "events list-data --filter-user-id FILTER_USER_ID --type TYPE"),
            ("visitors convert", "visitors convert --type TYPE --user-id USER_ID --visitor-id VISITOR_ID"),
        ] {
            let operation = catalog().entry(command).unwrap().operation().unwrap();
            assert_eq!(of(command, operation), format!("intercom-pp-cli {example}"));
        }
    }
}

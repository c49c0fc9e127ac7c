//! A command line for every operation that can be run as it stands.
//!
//! It has everything that is required and nothing else. Words in capitals stand for a value of the
//! workspace; a shell must be able to read the line.

use serde_json::{Map, Value, json};

use crate::api::commands::DEFINITIONS;
use crate::api::operation::{Kind, Operation, Parameter, Place};
use crate::cli::flags::search_argument;

/// The example for an operation under these words.
pub fn of(words: &str, operation: &Operation) -> String {
    let mut line = format!("intercom-pp-cli {words}");
    let searches = search_argument(operation).is_some();
    if searches {
        line.push_str(" --where 'created_at > 7d'");
    }
    let required = operation.parameters.iter().filter(|it| it.required && it.default.is_none());
    for parameter in required.filter(|it| !(searches && it.name == "query")) {
        match instead(operation, parameter) {
            None => line.push_str(&typed(operation, parameter)),
            Some(fields) => fields.iter().for_each(|field| line.push_str(&typed(operation, field))),
        }
    }
    line
}

/// The flags that stand for an object: none where required ones do so anyway, or the first.
fn instead<'a>(operation: &'a Operation, object: &Parameter) -> Option<Vec<&'a Parameter>> {
    let inside = |it: &&Parameter| {
        it.place == object.place
            && it.name.strip_prefix(object.name).is_some_and(|rest| rest.starts_with('.'))
    };
    let mut fields = operation.parameters.iter().filter(inside);
    match fields.clone().any(|field| field.required) {
        true => Some(Vec::new()),
        false => fields.next().map(|first| vec![first]),
    }
}

/// A parameter with a value as it is typed.
fn typed(operation: &Operation, parameter: &Parameter) -> String {
    let name = || parameter.flag.replace('-', "_").to_uppercase();
    let value = match parameter.kind {
        Kind::Choice(values) => values.first().map_or_else(name, |it| (*it).to_owned()),
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

/// The least that a field of the body may be.
fn in_body(operation: &Operation, field: &str) -> Value {
    let definitions: Value = serde_json::from_str(DEFINITIONS).unwrap_or_default();
    let body = operation.body.map(|body| serde_json::from_str(body.schema).unwrap_or_default());
    let body = whole(&body.unwrap_or_default(), &definitions);
    least(&body["properties"][field], &definitions)
}

/// A schema with what it refers to: all parts of it, and the first of alternatives.
fn whole(schema: &Value, definitions: &Value) -> Value {
    let (mut required, mut properties) = (Vec::new(), Map::new());
    let target = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/"));
    let all = schema["allOf"].as_array().into_iter().flatten();
    let first = schema["anyOf"].as_array().and_then(|options| options.first());
    let mut joined = schema.clone();
    for part in target.map(|name| &definitions[name]).into_iter().chain(all).chain(first) {
        let part = whole(part, definitions);
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

/// The least value that satisfies a schema.
fn least(schema: &Value, definitions: &Value) -> Value {
    let schema = whole(schema, definitions);
    match schema["type"].as_str() {
        Some("array") => json!([least(&schema["items"], definitions)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("string") => schema["enum"].get(0).cloned().unwrap_or_else(|| json!("ID")),
        _ => {
            let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields = names.map(|name| (name.to_owned(), least(&schema["properties"][name], definitions)));
            Value::Object(fields.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::catalog;

    #[test]
    fn an_example_has_what_is_required() {
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

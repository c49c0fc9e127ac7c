//! One record for people: a line for each field, what is inside it indented below.

use serde_json::Value;

use super::grid;

/// A value as `key: value` lines; moments as dates (UTC).
pub fn lines(value: &Value) -> String {
    indented(value, 0)
}

fn indented(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::Object(inner) if !inner.is_empty() => {
                    format!("{pad}{key}:\n{}", indented(value, indent + 2))
                }
                Value::Array(inner) if inner.iter().any(Value::is_object) => {
                    format!("{pad}{key}:\n{}", indented(value, indent + 2))
                }
                Value::String(text) => format!("{pad}{key}: {text}\n"),
                other => {
                    format!("{pad}{key}: {}\n", grid::moment(key, other).unwrap_or_else(|| other.to_string()))
                }
            })
            .collect(),
        Value::Array(elements) => {
            elements.iter().map(|it| indented(it, indent)).collect::<Vec<_>>().join("\n")
        }
        Value::String(text) => format!("{pad}{text}\n"),
        other => format!("{pad}{other}\n"),
    }
}

//! A record of any type as text for people: one line per field, nested values indented below. The types that people
//! look at most have a [view](super::view) instead.
//!
//! Anybody can have written the texts, so nothing in them may control the terminal.

use serde_json::{Map, Value};

use super::cell;
use super::clock::Clock;
use crate::data::printable::one_line;

/// The fields of a record.
pub fn record(record: &Value, clock: &Clock) -> String {
    let Value::Object(fields) = record else { return lines(record, clock) };
    let present = fields.iter().filter(|(_, value)| !value.is_null());
    let shown: Map<String, Value> = present.map(|(name, value)| (name.clone(), summarized(value))).collect();
    lines(&shown.into(), clock)
}

/// A list inside a record as the names or ids of its members, always without its envelope.
fn summarized(value: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let mut lists = fields.values().filter_map(Value::as_array);
    let (Some(list), None) = (lists.next(), lists.next()) else { return value.clone() };
    let is_envelope = fields.iter().all(|(name, value)| {
        value.is_array() || ["type", "total_count", "has_more", "url"].contains(&name.as_str())
    });
    if !is_envelope {
        return value.clone();
    }
    let names = |field: &str| list.iter().map(|member| scalar(&member[field])).collect::<Option<Vec<_>>>();
    let are_references = list.iter().filter_map(Value::as_object).all(|member| {
        member.keys().all(|name| ["type", "id", "external_id", "url", "name"].contains(&name.as_str()))
    });
    let references = || {
        let labels = list.iter().map(|member| scalar(&member["name"]).or_else(|| scalar(&member["id"])));
        labels.collect::<Option<Vec<_>>>().filter(|_| are_references)
    };
    match names("name").or_else(references) {
        Some(names) => names.join(", ").into(),
        None => list.clone().into(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A value as `key: value` lines.
pub fn lines(value: &Value, clock: &Clock) -> String {
    indented(value, 0, clock)
}

fn indented(value: &Value, indent: usize, clock: &Clock) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| field(key, value, indent, clock)).collect(),
        Value::Array(elements) => elements.iter().map(|element| list_item(element, indent, clock)).collect(),
        Value::String(text) => format!("{pad}{}\n", one_line(text)),
        other => format!("{pad}{other}\n"),
    }
}

fn field(key: &str, value: &Value, indent: usize, clock: &Clock) -> String {
    let (pad, key) = (" ".repeat(indent), one_line(key));
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            format!("{pad}{key}:\n{}", indented(value, indent + 2, clock))
        }
        Value::Array(inner) if inner.iter().any(Value::is_object) => {
            format!("{pad}{key}:\n{}", indented(value, indent + 2, clock))
        }
        Value::String(text) if text.contains('\n') => {
            let lines = text.lines().map(|line| format!("{pad}  {}\n", one_line(line)));
            format!("{pad}{key}:\n{}", lines.collect::<String>())
        }
        Value::String(text) => format!("{pad}{key}: {}\n", one_line(text)),
        other => {
            let time = cell::time(&key, other).map(|seconds| clock.full(seconds));
            let shown = time.unwrap_or_else(|| other.to_string());
            format!("{pad}{key}: {shown}\n")
        }
    }
}

/// A list element, marked with a dash.
fn list_item(element: &Value, indent: usize, clock: &Clock) -> String {
    let pad = " ".repeat(indent);
    let text = match element {
        Value::Object(fields) if fields.is_empty() => "{}\n".to_owned(),
        element => indented(element, indent + 2, clock),
    };
    format!("{pad}- {}", text.trim_start())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::output::OutputFlags;

    /// In a time zone that is two hours ahead of UTC in May.
    fn clock() -> Clock {
        let mut flags = OutputFlags::default();
        flags.timezone = Some(crate::report::business_hours::zone("Europe/Berlin").unwrap());
        Clock::of(&flags).absolute()
    }

    #[test]
    fn times_are_in_the_zone_of_the_flags() {
        let shown = lines(&json!({"updated_at": 1_779_613_200, "count": 3}), &clock());
        assert_eq!(shown, "updated_at: 2026-05-24 11:00\ncount: 3\n");
    }

    #[test]
    fn lists_of_references_are_their_names() {
        let team = json!({"type": "team", "id": "7", "empty": null, "tags": {"type": "tag.list", "data":
            [{"type": "tag", "id": "1", "name": "vip"}, {"type": "tag", "id": "2", "name": "bug"}]}});
        assert_eq!(record(&team, &clock()), "type: team\nid: 7\ntags: vip, bug\n");
    }

    #[test]
    fn list_elements_are_marked_with_a_dash() {
        let shown =
            lines(&json!({"value": [{"field": "a", "value": "1"}, {"field": "b", "value": "2"}]}), &clock());
        assert_eq!(shown, "value:\n  - field: a\n    value: 1\n  - field: b\n    value: 2\n");
    }

    #[test]
    fn texts_cannot_control_the_terminal() {
        assert_eq!(lines(&json!({"name": "a\u{1b}[31mb"}), &clock()), "name: a [31mb\n");
    }
}

//! One record as text for people: one line per field, nested values indented below, messages as a thread.
//!
//! Anybody can have written the texts, so nothing in them may control the terminal.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::table;
use crate::data::printable::one_line;

/// The fields of a record, and its thread below them if it has one.
pub fn record(record: &Value) -> String {
    let thread = thread(record);
    let Value::Object(fields) = record else { return lines(record) };
    let mut shown = Map::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let is_in_thread = PARTS.contains(&name.as_str()) && !thread.is_empty();
        if !is_in_thread {
            shown.insert(name.clone(), summarized(value));
        }
    }
    if let Some(source) = shown.get_mut("source").and_then(Value::as_object_mut) {
        source.remove("body");
    }
    let separator = if thread.is_empty() { "" } else { "\n" };
    format!("{}{separator}{}", lines(&shown.into()), thread.join("\n"))
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

/// Fields that hold the parts of a record.
const PARTS: [&str; 2] = ["conversation_parts", "ticket_parts"];

/// Messages and other parts, oldest first.
fn thread(record: &Value) -> Vec<String> {
    let opening = record["source"]["body"].as_str().filter(|body| !body.is_empty()).map(|body| {
        let source = &record["source"];
        message("", &source["author"], &record["created_at"], body)
    });
    let parts = PARTS.iter().filter_map(|name| {
        let list = record.get(*name)?;
        list.as_array().or_else(|| list[*name].as_array())
    });
    opening.into_iter().chain(parts.flatten().map(part)).collect()
}

fn part(part: &Value) -> String {
    let kind = part["part_type"].as_str().unwrap_or_default();
    match part["body"].as_str().filter(|body| !body.is_empty()) {
        Some(body) => {
            let mark = if kind.starts_with("note") { "[note] " } else { "" };
            message(mark, &part["author"], &part["created_at"], body)
        }
        None => {
            format!(
                "· {} by {}\n",
                one_line(&kind.replace('_', " ")),
                byline(&part["author"], &part["created_at"])
            )
        }
    }
}

fn message(mark: &str, author: &Value, at: &Value, body: &str) -> String {
    let mut text = format!("{mark}{}\n", byline(author, at));
    for line in body.lines() {
        let _ = writeln!(text, "  {}", one_line(line));
    }
    text
}

/// Author and time.
fn byline(author: &Value, at: &Value) -> String {
    let name = ["name", "email", "id"].iter().find_map(|field| author[*field].as_str()).unwrap_or("somebody");
    let role = author["type"].as_str().map(|role| format!(" ({role})")).unwrap_or_default();
    let at = table::format_time("created_at", at).map(|at| format!(" · {at}")).unwrap_or_default();
    one_line(&format!("{name}{role}{at}"))
}

/// A value as `key: value` lines, with times in UTC.
pub fn lines(value: &Value) -> String {
    indented(value, 0)
}

fn indented(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| field(key, value, indent)).collect(),
        Value::Array(elements) => elements.iter().map(|element| list_item(element, indent)).collect(),
        Value::String(text) => format!("{pad}{}\n", one_line(text)),
        other => format!("{pad}{other}\n"),
    }
}

fn field(key: &str, value: &Value, indent: usize) -> String {
    let (pad, key) = (" ".repeat(indent), one_line(key));
    match value {
        Value::Object(inner) if !inner.is_empty() => format!("{pad}{key}:\n{}", indented(value, indent + 2)),
        Value::Array(inner) if inner.iter().any(Value::is_object) => {
            format!("{pad}{key}:\n{}", indented(value, indent + 2))
        }
        Value::String(text) if text.contains('\n') => {
            let lines = text.lines().map(|line| format!("{pad}  {}\n", one_line(line)));
            format!("{pad}{key}:\n{}", lines.collect::<String>())
        }
        Value::String(text) => format!("{pad}{key}: {}\n", one_line(text)),
        other => {
            let shown = table::format_time(&key, other).unwrap_or_else(|| other.to_string());
            format!("{pad}{key}: {shown}\n")
        }
    }
}

/// A list element, marked with a dash.
fn list_item(element: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let text = match element {
        Value::Object(fields) if fields.is_empty() => "{}\n".to_owned(),
        element => indented(element, indent + 2),
    };
    format!("{pad}- {}", text.trim_start())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thread_reads_like_a_chat() {
        let conversation = json!({"id": "1", "created_at": 1_760_000_000,
            "source": {"subject": "Hi", "body": "Hello", "author": {"type": "user", "name": "Ann"}},
            "conversation_parts": {"conversation_parts": [
                {"part_type": "note", "body": "One\nTwo", "author": {"type": "admin", "name": "Bo"}, "created_at": 1_760_000_060},
                {"part_type": "close", "body": null, "author": {"type": "admin", "name": "Bo"}, "created_at": 1_760_000_120}]}});
        let expected = "id: 1\ncreated_at: 2025-10-09 08:53\nsource:\n  subject: Hi\n  author:\n    type: user\n    name: Ann\n\n\
            Ann (user) · 2025-10-09 08:53\n  Hello\n\n[note] Bo (admin) · 2025-10-09 08:54\n  One\n  Two\n\n\
            · close by Bo (admin) · 2025-10-09 08:55\n";
        assert_eq!(record(&conversation), expected);
    }

    #[test]
    fn list_elements_are_marked_with_a_dash() {
        let shown = lines(&json!({"value": [{"field": "a", "value": "1"}, {"field": "b", "value": "2"}]}));
        assert_eq!(shown, "value:\n  - field: a\n    value: 1\n  - field: b\n    value: 2\n");
    }

    #[test]
    fn texts_cannot_control_the_terminal() {
        assert_eq!(lines(&json!({"name": "a\u{1b}[31mb"})), "name: a [31mb\n");
    }
}

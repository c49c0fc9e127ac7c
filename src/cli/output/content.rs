//! Shows a single record with its content, as a person or an agent wants to read it.
//!
//! Bodies become plain text. Empty values, technical fields and addresses inside the API are dropped. Omitted fields
//! with content are always listed, here and for compact lists, so that nobody mistakes a reduced record for a
//! complete one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::compact;
use crate::cli::streams;
use crate::html::plain::excerpt;

/// Maximum characters of a text.
const MAX_CHARS: usize = 10_000;

/// Fields that are only of technical interest.
const TECHNICAL: [&str; 9] = [
    "avatar",
    "image_url",
    "statistics",
    "social_profiles",
    "app_package_name",
    "referrer",
    "browser",
    "os",
    "workspace_id",
];
const TECHNICAL_PREFIXES: [&str; 5] = ["android_", "ios_", "browser_", "utm_", "os_"];

/// Maximum characters of a text; none for captured output, which is truncated elsewhere.
fn max_chars() -> usize {
    if streams::current().is_some() { usize::MAX } else { MAX_CHARS }
}

/// The paths of the texts of a record that [`details`] shortens.
pub fn cut_texts(record: &Value) -> Vec<String> {
    let (max_chars, mut paths) = (max_chars(), Vec::new());
    if max_chars < usize::MAX {
        collect_cut(record, String::new(), max_chars, &mut paths);
    }
    paths
}

fn collect_cut(value: &Value, path: String, max_chars: usize, paths: &mut Vec<String>) {
    match value {
        // The text is shorter than its markup.
        Value::String(text)
            if text.len() > max_chars && excerpt(text, usize::MAX).chars().nth(max_chars).is_some() =>
        {
            paths.push(path);
        }
        Value::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.for_each(|(at, value)| collect_cut(value, format!("{path}[{at}]"), max_chars, paths));
        }
        Value::Object(fields) => {
            let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            fields.iter().for_each(|(name, value)| collect_cut(value, join(name), max_chars, paths));
        }
        _ => {}
    }
}

/// The record with its content. Rows of reports are unchanged.
pub fn details(record: &Value) -> Value {
    let Value::Object(fields) = record else { return record.clone() };
    let kind = fields.get("type").and_then(Value::as_str);
    if kind.is_none() && !fields.contains_key("id") {
        return record.clone();
    }
    let key_fields = compact::key_fields(kind.unwrap_or_default());
    let kept = fields.iter().filter_map(|(name, value)| {
        let is_key = key_fields.iter().any(|key| key == name);
        let is_technical = TECHNICAL.contains(&name.as_str())
            || TECHNICAL_PREFIXES.iter().any(|start| name.starts_with(start));
        let shown = condensed(value);
        (is_key || (!is_empty(value) && !is_technical)).then(|| (name.clone(), shown))
    });
    kept.collect::<Map<_, _>>().into()
}

/// A value without empty values, addresses inside the API, and markup.
fn condensed(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(condensed).collect(),
        Value::String(text) => json!(excerpt(text, max_chars())),
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some(kind) if !compact::key_fields(kind).is_empty() => nested_record(value, fields),
            kind => {
                let is_list = kind.is_some_and(|kind| kind.ends_with("list"));
                let kept = fields.iter().filter(|(name, value)| {
                    let is_address = *name == "url" && value.as_str().is_some_and(|url| url.starts_with('/'));
                    !(is_empty(value) || is_address || is_list && *name == "type")
                });
                let kept = kept.map(|(name, value)| (name.clone(), condensed(value)));
                kept.collect::<Map<_, _>>().into()
            }
        },
        other => other.clone(),
    }
}

/// What an event inside a thread changed.
const CHANGES: [&str; 5] =
    ["event_details", "updated_attribute_data", "previous_ticket_state", "ticket_state", "metadata"];

/// A record inside another: its key fields and its content.
fn nested_record(record: &Value, fields: &Map<String, Value>) -> Value {
    let mut shown = compact::record(record);
    // An opening message has the type of its conversation, but its author differs.
    for name in ["author", "body", "attachments", "content"] {
        if let Some(value) = fields.get(name).filter(|value| !is_empty(value)) {
            shown[name] = condensed(value);
        }
    }
    for name in CHANGES {
        let value = fields.get(name).filter(|value| !is_empty(value) && shown.get(name).is_none());
        if let Some(value) = value {
            shown[name] = condensed(value);
        }
    }
    if let Value::Object(shown) = &mut shown {
        shown.retain(|_, value| !is_empty(value));
    }
    shown
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            let is_envelope = ["type", "url", "total_count", "has_more"].contains(&name.as_str());
            is_empty(value)
                || (is_envelope && fields.values().any(|value| value.as_array().is_some_and(Vec::is_empty)))
        }),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Fields with content that are not shown, as dotted paths.
pub fn omitted_fields(record: &Value, shown: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (Value::Object(record), Value::Object(shown)) = (record, shown) else { return names };
    for (name, value) in record.iter().filter(|(name, value)| *name != "type" && !is_empty(value)) {
        match (shown.get(name), value) {
            (None, _) => drop(names.insert(name.clone())),
            (Some(Value::Object(kept)), Value::Object(fields)) => {
                let inner = fields.iter().filter(|(inner, value)| {
                    !kept.contains_key(*inner)
                        && !["type", "url"].contains(&inner.as_str())
                        && !is_empty(value)
                });
                names.extend(inner.map(|(inner, _)| format!("{name}.{inner}")));
            }
            _ => {}
        }
    }
    names
}

/// Fields omitted from the records of a result.
#[derive(Debug, Default)]
pub struct OmittedFields {
    names: BTreeSet<String>,
}

impl OmittedFields {
    /// Adds the fields of a record that are missing from its shown form.
    pub fn add(&mut self, record: &Value, shown: &Value) {
        self.names.extend(omitted_fields(record, shown));
    }

    /// Lists the fields in `meta`.
    pub fn describe(&self, meta: &mut Value) {
        if let (Value::Object(meta), false) = (meta, self.names.is_empty()) {
            meta.insert("omitted".to_owned(), json!(self.names));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_keeps_its_thread_as_plain_text() {
        let conversation = json!({"type": "conversation", "id": "1", "title": null, "state": "open", "statistics": {"n": 1},
            "source": {"type": "email", "body": "<p>Hi&nbsp;there</p>", "url": null, "author": {"type": "user", "id": "9", "name": "Ann"}},
            "tags": {"type": "tag.list", "tags": []},
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "9", "external_id": "e"}]},
            "conversation_parts": {"type": "conversation_part.list", "total_count": 1, "conversation_parts": [
                {"type": "conversation_part", "id": "2", "part_type": "note", "body": "<p>Look<br>here</p>", "attachments": [],
                 "author": {"type": "admin", "id": "3", "name": "Bo", "email": "bo@example.com"}, "created_at": 5, "external_id": null}]}});
        let shown = details(&conversation);
        assert_eq!(shown["source"]["body"], "Hi there");
        let part = &shown["conversation_parts"]["conversation_parts"][0];
        assert_eq!((&part["body"], &part["part_type"]), (&json!("Look\nhere"), &json!("note")));
        assert!(shown.get("tags").is_none() && shown["contacts"]["contacts"][0]["external_id"] == "e");
        assert_eq!(omitted_fields(&conversation, &shown), BTreeSet::from(["statistics".to_owned()]));
    }

    #[test]
    fn shortened_texts_are_listed() {
        let (long, short) = ("x".repeat(10_001), format!("<p>{}</p>", "y".repeat(10_000)));
        let record = json!({"type": "article", "id": "1", "body": long, "description": short, "parts": [{"body": long}]});
        assert_eq!(cut_texts(&record), ["body", "parts[0].body"]);
        assert!(details(&record)["body"].as_str().unwrap().ends_with('…'));
        assert_eq!(details(&record)["description"].as_str().unwrap().len(), 10_000);
    }

    #[test]
    fn an_event_keeps_what_it_changed() {
        let ticket = json!({"type": "ticket", "id": "1", "ticket_parts": {"ticket_parts": [
            {"type": "ticket_part", "id": "2", "part_type": "ticket_state_updated_by_admin", "ticket_state": "resolved",
             "previous_ticket_state": "submitted", "metadata": {}}]}});
        let part = &details(&ticket)["ticket_parts"]["ticket_parts"][0];
        assert_eq!(
            (&part["ticket_state"], &part["previous_ticket_state"]),
            (&json!("resolved"), &json!("submitted"))
        );
        assert!(part.get("metadata").is_none(), "{part}");
    }

    #[test]
    fn a_contact_keeps_tags_companies_and_attributes() {
        let contact = json!({"type": "contact", "id": "1", "phone": null, "custom_attributes": {"plan": "pro", "seats": null},
            "avatar": {"image_url": "x"}, "companies": {"type": "list", "url": "/contacts/1/companies", "total_count": 1, "has_more": false,
                "data": [{"type": "company", "id": "c", "url": "/companies/c"}]},
            "tags": {"type": "list", "data": [], "url": "/x", "total_count": 0, "has_more": false}});
        let shown = details(&contact);
        assert_eq!(
            shown,
            json!({"type": "contact", "id": "1", "phone": null, "custom_attributes": {"plan": "pro"},
            "companies": {"total_count": 1, "has_more": false, "data": [{"type": "company", "id": "c"}]}})
        );
    }

    #[test]
    fn markup_is_removed_and_long_texts_are_cut() {
        assert_eq!(excerpt("<p>a</p><p>b</p>", 10), "a\nb");
        assert_eq!(excerpt("a < b", 10), "a < b");
        assert_eq!(excerpt("äöüß", 3), "äöü…");
    }
}

//! `--compact`: the fields that identify a record and say how it stands.
//!
//! Works on any record of any resource by the names of its fields, so that a resource nobody thought
//! of is compact as well. It keeps the envelope of a list: an agent needs the cursor.

use serde_json::{Map, Value};

const KEYS: [&str; 24] = [
    "id",
    "type",
    "name",
    "title",
    "subject",
    "email",
    "phone",
    "role",
    "external_id",
    "company_id",
    "user_id",
    "state",
    "status",
    "open",
    "read",
    "priority",
    "part_type",
    "category",
    "code",
    "scroll_param",
    "pages",
    "total_count",
    "next",
    "starting_after",
];

/// The record, or the list with its records, with key fields only.
pub fn compact(document: &Value, list: Option<&str>) -> Value {
    match (document, list) {
        (Value::Array(records), _) => records.iter().map(record).collect(),
        (Value::Object(fields), Some(list)) => {
            let kept = fields.iter().filter_map(|(key, value)| match value {
                Value::Array(records) if key == list => {
                    Some((key.clone(), records.iter().map(record).collect()))
                }
                value => (is_key(key) || is_scalar(value)).then(|| (key.clone(), value.clone())),
            });
            kept.collect::<Map<_, _>>().into()
        }
        _ => record(document),
    }
}

/// One record with key fields only; a record without any stays whole.
pub fn record(record: &Value) -> Value {
    let Value::Object(fields) = record else { return record.clone() };
    let key = |name: &String, value: &Value| is_key(name) && (is_scalar(value) || name == "pages");
    let kept: Map<_, _> = fields
        .iter()
        .filter(|(name, value)| key(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if kept.keys().all(|name| name == "type") { record.clone() } else { kept.into() }
}

fn is_key(name: &str) -> bool {
    KEYS.contains(&name)
        || ["_at", "_id", "_until", "_name", "_count"].iter().any(|ending| name.ends_with(ending))
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_keep_their_envelope() {
        let list = json!({"type": "list", "data": [{"type": "contact", "id": "1", "avatar": {"url": "x"}, "created_at": 5,
            "custom_attributes": {"plan": "pro"}}], "pages": {"next": {"starting_after": "c"}}, "total_count": 1});
        let expected = json!({"type": "list", "data": [{"type": "contact", "id": "1", "created_at": 5}],
            "pages": {"next": {"starting_after": "c"}}, "total_count": 1});
        assert_eq!(compact(&list, Some("data")), expected);
    }

    #[test]
    fn a_record_without_key_fields_stays_whole() {
        let record = json!({"type": "x", "body": {"a": 1}});
        assert_eq!(compact(&record, None), record);
    }
}

//! Reads the fields of a record that a change affects, and compares them with the change.
//!
//! Reading is lenient about types but never guesses: missing fields are `None`.

use serde_json::{Map, Value};

use super::target::BulkTarget;
use crate::data::lenient;
use crate::filter::By;
use crate::html::plain;

/// Whether a record has a tag; `None` if the document has no tags or only some of them.
pub(super) fn tagged(target: BulkTarget, document: &Value, tag_id: &str) -> Option<bool> {
    let list = document.get("tags").filter(|list| !list.is_null())?;
    let key = if target == BulkTarget::Contacts { "data" } else { "tags" };
    let tags = list.as_array().or_else(|| list[key].as_array())?;
    let has = tags.iter().any(|tag| lenient::id(&tag["id"]).as_deref() == Some(tag_id));
    let is_unknown = !has && target == BulkTarget::Contacts && lenient::is_cut(list);
    (!is_unknown).then_some(has)
}

/// Id of the teammate who added a tag. Only conversations have it.
pub(super) fn tagged_by(document: &Value, tag_id: &str) -> Option<String> {
    let tags = document["tags"]["tags"].as_array()?;
    let tag = tags.iter().find(|tag| lenient::id(&tag["id"]).as_deref() == Some(tag_id))?;
    lenient::reference(&tag["applied_by"]["id"])
}

/// Messages of one teammate in a conversation or ticket: its notes, or its replies.
pub(super) struct OwnParts {
    /// Ids of those with the given text.
    pub same_text: Vec<String>,
    pub latest: Option<String>,
}

/// `None` if the document has no parts.
pub(super) fn own_parts(document: &Value, kind: &str, admin_id: &str, body: &str) -> Option<OwnParts> {
    let lists = ["/conversation_parts/conversation_parts", "/ticket_parts/ticket_parts"];
    let parts = lists.iter().find_map(|list| document.pointer(list)?.as_array())?;
    let text = plain::text(body);
    let is_own = |part: &&Value| {
        part["part_type"] == kind && lenient::id(&part["author"]["id"]).as_deref() == Some(admin_id)
    };
    let own: Vec<&Value> = parts.iter().filter(is_own).collect();
    let has_text = |part: &&&Value| part["body"].as_str().is_some_and(|body| plain::text(body) == text);
    Some(OwnParts {
        same_text: own.iter().filter(has_text).filter_map(|part| lenient::id(&part["id"])).collect(),
        latest: own.last().and_then(|part| lenient::id(&part["id"])),
    })
}

/// Current values of the fields of an update, custom attributes one by one. Missing fields are null.
pub(super) fn current(update: &Map<String, Value>, document: &Value) -> Option<Map<String, Value>> {
    document.as_object().filter(|fields| fields.contains_key("id"))?;
    let field = |(name, value): (&String, &Value)| {
        let now = match value {
            Value::Object(inside) => {
                let inner = inside
                    .keys()
                    .map(|key| (key.clone(), document[name].get(key).cloned().unwrap_or_default()));
                Value::Object(inner.collect())
            }
            _ => document.get(name).cloned().unwrap_or_default(),
        };
        (name.clone(), now)
    };
    Some(update.iter().map(field).collect())
}

/// Compares values; the API may return a number as text, or the reverse.
pub(super) fn same(expected: &Value, now: &Value) -> bool {
    match (expected, now) {
        (Value::Object(expected), now) => expected.iter().all(|(key, value)| same(value, &now[key])),
        (Value::Null, now) => now.is_null(),
        (expected, now) => {
            expected == now || lenient::text(expected).is_some_and(|text| lenient::text(now) == Some(text))
        }
    }
}

/// Whether two states of a record are the same, in the spelling of whatever API version.
pub(super) fn is_same_state(one: &Value, other: &Value) -> bool {
    same(one, other) && same(other, one)
}

/// Compares values of a contact's field, where two spellings can be the same value, for example an address in upper
/// case or a phone number with spaces.
pub(super) fn same_field(name: &str, expected: &Value, now: &Value) -> bool {
    let by = match name {
        "email" => Some(By::Email),
        "phone" => Some(By::Phone),
        _ => None,
    };
    let has_same_key = by.zip(expected.as_str().zip(now.as_str())).is_some_and(|(by, (expected, now))| {
        let key = by.key(expected);
        key.is_some() && key == by.key(now)
    });
    // Nobody is null or 0.
    let is_same_owner = || name == "owner_id" && lenient::reference(expected) == lenient::reference(now);
    has_same_key || same(expected, now) || is_same_owner()
}

/// Whether a field was set: it has the new value, or at least no longer the previous one. The API normalizes stored
/// values, for example dates, and trims text.
pub(super) fn was_set(expected: &Value, before: &Value, now: &Value) -> bool {
    match (expected, now) {
        (Value::Object(expected), Value::Object(_)) => {
            expected.iter().all(|(key, value)| was_set(value, &before[key], &now[key]))
        }
        (expected, now) => {
            let is_same_trimmed = match (expected.as_str(), now.as_str()) {
                (Some(expected), Some(now)) => expected.trim() == now.trim(),
                _ => false,
            };
            // API versions differ in how they spell a value.
            same(expected, now) || is_same_trimmed || !same(before, now)
        }
    }
}

/// Whether two times are less than a minute apart: the API may round times. Epoch seconds.
pub(super) fn is_same_minute(one: Option<i64>, other: i64) -> bool {
    one.is_some_and(|one| one.abs_diff(other) < 60)
}

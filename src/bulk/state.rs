//! Reads the parts of a record's document that changes are about, and compares them with what was sent.
//!
//! Reading is lenient about types. It never guesses: what a document leaves out is `None`.

use serde_json::{Map, Value};

use super::change::Target;
use crate::filter::By;
use crate::mirror::{fields, plain};

/// Whether a record has a tag; `None` when the document shows only some of its tags, or none at all.
pub(super) fn tagged(target: Target, document: &Value, tag_id: &str) -> Option<bool> {
    let list = document.get("tags").filter(|list| !list.is_null())?;
    let key = if target == Target::Contacts { "data" } else { "tags" };
    let tags = list.as_array().or_else(|| list[key].as_array())?;
    let has = tags.iter().any(|tag| fields::id(&tag["id"]).as_deref() == Some(tag_id));
    match !has && target == Target::Contacts && fields::is_cut(list) {
        true => None,
        false => Some(has),
    }
}

/// Id of the teammate who put a tag on, where the document says so: conversations do.
pub(super) fn tagged_by(document: &Value, tag_id: &str) -> Option<String> {
    let tags = document["tags"]["tags"].as_array()?;
    let tag = tags.iter().find(|tag| fields::id(&tag["id"]).as_deref() == Some(tag_id))?;
    fields::reference(&tag["applied_by"]["id"])
}

/// The notes that this teammate wrote into a conversation.
pub(super) struct OwnNotes {
    /// Ids of those with the text that was asked for.
    pub same_text: Vec<String>,
    pub latest: Option<String>,
}

/// `None` when the document carries no parts.
pub(super) fn own_notes(document: &Value, admin_id: &str, body: &str) -> Option<OwnNotes> {
    let parts = document["conversation_parts"]["conversation_parts"].as_array()?;
    let wanted = plain::text(body);
    let is_own = |part: &&Value| {
        part["part_type"] == "note" && fields::id(&part["author"]["id"]).as_deref() == Some(admin_id)
    };
    let own: Vec<&Value> = parts.iter().filter(is_own).collect();
    let has_text = |part: &&&Value| part["body"].as_str().is_some_and(|body| plain::text(body) == wanted);
    Some(OwnNotes {
        same_text: own.iter().filter(has_text).filter_map(|part| fields::id(&part["id"])).collect(),
        latest: own.last().and_then(|part| fields::id(&part["id"])),
    })
}

/// What the fields are now, custom attributes one by one. A field that is missing is null.
pub(super) fn current(wanted: &Map<String, Value>, document: &Value) -> Option<Map<String, Value>> {
    document.as_object().filter(|it| it.contains_key("id"))?;
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
    Some(wanted.iter().map(field).collect())
}

/// Numbers and texts may change places between a request and an answer.
pub(super) fn same(wanted: &Value, now: &Value) -> bool {
    match (wanted, now) {
        (Value::Object(wanted), now) => wanted.iter().all(|(key, value)| same(value, &now[key])),
        (Value::Null, now) => now.is_null(),
        (wanted, now) => wanted == now || (!now.is_null() && fields::text(wanted) == fields::text(now)),
    }
}

/// The same for a field of a contact, where two spellings can be one value: an address in capitals, a telephone
/// number with spaces.
pub(super) fn same_field(name: &str, wanted: &Value, now: &Value) -> bool {
    let by = match name {
        "email" => Some(By::Email),
        "phone" => Some(By::Phone),
        _ => None,
    };
    let alike = by.zip(wanted.as_str().zip(now.as_str())).is_some_and(|(by, (wanted, now))| {
        let key = by.key(wanted);
        key.is_some() && key == by.key(now)
    });
    alike || same(wanted, now)
}

/// Whether a field shows that it was set: it is as wanted, or at least no longer what it was. Services rewrite
/// values that they store, such as dates, and trim texts.
pub(super) fn was_set(wanted: &Value, before: &Value, now: &Value) -> bool {
    match (wanted, now) {
        (Value::Object(wanted), Value::Object(_)) => {
            wanted.iter().all(|(key, value)| was_set(value, &before[key], &now[key]))
        }
        (wanted, now) => {
            let is_alike = match (wanted.as_str(), now.as_str()) {
                (Some(wanted), Some(now)) => wanted.trim() == now.trim(),
                _ => false,
            };
            same(wanted, now) || is_alike || now != before
        }
    }
}

/// Whether two moments are the same minute: services may round the times they are given.
pub(super) fn is_same_minute(one: Option<i64>, other: i64) -> bool {
    one.is_some_and(|one| one.abs_diff(other) < 60)
}

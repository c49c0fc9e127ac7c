//! Reads conversations: their parts, their state, and what the result shows of them.

use serde_json::{Value, json};

use crate::bulk::error::Error;
use crate::bulk::phrase_match::{MessageText, PhraseHit};
use crate::data::lenient;
use crate::mirror::{ResourceName, Store, lacks_parts};

/// A listed conversation with the fields of the single document. Null does not replace a value.
pub(super) fn merged(listed: Value, fetched: Value) -> Value {
    match (listed, fetched) {
        (Value::Object(mut listed), Value::Object(fetched)) => {
            listed.extend(fetched.into_iter().filter(|(_, value)| !value.is_null()));
            Value::Object(listed)
        }
        (_, fetched) => fetched,
    }
}

/// The parts in a conversation's document.
pub(super) fn parts(document: &Value) -> Vec<MessageText> {
    let list = &document["conversation_parts"];
    let parts = list.as_array().or_else(|| list["conversation_parts"].as_array());
    parts.into_iter().flatten().map(MessageText::part).collect()
}

/// Whether the API returned only some of the parts.
pub(super) fn is_cut(document: &Value, returned: usize) -> bool {
    let totals =
        [&document["statistics"]["count_conversation_parts"], &document["conversation_parts"]["total_count"]];
    lacks_parts(totals.into_iter().filter_map(lenient::integer).max(), returned, returned)
}

/// The parts in the mirror; `None` unless all of them are up to date.
pub(super) fn parts_in_mirror(store: &Store, document: &Value) -> Result<Option<Vec<MessageText>>, Error> {
    let (Some(id), Some(updated_at)) = (lenient::id(&document["id"]), lenient::time(&document["updated_at"]))
    else {
        return Ok(None);
    };
    if !store.has_parts_of(&id, updated_at)? {
        return Ok(None);
    }
    let Some(raw) = store.with_parts(ResourceName::Conversations, &id)? else { return Ok(None) };
    // A document that cannot be read is fetched again.
    Ok(serde_json::from_str(&raw).ok().map(|document| parts(&document)))
}

pub(super) fn state(document: &Value) -> Option<String> {
    let named = document["state"].as_str().map(str::to_owned);
    named.or_else(|| {
        let open = lenient::flag(&document["open"])?;
        Some(if open { "open" } else { "closed" }.to_owned())
    })
}

/// Columns of the result that describe a conversation.
pub(super) fn shown(document: &Value, hits: &[PhraseHit]) -> Value {
    let author = &document["source"]["author"];
    let first = document["contacts"]["contacts"].as_array().and_then(|contacts| contacts.first());
    let contact_id = first.and_then(|contact| lenient::id(&contact["id"])).or_else(|| {
        // The author can be a teammate.
        let is_contact = !matches!(author["type"].as_str(), Some("admin" | "bot" | "team"));
        lenient::id(&author["id"]).filter(|_| is_contact)
    });
    let is_author = contact_id.is_some() && contact_id == lenient::id(&author["id"]);
    let of_author = |field: &str| author[field].as_str().filter(|value| is_author && !value.is_empty());
    let hit = hits.first();
    json!({
        "contact": { "id": contact_id, "name": of_author("name"), "email": of_author("email") },
        "state": state(document),
        "updated_at": lenient::time(&document["updated_at"]),
        "created_at": lenient::time(&document["created_at"]),
        "matched_in": hit.map(|hit| if hit.part_id.is_some() { "part" } else { "source" }),
        "matched_part_id": hit.and_then(|hit| hit.part_id.clone()),
        "matched_at": hit.and_then(|hit| hit.written_at),
        "match": hit.map(|hit| hit.context.clone()),
    })
}

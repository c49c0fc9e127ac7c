//! Lowers the effect of an operation according to the body of a request.
//!
//! The declared effect is the strongest that an operation can have. A body lowers it only if every field is listed
//! here: unknown fields keep the declared effect.

use serde_json::{Map, Value};

use crate::api::operation::{Effect, Operation};

/// Fields of an element of a list that name a record.
const NAMING: [&str; 5] = ["id", "user_id", "company_id", "external_id", "email"];

/// The least that a request of this operation does, whatever its body.
pub fn least(operation: &Operation) -> Effect {
    if HARMLESS.iter().any(|(id, _)| *id == operation.id) { Effect::Write } else { operation.effect }
}

/// What a request of this operation does with this body.
pub fn effect(operation: &Operation, body: Option<&Value>) -> Effect {
    let none = Map::new();
    let body = body.and_then(Value::as_object).unwrap_or(&none);
    if PUBLIC.iter().any(|(id, state)| *id == operation.id && body.get("state") == Some(&Value::from(*state)))
    {
        return Effect::Destructive;
    }
    let rule = HARMLESS.iter().find(|(id, _)| *id == operation.id);
    if rule.is_some_and(|(_, is_harmless)| is_harmless(body)) { Effect::Write } else { operation.effect }
}

/// How many records a body names in its lists; never less than one.
pub fn records(body: Option<&Value>) -> usize {
    body.map_or(0, named).max(1)
}

/// Fields that decide what a call does. A call that gives one of them twice, in different ways, is not judged
/// by either.
pub const DECIDING: [&str; 3] = ["message_type", "consent_type", "state"];

/// Operations that can publish what they create, and the state that publishes.
const PUBLIC: [(&str, &str); 2] = [("createArticle", "published"), ("createNewsItem", "live")];

type BodyRule = fn(&Map<String, Value>) -> bool;

/// Operations that with some bodies only add something, or make a change that another call undoes.
const HARMLESS: [(&str, BodyRule); 6] = [
    ("replyConversation", is_note),
    ("replyTicket", is_note),
    ("manageConversation", says_nothing),
    ("createTag", only_tags),
    ("attachSubscriptionTypeToContact", opts_in),
    ("createExternalPage", is_new_page),
];

/// A note is for the team only.
fn is_note(body: &Map<String, Value>) -> bool {
    body.get("message_type").and_then(Value::as_str) == Some("note")
}

/// Closing, opening, snoozing and assigning reach a customer only with a text.
fn says_nothing(body: &Map<String, Value>) -> bool {
    let known = ["message_type", "type", "admin_id", "assignee_id", "snoozed_until"];
    let moves = ["close", "open", "snoozed", "assignment"];
    let is_move = body.get("message_type").and_then(Value::as_str).is_some_and(|kind| moves.contains(&kind));
    is_move && has_only(body, &known)
}

/// With an id the tag is renamed, and `untag` takes it off.
fn only_tags(body: &Map<String, Value>) -> bool {
    let elements = ["users", "companies", "tickets"].into_iter().filter_map(|list| body.get(list));
    let is_plain = |element: &Value| {
        let fields = element.as_object();
        fields.is_some_and(|fields| {
            let untag = fields.get("untag").is_none_or(|untag| *untag == Value::Bool(false));
            let known = fields.keys().all(|name| name == "untag" || NAMING.contains(&name.as_str()));
            untag && known
        })
    };
    let mut lists = elements.filter(|list| !list.is_null());
    let is_plain = lists.all(|list| list.as_array().is_some_and(|list| list.iter().all(is_plain)));
    is_plain && has_only(body, &["name", "users", "companies", "tickets"])
}

fn opts_in(body: &Map<String, Value>) -> bool {
    body.get("consent_type").and_then(Value::as_str) == Some("opt_in")
}

/// A page with an external id replaces the page that has the same one.
fn is_new_page(body: &Map<String, Value>) -> bool {
    body.get("external_id").is_none_or(Value::is_null)
}

/// Whether every field that says something is one of these.
fn has_only(body: &Map<String, Value>, known: &[&str]) -> bool {
    let is_empty = |value: &Value| value.is_null() || value.as_str().is_some_and(str::is_empty);
    body.iter().all(|(name, value)| is_empty(value) || known.contains(&name.as_str()))
}

fn named(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::Array(ids) if name == "ids" || name.ends_with("_ids") => ids.len(),
                value => named(value),
            })
            .sum(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| match element.as_object() {
                Some(fields) if NAMING.iter().any(|name| fields.contains_key(*name)) => 1,
                _ => named(element),
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request_builder::operation;
    use serde_json::json;

    #[test]
    fn only_a_body_that_is_known_to_be_harmless_makes_a_call_less() {
        for (id, body, expected) in [
            ("replyConversation", json!({ "message_type": "note", "body": "x" }), Effect::Write),
            ("replyConversation", json!({ "message_type": "comment", "body": "x" }), Effect::Destructive),
            ("replyConversation", json!({ "message_type": ["note"] }), Effect::Destructive),
            ("manageConversation", json!({ "message_type": "close", "admin_id": "1" }), Effect::Write),
            ("manageConversation", json!({ "message_type": "close", "body": "" }), Effect::Write),
            ("manageConversation", json!({ "message_type": "close", "body": "Bye" }), Effect::Destructive),
            ("manageConversation", json!({ "message_type": "assignment", "body": "x" }), Effect::Destructive),
            (
                "manageConversation",
                json!({ "message_type": "open", "attachment_urls": ["u"] }),
                Effect::Destructive,
            ),
            ("createTag", json!({ "name": "vip" }), Effect::Write),
            ("createTag", json!({ "name": "vip", "users": [{ "id": "1" }] }), Effect::Write),
            ("createTag", json!({ "name": "vip", "id": "1" }), Effect::Destructive),
            (
                "createTag",
                json!({ "name": "vip", "companies": [{ "id": "1", "untag": true }] }),
                Effect::Destructive,
            ),
            ("createTag", json!({ "name": "vip", "users": { "id": "1" } }), Effect::Destructive),
            (
                "attachSubscriptionTypeToContact",
                json!({ "id": "1", "consent_type": "opt_in" }),
                Effect::Write,
            ),
            (
                "attachSubscriptionTypeToContact",
                json!({ "id": "1", "consent_type": "opt_out" }),
                Effect::Destructive,
            ),
            ("createExternalPage", json!({ "title": "x" }), Effect::Write),
            ("createExternalPage", json!({ "title": "x", "external_id": "1" }), Effect::Destructive),
            ("createArticle", json!({ "title": "x", "state": "draft" }), Effect::Write),
            ("createArticle", json!({ "title": "x", "state": "published" }), Effect::Destructive),
            ("createOrUpdateCompany", json!({ "company_id": "1" }), Effect::Destructive),
            ("createCustomObjectInstances", json!({ "external_id": "1" }), Effect::Destructive),
        ] {
            assert_eq!(effect(operation(id).unwrap(), Some(&body)), expected, "{id} {body}");
        }
        assert_eq!(effect(operation("replyConversation").unwrap(), None), Effect::Destructive);
    }

    #[test]
    fn the_records_that_a_body_names_are_counted() {
        let ids = |count: usize| (0..count).map(|id| json!({ "id": id })).collect::<Vec<_>>();
        for (body, expected) in [
            (json!({}), 1),
            (json!({ "name": "x", "users": ids(250) }), 250),
            (json!({ "users": ids(60), "companies": ids(60) }), 120),
            (json!({ "changes": { "contact_ids": ["a", "b", "c"] } }), 3),
            (json!({ "options": [{ "value": "a" }, { "value": "b" }] }), 1),
        ] {
            assert_eq!(records(Some(&body)), expected, "{body}");
        }
        assert_eq!(records(None), 1);
    }
}

//! Recognizes documents that differ only in how API versions write the same values.
//!
//! A mirror may be synced with one version and then with another. That must not look as if the workspace had changed,
//! so a value with two spellings has one meaning here. Documents are still stored as received.

use serde_json::{Map, Value};

use super::resources::ResourceName;
use crate::data::lenient;
use crate::filter::judge::priority::priorities;

/// A field that API versions write in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelled {
    /// The id of another record: a text or a number, null or 0 for none.
    Reference,
    Priority,
    /// Left out by some versions.
    Optional,
}

fn spelled_fields(resource: ResourceName) -> &'static [(&'static str, Spelled)] {
    const ASSIGNEES: [(&str, Spelled); 2] =
        [("admin_assignee_id", Spelled::Reference), ("team_assignee_id", Spelled::Reference)];
    match resource {
        ResourceName::Contacts => &[("owner_id", Spelled::Reference)],
        ResourceName::Conversations => {
            const { &[ASSIGNEES[0], ASSIGNEES[1], ("priority", Spelled::Priority)] }
        }
        ResourceName::Tickets => const { &ASSIGNEES },
        ResourceName::Articles => &[("parent_id", Spelled::Optional), ("parent_type", Spelled::Optional)],
        _ => &[],
    }
}

/// Whether a received document says the same as the stored one, in the words of another API version. `false` for
/// equal documents, and for those that differ in anything else but fields that only one of them has.
pub(super) fn is_respelled(resource: ResourceName, stored: &str, received: &str) -> bool {
    let fields = spelled_fields(resource);
    let is_attribute = resource == ResourceName::DataAttributes;
    if fields.is_empty() && !is_attribute {
        return false;
    }
    let parsed = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let (Some(stored), Some(received)) = (parsed(stored), parsed(received)) else { return false };
    if is_attribute {
        return is_same_attribute(&stored, &received);
    }
    let mut has_other_spelling = false;
    for (name, spelled) in fields {
        let (before, after) = (stored.get(*name), received.get(*name));
        if before == after {
            continue;
        }
        has_other_spelling = true;
        let has_same_meaning = match (spelled, before, after) {
            (Spelled::Optional, Some(_), Some(_)) => false,
            (Spelled::Optional, ..) => true,
            (Spelled::Reference, ..) => reference(before) == reference(after),
            (Spelled::Priority, Some(before), Some(after)) => before
                .as_str()
                .zip(after.as_str())
                .is_some_and(|(before, after)| is_same_priority(before, after)),
            (Spelled::Priority, ..) => false,
        };
        if !has_same_meaning {
            return false;
        }
    }
    let is_spelled = |name: &String| fields.iter().any(|(field, _)| field == name);
    has_other_spelling
        && received
            .iter()
            .filter(|(name, _)| !is_spelled(name))
            .all(|(name, value)| stored.get(name).is_none_or(|before| before == value))
}

fn reference(value: Option<&Value>) -> Option<String> {
    lenient::reference(value?)
}

/// Whether one is the ungraded form of the other.
fn is_same_priority(one: &str, other: &str) -> bool {
    let includes =
        |ungraded: &str, grade: &str| ungraded.ends_with("priority") && priorities(ungraded).contains(&grade);
    includes(one, other) || includes(other, one)
}

/// The type of an attribute, in the words of the list that has the attributes of all kinds of records.
pub(super) fn data_type(name: &str) -> &str {
    match name {
        "list" => "string",
        "decimal" => "float",
        "datetime" => "date",
        name => name,
    }
}

/// Whether the two lists with attributes of conversations describe the same one.
fn is_same_attribute(stored: &Map<String, Value>, received: &Map<String, Value>) -> bool {
    let is_same = |name: &str| stored.get(name) == received.get(name);
    let types =
        [stored, received].map(|attribute| attribute.get("data_type").and_then(Value::as_str).map(data_type));
    !is_same("type") && is_same("name") && is_same("archived") && types[0] == types[1]
}

/// The id of the collection that an article is in: the first of `parent_ids` or, in documents without them,
/// `parent_id`, which newer versions leave out.
pub(super) fn parent_id(article: &Value) -> Option<String> {
    let ids = article["parent_ids"].as_array().into_iter().flatten();
    ids.filter_map(lenient::reference).next().or_else(|| lenient::reference(&article["parent_id"]))
}

/// The kind of an article's parent. Versions that leave it out only have collections.
pub(super) fn parent_type(article: &Value) -> Option<String> {
    lenient::text(&article["parent_type"]).or_else(|| parent_id(article).map(|_| "collection".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_spellings_are_no_changes() {
        let respelled = |resource, stored: Value, received: Value| {
            is_respelled(resource, &stored.to_string(), &received.to_string())
        };
        let conversation = |admin: Value, priority: &str| json!({"id": "1", "admin_assignee_id": admin, "priority": priority});
        for (stored, received, expected) in [
            (conversation(json!(null), "priority"), conversation(json!(0), "urgent"), true),
            (conversation(json!(7), "low"), conversation(json!("7"), "not_priority"), true),
            (conversation(json!(7), "high"), conversation(json!(7), "urgent"), false),
            (conversation(json!(7), "priority"), conversation(json!(7), "low"), false),
            (conversation(json!(7), "priority"), conversation(json!(0), "high"), false),
            (conversation(json!(7), "high"), conversation(json!(7), "high"), false),
        ] {
            assert_eq!(
                respelled(ResourceName::Conversations, stored.clone(), received.clone()),
                expected,
                "{stored} {received}"
            );
        }
        let contact = |owner: Value, name: &str| json!({"id": "1", "owner_id": owner, "name": name});
        assert!(respelled(ResourceName::Contacts, contact(json!(9), "A"), contact(json!("9"), "A")));
        assert!(!respelled(ResourceName::Contacts, contact(json!(9), "A"), contact(json!("9"), "B")));
        assert!(!respelled(ResourceName::Contacts, contact(json!(9), "A"), contact(json!(9), "B")));
        assert!(!respelled(ResourceName::Tags, contact(json!(9), "A"), contact(json!("9"), "A")));
        let ticket = |team: Value| json!({"id": "1", "team_assignee_id": team, "admin_assignee_id": "0"});
        assert!(respelled(ResourceName::Tickets, ticket(json!("7")), ticket(json!(7))));
        let (older, newer) = (
            json!({"id": "1", "parent_id": 5, "parent_ids": [5]}),
            json!({"id": "1", "parent_ids": [5], "new": 1}),
        );
        assert!(respelled(ResourceName::Articles, older.clone(), newer.clone()));
        assert!(respelled(ResourceName::Articles, newer, older));
        assert!(!is_respelled(ResourceName::Articles, "{}", "[1]"));
    }

    #[test]
    fn an_attribute_is_the_same_in_both_lists() {
        let older = json!({"type": "data_attribute", "id": 5, "name": "area", "data_type": "string", "archived": false});
        let newer = json!({"type": "conversation_attribute", "id": 5, "name": "area", "data_type": "list", "archived": false});
        let mut archived = newer.clone();
        archived["archived"] = json!(true);
        let respelled = |stored: &Value, received: &Value| {
            is_respelled(ResourceName::DataAttributes, &stored.to_string(), &received.to_string())
        };
        assert!(respelled(&older, &newer) && respelled(&newer, &older));
        assert!(!respelled(&older, &archived) && !respelled(&newer, &archived));
    }

    #[test]
    fn a_priority_matches_its_grades() {
        assert_eq!(priorities("Priority"), ["priority", "high", "urgent"]);
        assert_eq!(priorities("not_priority"), ["not_priority", "none", "low", "medium"]);
        assert_eq!(priorities("high"), ["high", "priority"]);
        assert_eq!(priorities("urgent"), ["urgent"]);
    }

    #[test]
    fn the_parent_of_an_article_is_found_in_both_forms() {
        for (article, id, kind) in [
            (
                json!({"parent_id": 5, "parent_type": "section", "parent_ids": [5, 4]}),
                Some("5"),
                Some("section"),
            ),
            (json!({"parent_ids": [5, 4]}), Some("5"), Some("collection")),
            (json!({"parent_id": null, "parent_type": null, "parent_ids": []}), None, None),
            (json!({"parent_id": "5", "parent_ids": null}), Some("5"), Some("collection")),
            (json!({"parent_ids": null}), None, None),
            (json!({}), None, None),
        ] {
            assert_eq!(parent_id(&article).as_deref(), id, "{article}");
            assert_eq!(parent_type(&article).as_deref(), kind, "{article}");
        }
    }
}

//! Lets searches find the priority of a conversation in the spelling of any API version.
//!
//! The mirror stores priorities as received, so it may hold both. Only whole values are looked up: a test for a part of
//! the value concerns what is stored.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::filter::Searchable;

/// How priorities are written, before and since they have grades: a value and the values that match a search for it.
pub(crate) const PRIORITIES: [(&str, &[&str]); 4] = [
    ("priority", &["priority", "high", "urgent"]),
    ("not_priority", &["not_priority", "none", "low", "medium"]),
    ("high", &["high", "priority"]),
    ("none", &["none", "not_priority"]),
];

/// The test with all spellings of the priorities in it. Other tests stay as they are.
pub(crate) fn with_spellings(searched: Option<Searchable>, test: &Value) -> Cow<'_, Value> {
    let value = &test["value"];
    let values: Vec<&Value> = match (test["operator"].as_str().unwrap_or("="), value) {
        ("=" | "!=", Value::String(_)) => vec![value],
        ("IN" | "NIN", Value::Array(values)) => values.iter().collect(),
        _ => return Cow::Borrowed(test),
    };
    if searched != Some(Searchable::Conversations) || test["field"] != "priority" {
        return Cow::Borrowed(test);
    }
    let mut spellings: Vec<Value> = Vec::new();
    for value in values {
        let matching = value.as_str().map(priorities).into_iter().flatten().map(Value::from);
        for spelling in if value.is_string() { matching.collect() } else { vec![value.clone()] } {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
    }
    if spellings.len() == 1 && value.is_string() {
        return Cow::Borrowed(test);
    }
    let is_negative = matches!(test["operator"].as_str(), Some("!=" | "NIN"));
    let mut test = test.clone();
    test["operator"] = json!(if is_negative { "NIN" } else { "IN" });
    test["value"] = Value::Array(spellings);
    Cow::Owned(test)
}

/// The stored values that a search for this priority finds. A priority without a grade counts as `high`, its absence
/// as `none`.
pub(crate) fn priorities(priority: &str) -> Vec<&str> {
    let known = PRIORITIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(priority));
    known.map_or_else(|| vec![priority], |(_, matching)| matching.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(operator: &str, value: Value) -> Value {
        let test = json!({"field": "priority", "operator": operator, "value": value});
        let spelled = with_spellings(Some(Searchable::Conversations), &test).into_owned();
        json!([spelled["operator"], spelled["value"]])
    }

    #[test]
    fn every_spelling_of_a_priority_is_found() {
        assert_eq!(spelled("=", json!("priority")), json!(["IN", ["priority", "high", "urgent"]]));
        assert_eq!(spelled("!=", json!("high")), json!(["NIN", ["high", "priority"]]));
        assert_eq!(spelled("IN", json!(["high", "urgent"])), json!(["IN", ["high", "priority", "urgent"]]));
        assert_eq!(spelled("NIN", json!(["low", null])), json!(["NIN", ["low", null]]));
    }

    #[test]
    fn other_tests_stay_as_they_are() {
        for (operator, value) in [("=", json!("urgent")), ("=", json!(null)), ("~", json!("prio"))] {
            assert_eq!(spelled(operator, value.clone()), json!([operator, value]));
        }
        let other = json!({"field": "state", "operator": "=", "value": "priority"});
        assert_eq!(*with_spellings(Some(Searchable::Conversations), &other), other);
        let elsewhere = json!({"field": "priority", "operator": "=", "value": "priority"});
        assert_eq!(*with_spellings(Some(Searchable::Tickets), &elsewhere), elsewhere);
    }
}

//! Lets searches find the priority of a conversation in the spelling of any API version.
//!
//! The mirror stores priorities as received, so it may hold both. Only whole values are looked up: a test for a part of
//! the value concerns what is stored.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::mirror::resources::ResourceName;
use crate::mirror::spelling::priorities;

/// The test with all spellings of the priorities in it. Other tests stay as they are.
pub(super) fn with_spellings(resource: ResourceName, test: &Value) -> Cow<'_, Value> {
    let value = &test["value"];
    let values: Vec<&Value> = match (test["operator"].as_str().unwrap_or("="), value) {
        ("=" | "!=", Value::String(_)) => vec![value],
        ("IN" | "NIN", Value::Array(values)) => values.iter().collect(),
        _ => return Cow::Borrowed(test),
    };
    if resource != ResourceName::Conversations || test["field"] != "priority" {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(operator: &str, value: Value) -> Value {
        let test = json!({"field": "priority", "operator": operator, "value": value});
        let spelled = with_spellings(ResourceName::Conversations, &test).into_owned();
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
        assert_eq!(*with_spellings(ResourceName::Conversations, &other), other);
        let elsewhere = json!({"field": "priority", "operator": "=", "value": "priority"});
        assert_eq!(*with_spellings(ResourceName::Tickets, &elsewhere), elsewhere);
    }
}

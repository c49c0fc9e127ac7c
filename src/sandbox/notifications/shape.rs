//! Gives an item the form that it has in notifications of an app's API version.
//!
//! Times are text, where the API has epoch seconds. Bodies of messages are plain text for apps with a later version.
//! Custom fields stay as they are: they belong to the customer.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::api::ApiVersion;
use crate::html::plain;
use crate::sandbox::version_shapes;

/// Objects with names that the customer chose.
const CUSTOM: [&str; 2] = ["custom_attributes", "ticket_attributes"];
/// Fields of items that hold a record.
const RECORDS: [&str; 3] = ["contact", "company", "ticket"];

pub fn finish(version: &ApiVersion, item: &mut Value) {
    version_shapes::shape(version, item);
    for name in RECORDS {
        if let Some(record) = item.get_mut(name) {
            version_shapes::shape(version, record);
        }
    }
    change(item, version.has(&ApiVersion::PLAIN_NOTIFICATIONS));
}

fn change(value: &mut Value, is_plain: bool) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(|member| change(member, is_plain)),
        Value::Object(fields) => {
            if is_plain
                && is_message(fields)
                && let Some(Value::String(body)) = fields.get_mut("body")
            {
                *body = plain::text(body);
            }
            for (name, member) in fields.iter_mut().filter(|(name, _)| !CUSTOM.contains(&name.as_str())) {
                match member.as_i64().filter(|_| is_time(name)).and_then(text) {
                    Some(time) => *member = json!(time),
                    None => change(member, is_plain),
                }
            }
        }
        _ => {}
    }
}

fn is_message(fields: &Map<String, Value>) -> bool {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    matches!(kind, "conversation_part" | "ticket_part") || fields.contains_key("delivered_as")
}

fn is_time(name: &str) -> bool {
    name.ends_with("_at") || matches!(name, "waiting_since" | "snoozed_until")
}

fn text(seconds: i64) -> Option<String> {
    Some(Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%dT%H:%M:%S.000+00:00").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(version: &str, mut item: Value) -> Value {
        finish(&version.parse().unwrap(), &mut item);
        item
    }

    #[test]
    fn times_are_text_and_custom_fields_stay() {
        let item = json!({
            "type": "contact", "created_at": 1_779_602_400, "signed_up_at": null,
            "custom_attributes": {"renewed_at": 1_779_602_400},
            "statistics": {"first_close_at": 1_779_602_400, "time_to_first_close": 60},
        });
        let expected = json!({
            "type": "contact", "created_at": "2026-05-24T06:00:00.000+00:00", "signed_up_at": null,
            "custom_attributes": {"renewed_at": 1_779_602_400},
            "statistics": {"first_close_at": "2026-05-24T06:00:00.000+00:00", "time_to_first_close": 60},
        });
        assert_eq!(finished("2.13", item), expected);
    }

    #[test]
    fn bodies_of_messages_are_plain_text_from_their_version() {
        let item = json!({
            "type": "conversation",
            "source": {"type": "email", "delivered_as": "customer_initiated", "body": "<p>One &amp; two</p>"},
            "conversation_parts": {"conversation_parts": [{"type": "conversation_part", "body": "<p>Three</p>"}]},
        });
        let plain = finished("2.15", item.clone());
        assert_eq!(plain["source"]["body"], "One & two");
        assert_eq!(plain["conversation_parts"]["conversation_parts"][0]["body"], "Three");
        assert_eq!(finished("2.14", item.clone()), item);
        let article = json!({"type": "article", "body": "<p>Text</p>"});
        assert_eq!(finished("2.15", article.clone())["body"], article["body"]);
    }

    #[test]
    fn nested_records_have_the_form_of_the_version() {
        let item = json!({"type": "contact_tag", "contact": {"type": "contact", "owner_id": 9}});
        assert_eq!(finished("2.16", item)["contact"]["owner_id"], "9");
    }
}

//! Parses contact fields from flags and files into the values that an update sends.

use serde_json::{Map, Value, json};

use crate::cli::error::{Error, Hint};
use crate::cli::time::Times;
use crate::data::lenient;

#[derive(Clone, Copy)]
enum ContactFieldType {
    Text,
    Integer,
    Time,
    Flag,
}

/// Fields of a contact that can be changed.
const FIELDS: &[(&str, ContactFieldType)] = &[
    ("role", ContactFieldType::Text),
    ("external_id", ContactFieldType::Text),
    ("email", ContactFieldType::Text),
    ("phone", ContactFieldType::Text),
    ("name", ContactFieldType::Text),
    ("avatar", ContactFieldType::Text),
    ("signed_up_at", ContactFieldType::Time),
    ("last_seen_at", ContactFieldType::Time),
    ("owner_id", ContactFieldType::Integer),
    ("unsubscribed_from_emails", ContactFieldType::Flag),
];

/// Adds one field to an update.
///
/// # Errors
/// A usage error for an unknown or read-only field, or a value of the wrong type.
pub fn set(times: &Times, fields: &mut Map<String, Value>, name: &str, value: &Value) -> Result<(), Error> {
    if let Some(attribute) = name.strip_prefix("custom_attributes.") {
        let inside = fields.entry("custom_attributes").or_insert_with(|| json!({}));
        inside[attribute] = attribute_value(value);
        return Ok(());
    }
    if let ("custom_attributes", Value::Object(attributes)) = (name, value) {
        for (attribute, value) in attributes {
            set(times, fields, &format!("custom_attributes.{attribute}"), value)?;
        }
        return Ok(());
    }
    let Some((_, field_type)) = FIELDS.iter().find(|(field, _)| *field == name) else {
        let names: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
        return Err(Error::usage_with_hint(
            format!("unknown or read-only contact field {name:?}"),
            Hint::new(format!("use {} or custom_attributes.NAME", names.join(", ")))
                .then("")
                .flag("map")
                .text(" selects columns of a file"),
        ));
    };
    let invalid =
        |expected: &str| Error::usage(format!("{name}: invalid value {value}: expected {expected}"));
    let typed = match (field_type, value) {
        (_, Value::Null) => Value::Null,
        (_, Value::String(text)) if text == "null" => Value::Null,
        (ContactFieldType::Text, value) => {
            json!(lenient::text(value).ok_or_else(|| invalid("text"))?)
        }
        (ContactFieldType::Integer, value) => {
            json!(lenient::integer(value).ok_or_else(|| invalid("a whole number"))?)
        }
        (ContactFieldType::Flag, value) => {
            json!(lenient::flag(value).ok_or_else(|| invalid("true or false"))?)
        }
        (ContactFieldType::Time, Value::String(text)) => {
            json!(times.moment(text).map_err(|reason| Error::usage(format!("{name}: {reason}")))?)
        }
        // Numbers get the same range checks as typed times.
        (ContactFieldType::Time, value) => {
            let seconds = lenient::time(value).ok_or_else(|| invalid("a time"))?;
            let seconds = times.moment(&seconds.to_string());
            json!(seconds.map_err(|reason| Error::usage(format!("{name}: {reason}")))?)
        }
    };
    fields.insert(name.to_owned(), typed);
    Ok(())
}

/// The value of a custom attribute: text that looks like a number or flag becomes one; `"5"` stays text.
fn attribute_value(value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    match serde_json::from_str::<Value>(text) {
        // A number would lose leading zeros.
        Ok(Value::Number(number)) if number.to_string() == *text => Value::Number(number),
        Ok(parsed @ (Value::Bool(_) | Value::Null | Value::String(_))) => parsed,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_the_type_of_their_field() {
        let times = Times::at(jiff::Timestamp::UNIX_EPOCH, jiff::tz::TimeZone::UTC);
        let mut fields = Map::new();
        for (name, value) in [
            ("name", json!("007")),
            ("owner_id", json!("5")),
            ("phone", json!("null")),
            ("unsubscribed_from_emails", json!("true")),
            ("signed_up_at", json!("2026-05-24")),
            ("custom_attributes.seats", json!("5")),
            ("custom_attributes.zip", json!("01234")),
            ("custom_attributes.code", json!("\"5\"")),
        ] {
            set(&times, &mut fields, name, &value).unwrap();
        }
        assert_eq!(
            Value::Object(fields),
            json!({
                "name": "007", "owner_id": 5, "phone": null, "unsubscribed_from_emails": true,
                "signed_up_at": 1_779_580_800, "custom_attributes": { "seats": 5, "zip": "01234", "code": "5" },
            })
        );
        assert!(set(&times, &mut Map::new(), "nmae", &json!("x")).is_err());
        assert!(set(&times, &mut Map::new(), "last_seen_at", &json!(1_795_883_405_000_i64)).is_err());
        assert!(set(&times, &mut Map::new(), "owner_id", &json!("Ann")).is_err());
    }
}

//! Fields of contacts as people and files write them, turned into what an update sends.

use serde_json::{Map, Value, json};

use crate::cli::error::Error;
use crate::cli::time::Times;

/// How a field of a contact is written.
#[derive(Clone, Copy)]
enum Written {
    Text,
    Integer,
    Time,
    Flag,
}

/// Fields of a contact that can be changed.
const FIELDS: &[(&str, Written)] = &[
    ("role", Written::Text),
    ("external_id", Written::Text),
    ("email", Written::Text),
    ("phone", Written::Text),
    ("name", Written::Text),
    ("avatar", Written::Text),
    ("signed_up_at", Written::Time),
    ("last_seen_at", Written::Time),
    ("owner_id", Written::Integer),
    ("unsubscribed_from_emails", Written::Flag),
];

/// Puts one field into an update.
///
/// # Errors
/// A usage error for a field that cannot be changed, or a value of the wrong kind.
pub fn set(times: &Times, fields: &mut Map<String, Value>, name: &str, value: &Value) -> Result<(), Error> {
    if let Some(attribute) = name.strip_prefix("custom_attributes.") {
        let inside = fields.entry("custom_attributes").or_insert_with(|| json!({}));
        inside[attribute] = any(value);
        return Ok(());
    }
    if let ("custom_attributes", Value::Object(attributes)) = (name, value) {
        for (attribute, value) in attributes {
            set(times, fields, &format!("custom_attributes.{attribute}"), value)?;
        }
        return Ok(());
    }
    let Some((_, kind)) = FIELDS.iter().find(|(field, _)| *field == name) else {
        let known: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
        return Err(Error::usage_with_hint(
            format!("contacts have no field {name:?} that can be changed"),
            format!("there are {}, custom_attributes.NAME; --map names the columns to use", known.join(", ")),
        ));
    };
    let wrong = |what: &str| Error::usage(format!("{name}: {value} is no {what}"));
    let typed = match (kind, value) {
        (_, Value::Null) => Value::Null,
        (_, Value::String(text)) if text == "null" => Value::Null,
        (Written::Text, value) => json!(crate::mirror::fields::text(value).ok_or_else(|| wrong("text"))?),
        (Written::Integer, value) => {
            json!(crate::mirror::fields::integer(value).ok_or_else(|| wrong("whole number"))?)
        }
        (Written::Flag, value) => json!(crate::mirror::fields::flag(value).ok_or_else(|| wrong("flag"))?),
        (Written::Time, Value::String(text)) => {
            json!(times.moment(text).map_err(|reason| Error::usage(format!("{name}: {reason}")))?)
        }
        // A number is checked as it would be if it were typed.
        (Written::Time, value) => {
            let seconds = crate::mirror::fields::time(value).ok_or_else(|| wrong("time"))?;
            let seconds = times.moment(&seconds.to_string());
            json!(seconds.map_err(|reason| Error::usage(format!("{name}: {reason}")))?)
        }
    };
    fields.insert(name.to_owned(), typed);
    Ok(())
}

/// The value of an attribute: a number or a flag where the text is written as one, and `"5"` for the text.
fn any(value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    match serde_json::from_str::<Value>(text) {
        // Leading zeros and the like would be lost in a number.
        Ok(Value::Number(number)) if number.to_string() == *text => Value::Number(number),
        Ok(read @ (Value::Bool(_) | Value::Null | Value::String(_))) => read,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_field_wants_them() {
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

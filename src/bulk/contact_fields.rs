//! Parses contact fields, as users write them, into the values that an update sends in each API version.

use serde_json::{Map, Value, json};

use super::change::Change;
use super::error::Error;
use super::selection::SelectedRecord;
use crate::api::ApiVersion;
use crate::data::lenient;

/// Parses a time into epoch seconds; the error is the reason why it is invalid.
pub type ParseTime<'a> = &'a dyn Fn(&str) -> Result<i64, String>;

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

/// The change of one record: the fields that are the same for all, then those that the file has for it.
///
/// # Errors
/// [`Error::NoFields`] for an update without fields; those of [`set`].
pub fn change_of(change: &Change, selected: &SelectedRecord, parse_time: ParseTime) -> Result<Change, Error> {
    let Change::Update { fields } = change else { return Ok(change.clone()) };
    let mut fields = fields.clone();
    for (name, value) in &selected.fields {
        set(&mut fields, name, value, parse_time)?;
    }
    if fields.is_empty() {
        return Err(Error::NoFields(selected.id.clone()));
    }
    Ok(Change::Update { fields })
}

/// Adds one field to an update.
///
/// # Errors
/// [`Error::UnknownField`] for an unknown or read-only field; [`Error::InvalidInput`] for a value of the wrong type.
pub fn set(
    fields: &mut Map<String, Value>,
    name: &str,
    value: &Value,
    parse_time: ParseTime,
) -> Result<(), Error> {
    if let Some(attribute) = name.strip_prefix("custom_attributes.") {
        let inside = fields.entry("custom_attributes").or_insert_with(|| json!({}));
        inside[attribute] = attribute_value(value);
        return Ok(());
    }
    if let ("custom_attributes", Value::Object(attributes)) = (name, value) {
        for (attribute, value) in attributes {
            set(fields, &format!("custom_attributes.{attribute}"), value, parse_time)?;
        }
        return Ok(());
    }
    let Some((_, field_type)) = FIELDS.iter().find(|(field, _)| *field == name) else {
        let known = FIELDS.iter().map(|(field, _)| *field).collect();
        return Err(Error::UnknownField { name: name.to_owned(), known });
    };
    let invalid =
        |expected: &str| Error::InvalidInput(format!("{name}: invalid value {value}: expected {expected}"));
    let time =
        |text: &str| parse_time(text).map_err(|reason| Error::InvalidInput(format!("{name}: {reason}")));
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
        (ContactFieldType::Time, Value::String(text)) => json!(time(text)?),
        // Numbers get the same range checks as typed times.
        (ContactFieldType::Time, value) => {
            let seconds = lenient::time(value).ok_or_else(|| invalid("a time"))?;
            json!(time(&seconds.to_string())?)
        }
    };
    fields.insert(name.to_owned(), typed);
    Ok(())
}

/// The body that creates or updates a contact, in the form of an API version. The fields may come from a document or a plan
/// of another one.
pub(super) fn body(fields: &Map<String, Value>, version: &ApiVersion) -> Value {
    let mut body = fields.clone();
    if let Some(owner) = body.get_mut("owner_id")
        && let Some(id) = lenient::integer(owner)
    {
        *owner = if version.has(&ApiVersion::OWNER_IS_TEXT) { json!(id.to_string()) } else { json!(id) };
    }
    Value::Object(body)
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
        let parse_time: ParseTime = &|text| match text {
            "2026-05-24" => Ok(1_779_580_800),
            other => Err(format!("invalid time {other:?}")),
        };
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
            set(&mut fields, name, &value, parse_time).unwrap();
        }
        assert_eq!(
            Value::Object(fields),
            json!({
                "name": "007", "owner_id": 5, "phone": null, "unsubscribed_from_emails": true,
                "signed_up_at": 1_779_580_800, "custom_attributes": { "seats": 5, "zip": "01234", "code": "5" },
            })
        );
        for (name, value) in
            [("nmae", json!("x")), ("last_seen_at", json!(1_795_883_405_000_i64)), ("owner_id", json!("Ann"))]
        {
            assert!(set(&mut Map::new(), name, &value, parse_time).is_err(), "{name}");
        }
    }
}

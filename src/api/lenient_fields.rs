//! Deserializes optional fields leniently, so that one field that differs from the description does not fail
//! the whole response.
//!
//! The generated models use [`option`] for every optional field. A value of another type is coerced if
//! nothing is lost (a number as text, a text that is a number) and omitted otherwise. Both are reported as a
//! tracing event: drift must never go unnoticed. The raw document stays available.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Deserializes an optional field: the value, or what it can be coerced to, or `None`.
///
/// # Errors
/// Only if the input is not JSON.
pub fn option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    match T::deserialize(&value) {
        Ok(value) => Ok(Some(value)),
        Err(reason) => {
            let coerced = coerce(&value)
                .and_then(|scalar| T::deserialize(scalar).ok())
                .or_else(|| valid_elements(&value));
            tracing::debug!(
                target: "intercom::drift",
                kept = coerced.is_some(),
                expected = std::any::type_name::<T>(),
                %reason,
                "a response field differs from the description"
            );
            Ok(coerced)
        }
    }
}

/// A list without its invalid elements: one of them must not cost the others.
fn valid_elements<T: DeserializeOwned>(value: &Value) -> Option<T> {
    let list = value.as_array()?;
    let is_valid = |element: &&Value| T::deserialize(Value::Array(vec![(*element).clone()])).is_ok();
    T::deserialize(Value::Array(list.iter().filter(is_valid).cloned().collect())).ok()
}

/// The same scalar as another JSON type.
fn coerce(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9.0e15 => {
                Some(Value::from(float as i64))
            }
            _ => Some(Value::String(number.to_string())),
        },
        Value::Bool(flag) => Some(Value::String(flag.to_string())),
        Value::String(text) => match text.trim() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            text => serde_json::from_str(text).ok().filter(Value::is_number),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Model {
        #[serde(default, deserialize_with = "option")]
        text: Option<String>,
        #[serde(default, deserialize_with = "option")]
        count: Option<i64>,
        #[serde(default, deserialize_with = "option")]
        open: Option<bool>,
        #[serde(default, deserialize_with = "option")]
        list: Option<Vec<i64>>,
    }

    fn read(json: &str) -> Model {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn scalars_are_coerced() {
        let model = read(r#"{"text": 12345678901, "count": "1736201375", "open": "true", "list": [1]}"#);
        let expected = Model {
            text: Some("12345678901".into()),
            count: Some(1_736_201_375),
            open: Some(true),
            list: Some(vec![1]),
        };
        assert_eq!(model, expected);
        assert_eq!(read(r#"{"count": 12.0}"#).count, Some(12));
    }

    #[test]
    fn values_that_cannot_be_coerced_are_omitted() {
        let nothing = Model { text: None, count: None, open: None, list: None };
        assert_eq!(read(r#"{"text": {}, "count": "soon", "open": [], "list": "none"}"#), nothing);
        assert_eq!(read("{}"), nothing);
        assert_eq!(read(r#"{"text": null, "list": null}"#), nothing);
        assert_eq!(read(r#"{"list": [1, "x", 3]}"#).list, Some(vec![1, 3]));
    }
}

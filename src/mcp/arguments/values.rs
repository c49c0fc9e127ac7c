//! The values of arguments as text, checked against the declared types.
//!
//! An id must stay exact, whether it is sent as text or as a number.

use serde_json::Value;

use crate::api::operation::choice;
use crate::cli::catalog::{CommandParameter, Shape};
use crate::cli::error::Error;

/// The value or values of an argument as text, checked against the declared type. Numbers may be strings, and
/// ids may be numbers.
pub fn typed(parameter: &CommandParameter, value: &Value) -> Result<Vec<String>, Error> {
    let name = &parameter.name;
    let wrong = |kind: &str| Error::usage(format!("{name}: invalid value {value}: expected a {kind}"));
    let text = match (&parameter.shape, value) {
        (Shape::Boolean, _) => boolean(name, Some(value))?.to_string(),
        (Shape::List, Value::Array(elements)) => {
            return elements.iter().map(|element| text(name, element)).collect();
        }
        (Shape::Json, Value::Object(_) | Value::Array(_)) => value.to_string(),
        (Shape::Text | Shape::Time | Shape::Choice(_), Value::Bool(_)) => return Err(wrong("string")),
        _ => text(name, value)?,
    };
    match &parameter.shape {
        Shape::Integer if text.parse::<i128>().is_err() => Err(wrong("whole number")),
        Shape::Number if !text.parse::<f64>().is_ok_and(f64::is_finite) => Err(wrong("number")),
        Shape::Choice(choices) => match choice(choices, &text) {
            Some(choice) => Ok(vec![choice.to_owned()]),
            None => {
                let message =
                    format!("{name}: invalid value {value}: expected one of {}", choices.join(", "));
                Err(Error::usage_with_hint(message, "use one of these values"))
            }
        },
        _ => Ok(vec![text]),
    }
}

/// A scalar as text. Integral floats lose their fraction, so that ids stay exact.
pub fn text(name: &str, value: &Value) -> Result<String, Error> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9.0e15 => {
                format!("{float:.0}")
            }
            _ => number.to_string(),
        },
        Value::Object(_) | Value::Array(_) => {
            return Err(Error::usage(format!("{name}: invalid value {value}: expected a single value")));
        }
        Value::Null => return Err(Error::usage(format!("{name}: invalid value null"))),
    };
    if text.contains('\0') {
        return Err(Error::usage(format!("{name}: the value contains a null character")));
    }
    Ok(text)
}

pub fn boolean(name: &str, value: Option<&Value>) -> Result<bool, Error> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(Value::String(text)) if text == "true" => Ok(true),
        Some(Value::String(text)) if text == "false" => Ok(false),
        Some(other) => Err(Error::usage(format!("{name}: invalid value {other}: expected true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_ids_stay_exact() {
        for id in [json!("123456789012345"), json!(123456789012345_u64), json!(123456789012345.0)] {
            assert_eq!(text("id", &id).unwrap(), "123456789012345");
        }
    }
}

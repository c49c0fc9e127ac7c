//! Reads and writes the types of single fields.
//!
//! A scalar of another JSON type is accepted if nothing is lost. A value that would lose something stays as received.

use serde_json::Value;

use super::super::ids::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
use super::super::timestamp::Timestamp;
use super::{Field, Fit, Object};

/// The number that this text is, if it is written the same.
pub(super) fn integer(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text).map(Value::from)
}

impl Field for String {
    fn read(value: Value) -> Fit<Self> {
        match value {
            Value::String(text) => Fit::Whole(text),
            Value::Number(number) => Fit::Whole(number.to_string()),
            Value::Bool(flag) => Fit::Whole(flag.to_string()),
            other => Fit::Not(other),
        }
    }

    fn write(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Field for bool {
    fn read(value: Value) -> Fit<Self> {
        match &value {
            Value::Bool(flag) => Fit::Whole(*flag),
            Value::String(text) => match text.trim() {
                word @ ("true" | "false") => text_of(word == "true", value),
                _ => Fit::Not(value),
            },
            _ => Fit::Not(value),
        }
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Field for i64 {
    fn read(value: Value) -> Fit<Self> {
        match &value {
            Value::Number(number) => match number.as_i64().or_else(|| whole(number.as_f64()?)) {
                Some(number) => Fit::Whole(number),
                None => Fit::Not(value),
            },
            Value::String(text) => match text.trim().parse::<i64>() {
                Ok(number) => text_of(number, value),
                Err(_) => Fit::Not(value),
            },
            _ => Fit::Not(value),
        }
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

/// A scalar that was read from text. Text that is spelled in another way, for example with white space, stays as received.
fn text_of<T: ToString>(scalar: T, text: Value) -> Fit<T> {
    if text.as_str().is_some_and(|text| text == scalar.to_string()) {
        Fit::Whole(scalar)
    } else {
        Fit::Partly(scalar, text)
    }
}

/// A float without a fraction, as far as floats are exact.
fn whole(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64)
}

impl Field for f64 {
    fn read(value: Value) -> Fit<Self> {
        match &value {
            // An integer beyond what floats hold exactly also stays as received.
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() || float.abs() < 9.0e15 => Fit::Whole(float),
                Some(float) => Fit::Partly(float, value),
                None => Fit::Not(value),
            },
            Value::String(text) => match text.trim().parse::<f64>() {
                Ok(float) if float.is_finite() => Fit::Partly(float, value),
                _ => Fit::Not(value),
            },
            _ => Fit::Not(value),
        }
    }

    fn write(&self) -> Value {
        whole(*self).map_or_else(|| Value::from(*self), Value::from)
    }
}

impl Field for Value {
    fn read(value: Value) -> Fit<Self> {
        Fit::Whole(value)
    }

    fn write(&self) -> Value {
        self.clone()
    }
}

impl Field for Object {
    fn read(value: Value) -> Fit<Self> {
        match value {
            Value::Object(object) => Fit::Whole(object),
            other => Fit::Not(other),
        }
    }

    fn write(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl<T: Field> Field for Vec<T> {
    /// One element that does not fit must not cost the others.
    fn read(value: Value) -> Fit<Self> {
        let Value::Array(elements) = value else { return Fit::Not(value) };
        let mut received = Vec::new();
        let (mut read, count) = (Vec::with_capacity(elements.len()), elements.len());
        for (index, element) in elements.into_iter().enumerate() {
            match T::read(element) {
                Fit::Whole(element) => {
                    if !received.is_empty() {
                        received.push(element.write());
                    }
                    read.push(element);
                }
                Fit::Partly(element, value) => {
                    keep(&mut received, &read, index, value);
                    read.push(element);
                }
                Fit::Not(value) => keep(&mut received, &read, index, value),
            }
        }
        if received.is_empty() || count == 0 { Fit::Whole(read) } else { Fit::Partly(read, received.into()) }
    }

    fn write(&self) -> Value {
        self.iter().map(Field::write).collect()
    }
}

/// Adds an element as received. Those before the first one that does not fit are written again.
fn keep<T: Field>(received: &mut Vec<Value>, read: &[T], index: usize, value: Value) {
    if received.is_empty() {
        received.extend(read.iter().take(index).map(Field::write));
    }
    received.push(value);
}

impl<T: Field> Field for Box<T> {
    fn read(value: Value) -> Fit<Self> {
        match T::read(value) {
            Fit::Whole(field) => Fit::Whole(Box::new(field)),
            Fit::Partly(field, value) => Fit::Partly(Box::new(field), value),
            Fit::Not(value) => Fit::Not(value),
        }
    }

    fn write(&self) -> Value {
        T::write(self)
    }
}

impl Field for Timestamp {
    fn read(value: Value) -> Fit<Self> {
        match serde_json::from_value::<Timestamp>(value.clone()) {
            // A fraction of a second, and the spelling of a text, stay as received.
            Ok(time) if value.is_i64() => Fit::Whole(time),
            Ok(time)
                if value.as_str().is_some_and(|text| integer(text).is_some() || text == time.to_string()) =>
            {
                Fit::Whole(time)
            }
            Ok(time) => Fit::Partly(time, value),
            Err(_) => Fit::Not(value),
        }
    }

    fn write(&self) -> Value {
        Value::from(self.as_second())
    }
}

macro_rules! id_fields {
    ($($id:ident)+) => {$(
        impl Field for $id {
            fn read(value: Value) -> Fit<Self> {
                match value {
                    Value::String(text) => Fit::Whole(text.into()),
                    Value::Number(number) if number.is_i64() || number.is_u64() => {
                        Fit::Whole(number.to_string().into())
                    }
                    other => Fit::Not(other),
                }
            }

            fn write(&self) -> Value {
                Value::String(self.as_str().to_owned())
            }
        }
    )+};
}

id_fields! { AdminId ArticleId ContactId ConversationId TagId TeamId }

//! How records and request bodies are read from JSON and written to it.
//!
//! The generated types are declared with [`model!`], which reads a JSON object field by field. Answers differ from
//! the description now and then, so reading must never lose anything: an unknown field, and a value that does not
//! fit its field, stay in `extra`, and writing puts them back. Only nulls are dropped, and scalars of another JSON
//! type are written as the type of their field. What differs is reported as a tracing event.

mod declare;
mod field;
mod query;

use serde_json::{Map, Value};

use field::integer;

pub(crate) use declare::{list_model, model};
pub(crate) use query::{Query, QueryValue, in_query, parameters};

use super::timestamp::Timestamp;

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// Whether a value fits its field.
pub(crate) enum Fit<T> {
    Whole(T),
    /// As far as possible; the value as received says more.
    Partly(T, Value),
    /// Not at all; the value as received.
    Not(Value),
}

/// A type that fields can have.
pub(crate) trait Field: Sized + PartialEq {
    fn read(value: Value) -> Fit<Self>;
    fn write(&self) -> Value;
}

/// A type with named fields.
pub(crate) trait Record: Sized {
    /// Whether reading can fail.
    const HAS_REQUIRED: bool;

    /// # Errors
    /// The name of a required field that is missing or does not fit.
    fn from_object(object: Object) -> Result<Self, &'static str>;
    fn to_object(&self) -> Object;
}

/// How a field is written if not as its type: the API has ids and times both as numbers and as text.
#[derive(Clone, Copy)]
pub(crate) enum Spelling {
    Integer,
    Rfc3339,
}

/// Takes the value of an optional field. What does not fit stays in the object.
pub(crate) fn take<T: Field>(object: &mut Object, name: &'static str) -> Option<T> {
    let place = object.get_mut(name)?;
    let value = place.take();
    if value.is_null() {
        object.shift_remove(name);
        return None;
    }
    match T::read(value) {
        Fit::Whole(field) => {
            object.shift_remove(name);
            Some(field)
        }
        Fit::Partly(field, value) => {
            drift::<T>(name, true);
            *place = value;
            Some(field)
        }
        Fit::Not(value) => {
            drift::<T>(name, false);
            *place = value;
            None
        }
    }
}

/// Takes the value of an optional field that can be null.
pub(crate) fn take_nullable<T: Field>(object: &mut Object, name: &'static str) -> Option<Option<T>> {
    if object.get(name).is_some_and(Value::is_null) {
        object.shift_remove(name);
        return Some(None);
    }
    take(object, name).map(Some)
}

/// Takes the value of a required field.
pub(crate) fn take_required<T: Field>(object: &mut Object, name: &'static str) -> Result<T, &'static str> {
    take(object, name).ok_or(name)
}

fn drift<T>(field: &str, kept: bool) {
    tracing::debug!(
        target: "intercom::drift",
        field,
        kept,
        expected = std::any::type_name::<T>(),
        "a response field differs from the description"
    );
}

/// Puts an optional field into an object, unless `extra` has the value that it was read from.
pub(crate) fn put<T: Field>(object: &mut Object, name: &str, field: &Option<T>, extra: &Object) {
    if let Some(field) = field {
        put_required(object, name, field, extra);
    }
}

/// Puts an optional field that can be null into an object.
pub(crate) fn put_nullable<T: Field>(
    object: &mut Object,
    name: &str,
    field: &Option<Option<T>>,
    extra: &Object,
) {
    match field {
        Some(Some(field)) => put_required(object, name, field, extra),
        Some(None) => {
            object.insert(name.to_owned(), Value::Null);
        }
        None => {}
    }
}

/// Puts a field into an object, unless `extra` has the value that it was read from.
pub(crate) fn put_required<T: Field>(object: &mut Object, name: &str, field: &T, extra: &Object) {
    let is_received = extra
        .get(name)
        .is_some_and(|received| matches!(T::read(received.clone()), Fit::Partly(read, _) if read == *field));
    if !is_received {
        object.insert(name.to_owned(), field.write());
    }
}

/// Spells the fields that are not written as their type, and adds what is not in a field.
pub(crate) fn finish(mut object: Object, spellings: &[(&str, Spelling)], extra: &Object) -> Object {
    for (name, spelling) in spellings {
        if let Some(value) = object.get_mut(*name) {
            respell(value, *spelling);
        }
    }
    for (name, value) in extra {
        if !object.contains_key(name) {
            object.insert(name.clone(), value.clone());
        }
    }
    object
}

fn respell(value: &mut Value, spelling: Spelling) {
    match (spelling, &mut *value) {
        (_, Value::Array(values)) => values.iter_mut().for_each(|value| respell(value, spelling)),
        (Spelling::Integer, Value::String(text)) => {
            if let Some(number) = integer(text) {
                *value = number;
            }
        }
        (Spelling::Rfc3339, Value::Number(number)) => {
            if let Some(second) = number.as_i64() {
                *value = Timestamp::from_second(second).to_string().into();
            }
        }
        _ => {}
    }
}

pub(crate) fn read_record<T: Record>(value: Value) -> Fit<T> {
    match value {
        Value::Object(object) => {
            let copy = if T::HAS_REQUIRED { object.clone() } else { Object::new() };
            match T::from_object(object) {
                Ok(record) => Fit::Whole(record),
                Err(_) => Fit::Not(Value::Object(copy)),
            }
        }
        other => Fit::Not(other),
    }
}

pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Record,
{
    let object = <Object as serde::Deserialize>::deserialize(deserializer)?;
    T::from_object(object).map_err(|name| {
        serde::de::Error::custom(format_args!("field `{name}` is missing or of another type"))
    })
}

pub(crate) fn debug(
    name: &str,
    record: &impl Record,
    formatter: &mut std::fmt::Formatter<'_>,
) -> std::fmt::Result {
    let mut fields = formatter.debug_struct(name);
    for (name, value) in &record.to_object() {
        fields.field(name, &format_args!("{value}"));
    }
    fields.finish()
}

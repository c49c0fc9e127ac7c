//! How records and request bodies are read from JSON and written to it.
//!
//! The generated types are declared with [`model!`], which reads a JSON object field by field. Answers differ from
//! the description now and then, so reading must never lose anything: an unknown field, and a value that does not
//! fit its field, stay in `extra`, and writing puts them back. Only nulls are dropped, and scalars of another JSON
//! type are written as the type of their field. What differs is reported as a tracing event.

mod declare;
mod field;
mod query;
#[cfg(test)]
mod tests;

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

/// Writes the fields of a record. What a field was read from stays in `extra`, and is written unless the field was
/// changed.
pub(crate) struct Writer<'r> {
    object: Object,
    extra: &'r Object,
    /// Fields that were read from `extra` in part, and then set to nothing.
    removed: Vec<&'static str>,
}

impl<'r> Writer<'r> {
    pub fn new(extra: &'r Object) -> Self {
        Writer { object: Object::new(), extra, removed: Vec::new() }
    }

    pub fn put_required<T: Field>(&mut self, name: &'static str, field: &T) {
        if self.received::<T>(name).is_none_or(|received| received != *field) {
            self.object.insert(name.to_owned(), field.write());
        }
    }

    pub fn put<T: Field>(&mut self, name: &'static str, field: &Option<T>) {
        match field {
            Some(field) => self.put_required(name, field),
            None if self.received::<T>(name).is_some() => self.removed.push(name),
            None => {}
        }
    }

    pub fn put_nullable<T: Field>(&mut self, name: &'static str, field: &Option<Option<T>>) {
        match field {
            Some(Some(field)) => self.put_required(name, field),
            Some(None) => {
                self.object.insert(name.to_owned(), Value::Null);
            }
            None => self.put::<T>(name, &None),
        }
    }

    /// What a field was read as, if `extra` has the value because it says more.
    fn received<T: Field>(&self, name: &str) -> Option<T> {
        match T::read(self.extra.get(name)?.clone()) {
            Fit::Partly(field, _) => Some(field),
            Fit::Whole(_) | Fit::Not(_) => None,
        }
    }

    /// Spells the fields that are not written as their type, and adds what is not in a field.
    pub fn finish(self, spellings: &[(&str, Spelling)]) -> Object {
        let Writer { mut object, extra, removed } = self;
        for (name, spelling) in spellings {
            if let Some(value) = object.get_mut(*name) {
                respell(value, *spelling);
            }
        }
        for (name, value) in extra {
            if object.contains_key(name) || removed.contains(&name.as_str()) {
                continue;
            }
            let mut value = value.clone();
            // The elements of a list that fit were written as their type.
            if let Some((_, spelling)) = spellings.iter().find(|(spelled, _)| spelled == name)
                && value.is_array()
            {
                respell(&mut value, *spelling);
            }
            object.insert(name.clone(), value);
        }
        object
    }
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

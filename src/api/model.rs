//! How records and request bodies are read from JSON and written to it.
//!
//! The generated types are declared with [`model!`], which reads a JSON object field by field. Answers differ from
//! the description now and then, so reading must never lose anything: an unknown field, and a value that does not
//! fit its field, stay in `extra`, and writing puts them back. Only nulls are dropped, and scalars of another JSON
//! type are written as the type of their field. What differs is reported as a tracing event.

use serde_json::{Map, Value};

use super::ids::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
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

/// The number that this text is, if it is written the same.
fn integer(text: &str) -> Option<Value> {
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
                "true" => Fit::Whole(true),
                "false" => Fit::Whole(false),
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
        let number = match &value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map_or_else(|| Fit::Not(value), Fit::Whole)
    }

    fn write(&self) -> Value {
        Value::from(*self)
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

/// Declares a type with named fields: `field: Type = "name on the wire",` in the sections `required`, `optional` and
/// `nullable`; then the fields that are integers or RFC 3339 text on the wire although their type is not.
macro_rules! model {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            required { $($(#[$required_doc:meta])* $required:ident: $required_kind:ty = $required_name:literal,)* }
            optional { $($(#[$optional_doc:meta])* $optional:ident: $optional_kind:ty = $optional_name:literal,)* }
            nullable { $($(#[$nullable_doc:meta])* $nullable:ident: $nullable_kind:ty = $nullable_name:literal,)* }
            spelled { $($spelled:literal $spelling:ident,)* }
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq)]
        pub struct $name {
            $($(#[$required_doc])* pub $required: $required_kind,)*
            $($(#[$optional_doc])* pub $optional: ::std::option::Option<$optional_kind>,)*
            $(
                $(#[$nullable_doc])*
                ///
                /// `Some(None)` is null.
                pub $nullable: ::std::option::Option<::std::option::Option<$nullable_kind>>,
            )*
            /// Everything else, by name on the wire: fields that this type does not have, and values that do not
            /// fit their field.
            pub extra: $crate::api::model::Object,
        }

        impl $crate::api::model::Record for $name {
            const HAS_REQUIRED: bool = [$($required_name,)* ""].len() > 1;

            #[allow(unused_mut)]
            fn from_object(
                mut object: $crate::api::model::Object,
            ) -> ::std::result::Result<Self, &'static str> {
                ::std::result::Result::Ok($name {
                    $($required: $crate::api::model::take_required(&mut object, $required_name)?,)*
                    $($optional: $crate::api::model::take(&mut object, $optional_name),)*
                    $($nullable: $crate::api::model::take_nullable(&mut object, $nullable_name),)*
                    extra: object,
                })
            }

            #[allow(unused_mut)]
            fn to_object(&self) -> $crate::api::model::Object {
                let mut object = $crate::api::model::Object::new();
                $($crate::api::model::put_required(&mut object, $required_name, &self.$required, &self.extra);)*
                $($crate::api::model::put(&mut object, $optional_name, &self.$optional, &self.extra);)*
                $($crate::api::model::put_nullable(&mut object, $nullable_name, &self.$nullable, &self.extra);)*
                $crate::api::model::finish(
                    object,
                    &[$(($spelled, $crate::api::model::Spelling::$spelling)),*],
                    &self.extra,
                )
            }
        }

        impl $crate::api::model::Field for $name {
            fn read(value: ::serde_json::Value) -> $crate::api::model::Fit<Self> {
                $crate::api::model::read_record(value)
            }

            fn write(&self) -> ::serde_json::Value {
                ::serde_json::Value::Object($crate::api::model::Record::to_object(self))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::api::model::deserialize(deserializer)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(&$crate::api::model::Record::to_object(self), serializer)
            }
        }

        /// The name of the type and the fields that are set, as JSON.
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::api::model::debug(stringify!($name), self, formatter)
            }
        }
    };
}
pub(crate) use model;

/// Makes a type with one list a slice of its items.
macro_rules! list_model {
    ($name:ident, $field:ident: $item:ty) => {
        /// The items; none if the API left the list out.
        impl ::std::ops::Deref for $name {
            type Target = [$item];

            fn deref(&self) -> &[$item] {
                self.$field.as_deref().unwrap_or_default()
            }
        }

        impl ::std::iter::IntoIterator for $name {
            type Item = $item;
            type IntoIter = ::std::vec::IntoIter<$item>;

            fn into_iter(self) -> Self::IntoIter {
                self.$field.unwrap_or_default().into_iter()
            }
        }

        impl<'a> ::std::iter::IntoIterator for &'a $name {
            type Item = &'a $item;
            type IntoIter = ::std::slice::Iter<'a, $item>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }
    };
}
pub(crate) use list_model;

/// Declares the optional query parameters of an operation.
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty, $argument:ty = $wire:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$doc])* pub $field: ::std::option::Option<$kind>,)*
        }

        impl $name {
            /// No parameter set.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$doc])*
                #[must_use]
                pub fn $field(mut self, $field: $argument) -> Self {
                    self.$field = ::std::option::Option::Some($field.into());
                    self
                }
            )*

            pub(crate) fn query(&self) -> ::std::vec::Vec<$crate::api::model::QueryValue> {
                ::std::vec![$(($wire, self.$field.as_ref().map($crate::api::model::in_query))),*]
            }
        }
    };
}
pub(crate) use parameters;

/// A query parameter and its value, if it is sent.
pub(crate) type QueryValue = (&'static str, Option<String>);

/// A scalar as it is written in a query. Times are epoch seconds.
pub(crate) fn in_query(value: &impl Field) -> String {
    match value.write() {
        Value::String(text) => text,
        other => other.to_string(),
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

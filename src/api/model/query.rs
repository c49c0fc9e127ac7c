//! Declares the optional query parameters of an operation, and writes them.

use serde_json::Value;

use super::Field;

/// Parameters that are sent in the query.
pub(crate) trait Query {
    fn values(&self) -> Vec<QueryValue>;
}

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
        }

        impl $crate::api::model::Query for $name {
            fn values(&self) -> ::std::vec::Vec<$crate::api::model::QueryValue> {
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

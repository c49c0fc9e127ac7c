//! Declares the types of requests and answers: their fields, and how they are read, written and printed.
//!
//! The macros only name what the functions beside them do, so that hundreds of types compile quickly.

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
                let mut writer = $crate::api::model::Writer::new(&self.extra);
                $(writer.put_required($required_name, &self.$required);)*
                $(writer.put($optional_name, &self.$optional);)*
                $(writer.put_nullable($nullable_name, &self.$nullable);)*
                writer.finish(&[$(($spelled, $crate::api::model::Spelling::$spelling)),*])
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

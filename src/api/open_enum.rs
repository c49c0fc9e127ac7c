//! Enums of values that the API may add to.
//!
//! A value that this version of the library does not know is kept in `Other` and sent as it is: reading must never
//! fail on a new value, and never lose it.

/// Declares an enum of text values with a variant for all other ones.
macro_rules! open_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        ///
        /// Made from text with `from` or `into`. A value that is not among the variants is kept in
        /// [`Other`](Self::Other), so that reading never fails on a new one.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
            /// Another value, as received or to be sent.
            Other(::std::string::String),
        }

        impl $name {
            /// The value as the API spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(text) => text,
                }
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => $name::$variant,)*
                    other => $name::Other(other.to_owned()),
                }
            }
        }

        $crate::api::open_enum::text_conversions!($name);
    };
}
pub(crate) use open_enum;

macro_rules! text_conversions {
    ($name:ident) => {
        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::cmp::PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.as_str() == text
            }
        }

        impl ::std::cmp::PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.as_str() == *text
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl $crate::api::model::Field for $name {
            fn read(value: ::serde_json::Value) -> $crate::api::model::Fit<Self> {
                $crate::api::open_enum::read(value)
            }

            fn write(&self) -> ::serde_json::Value {
                self.as_str().into()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use text_conversions;

/// Reads text, or another scalar as text.
pub(crate) fn read<T: From<String>>(value: serde_json::Value) -> super::model::Fit<T> {
    use super::model::{Field, Fit};
    match String::read(value) {
        Fit::Whole(text) => Fit::Whole(text.into()),
        Fit::Partly(text, value) => Fit::Partly(text.into(), value),
        Fit::Not(value) => Fit::Not(value),
    }
}

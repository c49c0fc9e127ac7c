//! Typed ids of the records whose ids are easily mixed up.
//!
//! An id is text that is opaque to programs. The API writes some of them as integers, depending on the field and
//! the version, so both are read, and an id must never pass through a floating-point number.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads an id that is text or an integer.
fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct IdVisitor;

    impl Visitor<'_> for IdVisitor {
        type Value = String;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an id, as text or as an integer")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_string<E>(self, text: String) -> Result<String, E> {
            Ok(text)
        }

        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(IdVisitor)
}

macro_rules! ids {
    ($($(#[$documentation:meta])+ $name:ident;)+) => {$(
        $(#[$documentation])+
        ///
        /// Text that is opaque to programs. Reads text and integers, and writes text; see [`as_integer`] for
        /// fields that are integers on the wire.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// An id from text or an integer.
            pub fn new(id: impl Into<Self>) -> Self {
                id.into()
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id as text, without a copy.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({:?})"), self.0)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                $name(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                $name(id.to_owned())
            }
        }

        impl From<&String> for $name {
            fn from(id: &String) -> Self {
                $name(id.clone())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(id: &str) -> Result<Self, Infallible> {
                Ok(id.into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.0 == *other
            }
        }

        ids!(@integers $name i32 u32 i64 u64);
    )+};
    (@integers $name:ident $($integer:ty)+) => {$(
        impl From<$integer> for $name {
            fn from(id: $integer) -> Self {
                $name(id.to_string())
            }
        }
    )+};
}

ids! {
    /// Id of a contact, for example `6657add46abd0167d9419cd2`.
    ContactId;
    /// Id of a conversation, for example `147`.
    ConversationId;
    /// Id of a teammate, for example `991267459`.
    AdminId;
    /// Id of a team, for example `814865`.
    TeamId;
    /// Id of a tag, for example `17513`.
    TagId;
    /// Id of an article, for example `6871117`.
    ArticleId;
}

/// The id that the API uses for "not assigned".
const UNASSIGNED: &str = "0";

impl AdminId {
    /// The value that removes the assigned teammate.
    pub fn unassigned() -> Self {
        UNASSIGNED.into()
    }

    /// Whether this is the id 0, which means that no teammate is assigned.
    pub fn is_unassigned(&self) -> bool {
        self.0 == UNASSIGNED
    }
}

impl TeamId {
    /// The value that removes the assigned team.
    pub fn unassigned() -> Self {
        UNASSIGNED.into()
    }

    /// Whether this is the id 0, which means that no team is assigned.
    pub fn is_unassigned(&self) -> bool {
        self.0 == UNASSIGNED
    }
}

/// Writes ids as integers, for fields that are integers on the wire: `#[serde(with = "as_integer")]`.
///
/// An id that is not an integer is written as text, so that nothing is lost.
pub mod as_integer {
    use super::{Deserialize, Deserializer, Serializer};

    /// Writes an id as an integer if it is one, otherwise as text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(id: &impl AsRef<str>, serializer: S) -> Result<S::Ok, S::Error> {
        let text = id.as_ref();
        match text.parse::<i64>() {
            // `007` and `+7` are texts, not numbers.
            Ok(number) if number.to_string() == text => serializer.serialize_i64(number),
            _ => serializer.serialize_str(text),
        }
    }

    /// Reads an id that is text or an integer.
    ///
    /// # Errors
    /// If the value is neither.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    /// The same for an optional field, where `None` is written as null.
    pub mod option {
        use super::{Deserialize, Deserializer, Serializer};

        /// Writes an id as an integer if it is one, otherwise as text, and `None` as null.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(
            id: &Option<impl AsRef<str>>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match id {
                Some(id) => super::serialize(id, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// Reads an id that is text, an integer or null.
        ///
        /// # Errors
        /// If the value is none of these.
        pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
            deserializer: D,
        ) -> Result<Option<T>, D::Error> {
            Option::deserialize(deserializer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_integers_are_read_and_text_is_written() {
        for json in ["\"9007199254740993\"", "9007199254740993"] {
            let id: ContactId = serde_json::from_str(json).unwrap();
            assert_eq!(id, "9007199254740993", "{json}");
            assert_eq!(serde_json::to_string(&id).unwrap(), "\"9007199254740993\"");
        }
        for json in ["1.5", "true", "null", "[]"] {
            assert!(serde_json::from_str::<ContactId>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn an_id_is_made_from_text_and_integers() {
        let text = "5".to_owned();
        let ids =
            [TeamId::from(5), TeamId::from(5_u64), "5".into(), (&text).into(), TeamId::new(text.clone())];
        assert!(ids.iter().all(|id| id == &ids[0] && *id == text && id.as_str() == "5"));
        assert_eq!(format!("{} {:?} {:>3}", ids[0], ids[0], ids[0]), "5 TeamId(\"5\")   5");
        assert!(TeamId::from(0).is_unassigned() && !TeamId::from(5).is_unassigned());
        assert_eq!(AdminId::unassigned().into_string(), "0");
    }

    #[test]
    fn an_integer_field_stays_an_integer() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Assignment {
            #[serde(with = "as_integer")]
            admin_id: AdminId,
            #[serde(with = "as_integer::option")]
            team_id: Option<TeamId>,
        }
        for json in [
            r#"{"admin_id":991267459,"team_id":null}"#,
            r#"{"admin_id":"007","team_id":-5}"#,
            r#"{"admin_id":"a","team_id":"+1"}"#,
        ] {
            let assignment: Assignment = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&assignment).unwrap(), json);
        }
    }
}

//! Reads only some fields of a JSON document.
//!
//! A record has a hundred fields and several kilobytes of text, but its columns and links need about twenty fields.
//! The other fields are skipped without allocating. They are still validated: a document must be valid JSON.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The fields to read, as a tree of keys. Lists are not a level of the tree: it applies to each of their elements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Projection {
    /// The whole value.
    Whole,
    Members(Vec<(Cow<'static, str>, Projection)>),
}

impl Projection {
    /// Creates a projection from pointers such as `/author/id`.
    pub fn of<P: Into<Cow<'static, str>>>(pointers: impl IntoIterator<Item = P>) -> Self {
        let mut projection = Projection::Members(Vec::new());
        for pointer in pointers {
            let pointer: Cow<'static, str> = pointer.into();
            projection.add(pointer.split('/').skip(1));
        }
        projection
    }

    fn add<'p>(&mut self, mut keys: impl Iterator<Item = &'p str>) {
        let Some(key) = keys.next() else {
            *self = Projection::Whole;
            return;
        };
        let Projection::Members(members) = self else { return };
        let index = members.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            members.push((Cow::Owned(key.to_owned()), Projection::Members(Vec::new())));
            members.len() - 1
        });
        members[index].1.add(keys);
    }

    /// The document with only these fields.
    ///
    /// # Errors
    /// If it is not valid JSON.
    pub fn read(&self, document: &str) -> Result<Value, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(document);
        let value = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for &Projection {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self {
            Projection::Whole => Value::deserialize(deserializer),
            Projection::Members(members) => deserializer.deserialize_any(Members(members)),
        }
    }
}

struct Members<'o>(&'o [(Cow<'static, str>, Projection)]);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut found = Map::with_capacity(self.0.len());
        while let Some(member) = map.next_key_seed(Key(self.0))? {
            match member {
                Some((key, projection)) => {
                    found.insert(key.to_string(), map.next_value_seed(projection)?);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(found))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(element) = list.next_element_seed(Element(self.0))? {
            found.push(element);
        }
        Ok(Value::Array(found))
    }

    // Scalars have no members to read.
    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

struct Element<'o>(&'o [(Cow<'static, str>, Projection)]);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Members(self.0))
    }
}

/// Finds the member for a key without copying the key.
struct Key<'o>(&'o [(Cow<'static, str>, Projection)]);

impl<'de, 'o> DeserializeSeed<'de> for Key<'o> {
    type Value = Option<&'o (Cow<'static, str>, Projection)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'o> Visitor<'_> for Key<'o> {
    type Value = Option<&'o (Cow<'static, str>, Projection)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(name, _)| name == key))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_requested_fields_are_read() {
        let projection =
            Projection::of(["/id", "/author/id", "/tags/data/id", "/tags", "/source/body/x", "/list/id"]);
        let document = json!({
            "id": 9_007_199_254_740_993_u64, "author": {"id": "7", "name": "x"}, "tags": {"data": [{"id": 1, "name": "a"}]},
            "source": {"body": "text"}, "list": [{"id": 1, "b": 2}, 3, null], "other": {"id": [1, {"deep": "er"}]},
        });
        let expected = json!({
            "id": 9_007_199_254_740_993_u64, "author": {"id": "7"}, "tags": {"data": [{"id": 1, "name": "a"}]},
            "source": {"body": null}, "list": [{"id": 1}, null, null],
        });
        assert_eq!(projection.read(&document.to_string()).unwrap(), expected);
        assert_eq!(
            projection.read(r#" {"author":1.5,"\u0069d":"2"} "#).unwrap(),
            json!({"author": null, "id": "2"})
        );
    }

    #[test]
    fn invalid_json_is_an_error_even_in_skipped_fields() {
        let projection = Projection::of(["/id"]);
        for broken in ["", r#"{"id":1"#, r#"{"id":1} x"#, r#"{"id":1,"other":[}"#] {
            assert!(projection.read(broken).is_err(), "{broken}");
        }
    }
}

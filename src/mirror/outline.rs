//! Reads of a document only what is asked for.
//!
//! A record has a hundred fields and a few KB of text; its columns and links come from twenty places.
//! What lies elsewhere is passed over without being built; it must be JSON all the same.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The places that are asked for, as a tree of keys. Lists are no level of it: what is asked for is read
/// out of every element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outline {
    /// Everything that is there.
    Whole,
    Members(Vec<(Cow<'static, str>, Outline)>),
}

impl Outline {
    /// From pointers such as `/author/id`.
    pub fn of<P: Into<Cow<'static, str>>>(pointers: impl IntoIterator<Item = P>) -> Self {
        let mut outline = Outline::Members(Vec::new());
        for pointer in pointers {
            let pointer: Cow<'static, str> = pointer.into();
            outline.add(pointer.split('/').skip(1));
        }
        outline
    }

    fn add<'p>(&mut self, mut keys: impl Iterator<Item = &'p str>) {
        let Some(key) = keys.next() else {
            *self = Outline::Whole;
            return;
        };
        let Outline::Members(members) = self else { return };
        let place = members.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            members.push((Cow::Owned(key.to_owned()), Outline::Members(Vec::new())));
            members.len() - 1
        });
        members[place].1.add(keys);
    }

    /// What a document holds at these places; elsewhere it looks empty.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn read(&self, document: &str) -> Result<Value, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(document);
        let value = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for &Outline {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self {
            Outline::Whole => Value::deserialize(deserializer),
            Outline::Members(members) => deserializer.deserialize_any(Members(members)),
        }
    }
}

struct Members<'o>(&'o [(Cow<'static, str>, Outline)]);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut found = Map::with_capacity(self.0.len());
        while let Some(asked) = map.next_key_seed(Key(self.0))? {
            match asked {
                Some((key, outline)) => {
                    found.insert(key.to_string(), map.next_value_seed(outline)?);
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

    // Nothing that is asked for can be below these.
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

struct Element<'o>(&'o [(Cow<'static, str>, Outline)]);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Members(self.0))
    }
}

/// Finds the member of a key, without copying the key.
struct Key<'o>(&'o [(Cow<'static, str>, Outline)]);

impl<'de, 'o> DeserializeSeed<'de> for Key<'o> {
    type Value = Option<&'o (Cow<'static, str>, Outline)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'o> Visitor<'_> for Key<'o> {
    type Value = Option<&'o (Cow<'static, str>, Outline)>;

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
    fn only_what_is_asked_for_is_built() {
        let outline =
            Outline::of(["/id", "/author/id", "/tags/data/id", "/tags", "/source/body/x", "/list/id"]);
        let document = json!({
            "id": 9_007_199_254_740_993_u64, "author": {"id": "7", "name": "x"}, "tags": {"data": [{"id": 1, "name": "a"}]},
            "source": {"body": "text"}, "list": [{"id": 1, "b": 2}, 3, null], "other": {"id": [1, {"deep": "er"}]},
        });
        let expected = json!({
            "id": 9_007_199_254_740_993_u64, "author": {"id": "7"}, "tags": {"data": [{"id": 1, "name": "a"}]},
            "source": {"body": null}, "list": [{"id": 1}, null, null],
        });
        assert_eq!(outline.read(&document.to_string()).unwrap(), expected);
        assert_eq!(
            outline.read(r#" {"author":1.5,"\u0069d":"2"} "#).unwrap(),
            json!({"author": null, "id": "2"})
        );
    }

    #[test]
    fn what_is_no_json_is_none() {
        let outline = Outline::of(["/id"]);
        for broken in ["", r#"{"id":1"#, r#"{"id":1} x"#, r#"{"id":1,"other":[}"#] {
            assert!(outline.read(broken).is_err(), "{broken}");
        }
    }
}

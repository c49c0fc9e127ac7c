//! Values that replace those of an item: `conversation_parts.conversation_parts.0.body=hi`.
//!
//! A path names fields and positions, separated by dots. Fields that are missing are added, positions are not: a list
//! must not get gaps.

use std::str::FromStr;

use serde_json::{Map, Value};

/// A path inside an item, and its new value.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    path: String,
    value: Value,
}

/// Why a text is not an override, or why it does not fit the item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOverride {
    #[error("invalid value {0:?}: expected PATH=VALUE, for example source.body=Hello")]
    Form(String),
    #[error("{path}: no value at position {position} of a list of {length}")]
    Position { path: String, position: String, length: usize },
    #[error("{path}: {part:?} is neither an object nor a list")]
    Scalar { path: String, part: String },
}

impl FromStr for Override {
    type Err = InvalidOverride;

    /// A value that is valid JSON is read as such; otherwise it is text.
    fn from_str(text: &str) -> Result<Self, InvalidOverride> {
        let invalid = || InvalidOverride::Form(text.to_owned());
        let (path, value) = text.split_once('=').ok_or_else(invalid)?;
        if path.is_empty() || path.split('.').any(str::is_empty) {
            return Err(invalid());
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok(Override { path: path.to_owned(), value })
    }
}

impl Override {
    /// The override of a path, whose text is taken as it is.
    pub fn new(path: &str, value: Value) -> Self {
        Override { path: path.to_owned(), value }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Replaces the value in an item.
    ///
    /// # Errors
    /// If the path leads through a value that has no members, or past the end of a list.
    pub fn apply(&self, item: &mut Value) -> Result<(), InvalidOverride> {
        let mut place = item;
        let mut last = "the item";
        for part in self.path.split('.') {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            place = match place {
                Value::Object(fields) => fields.entry(part).or_insert(Value::Null),
                Value::Array(members) => {
                    let length = members.len();
                    let member = part.parse().ok().and_then(|position: usize| members.get_mut(position));
                    member.ok_or_else(|| InvalidOverride::Position {
                        path: self.path.clone(),
                        position: part.to_owned(),
                        length,
                    })?
                }
                _ => {
                    return Err(InvalidOverride::Scalar { path: self.path.clone(), part: last.to_owned() });
                }
            };
            last = part;
        }
        place.clone_from(&self.value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_replaced_or_added_where_the_path_leads() {
        let mut item = json!({"id": "1", "source": null, "parts": {"parts": [{"body": "a"}, {"body": "b"}]}});
        for text in
            ["id=123", "parts.parts.1.body=hi", "source.author.name=Ann=e", "tags=[\"x\"]", "id=\"9\""]
        {
            text.parse::<Override>().unwrap().apply(&mut item).unwrap();
        }
        let expected = json!({
            "id": "9", "source": {"author": {"name": "Ann=e"}},
            "parts": {"parts": [{"body": "a"}, {"body": "hi"}]}, "tags": ["x"],
        });
        assert_eq!(item, expected);
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        for text in ["id", "=x", "a..b=1", ".a=1", "a.=1"] {
            assert!(matches!(text.parse::<Override>(), Err(InvalidOverride::Form(_))), "{text}");
        }
        let mut item = json!({"id": "1", "parts": [1]});
        for (text, message) in [
            ("parts.1=2", "parts.1: no value at position 1 of a list of 1"),
            ("parts.x=2", "parts.x: no value at position x of a list of 1"),
            ("id.x=2", "id.x: \"id\" is neither an object nor a list"),
        ] {
            let error = text.parse::<Override>().unwrap().apply(&mut item).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}

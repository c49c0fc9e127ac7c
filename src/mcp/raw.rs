//! Splits JSON text one level at a time.
//!
//! Results can be tens of megabytes. They are cut and copied as text, so that they are never parsed into memory
//! as a whole, and numbers keep their exact digits.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object in order, with decoded names.
pub struct RawFields<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = RawFields<'de>;

            fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
                text.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(RawFields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The fields of an object; `None` for anything else.
pub fn fields(text: &str) -> Option<Vec<(String, &RawValue)>> {
    text.starts_with('{')
        .then(|| serde_json::from_str::<RawFields>(text).ok())
        .flatten()
        .map(|fields| fields.0)
}

/// The elements of an array; `None` for anything else.
pub fn elements(text: &str) -> Option<Vec<&RawValue>> {
    text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten()
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Bytes that a character takes inside a JSON string.
pub fn width(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        letter if letter < ' ' => 6,
        letter => letter.len_utf8(),
    }
}

/// The length of the longest prefix of a text that takes at most this many bytes as JSON.
pub fn end_within(text: &str, bytes: usize) -> usize {
    let mut taken = 0;
    for (at, letter) in text.char_indices() {
        taken += width(letter);
        if taken > bytes {
            return at;
        }
    }
    text.len()
}

//! `--format toon`: Token-Oriented Object Notation, which costs agents fewer tokens than JSON.

use serde_json::Value;
use toon_format::{EncodeOptions, encode};

use crate::cli::error::Error;

/// A JSON document as TOON, ending in a line break.
///
/// # Errors
/// When the document cannot be written as TOON.
pub fn encode_document(json: &[u8]) -> Result<String, Error> {
    let document: Value = serde_json::from_slice(json).map_err(std::io::Error::from)?;
    value(&document)
}

/// One value as TOON, ending in a line break.
///
/// # Errors
/// As [`encode_document`].
pub fn value(value: &Value) -> Result<String, Error> {
    let text = encode(value, &EncodeOptions::default());
    let text = text.map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(format!("{}\n", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_with_equal_fields_become_a_table() {
        let json = r#"{"meta":{"source":"live"},"results":{"data":[{"id":"123456789012345","n":9007199254740993,"name":"a,b"},{"id":"2","n":1,"name":"c"}]}}"#;
        let expected = "meta:\n  source: live\nresults:\n  data[2]{id,n,name}:\n    \"123456789012345\",9007199254740993,\"a,b\"\n    \"2\",1,c\n";
        assert_eq!(encode_document(json.as_bytes()).unwrap(), expected);
    }
}

//! Records without behaviour, stored as the documents that the API returns.
//!
//! Tags, teams, segments and the like. A type for each would repeat the keys of its document and add nothing.

use std::mem::discriminant;

use serde_json::{Value, json};

use crate::sandbox::record_set::WorkspaceRecord;

/// A record and its document. The keys have the order in which the API sends them.
#[derive(Debug, Clone)]
pub struct PlainRecord {
    pub id: String,
    pub document: Value,
}

impl WorkspaceRecord for PlainRecord {
    fn id(&self) -> &str {
        &self.id
    }

    /// Zero for documents without this time.
    fn updated_at(&self) -> i64 {
        self.document["updated_at"].as_i64().unwrap_or(0)
    }

    fn touch(&mut self, at: i64) {
        self.document["updated_at"] = json!(self.updated_at().max(at));
    }
}

impl PlainRecord {
    /// A record whose document has its id, as a string.
    pub fn new(document: Value) -> Self {
        PlainRecord { id: document["id"].as_str().unwrap_or_default().to_owned(), document }
    }

    /// A string field; empty if the document has no such string.
    pub fn text(&self, field: &str) -> &str {
        self.document[field].as_str().unwrap_or_default()
    }

    /// Copies those of these fields that the record has from a request body. A value replaces a value of the same
    /// type, and a string also null; others are ignored.
    pub fn update(&mut self, body: &Value, fields: &[&str]) {
        for field in fields {
            let value = &body[*field];
            let Some(current) = self.document.get_mut(*field) else { continue };
            if discriminant(value) == discriminant(current) || value.is_string() && current.is_null() {
                current.clone_from(value);
            }
        }
    }
}

/// Sets the fields of a document to those of an object, except `protected` ones.
pub fn set_fields(document: &mut Value, fields: &Value, protected: &[&str]) {
    let fields = fields.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !protected.contains(&name.as_str())) {
        document[name] = value.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_copies_values_of_the_same_type_only() {
        let before = json!({"id": "1", "name": "a", "note": null, "open": true});
        for (body, changed, expected) in [
            (json!({"name": "b"}), "name", json!("b")),
            (json!({"name": null}), "name", json!("a")),
            (json!({"name": 7}), "name", json!("a")),
            (json!({"note": "c"}), "note", json!("c")),
            (json!({"note": false}), "note", json!(null)),
            (json!({"open": false}), "open", json!(false)),
            (json!({"open": "no"}), "open", json!(true)),
            (json!({"other": 1}), "other", json!(null)),
        ] {
            let mut record = PlainRecord::new(before.clone());
            record.update(&body, &["name", "note", "open", "other"]);
            assert_eq!(record.document[changed], expected, "{body}");
        }
    }
}

//! Which records a call of one operation is about, and what people call them.
//!
//! Whoever is asked to confirm a change needs to know whom it is about, in a terminal as over MCP. One read of
//! each record shows it; this module says which read that is, and makes none.

use serde_json::{Map, Value};

use crate::api::commands::OPERATIONS;
use crate::api::operation::{Answer, Method, Operation};

/// A record that is read before a call.
#[derive(Debug)]
pub struct Subject {
    /// What reads it, with these ids.
    pub reader: &'static Operation,
    pub ids: Vec<String>,
}

/// Fields of a body that name a record, and where it is read.
const IN_BODY: &[(&str, &str)] = &[
    ("from", "/contacts/{contact_id}"),
    ("into", "/contacts/{contact_id}"),
    ("conversation_id", "/conversations/{conversation_id}"),
];

/// The records of a call, with the ids of its path and the fields of its body.
pub fn of(operation: &Operation, ids: &[String], body: &Map<String, Value>) -> Vec<Subject> {
    let mut path = operation.path;
    while path.contains('{') {
        // Of `/contacts/{id}/tags/{tag}` it is the tag or, where none can be read, the contact.
        if path.ends_with('}')
            && let Some(reader) = reader(path)
        {
            let ids: Vec<String> = ids.iter().take(path.matches('{').count()).cloned().collect();
            return vec![Subject { reader, ids }];
        }
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    // A message has a `from` of another kind.
    if !["MergeContact", "redactConversation"].contains(&operation.id) {
        return Vec::new();
    }
    let named = IN_BODY.iter().filter_map(|(field, path)| {
        let value = body.get(*field)?;
        let id = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|id| id.to_string()))?;
        Some(Subject { reader: reader(path)?, ids: vec![id] })
    });
    named.collect()
}

/// The operation that reads what is at this path.
fn reader(path: &str) -> Option<&'static Operation> {
    let shape = |path: &str| -> String {
        path.split('/')
            .map(|part| if part.starts_with('{') { "/{}".to_owned() } else { format!("/{part}") })
            .collect()
    };
    OPERATIONS.iter().find(|operation| {
        operation.method == Method::Get
            && operation.answer == Answer::Json
            && shape(operation.path) == shape(path)
    })
}

/// What people call a record: name and address, or title.
pub fn name(record: &Value) -> Option<String> {
    let text =
        |pointer: &str| record.pointer(pointer)?.as_str().map(str::trim).filter(|text| !text.is_empty());
    let title = ["/name", "/title", "/source/subject", "/ticket_attributes/_default_title_", "/label"];
    let name = title.into_iter().find_map(text);
    let address = text("/email").or_else(|| text("/source/author/email"));
    match (name, address) {
        (Some(name), Some(address)) => Some(format!("{name} ({address})")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn subjects(command: &str, ids: &[&str], arguments: Value) -> Vec<String> {
        let operation = OPERATIONS.iter().find(|operation| operation.command == command).unwrap();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let found = of(operation, &ids, arguments.as_object().unwrap());
        found.into_iter().map(|one| format!("{} {}", one.reader.command, one.ids.join(" "))).collect()
    }

    #[test]
    fn the_record_of_a_call_is_known_by_its_path_or_its_body() {
        let none = json!({});
        assert_eq!(subjects("contacts delete", &["7"], none.clone()), ["contacts show 7"]);
        assert_eq!(subjects("tags delete", &["7"], none.clone()), ["tags find 7"]);
        let detached = subjects("contacts tags detach-from-contact", &["7", "9"], none);
        assert_eq!(detached, ["contacts show 7"]);
        let merged = subjects("contacts merge", &[], json!({ "from": "1", "into": "2" }));
        let expected = ["contacts show 1", "contacts show 2"];
        assert_eq!(merged, expected);
    }
}

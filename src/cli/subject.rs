//! Finds the records that an operation changes, and their names, for prompts in the terminal and over MCP.
//!
//! Determines which request reads each record; sends none.

use serde_json::{Map, Value};

use crate::api::commands::OPERATIONS;
use crate::api::operation::{Answer, Method, Operation};

/// A record that an operation changes.
#[derive(Debug)]
pub struct Subject {
    /// The operation that reads it, given the ids.
    pub reader: &'static Operation,
    pub ids: Vec<String>,
}

/// Body fields that contain the id of a record, and the path that reads it.
const IN_BODY: &[(&str, &str)] = &[
    ("from", "/contacts/{contact_id}"),
    ("into", "/contacts/{contact_id}"),
    ("conversation_id", "/conversations/{conversation_id}"),
];

/// The records of an operation, from the ids in its path and the fields of its body.
pub fn of(operation: &Operation, ids: &[String], body: &Map<String, Value>) -> Vec<Subject> {
    let mut path = operation.path;
    while path.contains('{') {
        // For `/contacts/{id}/tags/{tag}`: the tag or, if tags of a contact cannot be read, the contact.
        if path.ends_with('}')
            && let Some(reader) = reader(path)
        {
            let ids: Vec<String> = ids.iter().take(path.matches('{').count()).cloned().collect();
            return vec![Subject { reader, ids }];
        }
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    // `from` has another meaning in other operations, for example in messages.
    if !["MergeContact", "redactConversation"].contains(&operation.id) {
        return Vec::new();
    }
    let subjects = IN_BODY.iter().filter_map(|(field, path)| {
        let value = body.get(*field)?;
        let id = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|id| id.to_string()))?;
        Some(Subject { reader: reader(path)?, ids: vec![id] })
    });
    subjects.collect()
}

/// The operation that reads the record at this path.
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

/// The display name of a record: name and address, or title.
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
        let subjects = of(operation, &ids, arguments.as_object().unwrap());
        let describe = |subject: Subject| format!("{} {}", subject.reader.command, subject.ids.join(" "));
        subjects.into_iter().map(describe).collect()
    }

    #[test]
    fn the_record_of_a_call_is_found_in_its_path_or_its_body() {
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

//! The names of records, for prompts in the terminal and over MCP, and the operations that read them. Sends no request.
//!
//! Anybody can choose a name, so none may add lines to a prompt or push the question off the screen.

use std::time::Duration;

use serde_json::Value;

use crate::api::commands::OPERATIONS;
use crate::api::operation::{Answer, Method, Operation};
use crate::data::printable::one_line;

/// How long a prompt waits for a name, before it shows the id instead.
pub const NAME_TIMEOUT: Duration = Duration::from_secs(5);

/// Characters of a name or an address that are shown.
const MAX_LETTERS: usize = 80;

/// The operation that reads a record of a collection, for example of `help_center/collections`.
pub fn reader_in(collection: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| {
        let path = operation.path.strip_prefix('/').and_then(|path| path.strip_prefix(collection));
        let reads_one = path.is_some_and(|rest| {
            rest.starts_with("/{") && rest.ends_with('}') && rest.matches('/').count() == 1
        });
        reads_one && operation.method == Method::Get && operation.answer == Answer::Json
    })
}

/// The display name of a record on one line: name and address, or title.
pub fn name(record: &Value) -> Option<String> {
    let text = |pointer: &str| {
        let text = record.pointer(pointer)?.as_str()?.trim();
        (!text.is_empty()).then(|| shortened(text))
    };
    let title = [
        "/name",
        "/title",
        "/source/subject",
        "/ticket_attributes/_default_title_",
        "/label",
        "/source/author/name",
    ];
    let name = title.into_iter().find_map(text);
    let address = text("/email").or_else(|| text("/source/author/email"));
    match (name, address) {
        (Some(name), Some(address)) => Some(format!("{name} ({address})")),
        (one, None) | (None, one) => one,
    }
}

/// Counts characters, since any number of them can have no width.
fn shortened(text: &str) -> String {
    let mut letters = one_line(text).chars().collect::<Vec<_>>();
    if letters.len() > MAX_LETTERS {
        letters.truncate(MAX_LETTERS - 1);
        letters.push('…');
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_reader_of_a_collection_reads_one_of_its_records() {
        for (collection, command) in [
            ("contacts", "contacts show"),
            ("tags", "tags find"),
            ("help_center/collections", "help-center retrieve-collection"),
        ] {
            assert_eq!(reader_in(collection).map(|reader| reader.command), Some(command));
        }
        assert!(reader_in("subscription_types").is_none());
    }

    #[test]
    fn a_name_is_shown_with_its_address() {
        assert_eq!(
            name(&json!({ "name": "Ann", "email": "a@example.com" })).as_deref(),
            Some("Ann (a@example.com)")
        );
        assert_eq!(
            name(&json!({ "title": " ", "email": "a@example.com" })).as_deref(),
            Some("a@example.com")
        );
        let source = json!({ "author": { "name": "Ann" } });
        assert_eq!(name(&json!({ "title": null, "source": source })).as_deref(), Some("Ann"));
        assert_eq!(name(&json!({})), None);
    }

    #[test]
    fn a_name_cannot_add_lines_to_a_prompt_or_fill_the_screen() {
        let hostile =
            json!({ "name": "Ann\r\nFrom: Bo\n\n  I agree\u{1b}[2J", "email": "x".repeat(200_000) });
        let shown = name(&hostile).unwrap();
        assert!(shown.starts_with("Ann  From: Bo    I agree [2J (xxx"), "{shown}");
        assert!(shown.chars().count() < 2 * MAX_LETTERS && shown.ends_with("…)"), "{shown}");
    }
}

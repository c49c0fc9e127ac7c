//! Suggests the table or column that an unknown name in a SQL statement most likely means.

use std::path::Path;

use crate::cli::error::Error;
use crate::data::spelling::nearest;
use crate::mirror::sql::Relation;
use crate::mirror::{self, Store};

/// The error with a suggestion, if it is about an unknown table or column.
pub fn with_similar_name(error: Error, statement: &str, mirror: &Path) -> Error {
    let Error::Mirror(mirror::Error::UnknownName(message)) = error else { return error };
    let relations = Store::open_read_only(mirror).and_then(|store| store.relations()).unwrap_or_default();
    let message = match similar(&message, statement, &relations) {
        Some(name) => format!("{message}: did you mean {name:?}?"),
        None => message,
    };
    Error::Mirror(mirror::Error::UnknownName(message))
}

/// The known name for a message such as `no such column: c.sate`.
fn similar(message: &str, statement: &str, relations: &[Relation]) -> Option<String> {
    let (what, name) = message.split_once(": ")?;
    // SQLite may add where the name occurs.
    let name = name.split_whitespace().next()?.rsplit('.').next()?;
    let known: Vec<&str> = match what {
        "no such table" => relations.iter().map(|relation| relation.name.as_str()).collect(),
        "no such column" => {
            let words: Vec<&str> =
                statement.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
            let used = relations.iter().filter(|relation| words.contains(&relation.name.as_str()));
            used.flat_map(|relation| &relation.columns).map(|(column, _)| column.as_str()).collect()
        }
        _ => return None,
    };
    nearest(name, &known).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_find_the_nearest_of_the_tables_in_use() {
        let relation = |name: &str, columns: &[&str]| Relation {
            name: name.to_owned(),
            kind: "table".to_owned(),
            about: "",
            columns: columns.iter().map(|column| ((*column).to_owned(), String::new())).collect(),
        };
        let relations = [relation("conversations", &["id", "subject"]), relation("tags", &["id", "name"])];
        for (message, statement, expected) in [
            ("no such table: conversation", "SELECT * FROM conversation", Some("conversations")),
            ("no such column: subjct", "SELECT subjct FROM conversations", Some("subject")),
            ("no such column: c.subjct", "SELECT c.subjct FROM conversations c", Some("subject")),
            ("no such column: subjct", "SELECT subjct FROM tags", None),
            ("no such function: f", "SELECT f()", None),
        ] {
            assert_eq!(similar(message, statement, &relations).as_deref(), expected, "{message}");
        }
    }
}

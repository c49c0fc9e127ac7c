//! Describes the records of a list that have no id.
//!
//! A record without an id cannot be stored, so the list is incomplete. To find it, people need its position and
//! its name, not just a number.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::data::lenient;
use crate::mirror::resources::Resource;

/// Records named in one message.
const NAMED: usize = 20;
/// Maximum length of a name, in characters.
const LONGEST: usize = 60;
/// Fields that identify a record to people, best first.
const NAMES: [&str; 6] = ["name", "title", "email", "external_id", "company_id", "ticket_id"];

/// Describes the records without an id on a page; pages count from 1.
pub(super) fn describe(resource: &Resource, items: &[Box<RawValue>], page: u64) -> Vec<String> {
    let describe = |(place, item): (usize, &RawValue)| {
        let document: Value = serde_json::from_str(item.get()).unwrap_or(Value::Null);
        if resource.id(&document).is_some() {
            return None;
        }
        let place = format!("record {} of page {page}", place + 1);
        let name = NAMES.iter().find_map(|key| lenient::text(&document[*key]));
        Some(match name {
            Some(name) => format!("{place} ({:?})", name.chars().take(LONGEST).collect::<String>()),
            None => place,
        })
    };
    items.iter().map(AsRef::as_ref).enumerate().filter_map(describe).collect()
}

/// Combines the descriptions into one sentence.
pub(super) fn message(descriptions: &[String]) -> String {
    let named = descriptions.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match descriptions.len() {
        1 => format!("1 record came without an id: {named}"),
        count if count <= NAMED => format!("{count} records came without an id: {named}"),
        count => format!("{count} records came without an id, including {named}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::resources::ResourceName;

    #[test]
    fn records_without_an_id_are_described_by_position_and_name() {
        let items: Vec<Box<RawValue>> = serde_json::from_str(
            r#"[{"id":7}, {"name":"A\u0007cme"}, {"id":" "}, 5, {"id":null,"title":3}]"#,
        )
        .unwrap();
        let found = describe(ResourceName::Companies.resource(), &items, 2);
        let places = ["record 2 of page 2 (\"A\\u{7}cme\")", "record 3 of page 2", "record 4 of page 2"];
        assert_eq!(found[..3], places);
        assert_eq!(found[3], "record 5 of page 2 (\"3\")");
        assert_eq!(message(&found[1..2]), "1 record came without an id: record 3 of page 2");
        let many = vec!["x".to_owned(); NAMED + 1];
        assert!(message(&many).starts_with("21 records came without an id, including x, x"));
    }
}

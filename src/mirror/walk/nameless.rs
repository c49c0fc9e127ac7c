//! Says which records of a list have no id.
//!
//! Nothing can be stored without an id, so the list is not complete. Whoever looks into it needs more than a
//! number: the place of each such record, and what it calls itself.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::mirror::fields;
use crate::mirror::resources::Resource;

/// The most records that one message names.
const NAMED: usize = 20;
/// Characters of a name that are enough to find it.
const LONGEST: usize = 60;
/// Fields that identify a record to people, the best first.
const NAMES: [&str; 6] = ["name", "title", "email", "external_id", "company_id", "ticket_id"];

/// The records without an id on a page; pages count from 1.
pub(super) fn of(resource: &Resource, items: &[Box<RawValue>], page: u64) -> Vec<String> {
    let describe = |(place, item): (usize, &RawValue)| {
        let document: Value = serde_json::from_str(item.get()).unwrap_or(Value::Null);
        if resource.id(&document).is_some() {
            return None;
        }
        let place = format!("record {} of page {page}", place + 1);
        let name = NAMES.iter().find_map(|key| fields::text(&document[*key]));
        Some(match name {
            Some(name) => format!("{place} ({:?})", name.chars().take(LONGEST).collect::<String>()),
            None => place,
        })
    };
    items.iter().map(AsRef::as_ref).enumerate().filter_map(describe).collect()
}

/// All of them in one sentence.
pub(super) fn in_words(nameless: &[String]) -> String {
    let named = nameless.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match nameless {
        [_] => format!("1 record came without an id: {named}"),
        [..] if nameless.len() <= NAMED => format!("{} records came without an id: {named}", nameless.len()),
        [..] => format!("{} records came without an id, among them {named}", nameless.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::resources::ResourceName;

    #[test]
    fn records_without_an_id_are_named_by_place_and_name() {
        let items: Vec<Box<RawValue>> = serde_json::from_str(
            r#"[{"id":7}, {"name":"A\u0007cme"}, {"id":" "}, 5, {"id":null,"title":3}]"#,
        )
        .unwrap();
        let found = of(ResourceName::Companies.resource(), &items, 2);
        let places = ["record 2 of page 2 (\"A\\u{7}cme\")", "record 3 of page 2", "record 4 of page 2"];
        assert_eq!(found[..3], places);
        assert_eq!(found[3], "record 5 of page 2 (\"3\")");
        assert_eq!(in_words(&found[1..2]), "1 record came without an id: record 3 of page 2");
        let many = vec!["x".to_owned(); NAMED + 1];
        assert!(in_words(&many).starts_with("21 records came without an id, among them x, x"));
    }
}

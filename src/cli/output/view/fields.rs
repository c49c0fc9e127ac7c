//! Reads the fields that several kinds of records share, as the texts that a view shows.

use serde_json::Value;

use super::model::{Datum, Fact, View};
use crate::cli::output::content::is_empty;
use crate::cli::output::names::Names;
use crate::data::lenient;
use crate::html::plain;
use crate::mirror::ResourceName;

/// A text without markup, or a number; `None` if it is blank.
pub fn text(value: &Value) -> Option<String> {
    let plain = match value {
        Value::String(text) if text.contains('<') => plain::text(text),
        other => lenient::text(other)?,
    };
    Some(plain.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Name and address of a person: `Ann Ward <ann@example.com>`.
pub fn person(person: &Value) -> Option<String> {
    match (text(&person["name"]), text(&person["email"])) {
        (Some(name), Some(email)) => Some(format!("{name} <{email}>")),
        (one, other) => one.or(other).or_else(|| text(&person["phone"])),
    }
}

/// The name of an author; without one, the address, or a word for the kind of author.
pub fn author_name(author: &Value, names: &mut Names) -> String {
    let own = ["name", "email"].iter().find_map(|field| text(&author[*field]));
    let looked_up = || match author["type"].as_str() {
        Some("admin") => names.of(ResourceName::Admins, &author["id"]),
        Some("user" | "lead" | "contact") => names.of(ResourceName::Contacts, &author["id"]),
        _ => None,
    };
    let word = || match (author["type"].as_str(), lenient::id(&author["id"])) {
        (Some("admin"), Some(id)) => format!("teammate {id}"),
        (Some("bot"), _) => "Bot".to_owned(),
        (Some(kind), Some(id)) => format!("{kind} {id}"),
        _ => "Somebody".to_owned(),
    };
    own.or_else(looked_up).unwrap_or_else(word)
}

/// The record that an id belongs to: its name, else its id; `None` for nobody.
pub fn named(names: &mut Names, resource: ResourceName, id: &Value) -> Option<String> {
    let reference = lenient::reference(id)?;
    Some(names.of(resource, id).unwrap_or(reference))
}

/// Teammate and team that a record is assigned to.
pub fn assignees(record: &Value, names: &mut Names) -> Vec<String> {
    let admin = named(names, ResourceName::Admins, &record["admin_assignee_id"]);
    let team = named(names, ResourceName::Teams, &record["team_assignee_id"]);
    let team = team.map(|team| format!("team {team}"));
    let assignees: Vec<String> = admin.into_iter().chain(team).collect();
    if assignees.is_empty() { vec!["nobody".to_owned()] } else { assignees }
}

/// The names of the records in a list inside a record, joined; without a name, the id.
pub fn list(value: &Value, key: &str) -> Vec<String> {
    let list = value.as_array().or_else(|| value[key].as_array());
    let label = |member: &Value| text(&member["name"]).or_else(|| text(&member["id"]));
    list.into_iter().flatten().filter_map(label).collect()
}

/// Names as one value.
pub fn joined(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

/// Adds every attribute with a value.
pub fn attributes(view: &mut View, attributes: &Value, hidden: &[&str]) {
    for (name, value) in attributes.as_object().into_iter().flatten() {
        if !hidden.contains(&name.as_str()) && !is_empty(value) {
            let values = attribute(value).map(Datum::Text).into_iter().collect();
            view.attributes.push(Fact { label: name.clone(), values });
        }
    }
}

/// The value of a custom attribute; files and lists by their names.
fn attribute(value: &Value) -> Option<String> {
    match value {
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().filter_map(attribute).collect();
            joined(&elements)
        }
        Value::Object(fields) => {
            let name = ["name", "label", "title", "value", "id"].iter().find_map(|name| text(&value[*name]));
            name.or_else(|| (!fields.is_empty()).then(|| value.to_string()))
        }
        scalar => text(scalar),
    }
}

/// The number of fields with content that are not among those shown.
pub fn omitted(record: &Value, shown: &[&str]) -> usize {
    let fields = record.as_object().into_iter().flatten();
    let is_hidden = |name: &str, value: &Value| {
        name != "type" && !shown.contains(&name) && !is_empty(value) && *value != Value::Bool(false)
    };
    fields.filter(|(name, value)| is_hidden(name, value)).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_of_every_shape_are_texts() {
        for (value, shown) in [
            (json!("<p>a</p>"), Some("a")),
            (json!(true), Some("true")),
            (json!(4.5), Some("4.5")),
            (json!(["a", "b"]), Some("a, b")),
            (json!([{"name": "bill.pdf", "url": "x"}]), Some("bill.pdf")),
            (json!({"id": 5, "label": "Red"}), Some("Red")),
            (json!({"x": 1}), Some("{\"x\":1}")),
        ] {
            assert_eq!(attribute(&value).as_deref(), shown, "{value}");
        }
    }

    #[test]
    fn only_fields_with_content_count_as_omitted() {
        let record = json!({"type": "x", "id": "1", "a": null, "b": [], "c": false, "d": 0, "e": {"x": 1}});
        assert_eq!(omitted(&record, &["id"]), 2);
    }
}

//! Marks the values that are not plain text or numbers in Rust: ids, times and choices.
//!
//! A mark is typify's `x-rust-type` with a path in a crate that does not exist, [`MARK`]; `types.rs` reads it back
//! from what typify generates. The rules depend on names and shapes of fields. A field whose id can belong to several
//! kinds of records must not be marked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::description::{Description, plain};
use super::flags::is_time;
use super::inline::pascal;
use super::normalize::RESERVED;
use super::shape::{REQUEST, ROLE, choices};

/// The crate of marked types.
pub const MARK: &str = "marked";
const KEYWORD: &str = "x-rust-type";

/// A set of text values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    pub name: String,
    pub values: Vec<String>,
}

/// Marks every property of every component, and returns the choices that are types.
pub fn mark(description: &mut Description) -> NamedChoices {
    let mut named = NamedChoices::default();
    let Some(schemas) = description.root["components"]["schemas"].as_object_mut() else { return named };
    named.taken.extend(RESERVED.map(str::to_owned));
    for name in schemas.keys() {
        named.taken.insert(plain(name));
    }
    let mut order: Vec<String> = schemas.keys().cloned().collect();
    order.sort_by_key(|name| (schemas[name][ROLE] == REQUEST, name.len(), name.clone()));
    for component in order {
        let owner = pascal(&component);
        let properties = schemas[&component].get_mut("properties").and_then(Value::as_object_mut);
        for (name, property) in properties.into_iter().flatten() {
            mark_one(&mut named, &owner, name, property);
        }
    }
    named
}

fn mark_one(named: &mut NamedChoices, owner: &str, name: &str, property: &mut Value) {
    let mut leaf = property;
    while leaf["type"] == "array" {
        leaf = &mut leaf["items"];
    }
    let rust = match rust_type(owner, name, leaf) {
        Some(rust) => rust.to_owned(),
        None => {
            let values: Vec<String> = choices(leaf).into_iter().map(str::to_owned).collect();
            // The only choice of a request is a constant, and that of an answer is known from its type.
            if leaf["type"] != "string" || values.len() < 2 {
                return;
            }
            named.name(owner, name, values)
        }
    };
    leaf[KEYWORD] = json!({ "crate": MARK, "version": "*", "path": format!("{MARK}::{rust}") });
}

/// The id or time that a value is.
pub fn rust_type(owner: &str, name: &str, schema: &Value) -> Option<&'static str> {
    let kind = schema["type"].as_str()?;
    if is_time(name, schema) || kind == "string" && schema["format"] == "date-time" {
        return Some("Timestamp");
    }
    if !matches!(kind, "string" | "integer") {
        return None;
    }
    if name == "id" {
        return id_of(owner);
    }
    let one = name.strip_suffix('s').filter(|one| one.ends_with("_id")).unwrap_or(name);
    Some(match one {
        "admin_id" | "admin_assignee_id" | "owner_id" | "author_id" => "AdminId",
        "team_id" | "team_assignee_id" => "TeamId",
        "contact_id" => "ContactId",
        "conversation_id" => "ConversationId",
        "tag_id" => "TagId",
        "article_id" => "ArticleId",
        _ => return None,
    })
}

/// The type of `id` in a component, if it is the id of the record that the component is named after.
fn id_of(owner: &str) -> Option<&'static str> {
    const RECORDS: [(&str, &str); 6] = [
        ("Contact", "ContactId"),
        ("Conversation", "ConversationId"),
        ("Admin", "AdminId"),
        ("Team", "TeamId"),
        ("Tag", "TagId"),
        ("Article", "ArticleId"),
    ];
    // What is left of the name of a component that is about the record itself.
    const ENDINGS: [&str; 9] = [
        "",
        "WithApp",
        "Basic",
        "Reference",
        "Archived",
        "Unarchived",
        "Blocked",
        "Deleted",
        "CreateResponse",
    ];
    RECORDS.iter().find_map(|(record, id)| {
        let ending = owner.strip_prefix(record)?;
        ENDINGS.contains(&ending).then_some(*id)
    })
}

/// The id that a path placeholder takes, by the segment before it.
pub fn id_in_path(path: &str, name: &str) -> Option<&'static str> {
    let (before, _) = path.split_once(&format!("/{{{name}}}"))?;
    Some(match before.rsplit('/').next()? {
        "contacts" | "customers" if name != "external_id" => "ContactId",
        "conversations" => "ConversationId",
        "admins" => "AdminId",
        "teams" => "TeamId",
        "tags" => "TagId",
        "articles" => "ArticleId",
        _ => return None,
    })
}

/// Names of choices. Equal choices of the same property are one type if their owners are about the same thing.
#[derive(Default)]
pub struct NamedChoices {
    /// Names of all types, plain.
    taken: BTreeSet<String>,
    /// Owner and property of each type.
    places: Vec<(String, String)>,
    pub all: Vec<Choices>,
}

impl NamedChoices {
    /// The type of these choices.
    pub fn name(&mut self, owner: &str, property: &str, values: Vec<String>) -> String {
        let owner = owner.strip_suffix("Request").unwrap_or(owner);
        let mut sorted = values.clone();
        sorted.sort();
        let known = self.places.iter().zip(&self.all).find(|((known, place), choices)| {
            let mut others = choices.values.clone();
            others.sort();
            place == property && others == sorted && (owner.contains(known.as_str()) || known.contains(owner))
        });
        if let Some((_, choices)) = known {
            return choices.name.clone();
        }
        let mut name = format!("{owner}{}", pascal(property));
        while !self.taken.insert(plain(&name)) {
            name.push_str("Choice");
        }
        self.places.push((owner.to_owned(), property.to_owned()));
        self.all.push(Choices { name: name.clone(), values });
        name
    }
}

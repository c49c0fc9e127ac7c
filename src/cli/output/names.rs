//! Shows names instead of ids to people.
//!
//! Names come from the response itself or from the mirror. Programs always get ids, and so do users who select a
//! column. An id without a known name stays.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::mirror::ResourceName;

type Lookup = dyn Fn(ResourceName, &str) -> Option<String> + Send + Sync;

/// Finds names that a response does not hold. The default finds none.
#[derive(Clone, Default)]
pub struct NameLookup(Option<Arc<Lookup>>);

impl NameLookup {
    pub fn new(lookup: impl Fn(ResourceName, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        NameLookup(Some(Arc::new(lookup)))
    }

    fn name(&self, resource: ResourceName, id: &str) -> Option<String> {
        self.0.as_ref().and_then(|lookup| lookup(resource, id))
    }
}

impl fmt::Debug for NameLookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "NameLookup(..)" } else { "NameLookup" })
    }
}

/// Names for the ids in one response.
#[derive(Debug)]
pub struct Names {
    lookup: NameLookup,
    /// Names by id; `None` for ids without a name, so that each is looked up once.
    names: HashMap<(ResourceName, String), Option<String>>,
}

impl Names {
    pub fn new(lookup: &NameLookup) -> Self {
        Names { lookup: lookup.clone(), names: HashMap::new() }
    }

    /// Learns the names in a document.
    pub fn learn(&mut self, document: &Value) {
        match document {
            Value::Object(fields) => {
                if let (Some(resource), Some(id)) = (resource_of(document), scalar(&document["id"]))
                    && let Some(name) = own_name(document)
                {
                    self.names.insert((resource, id), Some(name));
                }
                fields.values().for_each(|value| self.learn(value));
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.learn(element)),
            _ => {}
        }
    }

    pub fn of(&mut self, resource: ResourceName, id: &Value) -> Option<String> {
        let id = scalar(id).filter(|id| !id.is_empty() && id != "0")?;
        let lookup = &self.lookup;
        let name =
            self.names.entry((resource, id)).or_insert_with_key(|(resource, id)| lookup.name(*resource, id));
        name.clone()
    }

    /// Adds names to a record: beside its ids, and to the records that it refers to.
    pub fn insert_into(&mut self, record: &mut Value) {
        if record["name"].is_null()
            && let Some(resource) = resource_of(record)
            && let Some(name) = self.of(resource, &record["id"].clone())
            && let Value::Object(fields) = record
        {
            fields.insert("name".to_owned(), name.into());
        }
        let owners = match &*record {
            Value::Object(fields) => {
                fields.keys().map(|name| (name.clone(), owner(&[name], record))).collect()
            }
            _ => Vec::new(),
        };
        for (field, resource) in owners {
            let id = record[&field].clone();
            if let Some(name) = resource.and_then(|resource| self.of(resource, &id)) {
                record[&field] = format!("{name} ({})", scalar(&id).unwrap_or_default()).into();
            }
        }
        match record {
            Value::Object(fields) => fields.values_mut().for_each(|value| self.insert_into(value)),
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.insert_into(element)),
            _ => {}
        }
    }
}

/// The resource that the value at this path of a record is an id of.
pub fn owner(path: &[impl AsRef<str>], record: &Value) -> Option<ResourceName> {
    let (last, above) = path.split_last()?;
    let holder = above.iter().try_fold(record, |value, name| value.get(name.as_ref()))?;
    Some(match last.as_ref() {
        "admin_assignee_id" | "admin_id" | "author_id" | "owner_id" | "sender_id" | "last_closed_by_id" => {
            ResourceName::Admins
        }
        "team_assignee_id" | "team_id" => ResourceName::Teams,
        "contact_id" => ResourceName::Contacts,
        "help_center_id" => ResourceName::HelpCenters,
        "ticket_type_id" => ResourceName::TicketTypes,
        "parent_id" if holder["parent_type"] == "collection" || is_collection(holder) => {
            ResourceName::Collections
        }
        "parent_ids" if holder["type"] == "article" => ResourceName::Collections,
        // The id of a referenced record; its own id stays.
        "id" if !above.is_empty() && own_name(holder).is_none() => return resource_of(holder),
        _ => return None,
    })
}

/// Collections often have no type.
fn is_collection(record: &Value) -> bool {
    record["type"] == "collection" || (record["type"].is_null() && record.get("help_center_id").is_some())
}

/// The title of a column of ids that shows names.
pub fn heading(column: &str) -> &str {
    column.strip_suffix("_id").or_else(|| column.strip_suffix(".id")).unwrap_or(column)
}

/// The resource of a record, by its type.
fn resource_of(record: &Value) -> Option<ResourceName> {
    Some(match record.get("type")?.as_str()? {
        "admin" => ResourceName::Admins,
        "team" => ResourceName::Teams,
        "contact" | "user" | "lead" => ResourceName::Contacts,
        "company" => ResourceName::Companies,
        "tag" => ResourceName::Tags,
        "segment" => ResourceName::Segments,
        "collection" => ResourceName::Collections,
        "help_center" => ResourceName::HelpCenters,
        "ticket_type" => ResourceName::TicketTypes,
        "subscription" => ResourceName::SubscriptionTypes,
        _ => return None,
    })
}

fn own_name(record: &Value) -> Option<String> {
    let text = |field: &str| record.get(field)?.as_str().filter(|name| !name.is_empty());
    ["name", "display_name", "email"].into_iter().find_map(text).map(str::to_owned)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        Names::new(&NameLookup::new(|resource, id| {
            (resource == ResourceName::Teams && id == "7").then(|| "Support".to_owned())
        }))
    }

    #[test]
    fn a_name_comes_from_the_response_or_the_lookup() {
        let mut names = names();
        names.learn(&json!({"parts": [{"author": {"type": "admin", "id": "5", "name": "Mara"}}]}));
        assert_eq!(names.of(ResourceName::Admins, &json!(5)).as_deref(), Some("Mara"));
        assert_eq!(names.of(ResourceName::Teams, &json!("7")).as_deref(), Some("Support"));
        for unknown in [json!(0), json!(null), json!("7")] {
            assert_eq!(names.of(ResourceName::Admins, &unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_record_gets_names_beside_its_ids_and_in_its_lists() {
        let mut record = json!({"type": "conversation", "id": "1", "admin_assignee_id": 9, "team_assignee_id": 7,
            "teammates": {"admins": [{"type": "admin", "id": "9"}]}, "teams": [{"type": "team", "id": "7"}]});
        names().insert_into(&mut record);
        assert_eq!(
            record,
            json!({"type": "conversation", "id": "1", "admin_assignee_id": 9, "team_assignee_id": "Support (7)",
                "teammates": {"admins": [{"type": "admin", "id": "9"}]},
                "teams": [{"type": "team", "id": "7", "name": "Support"}]})
        );
    }

    #[test]
    fn the_field_or_the_type_says_what_an_id_belongs_to() {
        let note = json!({"type": "note", "id": "1", "contact": {"type": "contact", "id": "c"},
            "author": {"type": "admin", "id": "5", "name": "Mara"}, "parent_id": "3"});
        assert_eq!(owner(&["contact", "id"], &note), Some(ResourceName::Contacts));
        for path in [&["id"][..], &["author", "id"], &["parent_id"], &["company_id"]] {
            assert_eq!(owner(path, &note), None, "{path:?}");
        }
        assert_eq!(heading("admin_assignee_id"), "admin_assignee");
        assert_eq!(heading("contact.id"), "contact");
    }
}

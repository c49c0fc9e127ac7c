//! How documents and requests differ between API versions.
//!
//! The one list of these differences: handlers render and read one form, and this file translates it for the
//! version of the request. Only behaviour that a document cannot express, such as a status, is decided in handlers.
//! It must be pure: equal documents and versions give equal results.

use serde_json::{Map, Value, json};

use super::model::conversation::ConversationPriority;
use super::response::ErrorResponse;
use crate::api::ApiVersion;

type Fields = Map<String, Value>;

/// The versions in which a difference applies.
#[derive(Debug, Clone)]
enum Versions {
    From(ApiVersion),
    Before(ApiVersion),
}

impl Versions {
    fn include(&self, version: &ApiVersion) -> bool {
        match self {
            Versions::From(first) => version.has(first),
            Versions::Before(first) => !version.has(first),
        }
    }
}

/// A difference between what handlers render and what some versions answer.
struct ShapeDifference {
    /// The `type` of the records that have it.
    record_type: &'static str,
    versions: Versions,
    apply: fn(&mut Fields),
}

const DIFFERENCES: &[ShapeDifference] = &[
    ShapeDifference {
        record_type: "conversation",
        versions: Versions::From(ApiVersion::UNASSIGNED_IS_ZERO),
        apply: |fields| each_assignee(fields, |id| id.is_null().then(|| json!(0))),
    },
    ShapeDifference {
        record_type: "conversation",
        versions: Versions::Before(ApiVersion::GRADED_PRIORITIES),
        apply: |fields| {
            change(fields, "priority", |grade| {
                let is_priority = ConversationPriority::parse(grade.as_str()?)?.is_priority();
                Some(json!(ungraded(is_priority)))
            });
        },
    },
    ShapeDifference {
        record_type: "contact",
        versions: Versions::From(ApiVersion::OWNER_IS_TEXT),
        apply: |fields| change(fields, "owner_id", |id| id.as_i64().map(|id| json!(id.to_string()))),
    },
    ShapeDifference {
        record_type: "ticket",
        versions: Versions::From(ApiVersion::UNASSIGNED_IS_ZERO),
        apply: |fields| each_assignee(fields, |id| Some(json!(id.as_str()?.parse::<i64>().ok()?))),
    },
    ShapeDifference {
        record_type: "article",
        versions: Versions::From(ApiVersion::PARENT_IDS_ONLY),
        apply: |fields| {
            fields.shift_remove("parent_id");
            fields.shift_remove("parent_type");
        },
    },
];

/// Replaces a field by what `new` returns. A missing field stays missing.
fn change(fields: &mut Fields, name: &str, new: impl Fn(&Value) -> Option<Value>) {
    if let Some(value) = fields.get_mut(name)
        && let Some(new) = new(value)
    {
        *value = new;
    }
}

fn each_assignee(fields: &mut Fields, new: impl Fn(&Value) -> Option<Value>) {
    for name in ["admin_assignee_id", "team_assignee_id"] {
        change(fields, name, &new);
    }
}

/// Gives a rendered answer, a record or a list of records, the shape of this version.
pub fn shape(version: &ApiVersion, answer: &mut Value) {
    let Value::Object(fields) = answer else { return };
    shape_record(version, fields);
    for (name, member) in fields.iter_mut() {
        match member {
            Value::Array(records) => shape_all(version, records),
            // Searches for articles wrap their lists in an object.
            Value::Object(lists) if name == "data" => {
                lists.values_mut().filter_map(Value::as_array_mut).for_each(|list| shape_all(version, list));
            }
            _ => {}
        }
    }
}

fn shape_all(version: &ApiVersion, records: &mut [Value]) {
    records.iter_mut().filter_map(Value::as_object_mut).for_each(|record| shape_record(version, record));
}

fn shape_record(version: &ApiVersion, fields: &mut Fields) {
    let Some(record_type) = fields.get("type").and_then(Value::as_str).map(str::to_owned) else { return };
    let applies = |difference: &&ShapeDifference| {
        difference.record_type == record_type && difference.versions.include(version)
    };
    DIFFERENCES.iter().filter(applies).for_each(|difference| (difference.apply)(fields));
}

/// The priority as this version names it.
pub fn priority(version: &ApiVersion, priority: ConversationPriority) -> &'static str {
    if version.has(&ApiVersion::GRADED_PRIORITIES) {
        priority.as_str()
    } else {
        ungraded(priority.is_priority())
    }
}

fn ungraded(is_priority: bool) -> &'static str {
    if is_priority { "priority" } else { "not_priority" }
}

/// Gives the body of a request the form that the handlers read.
///
/// # Errors
/// For a value that has the form of another version.
pub fn read_request(version: &ApiVersion, operation: &str, body: &mut Value) -> Result<(), ErrorResponse> {
    let writes_contact = matches!(operation, "CreateContact" | "UpdateContact");
    if writes_contact && version.has(&ApiVersion::OWNER_IS_TEXT) {
        let owner = match body.get_mut("owner_id") {
            None | Some(Value::Null) => return Ok(()),
            Some(owner) => owner,
        };
        let id: Option<i64> = owner.as_str().and_then(|id| id.parse().ok());
        *owner = json!(id.ok_or_else(|| ErrorResponse::invalid("owner_id", "owner_id must be a string"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [&str; 5] = ["2.13", "2.14", "2.15", "2.16", "2.17"];

    fn version(text: &str) -> ApiVersion {
        text.parse().unwrap()
    }

    fn shaped(at: &str, document: &Value) -> Value {
        let mut shaped = document.clone();
        shape(&version(at), &mut shaped);
        shaped
    }

    #[test]
    fn each_version_has_its_shapes() {
        let conversation = json!({"type": "conversation", "id": "1", "priority": "urgent",
            "admin_assignee_id": null, "team_assignee_id": 7});
        let contact = json!({"type": "contact", "id": "1", "owner_id": 9});
        let ticket = json!({"type": "ticket", "admin_assignee_id": "0", "team_assignee_id": "7"});
        let article =
            json!({"type": "article", "parent_id": 5, "parent_type": "collection", "parent_ids": [5, 4]});
        // The rendered document, and the two forms with the version that the second one begins with.
        let table = [
            (
                conversation.clone(),
                json!({"type": "conversation", "id": "1", "priority": "priority",
                    "admin_assignee_id": null, "team_assignee_id": 7}),
                "2.16",
                json!({"type": "conversation", "id": "1", "priority": "urgent",
                    "admin_assignee_id": 0, "team_assignee_id": 7}),
            ),
            (contact.clone(), contact, "2.16", json!({"type": "contact", "id": "1", "owner_id": "9"})),
            (
                ticket.clone(),
                ticket,
                "2.16",
                json!({"type": "ticket", "admin_assignee_id": 0, "team_assignee_id": 7}),
            ),
            (article.clone(), article, "2.16", json!({"type": "article", "parent_ids": [5, 4]})),
        ];
        for (rendered, older, since, newer) in &table {
            for at in VERSIONS {
                let expected = if version(at) < version(since) { older } else { newer };
                assert_eq!(&shaped(at, rendered), expected, "{at}");
            }
            assert_eq!(&shaped("Preview", rendered), newer);
        }
    }

    #[test]
    fn only_high_and_urgent_are_priority_without_grades() {
        for (grade, ungraded) in [
            ("none", "not_priority"),
            ("low", "not_priority"),
            ("medium", "not_priority"),
            ("high", "priority"),
            ("urgent", "priority"),
        ] {
            let conversation = json!({"type": "conversation", "priority": grade});
            assert_eq!(shaped("2.15", &conversation)["priority"], ungraded);
            assert_eq!(shaped("2.16", &conversation)["priority"], grade);
            let parsed = ConversationPriority::parse(grade).unwrap();
            assert_eq!(
                [priority(&version("2.13"), parsed), priority(&version("2.17"), parsed)],
                [ungraded, grade]
            );
        }
    }

    #[test]
    fn records_in_lists_have_the_same_shape() {
        let contact = json!({"type": "contact", "owner_id": 9});
        let article = json!({"type": "article", "parent_id": 5, "parent_ids": [5]});
        let list = json!({"type": "list", "data": [contact], "pages": {"owner_id": 9}});
        assert_eq!(shaped("2.16", &list)["data"][0]["owner_id"], "9");
        assert_eq!(shaped("2.16", &list)["pages"]["owner_id"], 9);
        let found = json!({"type": "list", "data": {"articles": [article], "highlights": []}});
        assert_eq!(
            shaped("2.16", &found)["data"]["articles"][0],
            json!({"type": "article", "parent_ids": [5]})
        );
    }

    #[test]
    fn fields_that_are_left_out_stay_out() {
        for kind in ["conversation", "contact", "ticket", "article"] {
            let bare = json!({"type": kind, "id": "1"});
            for at in VERSIONS {
                assert_eq!(shaped(at, &bare), bare);
            }
        }
    }

    #[test]
    fn owners_are_read_in_the_form_of_the_version() {
        let read = |at: &str, owner: Value| {
            let mut body = json!({"owner_id": owner});
            read_request(&version(at), "UpdateContact", &mut body).map(|()| body["owner_id"].take())
        };
        assert_eq!(read("2.15", json!(9)).unwrap(), 9);
        assert_eq!(read("2.16", json!("9")).unwrap(), 9);
        assert_eq!(read("2.16", Value::Null).unwrap(), Value::Null);
        assert!(read("2.16", json!(9)).is_err() && read("2.16", json!("Ann")).is_err());
        assert!(read_request(&version("2.16"), "UpdateContact", &mut json!({"name": "A"})).is_ok());
    }
}

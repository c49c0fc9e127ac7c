//! The records that a request affects, and the lookups that show their current state.
//!
//! To confirm a change, the user must know which records it changes and whom it reaches. Every record in the path
//! or the body is looked up; nothing here may depend on how the arguments expressed the request.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::bound::BoundRequest;
use crate::api::operation::{Answer, Operation, Place};
use crate::api::request_builder::operation_at;

/// Maximum number of records looked up per list; the count in the plan covers all.
const MAX_RECORDS: usize = 25;

/// A record that a request names.
#[derive(Debug, PartialEq)]
pub struct RequestSubject {
    /// The record's role in this request; `None` for the record at the request's path.
    pub label: Option<String>,
    /// Lookups that may show it, the best first.
    pub lookups: Vec<RecordLookup>,
    /// Whether the request changes it or reaches the person behind it.
    pub is_changed: bool,
    /// Whether the body sets fields of this record.
    pub is_set: bool,
}

/// A request that shows a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordLookup {
    pub method: &'static str,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    /// The id of the record inside the response, unless the response is the record.
    pub inside: Option<String>,
}

impl RecordLookup {
    fn at(path: String) -> Self {
        RecordLookup { method: "GET", path, query: Vec::new(), body: None, inside: None }
    }

    fn inside(self, id: &str) -> Self {
        RecordLookup { inside: Some(id.to_owned()), ..self }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Searches contacts by a field.
    fn contacts(field: &str, value: &str) -> Self {
        let query = json!({ "query": { "field": field, "operator": "=", "value": value } });
        RecordLookup { method: "POST", body: Some(query), ..RecordLookup::at("/contacts/search".to_owned()) }
    }
}

impl RequestSubject {
    fn labelled(label: &str, lookups: Vec<RecordLookup>) -> Self {
        RequestSubject { label: Some(label.to_owned()), lookups, is_changed: true, is_set: false }
    }

    fn unchanged(self) -> Self {
        RequestSubject { is_changed: false, ..self }
    }

    fn set(self) -> Self {
        RequestSubject { is_set: true, ..self }
    }
}

/// The record at the path first, then those in the body.
pub fn of(bound: &BoundRequest) -> Vec<RequestSubject> {
    let mut subjects = in_path(bound);
    subjects.extend(in_body(bound));
    subjects
}

fn in_path(bound: &BoundRequest) -> Vec<RequestSubject> {
    let main = |read: RecordLookup| RequestSubject {
        label: None,
        lookups: vec![read],
        is_changed: true,
        is_set: true,
    };
    if let Some(read) = same_place(bound) {
        return vec![main(read)];
    }
    let segments: Vec<&str> = bound.path.trim_matches('/').split('/').collect();
    let template = bound.operation.map(|operation| operation.path.trim_matches('/').split('/'));
    let template: Option<Vec<&str>> = template.map(Iterator::collect);
    let is_id = |at: usize| match &template {
        Some(template) => template.get(at).is_some_and(|part| part.starts_with('{')),
        None => true,
    };
    let prefix = |length: usize| format!("/{}", segments[..length].join("/"));
    let ends: Vec<usize> = (1..=segments.len()).rev().filter(|length| is_id(length - 1)).collect();
    let readable = ends.iter().copied().find(|length| is_readable(&prefix(*length)));
    let mut subjects: Vec<RequestSubject> =
        readable.map(|length| main(RecordLookup::at(prefix(length)))).into_iter().collect();
    // In `/contacts/{id}/tags/{tag}`, only the contact has its own path; the tag is looked up elsewhere.
    let deepest = ends.first().copied().filter(|deepest| template.is_some() && Some(*deepest) != readable);
    if let (Some(deepest), Some(template)) = (deepest, &template) {
        let id = decoded(segments[deepest - 1]);
        let kind = deepest.checked_sub(2).map_or("", |at| segments[at]);
        let mut lookups = Vec::new();
        for collection in [kind.to_owned(), plural(template[deepest - 1])] {
            let place = format!("/{collection}/{}", segments[deepest - 1]);
            if is_readable(&place) && !lookups.iter().any(|read: &RecordLookup| read.path == place) {
                lookups.push(RecordLookup::at(place));
            }
        }
        let list = prefix(deepest - 1);
        if operation_at("GET", &list).is_some_and(|operation| operation.answer == Answer::Json) {
            lookups.push(RecordLookup::at(list).inside(&id));
        }
        if let Some(readable) = readable {
            lookups.push(RecordLookup::at(prefix(readable)).inside(&id));
        }
        let is_target = deepest == segments.len();
        subjects.iter_mut().for_each(|subject| subject.is_set = !is_target);
        let label = if subjects.is_empty() { None } else { Some(singular(kind)) };
        // Detaching it from another record does not change it.
        let is_changed = subjects.is_empty();
        subjects.push(RequestSubject { label, lookups, is_changed, is_set: is_target });
    }
    subjects
}

/// The lookup at the request's own path, if it shows a single record and needs nothing else.
fn same_place(bound: &BoundRequest) -> Option<RecordLookup> {
    let operation = operation_at("GET", &bound.path).filter(|operation| operation.answer == Answer::Json)?;
    if bound.operation.is_some_and(|called| shape(called.path) != shape(operation.path)) {
        return None;
    }
    let mut read = RecordLookup::at(bound.path.clone());
    let needed: Vec<_> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Query && parameter.required)
        .collect();
    if !operation.path.ends_with('}') && needed.is_empty() {
        return None;
    }
    for parameter in needed {
        let value = bound.query.get(parameter.name).unwrap_or_else(|| bound.field(parameter.name));
        read = read.with(parameter.name, &text(value)?);
    }
    Some(read)
}

/// Whether the API shows one record at this path.
fn is_readable(path: &str) -> bool {
    let shows = |operation: &Operation| {
        let needs_query = operation
            .parameters
            .iter()
            .any(|parameter| parameter.place == Place::Query && parameter.required);
        operation.answer == Answer::Json && operation.path.ends_with('}') && !needs_query
    };
    operation_at("GET", path).is_some_and(shows)
}

/// The records in the body.
fn in_body(bound: &BoundRequest) -> Vec<RequestSubject> {
    let record = |label: &str, collection: &str, value: &Value| {
        let id = text(value)?;
        Some(RequestSubject::labelled(
            label,
            vec![RecordLookup::at(format!("/{collection}/{}", encoded(&id)))],
        ))
    };
    let field = |name: &'static str, collection: &str| record(name, collection, bound.field(name));
    let subjects: Vec<Option<RequestSubject>> =
        match bound.operation.map(|operation| operation.id) {
            Some("MergeContact") => vec![field("from", "contacts"), field("into", "contacts")],
            Some("redactConversation") => vec![field("conversation_id", "conversations")],
            Some("createMessage") => people("to", bound.field("to")),
            Some("convertVisitor") => {
                let visitor = people("visitor", bound.field("visitor"));
                visitor.into_iter().chain(people("user", bound.field("user"))).collect()
            }
            Some("createPhoneSwitch") => {
                let phone = text(bound.field("phone"));
                vec![phone.map(|phone| {
                    RequestSubject::labelled("to", vec![RecordLookup::contacts("phone", &phone)])
                })]
            }
            // The API shows visitors only by user id; the person may be a contact already.
            Some("updateVisitor") if text(bound.field("user_id")).is_none() => {
                vec![field("id", "contacts").map(RequestSubject::set)]
            }
            Some("createOrUpdateCompany") => {
                let id = text(bound.field("company_id"));
                vec![id.map(|id| {
                    let read = RecordLookup::at("/companies".to_owned()).with("company_id", &id);
                    RequestSubject::labelled("company", vec![read]).set()
                })]
            }
            Some("manageConversation") => {
                let id = bound.field("assignee_id");
                let is_nobody = text(id).is_none_or(|id| id == "0");
                let collection = if bound.field("type") == "team" { "teams" } else { "admins" };
                let assignee = record("assignee", collection, id).filter(|_| !is_nobody);
                vec![assignee.map(RequestSubject::unchanged)]
            }
            Some("createTag") => {
                let mut tagged = vec![record("tag", "tags", bound.field("id")).map(RequestSubject::set)];
                for (list, collection, label) in
                    [("users", "contacts", "contact"), ("companies", "companies", "company")]
                {
                    let elements = bound.field(list).as_array().into_iter().flatten().take(MAX_RECORDS);
                    tagged.extend(elements.enumerate().map(|(at, element)| {
                        record(&format!("{label} {}", at + 1), collection, &element["id"])
                    }));
                }
                tagged
            }
            Some(_) => Vec::new(),
            // An unknown request: use the fields that are named after a kind of record.
            None => {
                let id_fields = ["conversation_id", "contact_id", "ticket_id", "article_id", "tag_id"];
                id_fields.into_iter().map(|name| field(name, &plural(name))).collect()
            }
        };
    subjects.into_iter().flatten().collect()
}

/// A person or a list of people, identified by id, external id or email address.
fn people(label: &str, value: &Value) -> Vec<Option<RequestSubject>> {
    if let Value::Array(several) = value {
        let each = several.iter().take(MAX_RECORDS).enumerate();
        return each.flat_map(|(at, one)| people(&format!("{label} {}", at + 1), one)).collect();
    }
    let mut lookups = Vec::new();
    if let Some(id) = text(&value["id"]) {
        lookups.push(RecordLookup::at(format!("/contacts/{}", encoded(&id))));
    }
    if let Some(id) = text(&value["user_id"]) {
        if label.starts_with("visitor") {
            lookups.push(RecordLookup::at("/visitors".to_owned()).with("user_id", &id));
        }
        lookups.push(RecordLookup::at(format!("/contacts/find_by_external_id/{}", encoded(&id))));
    }
    if let Some(address) = text(&value["email"]) {
        lookups.push(RecordLookup::contacts("email", &address));
    }
    vec![(!lookups.is_empty()).then(|| RequestSubject::labelled(label, lookups))]
}

/// The object with this id inside a document, excluding the document itself.
pub fn inside<'a>(document: &'a Value, id: &str) -> Option<&'a Value> {
    let below: Vec<&Value> = match document {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(elements) => elements.iter().collect(),
        _ => Vec::new(),
    };
    below.into_iter().find_map(|value| {
        let is_match = value.is_object() && text(&value["id"]).is_some_and(|other| other == id);
        if is_match { Some(value) } else { inside(value, id) }
    })
}

/// The current values of the fields that a body sets.
pub fn overwritten(set: &Value, now: &Value) -> Value {
    match (set, now) {
        (Value::Object(set), Value::Object(_) | Value::Null) if !set.is_empty() => set
            .iter()
            .map(|(name, value)| (name.clone(), overwritten(value, now.get(name).unwrap_or(&Value::Null))))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => now.clone(),
    }
}

/// An id as text; `None` if the value is not an id.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str().map(|text| text.trim().to_owned());
    text.or_else(|| value.as_u64().map(|id| id.to_string())).filter(|text| !text.is_empty())
}

fn shape(path: &str) -> Vec<&str> {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect()
}

/// `{contact_id}` and `contact_id` name one of `contacts`.
fn plural(name: &str) -> String {
    let name = name.trim_matches(['{', '}']);
    let kind = name.strip_suffix("_id").unwrap_or(name);
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"))
}

fn singular(name: &str) -> String {
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(name).to_owned(),
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn encoded(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(method: &str, path: &str, body: Value) -> Vec<(String, Vec<String>)> {
        let bound = BoundRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: serde_json::Map::new(),
            body,
            operation: operation_at(method, path),
        };
        let shown = |read: &RecordLookup| {
            let query: Vec<String> =
                read.query.iter().map(|(name, value)| format!("?{name}={value}")).collect();
            let inside = read.inside.as_ref().map(|id| format!("#{id}")).unwrap_or_default();
            format!("{}{}{inside}", read.path, query.concat())
        };
        let named = of(&bound).into_iter();
        named
            .map(|subject| (subject.label.unwrap_or_default(), subject.lookups.iter().map(shown).collect()))
            .collect()
    }

    #[test]
    fn every_record_of_a_request_is_looked_up() {
        for (method, path, body, expected) in [
            ("DELETE", "/contacts/7", json!(null), vec![("", vec!["/contacts/7"])]),
            ("DELETE", "/tags/7", json!(null), vec![("", vec!["/tags/7"])]),
            (
                "DELETE",
                "/contacts/7/tags/9",
                json!(null),
                vec![
                    ("", vec!["/contacts/7"]),
                    ("tag", vec!["/tags/9", "/contacts/7/tags#9", "/contacts/7#9"]),
                ],
            ),
            (
                "DELETE",
                "/conversations/7/customers/9",
                json!(null),
                vec![("", vec!["/conversations/7"]), ("customer", vec!["/contacts/9", "/conversations/7#9"])],
            ),
            ("PUT", "/data_attributes/5", json!({}), vec![("", vec!["/data_attributes#5"])]),
            (
                "PUT",
                "/ticket_types/5/attributes/6",
                json!({}),
                vec![("", vec!["/ticket_types/5"]), ("attribute", vec!["/ticket_types/5#6"])],
            ),
            (
                "POST",
                "/contacts/merge",
                json!({ "from": "1", "into": "2" }),
                vec![("from", vec!["/contacts/1"]), ("into", vec!["/contacts/2"])],
            ),
            ("POST", "/messages", json!({ "to": { "id": "3" } }), vec![("to", vec!["/contacts/3"])]),
            ("POST", "/messages", json!({ "to": [{ "id": "3" }] }), vec![("to 1", vec!["/contacts/3"])]),
            ("PUT", "/visitors", json!({ "user_id": "4" }), vec![("", vec!["/visitors?user_id=4"])]),
            ("PUT", "/visitors", json!({ "id": "4" }), vec![("id", vec!["/contacts/4"])]),
            (
                "POST",
                "/visitors/convert",
                json!({ "visitor": { "user_id": "5" }, "user": { "email": "a@b.c" } }),
                vec![
                    ("visitor", vec!["/visitors?user_id=5", "/contacts/find_by_external_id/5"]),
                    ("user", vec!["/contacts/search"]),
                ],
            ),
            (
                "POST",
                "/phone_call_redirects",
                json!({ "phone": "+1" }),
                vec![("to", vec!["/contacts/search"])],
            ),
            (
                "POST",
                "/custom_object_instances/Order",
                json!({ "external_id": "9" }),
                vec![("", vec!["/custom_object_instances/Order?external_id=9"])],
            ),
            ("POST", "/conversations/9/parts", json!({}), vec![("", vec!["/conversations/9"])]),
            ("POST", "/conversations/9/unknown", json!({}), vec![("", vec!["/conversations/9"])]),
        ] {
            let found = subjects(method, path, body);
            let found: Vec<(&str, Vec<&str>)> = found
                .iter()
                .map(|(label, lookups)| (label.as_str(), lookups.iter().map(String::as_str).collect()))
                .collect();
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn overwritten_values_are_shown_at_every_depth() {
        let now = json!({ "name": "Ann", "custom_attributes": { "plan": "pro", "seats": 5 }, "tags": [1] });
        let set = json!({ "custom_attributes": { "plan": "x", "new": 1 }, "tags": [2] });
        let expected = json!({ "custom_attributes": { "plan": "pro", "new": null }, "tags": [1] });
        assert_eq!(overwritten(&set, &now), expected);
    }
}

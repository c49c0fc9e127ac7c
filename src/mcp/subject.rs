//! The records that a request names, and the reads that show them as they are before it.
//!
//! Whoever confirms a change needs to know what it changes and whom it reaches. Every record that the path or
//! the body names is read; nothing here may depend on how the request was written in arguments.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::bound::Bound;
use crate::api::operation::{Answer, Operation, Place};
use crate::api::request_builder::operation_at;

/// Records of one list that are read; the count says how many there are.
const MOST: usize = 25;

/// A record that a request names.
#[derive(Debug, PartialEq)]
pub struct Subject {
    /// What the record is in this request; `None` for the record at the request's own path.
    pub label: Option<String>,
    /// Reads that may show it, the best first.
    pub reads: Vec<Read>,
    /// Whether the request changes it, or reaches whoever it is about.
    pub is_changed: bool,
    /// Whether the fields of the body are fields of this record.
    pub is_set: bool,
}

/// A request that shows a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    pub method: &'static str,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    /// The id of the record inside the answer, where the answer is not the record itself.
    pub inside: Option<String>,
}

impl Read {
    fn at(path: String) -> Self {
        Read { method: "GET", path, query: Vec::new(), body: None, inside: None }
    }

    fn inside(self, id: &str) -> Self {
        Read { inside: Some(id.to_owned()), ..self }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Contacts with this value of a field.
    fn contacts(field: &str, value: &str) -> Self {
        let query = json!({ "query": { "field": field, "operator": "=", "value": value } });
        Read { method: "POST", body: Some(query), ..Read::at("/contacts/search".to_owned()) }
    }
}

impl Subject {
    fn labelled(label: &str, reads: Vec<Read>) -> Self {
        Subject { label: Some(label.to_owned()), reads, is_changed: true, is_set: false }
    }

    fn unchanged(self) -> Self {
        Subject { is_changed: false, ..self }
    }

    fn set(self) -> Self {
        Subject { is_set: true, ..self }
    }
}

/// The records that a request names: the one at its path first, then those of its body.
pub fn of(bound: &Bound) -> Vec<Subject> {
    let mut subjects = in_path(bound);
    subjects.extend(in_body(bound));
    subjects
}

fn in_path(bound: &Bound) -> Vec<Subject> {
    let own = |read: Read| Subject { label: None, reads: vec![read], is_changed: true, is_set: true };
    if let Some(read) = same_place(bound) {
        return vec![own(read)];
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
    let shown = ends.iter().copied().find(|length| is_readable(&prefix(*length)));
    let mut subjects: Vec<Subject> = shown.map(|length| own(Read::at(prefix(length)))).into_iter().collect();
    // Of `/contacts/{id}/tags/{tag}` the contact can be read, and the tag is looked up.
    let deepest = ends.first().copied().filter(|deepest| template.is_some() && Some(*deepest) != shown);
    if let (Some(deepest), Some(template)) = (deepest, &template) {
        let id = decoded(segments[deepest - 1]);
        let kind = deepest.checked_sub(2).map_or("", |at| segments[at]);
        let mut reads = Vec::new();
        for collection in [kind.to_owned(), plural(template[deepest - 1])] {
            let place = format!("/{collection}/{}", segments[deepest - 1]);
            if is_readable(&place) && !reads.iter().any(|read: &Read| read.path == place) {
                reads.push(Read::at(place));
            }
        }
        let list = prefix(deepest - 1);
        if operation_at("GET", &list).is_some_and(|operation| operation.answer == Answer::Json) {
            reads.push(Read::at(list).inside(&id));
        }
        if let Some(shown) = shown {
            reads.push(Read::at(prefix(shown)).inside(&id));
        }
        let is_target = deepest == segments.len();
        subjects.iter_mut().for_each(|subject| subject.is_set = !is_target);
        let label = if subjects.is_empty() { None } else { Some(singular(kind)) };
        // Taken off another record, it is not changed itself.
        let is_changed = subjects.is_empty();
        subjects.push(Subject { label, reads, is_changed, is_set: is_target });
    }
    subjects
}

/// The read at the request's own path, where it shows one record and the request says all that it takes.
fn same_place(bound: &Bound) -> Option<Read> {
    let operation = operation_at("GET", &bound.path).filter(|it| it.answer == Answer::Json)?;
    if bound.operation.is_some_and(|own| shape(own.path) != shape(operation.path)) {
        return None;
    }
    let mut read = Read::at(bound.path.clone());
    let needed: Vec<_> =
        operation.parameters.iter().filter(|it| it.place == Place::Query && it.required).collect();
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
        let takes = operation.parameters.iter().any(|it| it.place == Place::Query && it.required);
        operation.answer == Answer::Json && operation.path.ends_with('}') && !takes
    };
    operation_at("GET", path).is_some_and(shows)
}

/// The records that the body names.
fn in_body(bound: &Bound) -> Vec<Subject> {
    let record = |label: &str, collection: &str, value: &Value| {
        let id = text(value)?;
        Some(Subject::labelled(label, vec![Read::at(format!("/{collection}/{}", encoded(&id)))]))
    };
    let field = |name: &'static str, collection: &str| record(name, collection, bound.field(name));
    let found: Vec<Option<Subject>> =
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
                vec![phone.map(|phone| Subject::labelled("to", vec![Read::contacts("phone", &phone)]))]
            }
            // Without a user id the API shows no visitor; the person may be a contact already.
            Some("updateVisitor") if text(bound.field("user_id")).is_none() => {
                vec![field("id", "contacts").map(Subject::set)]
            }
            Some("createOrUpdateCompany") => {
                let id = text(bound.field("company_id"));
                vec![id.map(|id| {
                    let read = Read::at("/companies".to_owned()).with("company_id", &id);
                    Subject::labelled("company", vec![read]).set()
                })]
            }
            Some("manageConversation") => {
                let id = bound.field("assignee_id");
                let is_nobody = text(id).is_none_or(|id| id == "0");
                let collection = if bound.field("type") == "team" { "teams" } else { "admins" };
                let assignee = record("assignee", collection, id).filter(|_| !is_nobody);
                vec![assignee.map(Subject::unchanged)]
            }
            Some("createTag") => {
                let mut found = vec![record("tag", "tags", bound.field("id")).map(Subject::set)];
                for (list, collection, label) in
                    [("users", "contacts", "contact"), ("companies", "companies", "company")]
                {
                    let elements = bound.field(list).as_array().into_iter().flatten().take(MOST);
                    found.extend(elements.enumerate().map(|(at, element)| {
                        record(&format!("{label} {}", at + 1), collection, &element["id"])
                    }));
                }
                found
            }
            Some(_) => Vec::new(),
            // A request that the table does not have: fields that are called after a kind of record.
            None => {
                let named = ["conversation_id", "contact_id", "ticket_id", "article_id", "tag_id"];
                named.into_iter().map(|name| field(name, &plural(name))).collect()
            }
        };
    found.into_iter().flatten().collect()
}

/// A person, or a list of them, named by an id of some kind.
fn people(label: &str, value: &Value) -> Vec<Option<Subject>> {
    if let Value::Array(several) = value {
        let each = several.iter().take(MOST).enumerate();
        return each.flat_map(|(at, one)| people(&format!("{label} {}", at + 1), one)).collect();
    }
    let mut reads = Vec::new();
    if let Some(id) = text(&value["id"]) {
        reads.push(Read::at(format!("/contacts/{}", encoded(&id))));
    }
    if let Some(id) = text(&value["user_id"]) {
        if label.starts_with("visitor") {
            reads.push(Read::at("/visitors".to_owned()).with("user_id", &id));
        }
        reads.push(Read::at(format!("/contacts/find_by_external_id/{}", encoded(&id))));
    }
    if let Some(address) = text(&value["email"]) {
        reads.push(Read::contacts("email", &address));
    }
    vec![(!reads.is_empty()).then(|| Subject::labelled(label, reads))]
}

/// The object with this id below a document; the document itself is not meant.
pub fn inside<'a>(document: &'a Value, id: &str) -> Option<&'a Value> {
    let below: Vec<&Value> = match document {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(elements) => elements.iter().collect(),
        _ => Vec::new(),
    };
    below.into_iter().find_map(|value| {
        let is_it = value.is_object() && text(&value["id"]).is_some_and(|own| own == id);
        if is_it { Some(value) } else { inside(value, id) }
    })
}

/// The fields of a record that a body sets, as they are now.
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

/// An id as text; `None` for what is not one.
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
        let bound = Bound {
            method: method.to_owned(),
            path: path.to_owned(),
            query: serde_json::Map::new(),
            body,
            operation: operation_at(method, path),
        };
        let shown = |read: &Read| {
            let query: Vec<String> =
                read.query.iter().map(|(name, value)| format!("?{name}={value}")).collect();
            let inside = read.inside.as_ref().map(|id| format!("#{id}")).unwrap_or_default();
            format!("{}{}{inside}", read.path, query.concat())
        };
        let named = of(&bound).into_iter();
        named.map(|one| (one.label.unwrap_or_default(), one.reads.iter().map(shown).collect())).collect()
    }

    #[test]
    fn every_record_that_a_request_names_is_read() {
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
                .map(|(label, reads)| (label.as_str(), reads.iter().map(String::as_str).collect()))
                .collect();
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn what_a_body_sets_is_shown_as_it_is_at_every_depth() {
        let now = json!({ "name": "Ann", "custom_attributes": { "plan": "pro", "seats": 5 }, "tags": [1] });
        let set = json!({ "custom_attributes": { "plan": "x", "new": 1 }, "tags": [2] });
        let expected = json!({ "custom_attributes": { "plan": "pro", "new": null }, "tags": [1] });
        assert_eq!(overwritten(&set, &now), expected);
    }
}
